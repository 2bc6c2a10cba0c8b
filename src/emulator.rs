//! An emulator: its spaces, started on sockets, stopped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use crate::control::Control;
use crate::files::{SaveError, StateFile};
use crate::gateway::Gateway;
use crate::gateway::registry::PRODUCTS;
use crate::gateway::settings::{Settings, SettingsCell};
use crate::http::{Address, App, BindError, Bound, Door, Limits, Server};
use crate::metadata::{self, Metadata};
use crate::world::seed::{self, Mistake};
use crate::world::{Clock, Ids, InstanceId, Pace, Space, SpaceClock, Spaces, SystemClock, World};

/// How an emulator is made. The defaults are those of `ecsim serve`, but for the address: a free
/// port on 127.0.0.1.
#[derive(Debug)]
pub struct Builder {
    addresses: Vec<Address>,
    seeds: Vec<(String, String)>,
    seed_paths: Vec<PathBuf>,
    settings: Settings,
    limits: Limits,
    clock: Arc<dyn Clock>,
    now: Option<Timestamp>,
    frozen: bool,
    metadata: metadata::Settings,
    metadata_listeners: Vec<(SocketAddr, InstanceId)>,
    rng_seed: Option<u64>,
    nonces: (u32, SignedDuration),
    state_file: Option<PathBuf>,
    state_interval: Option<Duration>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            seeds: Vec::new(),
            seed_paths: Vec::new(),
            settings: Settings::default(),
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            now: None,
            frozen: false,
            metadata: metadata::Settings::default(),
            metadata_listeners: Vec::new(),
            rng_seed: None,
            nonces: (1 << 18, SignedDuration::from_mins(30)),
            state_file: None,
            state_interval: None,
        }
    }
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Every mistake of every seed.
    #[error("{} in the seeds", count(.0.len(), "mistake"))]
    Seed(Vec<Mistake>),
    /// Every mistake of the state file.
    #[error("{} in the state file", count(.0.len(), "mistake"))]
    State(Vec<Mistake>),
    #[error("cannot tell the address of a socket: {0}")]
    Address(#[from] io::Error),
    /// An instance that the metadata service is told about, and that no seed has.
    #[error("there is no instance {0}")]
    UnknownInstance(InstanceId),
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

impl Builder {
    /// Listens on this address too.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.addresses.push(Address::Tcp(address));
        self
    }

    /// Listens on a Unix socket too.
    #[must_use]
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.addresses.push(Address::Unix(path.into()));
        self
    }

    /// Adds a seed in place of the default one; `name` is what mistakes are reported with.
    #[must_use]
    pub fn seed(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.seeds.push((name.into(), text.into()));
        self
    }

    /// Adds seed files, or folders of them, which are read at the start.
    #[must_use]
    pub fn seed_paths(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.seed_paths.extend(paths);
        self
    }

    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The world's time at the start; it goes on from there, or not at all.
    #[must_use]
    pub fn now(mut self, now: Option<Timestamp>, frozen: bool) -> Self {
        (self.now, self.frozen) = (now, frozen);
        self
    }

    #[must_use]
    pub fn metadata(mut self, settings: metadata::Settings) -> Self {
        self.metadata = settings;
        self
    }

    /// Listens on this address too; whoever asks for metadata there is this instance.
    #[must_use]
    pub fn listen_as(mut self, address: SocketAddr, instance: InstanceId) -> Self {
        self.metadata_listeners.push((address, instance));
        self
    }

    /// Makes ids repeat exactly.
    #[must_use]
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.rng_seed = Some(seed);
        self
    }

    /// How many nonces are remembered at most, and for how long.
    #[must_use]
    pub fn nonces(mut self, most: u32, keep: SignedDuration) -> Self {
        self.nonces = (most, keep);
        self
    }

    /// Goes on from what this file holds, if there is one, and not from the seeds; writes it at the stop, and as often in
    /// between as `every` says. It is the state of the space `default`.
    #[must_use]
    pub fn state_file(mut self, path: Option<PathBuf>, every: Option<Duration>) -> Self {
        (self.state_file, self.state_interval) = (path, every);
        self
    }

    /// Binds, reads the state or the seeds, only then listens and serves.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let mut addresses = self.addresses;
        if addresses.is_empty() {
            addresses.push(Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        }
        let of_instances =
            self.metadata_listeners.iter().map(|(address, id)| (Address::Tcp(*address), Some(id.clone())));
        let mut bound = Vec::new();
        for (address, instance) in addresses.into_iter().map(|address| (address, None)).chain(of_instances) {
            bound.push((Bound::bind(&address).await?, instance));
        }
        let ids = self.rng_seed.map_or_else(Ids::random, Ids::seeded);
        let state = self.state_file.map(|path| Arc::new(StateFile::new(path)));
        let kept = state.as_ref().map_or(Ok(None), |state| state.read()).map_err(|bad| StartError::State(vec![bad]))?;
        let clock = SpaceClock::new(self.clock);
        let now = |said: Option<Pace>| {
            clock.set(said.unwrap_or(Pace::Real));
            clock.set(pace(self.now, self.frozen, &clock));
            clock.now()
        };
        let world = if let Some(kept) = kept {
            seed::build_at(&[kept], &ids, now).map_err(StartError::State)?
        } else {
            let mut seeds = self.seeds;
            seeds.extend(seed::read(&self.seed_paths).map_err(StartError::Seed)?);
            seed::build_at(&or_default(seeds), &ids, now).map_err(StartError::Seed)?
        };
        let told = self.metadata_listeners.iter().map(|(_, id)| id).chain(&self.metadata.default_instance);
        if let Some(unknown) = told.into_iter().find(|id| world.instance(id.as_str()).is_none()) {
            return Err(StartError::UnknownInstance(unknown.clone()));
        }
        let spaces = Arc::new(Spaces::new(Space::new("default", world, clock, ids, self.nonces)));
        let app = Arc::new(App {
            gateway: Gateway {
                spaces: Arc::clone(&spaces),
                settings: SettingsCell::new(self.settings),
                products: PRODUCTS,
            },
            metadata: Metadata { spaces: Arc::clone(&spaces), settings: self.metadata },
            control: Arc::new(Control::new(PRODUCTS, Arc::clone(&spaces))),
            limits: self.limits,
        });
        let (mut addresses, mut of_instances, mut doors) = (Vec::new(), Vec::new(), Vec::new());
        for (bound, instance) in bound {
            match (bound.address()?, &instance) {
                (Address::Tcp(address), Some(instance)) => of_instances.push((address, instance.clone())),
                (address, _) => addresses.push(address),
            }
            doors.push(Door { listener: bound.listen()?, instance });
        }
        let server = Server::start(Arc::clone(&app), doors);
        let keeper = state.map(|file| Keeper::start(file, Arc::clone(&spaces), self.state_interval));
        Ok(Emulator { addresses, of_instances, spaces, app, server, keeper })
    }
}

