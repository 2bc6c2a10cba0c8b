//! `ecsim serve`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, env, log};
use crate::config::{self, ClockMode, DEFAULT_ADDRESS, Effective, Parsed, ServeArgs};
use crate::control::{AdminToken, Stage};
use crate::emulator::{Builder, Emulator, StartError};
use crate::files::{InitFolder, Readers, beside_calls, write_out};
use crate::hooks::{HookError, Hooks, SHELL};
use crate::http::Address;
use crate::settings::AuthMode;
use crate::world::seed::Mistake;
use crate::world::{KeyStatus, Namespace};

pub(super) fn run(args: ServeArgs, effective: Effective) -> Result<(), Failure> {
    log::start(args.log_format, args.log_level)?;
    // On one core, workers of their own would only take turns with it.
    let alone = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut runtime =
        if alone { tokio::runtime::Builder::new_current_thread() } else { tokio::runtime::Builder::new_multi_thread() };
    let runtime = runtime.enable_all().build()?;
    let ended = runtime.block_on(serve(args, effective));
    runtime.shutdown_background();
    ended
}

async fn serve(args: ServeArgs, effective: Effective) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    if args.nonce_max > 0 && args.nonce_ttl < args.settings.clock_skew.saturating_mul(2) {
        tracing::warn!(
            "--nonce-ttl is shorter than twice --clock-skew: a signature can outlive the memory of its nonce"
        );
    }
    if args.state_interval.is_some() && args.state_file.is_none() {
        return Err(Failure::Usage {
            message: "--state-interval needs --state-file".to_owned(),
            hint: "name the file to save the state to".to_owned(),
        });
    }
    if args.port_file.is_some() && args.listen.is_empty() && args.unix.is_some() {
        return Err(Failure::Usage {
            message: "--port-file needs a TCP listener".to_owned(),
            hint: "pass `--listen 127.0.0.1:0` too".to_owned(),
        });
    }
    let init = InitFolder::find(args.init_dir.as_deref()).map_err(|mistakes| Failure::Seed {
        message: format!("the init folder cannot be used\n{}", list(&mistakes)),
        hint: "--init-dir names a folder that has ready.d, stop.d or both".to_owned(),
    })?;
    let builder = builder(&args, &effective).init(init).listed(effective.into_iter().collect());
    let emulator = builder.start().await.map_err(refused)?;
    let hooks = Hooks {
        shell: SHELL.into(),
        limit: args.init_timeout,
        on_error: args.init_on_error,
        variables: variables(emulator.addresses(), args.admin_token.as_ref()),
    };
    let waits = !emulator.init().hooks(Stage::Ready).is_empty();
    let begun = tokio::select! {
        // Signals first: one that came while hooks ran is not taken for one that came after them.
        biased;
        signal = first_before_ready(&mut interrupt, &mut terminate, &mut hangup), if waits => {
            tracing::info!(signal, "stopping, before the hooks have run");
            emulator.abandon().await;
            return Ok(());
        }
        begun = hooks.run(emulator.init(), Stage::Ready) => begun,
    };
    if let Err(error) = begun {
        emulator.abandon().await;
        return Err(Failure::Seed {
            message: error.to_string(),
            hint: "--init-on-error warn starts all the same".to_owned(),
        });
    }
    let signal = tokio::select! {
        signal = first(&mut interrupt, &mut terminate) => signal,
        failure = live(&args, &emulator, &mut hangup) => {
            emulator.abandon().await;
            return Err(failure);
        }
    };
    tracing::info!(signal, "stopping");
    stop(emulator, &hooks, args.shutdown_timeout, second(&mut interrupt, &mut terminate)).await
}

/// Tells that it is ready, and reloads whenever it is told to; a failure is before that. Either may wait for a pipe that
/// nobody is at the other end of, so that whoever awaits this has to look for the signals to stop.
async fn live(args: &ServeArgs, emulator: &Emulator, hangup: &mut Signal) -> Failure {
    let files = files(args, emulator);
    if let Err(failure) = beside_calls(move || files.iter().try_for_each(|(path, text)| write_file(path, text))).await {
        return failure;
    }
    announce(args, emulator);
    loop {
        hangup.recv().await;
        reload(emulator).await;
    }
}

