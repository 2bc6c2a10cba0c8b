//! The command line, the variables and the configuration file; the only reader of the environment.
//!
//! A value is looked for on the command line, then in its variable, then in the file, and is else
//! the default. All four go through the same parser: the file's values become the defaults of the
//! argument parser.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{
    ArgAction, ArgMatches, Args, Command as ClapCommand, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use jiff::{SignedDuration, Timestamp};
use toml::de::{DeTable, DeValue};

use crate::control::{Access, AdminMode, AdminToken, Origin, Setting, Source, Value};
use crate::files::SnapshotName;
use crate::hooks::OnError;
use crate::http::Limits;
use crate::metadata;
use crate::settings::{Settings, UsageError, duration};
use crate::world::{NamedInstance, Namespace, SpaceLimits, parse_utc};

/// The address without `--listen` and `--unix`.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4580);

/// A local emulator of the Alibaba Cloud ECS endpoint
///
/// Without a sub-command it serves: point an SDK at http://127.0.0.1:4580 with the key pair
/// test / test. `ecsim env` prints how.
#[derive(Debug, Parser)]
#[command(name = "ecsim", version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the emulator (the default)
    Serve(Box<ServeArgs>),
    /// Exit with 0 if an emulator answers, else with 1
    Healthcheck(HealthcheckArgs),
    /// Print version, modes and limits of a running emulator
    Info(ScopedArgs),
    /// Begin a namespace of a running emulator again
    Reset(ScopedArgs),
    /// Print what time it is in a namespace of a running emulator, or move that
    Clock(ClockArgs),
    /// List and forget the namespaces of a running emulator
    #[command(arg_required_else_help = false)]
    Namespaces {
        #[command(subcommand)]
        command: NamespacesCommand,
    },
    /// Give a seed to a running emulator
    Seed(SeedArgs),
    /// Save, load, export and import worlds of a running emulator
    #[command(arg_required_else_help = false)]
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// List, set and clear what goes wrong on purpose in a running emulator
    #[command(arg_required_else_help = false)]
    Chaos {
        #[command(subcommand)]
        command: ChaosCommand,
    },
    /// Print what to export or set so that SDKs and tools find the emulator
    Env(EnvArgs),
    /// List the actions of the vendor and which of them are emulated
    Actions {
        /// As JSON, the same as GET /_ecsim/coverage
        #[arg(long)]
        json: bool,
    },
    /// List the latest requests of a running emulator
    Requests(RequestsArgs),
    /// Check which calls a running emulator got; exit with 5 if others are expected
    Verify(VerifyArgs),
    /// Say what an error code means here, or why a running emulator answered a request as it did
    Explain(ExplainArgs),
    /// Print the fidelity page: what is documented, recorded or inferred
    Fidelity,
    /// Print a completion script
    Completions { shell: clap_complete::Shell },
    /// Print the version
    Version {
        /// As JSON, with the commit and the date of the API's metadata
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum NamespacesCommand {
    /// List the namespaces that there are
    List(ControlArgs),
    /// Forget a namespace; whoever names it again gets a new one
    Delete(DeleteNamespaceArgs),
}

#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Save the world of a namespace under a name, in the emulator's --snapshot-dir
    Save(NamedSnapshotArgs),
    /// Put the world of a saved snapshot in the place of a namespace's
    Load(NamedSnapshotArgs),
    /// List the saved snapshots
    List(ControlArgs),
    /// Print a saved snapshot
    Show(SavedSnapshotArgs),
    /// Delete a saved snapshot
    Delete(SavedSnapshotArgs),
    /// Print the world of a namespace, or write it to a file
    Export(SnapshotFileArgs),
    /// Put the world of a file in the place of a namespace's
    Import(SnapshotFileArgs),
}

