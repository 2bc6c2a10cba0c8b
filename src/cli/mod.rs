//! The sub-commands: one file each.

mod actions;
mod chaos;
mod client;
mod clock;
mod env;
mod exchange;
mod explain;
mod fidelity;
mod healthcheck;
mod info;
mod log;
mod namespaces;
mod requests;
mod reset;
mod seed;
mod serve;
mod snapshot;
mod verify;
mod version;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::config::{self, Cli, Command, Parsed};
use crate::settings::UsageError;

/// Why a sub-command fails, and with which exit status (README, "Running it from a script").
#[derive(Debug)]
enum Failure {
    /// 1: at run time
    Runtime(String),
    /// 1: the emulator refuses what it is asked
    Refused { message: String, hint: String },
    /// 2: usage or configuration
    Usage { message: String, hint: String },
    /// 3: the address is taken
    AddressInUse { message: String, hint: String },
    /// 4: a seed, a snapshot, faults or the state file are refused, or a hook failed before the emulator was ready
    Seed { message: String, hint: String },
    /// 5: what was expected did not come
    Unmet { message: String, hint: String },
    /// A failure that has been reported already
    Silent(u8),
}

impl Failure {
    fn status(&self) -> u8 {
        match self {
            Self::Runtime(_) | Self::Refused { .. } => 1,
            Self::Usage { .. } => 2,
            Self::AddressInUse { .. } => 3,
            Self::Seed { .. } => 4,
            Self::Unmet { .. } => 5,
            Self::Silent(status) => *status,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(message) => write!(f, "error: {message}"),
            Self::Refused { message, hint }
            | Self::Usage { message, hint }
            | Self::AddressInUse { message, hint }
            | Self::Seed { message, hint }
            | Self::Unmet { message, hint } => {
                write!(f, "error: {message}\n\nhint: {hint}")
            }
            Self::Silent(_) => Ok(()),
        }
    }
}

impl From<UsageError> for Failure {
    fn from(UsageError { message, hint }: UsageError) -> Self {
        Self::Usage { message, hint }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever reads our output has read enough, as `head` does.
            io::ErrorKind::BrokenPipe => Self::Silent(0),
            _ => Self::Runtime(error.to_string()),
        }
    }
}

/// Runs a command line and answers its exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Silent(_)) {
                // Where even stderr is closed, the status still tells.
                let _ = writeln!(io::stderr(), "{failure}");
            }
            ExitCode::from(failure.status())
        }
    }
}

fn run(args: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    let (cli, effective) = match config::parse(args)? {
        Parsed::Print(text) => return print(&text),
        Parsed::Run { cli, effective } => (*cli, effective),
    };
    let Cli { command, serve } = cli;
    match command.unwrap_or(Command::Serve(Box::new(serve))) {
        Command::Serve(args) if args.print_config => print(&config::toml(&effective)),
        Command::Serve(args) => serve::run(*args, effective),
        Command::Healthcheck(args) => healthcheck::run(&args),
        Command::Info(args) => print(&info::text(&args)?),
        Command::Reset(args) => print(&reset::text(&args)?),
        Command::Clock(args) => print(&clock::text(&args)?),
        Command::Namespaces { command } => print(&namespaces::text(&command)?),
        Command::Seed(args) => print(&seed::text(&args)?),
        Command::Snapshot { command } => snapshot::run(&command),
        Command::Chaos { command } => chaos::run(&command),
        Command::Env(args) => print(&env::text(
            &config::url(args.url.as_deref(), &args.listen),
            &args.scope.namespace,
            args.instance.as_ref(),
        )),
        Command::Actions { json } => print(&actions::text(json)),
        Command::Requests(args) => print(&requests::text(&args)?),
        Command::Verify(args) => print(&verify::text(&args)?),
        Command::Explain(args) => print(&explain::text(&args)?),
        Command::Fidelity => print(&fidelity::page()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ecsim", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
        Command::Version { json } => print(&version::text(json)),
    }
}

/// Does what a sub-command has to wait for.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// What a file says that a sub-command is given; `-` is standard input. Without it, it fails as `unread` says of the reason.
fn given(file: &Path, unread: impl FnOnce(String) -> Failure) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if is_standard(file) {
        io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| unread(format!("cannot read {}: {error}", file.display()))).map(|()| text)
}

fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// The fidelity page, for the test that keeps `docs/fidelity.md` true.
pub fn fidelity_page() -> String {
    fidelity::page()
}