/// The first signal to stop.
async fn first(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

/// The first signal to stop. A hangup before it is dropped: it would undo what the hooks do.
async fn first_before_ready(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) -> &'static str {
    loop {
        tokio::select! {
            signal = first(interrupt, terminate) => return signal,
            _ = hangup.recv() => tracing::warn!("not reloaded: the hooks have not run yet"),
        }
    }
}

/// Runs the stop hooks, which can still call, and stops; or cuts all off with the status that comes before that is done.
async fn stop(
    emulator: Emulator,
    hooks: &Hooks,
    patience: Duration,
    again: impl Future<Output = u8>,
) -> Result<(), Failure> {
    let mut again = pin!(again);
    let ended = tokio::select! {
        ended = run_stop_hooks(&emulator, hooks) => ended,
        status = &mut again => {
            emulator.abandon().await;
            return Err(Failure::Silent(status));
        }
    };
    let stopped = emulator.stop_unless(patience, again).await.map_err(Failure::Silent)?;
    if !stopped.drained {
        tracing::warn!("requests in flight were cut off after --shutdown-timeout");
    }
    stopped.saved.map_err(|error| Failure::Runtime(error.to_string()))?;
    ended.map_err(|_| Failure::Silent(1)) // Each is in the log already.
}

async fn run_stop_hooks(emulator: &Emulator, hooks: &Hooks) -> Result<(), HookError> {
    emulator.drain();
    // Whoever told it to stop may not wait for the hooks.
    if !emulator.init().hooks(Stage::Stop).is_empty()
        && let Err(error) = emulator.save().await
    {
        tracing::error!("{error}");
    }
    hooks.run(emulator.init(), Stage::Stop).await
}

/// What hooks find in their environment, so that SDKs, tools and ecsim itself find the emulator.
fn variables(addresses: &[Address], token: Option<&AdminToken>) -> Vec<(String, Option<String>)> {
    let (mut local, mut other, mut unix) = (None, None, None);
    for address in addresses {
        match address {
            Address::Tcp(address) if is_local(address.ip()) => local = local.or(Some(*address)),
            Address::Tcp(address) => other = other.or(Some(*address)),
            Address::Unix(path) => unix = unix.or(Some(path.display().to_string())),
        }
    }
    let has_better = local.is_none() && unix.is_some();
    let url = local.or(other).map(|address| config::url(None, &[address]));
    let exported = url.as_deref().map(|url| env::text(url, &Namespace::DEFAULT, None)).unwrap_or_default();
    // A pair of the user's is one of the seeds, which need not have the built-in one; and no half of it is replaced.
    let has_pair = env::KEY_PAIR.into_iter().any(config::is_set);
    let exported = env::exports(&exported).filter(|(name, _)| !(has_pair && env::KEY_PAIR.contains(name)));
    let exported = exported.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
    let endpoint = url.as_deref().map(|url| url.trim_start_matches("http://").to_owned());
    // The control API may be closed to who comes by another address than a local one.
    let url = url.filter(|_| !has_better);
    let own = [("ECSIM_URL", url), ("ECSIM_ENDPOINT", endpoint), ("ECSIM_UNIX", unix)];
    let token = token.map(|token| ("ECSIM_ADMIN_TOKEN", Some(token.text().to_owned())));
    let own = own.into_iter().chain(token).map(|(name, value)| (name.to_owned(), value));
    own.chain(exported).collect()
}

/// Whether who connects to this address comes from this machine by it.
fn is_local(listening: IpAddr) -> bool {
    listening.to_canonical().is_loopback() || listening.is_unspecified()
}

/// The status of a stop that was forced by a second signal: 128 and the signal's number.
async fn second(interrupt: &mut Signal, terminate: &mut Signal) -> u8 {
    tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
    }
}

