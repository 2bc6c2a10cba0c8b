# The emulator alone: one static binary, no shell, no user database.
FROM rust:1.95 AS build
WORKDIR /src
COPY . .
# glibc, linked in whole; an explicit target keeps the flag away from build scripts and macros.
ENV RUSTFLAGS="-C target-feature=+crt-static"
# What `ecsim version --json` names, since .git is not copied.
ARG ECSIM_COMMIT=unknown
RUN cargo build --locked --release --target x86_64-unknown-linux-gnu

FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-gnu/release/ecsim /ecsim
USER 65532:65532
EXPOSE 4580
# Inside, nobody is on loopback: who reaches the published port may use the control API.
ENV ECSIM_LISTEN=0.0.0.0:4580 ECSIM_ADMIN=on
STOPSIGNAL SIGTERM
# No --start-interval: Docker before 25 and the buildah of Debian 12 refuse it. Each check costs the engine more than
# the emulator, so not every second.
HEALTHCHECK --interval=2s --timeout=2s --start-period=2s --retries=3 CMD ["/ecsim", "healthcheck"]
ENTRYPOINT ["/ecsim"]
CMD ["serve"]