#[derive(Debug, Subcommand)]
pub enum ChaosCommand {
    /// Print the faults, the effects or the limits of a namespace, with what they have done
    List(ChaosArgs),
    /// Put what a file says in the place of all that there are
    Set(ChaosFileArgs),
    /// Add what a file says to the faults or the limits
    Add(ChaosFileArgs),
    /// Remove the faults that a file describes
    Remove(ChaosFileArgs),
    /// Remove all faults, effects and limits, or one of these
    Clear(ClearChaosArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on, repeatable; port 0 takes a free one [default: 127.0.0.1:4580]
    #[arg(long, env = "ECSIM_LISTEN", value_name = "IP:PORT", value_delimiter = ',')]
    pub listen: Vec<SocketAddr>,

    /// Unix socket to listen on; without --listen, nothing else is listened on
    #[arg(long, env = "ECSIM_UNIX", value_name = "PATH")]
    pub unix: Option<PathBuf>,

    /// Write the port of the first TCP listener to this file
    #[arg(long, env = "ECSIM_PORT_FILE", value_name = "PATH")]
    pub port_file: Option<PathBuf>,

    /// Write process id and listeners to this file, as JSON
    #[arg(long, env = "ECSIM_ENDPOINTS_FILE", value_name = "PATH")]
    pub endpoints_file: Option<PathBuf>,

    /// Seed file or folder of *.json, repeatable [default: the built-in seed]
    #[arg(long, env = "ECSIM_SEED", value_name = "PATH", value_delimiter = ',')]
    pub seed: Vec<PathBuf>,

    /// Folder of seeds (ready.d/*.json) and of scripts to run (ready.d/*.sh, stop.d/*.sh) [default: /etc/ecsim/init, if it is there]
    #[arg(long, env = "ECSIM_INIT_DIR", value_name = "DIR")]
    pub init_dir: Option<PathBuf>,

    /// Time for each script of the init folder
    #[arg(long, env = "ECSIM_INIT_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    pub init_timeout: Duration,

    /// What becomes of the failure of such a script
    #[arg(long, env = "ECSIM_INIT_ON_ERROR", value_name = "MODE", default_value = "fail")]
    pub init_on_error: OnError,

    /// File that all namespaces are kept in from one run to the next; once it exists, seeds are for new ones and resets
    #[arg(long, env = "ECSIM_STATE_FILE", value_name = "PATH")]
    pub state_file: Option<PathBuf>,

    /// Save the state this often too, and not only at the stop
    #[arg(long, env = "ECSIM_STATE_INTERVAL", value_name = "DURATION", value_parser = timeout)]
    pub state_interval: Option<Duration>,

    /// Folder that the control API keeps named snapshots in; without it, there are none
    #[arg(long, env = "ECSIM_SNAPSHOT_DIR", value_name = "DIR")]
    pub snapshot_dir: Option<PathBuf>,

    /// Configuration file: TOML with the names of these flags
    #[arg(long, env = "ECSIM_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print the effective configuration, and where each value is from, then exit
    #[arg(long, env = "ECSIM_PRINT_CONFIG", value_parser = BoolishValueParser::new())]
    pub print_config: bool,

    /// Print no banner
    #[arg(short, long, env = "ECSIM_QUIET", value_parser = BoolishValueParser::new())]
    pub quiet: bool,

    #[command(flatten)]
    pub settings: Settings,

    /// From where the control API under /_ecsim/ can be used
    #[arg(long, env = "ECSIM_ADMIN", value_name = "MODE", default_value = "loopback")]
    pub admin: AdminMode,

    /// Token that the control API wants as `Authorization: Bearer TOKEN`
    #[arg(long, env = "ECSIM_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = AdminToken::new)]
    pub admin_token: Option<AdminToken>,

    /// Origin of web pages that may use the control API, repeatable
    #[arg(long, env = "ECSIM_CORS_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = Origin::new)]
    pub cors_allow_origin: Vec<Origin>,

    /// Address whose metadata is one instance's, repeatable
    #[arg(long, env = "ECSIM_METADATA", value_name = "IP:PORT=INSTANCE[@NAMESPACE]", value_delimiter = ',', value_parser = metadata_listener)]
    pub metadata: Vec<(SocketAddr, NamedInstance)>,

    /// Instance that whoever asks for metadata is, if nothing else tells
    #[arg(long, env = "ECSIM_METADATA_DEFAULT", value_name = "INSTANCE[@NAMESPACE]", value_parser = instance)]
    pub metadata_default: Option<NamedInstance>,

    /// How long the credentials live that an instance gets for its role
    #[arg(long, env = "ECSIM_CREDENTIAL_LIFETIME", value_name = "DURATION", default_value = "6h", value_parser = lifetime)]
    pub credential_lifetime: SignedDuration,

    /// The world's time at the start, such as 2026-01-05T08:00:00Z [default: the machine's]
    #[arg(long, env = "ECSIM_NOW", value_name = "TIME", value_parser = time)]
    pub now: Option<Timestamp>,

    /// Whether the world's time goes on; without it and --now, as a seed or the state file has it
    #[arg(long, env = "ECSIM_CLOCK", value_name = "MODE", default_value = "real")]
    pub clock: ClockMode,

    /// Make request ids and other ids repeat exactly
    #[arg(long, env = "ECSIM_RNG_SEED", value_name = "NUMBER")]
    pub rng_seed: Option<u64>,

    /// How log lines look
    #[arg(long, env = "ECSIM_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// What is logged [default: RUST_LOG, else info on a terminal and warn elsewhere]
    #[arg(long, env = "ECSIM_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,

    /// Largest body of a request
    #[arg(long, env = "ECSIM_MAX_BODY_SIZE", value_name = "SIZE", default_value = "1MiB", value_parser = size)]
    pub max_body_size: usize,

    /// Largest first line and headers of a request
    #[arg(long, env = "ECSIM_MAX_HEADER_SIZE", value_name = "SIZE", default_value = "64KiB", value_parser = size)]
    pub max_header_size: usize,

    /// Most connections at once; more wait to be accepted
    #[arg(long, env = "ECSIM_MAX_CONNECTIONS", value_name = "COUNT", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Time for a request's headers to arrive, and for an idle connection to be used again
    #[arg(long, env = "ECSIM_HEADER_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    pub header_timeout: Duration,

    /// Time for a request's body to arrive
    #[arg(long, env = "ECSIM_BODY_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    pub body_timeout: Duration,

    /// Most nonces remembered, about 18 bytes each; 0 turns the replay check off
    #[arg(long, env = "ECSIM_NONCE_MAX", value_name = "COUNT", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(0..=1 << 28))]
    pub nonce_max: u32,

    /// How long a nonce is remembered
    #[arg(long, env = "ECSIM_NONCE_TTL", value_name = "DURATION", default_value = "30m", value_parser = duration)]
    pub nonce_ttl: SignedDuration,

    /// Most requests kept in the journal of a namespace, about 1 KiB each and 21 KiB at most; 0 keeps none
    #[arg(long, env = "ECSIM_JOURNAL_MAX", value_name = "COUNT", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub journal_max: u32,

    /// Most namespaces at once, beside the default one
    #[arg(long, env = "ECSIM_MAX_NAMESPACES", value_name = "COUNT", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub max_namespaces: u32,

    /// How long a namespace that nobody uses stays
    #[arg(long, env = "ECSIM_NAMESPACE_TTL", value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub namespace_ttl: SignedDuration,

    /// Time for requests in flight at a stop
    #[arg(long, env = "ECSIM_SHUTDOWN_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = timeout)]
    pub shutdown_timeout: Duration,
}

impl ServeArgs {
    pub fn metadata_settings(&self) -> metadata::Settings {
        metadata::Settings {
            default_instance: self.metadata_default.clone(),
            credential_lifetime: self.credential_lifetime,
        }
    }

