# The emulator alone: one static binary, no shell, no user database.
FROM rust:1.95 AS build
WORKDIR /src
COPY . .
# glibc, linked in whole; an explicit target keeps the flag away from build scripts and macros.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --locked --release --target x86_64-unknown-linux-gnu

FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-gnu/release/ecsim /ecsim
USER 65532:65532
EXPOSE 4580
ENV ECSIM_LISTEN=0.0.0.0:4580
STOPSIGNAL SIGTERM
# No --start-interval: Docker before 25 and the buildah of Debian 12 refuse it.
HEALTHCHECK --interval=1s --timeout=2s --start-period=2s --retries=3 CMD ["/ecsim", "healthcheck"]
ENTRYPOINT ["/ecsim"]
CMD ["serve"]