fn builder(args: &ServeArgs, effective: &Effective) -> Builder {
    let frozen = config::is_given(effective, "clock").then_some(args.clock == ClockMode::Frozen);
    let mut builder = Emulator::builder()
        .seed_paths(args.seed.iter().cloned())
        .settings(args.settings)
        .limits(args.limits())
        .access(args.access())
        .metadata(args.metadata_settings())
        .now(args.now, frozen)
        .space_limits(args.space_limits())
        .nonces(args.nonce_max, args.nonce_ttl)
        .journal_max(args.journal_max)
        .state_file(args.state_file.clone(), args.state_interval)
        .snapshot_dir(args.snapshot_dir.clone());
    for (address, instance) in &args.metadata {
        builder = builder.listen_as(*address, instance.clone());
    }
    for address in &args.listen {
        builder = builder.listen(*address);
    }
    if let Some(path) = &args.unix {
        builder = builder.unix(path);
    } else if args.listen.is_empty() {
        builder = builder.listen(DEFAULT_ADDRESS);
    }
    match args.rng_seed {
        Some(seed) => builder.rng_seed(seed),
        None => builder,
    }
}

fn refused(error: StartError) -> Failure {
    match error {
        StartError::Bind(error) if error.is_in_use() => Failure::AddressInUse {
            message: format!("cannot listen on {}: address in use", error.address),
            hint: "pass `--listen 127.0.0.1:0` to take a free port".to_owned(),
        },
        StartError::Bind(error) => Failure::Runtime(error.to_string()),
        StartError::State(mistakes) => Failure::Seed {
            message: format!("the state file cannot be used\n{}", list(&mistakes)),
            hint: "move it away to start from the seeds".to_owned(),
        },
        StartError::TooManyKept(mistake) => Failure::Seed {
            message: format!("the state file cannot be used\n{mistake}"),
            hint: "start with a larger --max-namespaces".to_owned(),
        },
        StartError::Unsavable(error) => Failure::Seed {
            message: error.to_string(),
            hint: "the folder of --state-file has to be there, and ecsim able to write in it".to_owned(),
        },
        StartError::StateAmongSnapshots => Failure::Usage {
            message: "--state-file names a file that would be a snapshot of --snapshot-dir".to_owned(),
            hint: "give the snapshots a folder of their own".to_owned(),
        },
        StartError::Seed(mistakes) => Failure::Seed {
            message: format!("the seeds cannot be used\n{}", list(&mistakes)),
            hint: "fixtures/seed/seed.schema.json in the sources describes the form".to_owned(),
        },
        StartError::Address(error) => Failure::Runtime(error.to_string()),
        StartError::UnknownInstance(id) => Failure::Usage {
            message: format!("--metadata and --metadata-default: there is no instance {id}"),
            hint: "name one of the seeds or of the state file; without --seed, i-bp1ecsim0000000web01 is one"
                .to_owned(),
        },
    }
}

/// A mistake a line.
fn list(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The files that tell where the emulator listens, and their texts: whoever waits for one finds it ready.
fn files(args: &ServeArgs, emulator: &Emulator) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    if let Some(path) = &args.port_file {
        let port = emulator.addresses().iter().find_map(|address| match address {
            Address::Tcp(address) => Some(address.port()),
            Address::Unix(_) => None,
        });
        let port = port.unwrap_or_default(); // There is one, since this flag needs it.
        files.push((path.clone(), port.to_string()));
    }
    if let Some(path) = &args.endpoints_file {
        let listeners =
            emulator.addresses().iter().map(|address| json!({ "addr": address.to_string(), "url": url(address) }));
        let of_instances = emulator.instance_addresses().iter().map(|(address, instance)| {
            json!({ "addr": address.to_string(), "url": format!("http://{address}"), "instance": instance.to_string() })
        });
        let listeners: Vec<_> = listeners.chain(of_instances).collect();
        let text = json!({ "schema": 1, "pid": std::process::id(), "listeners": listeners }).to_string();
        files.push((path.clone(), text));
    }
    files
}

/// The banner, then the ready lines: the last thing that start-up prints.
fn announce(args: &ServeArgs, emulator: &Emulator) {
    if !args.quiet && io::stderr().is_terminal() {
        let _ = io::stderr().write_all(banner(args, emulator).as_bytes());
    }
    let first = emulator.addresses().first().map(ToString::to_string).unwrap_or_default();
    let ready = format!("ecsim ready addr={first} pid={}\nReady.\n", std::process::id());
    let mut out = io::stdout().lock();
    // Nobody may be reading, as in a container: that is no reason to stop.
    let _ = out.write_all(ready.as_bytes()).and_then(|()| out.flush());
}