/// The pace at the start: a time that is set counts from there.
fn pace(now: Option<Timestamp>, frozen: bool, clock: &SpaceClock) -> Pace {
    match (now, frozen) {
        (now, true) => Pace::Frozen(now.unwrap_or(clock.now())),
        (Some(now), false) => Pace::Offset(now.duration_since(clock.real())),
        (None, false) => clock.pace(),
    }
}

/// Files, or where there are none the default seed.
fn or_default(mut seeds: Vec<(String, String)>) -> Vec<(String, String)> {
    if seeds.is_empty() {
        seeds.push(("the default seed".to_owned(), seed::DEFAULT.to_owned()));
    }
    seeds
}

/// Who writes the state file.
#[derive(Debug)]
struct Keeper {
    file: Arc<StateFile>,
    spaces: Arc<Spaces>,
    between: Option<JoinHandle<()>>,
}

impl Keeper {
    fn start(file: Arc<StateFile>, spaces: Arc<Spaces>, every: Option<Duration>) -> Self {
        let between = every.map(|every| {
            let (file, spaces) = (Arc::clone(&file), Arc::clone(&spaces));
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(every).await;
                    if let Err(error) = save(&file, &spaces).await {
                        tracing::error!("{error}");
                    }
                }
            })
        });
        Self { file, spaces, between }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(between) = &self.between {
            between.abort();
        }
    }
}

/// Beside the calls: a disk takes its time.
async fn save(file: &Arc<StateFile>, spaces: &Spaces) -> Result<(), SaveError> {
    let (file, space) = (Arc::clone(file), spaces.default_space());
    let saved = tokio::task::spawn_blocking(move || file.save(&space)).await;
    saved.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// How an emulator stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Whether all requests in flight were done.
    pub drained: bool,
    /// Whether the state file, if there is one, holds what the world was at the end.
    pub saved: Result<(), SaveError>,
}

/// A running emulator. Dropping it stops it at once, and saves nothing.
#[derive(Debug)]
pub struct Emulator {
    addresses: Vec<Address>,
    of_instances: Vec<(SocketAddr, InstanceId)>,
    spaces: Arc<Spaces>,
    app: Arc<App>,
    server: Server,
    keeper: Option<Keeper>,
}

impl Emulator {
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens, in the order in which it was told to.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The listeners of one instance each, in the order in which they were told.
    pub fn instance_addresses(&self) -> &[(SocketAddr, InstanceId)] {
        &self.of_instances
    }

    /// The base URL of the first TCP listener.
    pub fn url(&self) -> Option<String> {
        self.addresses.iter().find_map(|address| match address {
            Address::Tcp(address) => Some(format!("http://{address}")),
            Address::Unix(_) => None,
        })
    }

    /// The world of the space `default`, to look at.
    pub fn world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.spaces.default_space().store.read(look)
    }

    /// How many nonces of the space `default` were displaced by newer ones before their time.
    pub fn nonces_dropped(&self) -> u64 {
        self.spaces.default_space().nonces.lock().dropped()
    }

    /// Puts a world made from other seeds in place of this one, unless it is the state file's, and takes other settings.
    ///
    /// # Errors
    /// Every mistake of the seeds; nothing has changed then.
    pub fn reload(&self, seed_paths: &[PathBuf], settings: Settings) -> Result<(), Vec<Mistake>> {
        if self.keeper.is_none() {
            self.spaces.default_space().restore(&or_default(seed::read(seed_paths)?))?;
        }
        self.app.gateway.settings.set(settings);
        Ok(())
    }

    /// Stops, giving requests in flight that much time, then saves the state.
    pub async fn stop(self, patience: Duration) -> Stopped {
        let drained = self.server.stop(patience).await;
        let saved = match &self.keeper {
            Some(keeper) => save(&keeper.file, &keeper.spaces).await,
            None => Ok(()),
        };
        Stopped { drained, saved }
    }
}