    pub fn space_limits(&self) -> SpaceLimits {
        SpaceLimits { most: self.max_namespaces as usize, idle: self.namespace_ttl }
    }

    pub fn access(&self) -> Access {
        Access { mode: self.admin, token: self.admin_token.clone(), origins: self.cors_allow_origin.clone() }
    }

    pub fn limits(&self) -> Limits {
        Limits {
            max_body_size: self.max_body_size,
            max_header_size: self.max_header_size,
            max_connections: self.max_connections,
            header_timeout: self.header_timeout,
            body_timeout: self.body_timeout,
        }
    }
}

/// Where the emulator is that a sub-command asks.
#[derive(Clone, Debug)]
pub struct WhereArgs(WhereFlags);

#[derive(Clone, Debug, Args)]
struct WhereFlags {
    /// Base URL of the emulator [default: the address in ECSIM_LISTEN, else http://127.0.0.1:4580]
    #[arg(long, env = "ECSIM_URL", value_name = "URL")]
    url: Option<String>,

    /// Unix socket of the emulator
    #[arg(long, env = "ECSIM_UNIX", value_name = "PATH")]
    unix: Option<PathBuf>,

    /// The addresses that the emulator was told to listen on; the first is asked
    #[arg(long, env = "ECSIM_LISTEN", value_name = "IP:PORT", value_delimiter = ',', hide = true)]
    listen: Vec<SocketAddr>,
}

/// As derived, but that a socket on the command line wins over a URL in a variable.
impl FromArgMatches for WhereArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = WhereFlags::from_arg_matches(matches)?;
        let is_given = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if is_given("unix") && !is_given("url") {
            flags.url = None;
        }
        Ok(Self(flags))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for WhereArgs {
    fn augment_args(command: ClapCommand) -> ClapCommand {
        WhereFlags::augment_args(command)
    }

    fn augment_args_for_update(command: ClapCommand) -> ClapCommand {
        WhereFlags::augment_args_for_update(command)
    }
}

#[derive(Clone, Debug, Args)]
pub struct HealthcheckArgs {
    #[command(flatten)]
    pub emulator: WhereArgs,