fn url(address: &Address) -> String {
    match address {
        Address::Tcp(address) => format!("http://{address}"),
        Address::Unix(path) => format!("unix:{}", path.display()),
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    write_out(path, text.as_bytes(), Readers::Others)
        .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", path.display())))
}

/// Where it listens, which keys sign, and who has which role.
fn banner(args: &ServeArgs, emulator: &Emulator) -> String {
    let mut text = format!("ecsim {}\n", env!("CARGO_PKG_VERSION"));
    for address in emulator.addresses() {
        let _ = writeln!(text, "  listening on {}", url(address));
    }
    for (address, instance) in emulator.instance_addresses() {
        let _ = writeln!(text, "  metadata of {instance} on http://{address}");
    }
    if args.settings.auth != AuthMode::Strict {
        let _ = writeln!(text, "  signatures are not fully checked: --auth {:?}", args.settings.auth);
    }
    // `default` is always there.
    let _ = emulator.world(|world| {
        for (id, key) in world.keys() {
            let state = if key.status == KeyStatus::Active { "" } else { ", inactive" };
            let _ = writeln!(text, "  key {id} (account {}{state})", key.account);
        }
        let shown = 20;
        for (id, instance) in world.instances().take(shown) {
            let role = instance.role().map_or_else(|| "no role".to_owned(), |role| format!("role {role}"));
            let _ =
                writeln!(text, "  instance {id} ({}, {}): {role}", instance.region.id, instance.spec.network.name());
        }
        if let Some(more) = world.instance_count().checked_sub(shown).filter(|more| *more > 0) {
            let _ = writeln!(text, "  and {more} more instances");
        }
    });
    text
}

/// SIGHUP: reads configuration and seeds again, and begins every space again; with a state file, all worlds stay. No hook
/// runs again. What needs a restart (listeners, limits, metadata, log, files) stays as it is; a mistake changes nothing.
async fn reload(emulator: &Emulator) {
    let (args, effective) = match beside_calls(|| config::parse(std::env::args_os())).await {
        Ok(Parsed::Run { cli, effective }) => match cli.command {
            Some(config::Command::Serve(args)) => (*args, effective),
            _ => (cli.serve, effective),
        },
        Ok(Parsed::Print(_)) => return,
        Err(error) => return tracing::error!(error = %error.message, "not reloaded"),
    };
    let listed = effective.into_iter().collect();
    match emulator.reload(args.seed, args.init_dir, args.settings, listed).await {
        Ok(()) => tracing::info!("reloaded"),
        Err(mistakes) => tracing::error!(mistakes = %list(&mistakes), "not reloaded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_listeners_hooks_find_one_that_lets_them_use_the_control_api() {
        let tcp = |text: &str| Address::Tcp(text.parse().expect("an address"));
        let found = |addresses: &[Address]| {
            let variables = variables(addresses, None);
            let value = |name| variables.iter().find_map(|(own, value)| value.clone().filter(|_| own == name));
            ["ECSIM_URL", "ECSIM_UNIX", "ECSIM_ENDPOINT", "ALIBABA_CLOUD_ENDPOINT"].map(value)
        };
        let [other, unix] = [tcp("192.0.2.2:1"), Address::Unix("s".into())];
        let some = |text: &str| Some(text.to_owned());
        let (at, url) = (some("192.0.2.2:1"), some("http://192.0.2.2:1"));
        assert_eq!(found(&[other.clone(), tcp("192.0.2.3:2")]), [url, None, at.clone(), at.clone()]);
        assert_eq!(found(&[other.clone(), unix.clone()]), [None, some("s"), at.clone(), at]);
        for (local, url) in [("127.0.0.2:2", "127.0.0.2:2"), ("0.0.0.0:2", "127.0.0.1:2"), ("[::]:2", "[::1]:2")] {
            let found = found(&[other.clone(), unix.clone(), tcp(local)]);
            assert_eq!(found, [some(&format!("http://{url}")), some("s"), some(url), some(url)]);
        }
    }
}