    /// How long to wait for the answer
    #[arg(long, env = "ECSIM_HEALTHCHECK_TIMEOUT", value_name = "DURATION", default_value = "2s", value_parser = timeout)]
    pub timeout: Duration,
}

/// Where the emulator is that a sub-command uses, and what it wants to be shown.
#[derive(Clone, Debug, Args)]
pub struct ControlArgs {
    #[command(flatten)]
    pub emulator: WhereArgs,

    /// Token that the emulator's control API wants
    #[arg(long, env = "ECSIM_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = AdminToken::new)]
    pub admin_token: Option<AdminToken>,
}

/// The namespace that a sub-command is about.
#[derive(Clone, Debug, Args)]
pub struct ScopeArgs {
    /// The namespace
    #[arg(long, env = "ECSIM_NAMESPACE", value_name = "NAMESPACE", default_value = "default", value_parser = namespace)]
    pub namespace: Namespace,
}

#[derive(Clone, Debug, Args)]
pub struct ScopedArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct ClockArgs {
    /// How it goes from now on
    #[arg(long, value_name = "MODE", value_parser = ["real", "frozen", "offset"])]
    pub mode: Option<String>,

    /// What time it is from now on, such as 2026-01-05T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,

    /// By how much to move it on, such as 57m
    #[arg(long, value_name = "DURATION")]
    pub advance: Option<String>,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct DeleteNamespaceArgs {
    /// Name of the namespace
    #[arg(value_name = "NAME", value_parser = namespace)]
    pub name: Namespace,

    #[command(flatten)]
    pub control: ControlArgs,
}

#[derive(Clone, Debug, Args)]
pub struct SeedArgs {
    /// Seed file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Put the seed's world in the place of the one that is there, in place of adding to it
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct RequestsArgs {
    /// Only those of this action
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,

    /// Only those that were answered with this code; OK is success
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,

    /// Only the latest so many
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<usize>,

    /// Print all that is known of them, as GET /_ecsim/requests answers it
    #[arg(long)]
    pub json: bool,

    /// Forget all requests, in place of listing them
    #[arg(long, conflicts_with_all = ["action", "code", "limit", "json"])]
    pub clear: bool,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// What is expected, as POST /_ecsim/verify takes it; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The code, such as `InvalidInstanceId.NotFound`, or the RequestId of an answer
    #[arg(value_name = "CODE|REQUEST_ID")]
    pub what: String,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct SavedSnapshotArgs {
    /// Name of the snapshot
    #[arg(value_name = "NAME", value_parser = snapshot_name)]
    pub name: SnapshotName,

    #[command(flatten)]
    pub control: ControlArgs,
}

#[derive(Clone, Debug, Args)]
pub struct NamedSnapshotArgs {
    #[command(flatten)]
    pub saved: SavedSnapshotArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct SnapshotFileArgs {
    /// The file; `-` is standard output or input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Chaos {
    /// Calls that fail, wait or lose their answers
    Faults,
    /// How long all answers are held back
    Effects,
    /// How often calls may come
    Limits,
}

#[derive(Clone, Debug, Args)]
pub struct ChaosArgs {
    #[arg(value_name = "WHAT")]
    pub what: Chaos,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct ClearChaosArgs {
    #[arg(value_name = "WHAT")]
    pub what: Option<Chaos>,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct ChaosFileArgs {
    #[arg(value_name = "WHAT")]
    pub what: Chaos,

    /// The file; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,

    #[command(flatten)]
    pub control: ControlArgs,

    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Clone, Debug, Args)]
pub struct EnvArgs {
    /// Base URL of the emulator [default: the address in ECSIM_LISTEN, else http://127.0.0.1:4580]
    #[arg(long, env = "ECSIM_URL", value_name = "URL")]
    pub url: Option<String>,

    /// Print how programs get the credentials of this instance's role, in place of the owner's key pair
    #[arg(long, value_name = "INSTANCE[@NAMESPACE]", value_parser = instance)]
    pub instance: Option<NamedInstance>,

    #[command(flatten)]
    pub scope: ScopeArgs,

    /// The addresses that the emulator was told to listen on; the first is named
    #[arg(long, env = "ECSIM_LISTEN", value_name = "IP:PORT", value_delimiter = ',', hide = true)]
    pub listen: Vec<SocketAddr>,
}

impl WhereArgs {
    pub fn url(&self) -> String {
        url(self.0.url.as_deref(), &self.0.listen)
    }

    /// The socket to reach it by, unless a URL is given.
    pub fn socket(&self) -> Option<&Path> {
        self.0.unix.as_deref().filter(|_| self.0.url.is_none())
    }
}

/// Whether the environment has a variable of this name that is not empty.
pub fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The URL to reach an emulator at: as given, or at its first address, from this machine.
pub fn url(given: Option<&str>, listen: &[SocketAddr]) -> String {
    if let Some(url) = given {
        return url.trim_end_matches('/').to_owned();
    }
    let mut address = listen.first().copied().unwrap_or(DEFAULT_ADDRESS);
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    format!("http://{address}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line a call, for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClockMode {
    /// As the machine's, counted from --now if that is given
    Real,
    /// Not at all, until /_ecsim/clock moves it
    Frozen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// `127.0.0.1:8001=i-bp1…`.
fn metadata_listener(text: &str) -> Result<(SocketAddr, NamedInstance), String> {
    let (address, id) =
        text.split_once('=').ok_or("a metadata listener is such as 127.0.0.1:8001=i-bp1ecsim0000000web01")?;
    let address = address.parse().map_err(|_| format!("{address} is no address such as 127.0.0.1:8001"))?;
    Ok((address, instance(id)?))
}

/// `i-bp1…` or `i-bp1…@namespace`.
fn instance(text: &str) -> Result<NamedInstance, String> {
    let named = NamedInstance::parse(text).ok_or("an instance id is not empty")?;
    // What is no name is part of the id, where it is more likely a mistake.
    if named.id.as_str().contains('@') {
        namespace("")?;
    }
    Ok(named)
}

fn namespace(text: &str) -> Result<Namespace, String> {
    Namespace::parse(text).ok_or_else(|| format!("a namespace is {}", Namespace::FORM))
}

fn snapshot_name(text: &str) -> Result<SnapshotName, String> {
    SnapshotName::parse(text)
        .ok_or_else(|| "a name is 1 to 64 letters, digits, '-', '_' or '.', the first no '.'".to_owned())
}

/// A whole number of seconds, since that is how ends of credentials are shown; short of a day.
fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let lifetime = duration(text)?;
    let whole = lifetime.subsec_nanos() == 0 && (1..=24 * 3600).contains(&lifetime.as_secs());
    if whole { Ok(lifetime) } else { Err("credentials live from 1s to 24h, in whole seconds".to_owned()) }
}

fn time(text: &str) -> Result<Timestamp, String> {
    parse_utc(text).ok_or_else(|| "a time is such as 2026-01-05T08:00:00Z".to_owned())
}

/// The longest time limit: clocks that add to it cannot overflow.
const LONGEST: Duration = Duration::from_hours(24);

fn timeout(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    match Duration::try_from(duration) {
        Ok(limit) if !limit.is_zero() && limit <= LONGEST => Ok(limit),
        _ => Err("a time limit is more than zero and at most 24h".to_owned()),
    }
}

/// `65536`, `64KiB`, `1MiB`, `1GiB`; at least 1 KiB, since less serves no call.
fn size(text: &str) -> Result<usize, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = found.unwrap_or((text, &1));
    let bytes = number.trim().parse::<usize>().ok().and_then(|number| number.checked_mul(*factor));
    match bytes {
        Some(bytes) if (1 << 10..=1 << 30).contains(&bytes) => Ok(bytes),
        Some(_) => Err("a size is from 1KiB to 1GiB".to_owned()),
        None => Err("a size is such as 65536, 64KiB or 1MiB".to_owned()),
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Parsed {
    /// Run this; `effective` is what `--print-config` and `/_ecsim/config` show.
    Run { cli: Box<Cli>, effective: Effective },
    /// Print this and exit with 0: help or version.
    Print(String),
}

/// Reads the command line, the variables and the file that they name.
///
/// # Errors
/// The first mistake.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Parsed, UsageError> {
    let args: Vec<_> = args.into_iter().collect();
    let command = Cli::command();
    let first = match command.clone().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Parsed::Print(error.to_string()));
        }
        Err(error) => return Err((&error).into()),
    };
    let file = serve_matches(&first).and_then(|serve| serve.get_one::<PathBuf>("config")).cloned();
    let (matches, in_file) = match file {
        None => (first, Vec::new()),
        Some(path) => {
            let values = read_file(&path, &command)?;
            let names = values.iter().map(|(name, _)| name.clone()).collect();
            let command = with_defaults(command, &values);
            (command.try_get_matches_from(&args).map_err(|error| UsageError::from(&error))?, names)
        }
    };
    let effective = serve_matches(&matches).map(|serve| effective(serve, &in_file)).unwrap_or_default();
    let cli = Cli::from_arg_matches(&matches).map_err(|error| UsageError::from(&error))?;
    Ok(Parsed::Run { cli: Box::new(cli), effective })
}

/// The matches that hold the arguments of `serve`, said or left out.
fn serve_matches(matches: &ArgMatches) -> Option<&ArgMatches> {
    match matches.subcommand() {
        None => Some(matches),
        Some(("serve", serve)) => Some(serve),
        Some(_) => None,
    }
}

/// The flags that a file can set: all of `serve` but those that concern the file itself.
fn settable(command: &ClapCommand) -> impl Iterator<Item = &clap::Arg> {
    let skipped = ["config", "print_config", "help", "version"];
    command.get_arguments().filter(move |arg| arg.get_long().is_some() && !skipped.contains(&arg.get_id().as_str()))
}

type FileValues = Vec<(String, Vec<String>)>;

fn read_file(path: &Path, command: &ClapCommand) -> Result<FileValues, UsageError> {
    let named = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| UsageError {
        message: format!("cannot read the configuration file {named}: {error}"),
        hint: "name an existing file with --config or ECSIM_CONFIG".to_owned(),
    })?;
    let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let table = DeTable::parse(&text).map_err(|error| UsageError {
        message: format!("{named} line {}: {}", line_of(error.span().map_or(0, |span| span.start)), error.message()),
        hint: "the file is TOML: name = \"value\"".to_owned(),
    })?;
    let known: Vec<_> = settable(command).filter_map(clap::Arg::get_long).collect();
    let mut values = FileValues::new();
    for (key, value) in table.get_ref() {
        let name = key.get_ref();
        let line = line_of(key.span().start);
        if !known.contains(&&**name) {
            return Err(UsageError {
                message: format!("{named} line {line}: unknown setting `{name}`"),
                hint: format!("there are {}", known.join(", ")),
            });
        }
        let texts = texts(value.get_ref()).ok_or_else(|| UsageError {
            message: format!("{named} line {line}: `{name}` is a text, a number, true or false, or an array of these"),
            hint: format!("write it as the flag --{name} takes it"),
        })?;
        check(name, &texts).map_err(|error| UsageError {
            message: format!("{named} line {line}: {}", error.message),
            hint: error.hint,
        })?;
        values.push((name.to_string(), texts));
    }
    Ok(values)
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Integer(number) => Some(vec![number.to_string()]),
        DeValue::Float(number) => Some(vec![number.to_string()]),
        DeValue::Boolean(flag) => Some(vec![flag.to_string()]),
        DeValue::Array(list) => {
            let lists: Option<Vec<_>> = list.iter().map(|member| texts(member.get_ref())).collect();
            lists.map(|lists| lists.into_iter().flatten().collect())
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// Has the argument parser look at one setting of the file, by itself and without variables.
fn check(name: &str, texts: &[String]) -> Result<(), UsageError> {
    let values = [(name.to_owned(), texts.to_vec())];
    let command = with_defaults(Cli::command().mut_args(|arg| arg.env(None::<&str>)), &values);
    let matches = command.try_get_matches_from(["ecsim"]).map_err(|error| UsageError::from(&error))?;
    Cli::from_arg_matches(&matches).map(|_| ()).map_err(|error| UsageError::from(&error))
}

fn with_defaults(command: ClapCommand, values: &[(String, Vec<String>)]) -> ClapCommand {
    let set = |arg: clap::Arg| match values.iter().find(|(name, _)| arg.get_long() == Some(name)) {
        Some((_, texts)) => arg.default_values(texts.clone()),
        None => arg,
    };
    command.mut_args(set).mut_subcommand("serve", |serve| serve.mut_args(set))
}

/// The settings in force, in the order of the flags.
pub type Effective = Vec<(String, Setting)>;

fn effective(matches: &ArgMatches, in_file: &[String]) -> Effective {
    let mut settings = Effective::new();
    for arg in settable(&Cli::command()) {
        let (id, name) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        let Ok(Some(raw)) = matches.try_get_raw(id) else { continue };
        let is_secret = name == "admin-token";
        let shown = |value: &OsStr| if is_secret { "***".to_owned() } else { value.to_string_lossy().into_owned() };
        let values: Vec<_> = raw.map(shown).collect();
        let source = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => Source::Flag,
            Some(ValueSource::EnvVariable) => Source::Variable,
            _ if in_file.iter().any(|set| set == name) => Source::File,
            _ => Source::Default,
        };
        let many = matches!(arg.get_action(), ArgAction::Append) || values.len() > 1;
        let value = if many { Value::Many(values) } else { Value::One(values.concat()) };
        settings.push((name.to_owned(), Setting { value, source }));
    }
    settings
}

/// Whether a flag, a variable or the file says this setting, and it is not the default.
pub fn is_given(settings: &Effective, name: &str) -> bool {
    settings.iter().any(|(set, setting)| set == name && setting.source != Source::Default)
}

/// Settings as TOML, each with where it is from.
pub fn toml(settings: &Effective) -> String {
    let mut text = String::new();
    for (name, Setting { value, source }) in settings {
        let value = match value {
            Value::One(one) => format!("{one:?}"),
            Value::Many(many) => format!("{many:?}"),
        };
        let _ = writeln!(text, "{name} = {value} # {}", source.name());
    }
    text
}

/// `RUST_LOG`, which other Rust programs honour too.
#[expect(clippy::disallowed_methods, reason = "the one reading of a variable that is not ours")]
pub fn rust_log() -> Option<String> {
    std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_the_variable_of_its_name() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("serve");
        for arg in settable(serve).chain(settable(&command)) {
            let name = arg.get_long().expect("a long name").to_uppercase().replace('-', "_");
            let variable = arg.get_env().and_then(|name| name.to_str());
            assert_eq!(variable, Some(&*format!("ECSIM_{name}")));
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_and_durations() {
        for (text, bytes) in [("65536", 65536), ("64KiB", 65536), ("1MiB", 1 << 20), ("2 KiB", 2048)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "1", "64kb", "-1", "1.5MiB", "99999999999999999999", "2GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        for (text, millis) in [("250ms", 250), ("5s", 5_000), ("15m", 900_000), ("1h30m", 5_400_000)] {
            assert_eq!(duration(text).map(|d| d.as_millis()), Ok(millis), "{text}");
        }
        for bad in ["", "5", "five", "-5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(timeout("0s").is_err());
        assert!(timeout("24h").is_ok() && timeout("24h1s").is_err() && timeout("9223372036854775807s").is_err());
    }
}
