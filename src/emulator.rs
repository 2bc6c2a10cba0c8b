//! An emulator: its spaces, started on sockets, stopped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::control::Control;
use crate::gateway::Gateway;
use crate::gateway::registry::PRODUCTS;
use crate::gateway::settings::{Settings, SettingsCell};
use crate::http::{Address, App, BindError, Bound, Limits, Server};
use crate::world::seed::{self, Mistake};
use crate::world::{Clock, Ids, Space, Spaces, SystemClock, World};

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
    rng_seed: Option<u64>,
    nonces: (u32, SignedDuration),
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
            rng_seed: None,
            nonces: (1 << 18, SignedDuration::from_mins(30)),
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
    #[error("cannot tell the address of a socket: {0}")]
    Address(#[from] io::Error),
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

    /// Binds, reads the seeds, only then listens and serves.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let mut addresses = self.addresses;
        if addresses.is_empty() {
            addresses.push(Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        }
        let mut bound = Vec::with_capacity(addresses.len());
        for address in &addresses {
            bound.push(Bound::bind(address).await?);
        }
        let ids = self.rng_seed.map_or_else(Ids::random, Ids::seeded);
        let mut seeds = self.seeds;
        seeds.extend(seed::read(&self.seed_paths).map_err(StartError::Seed)?);
        let world = build_world(&seeds, &ids, &*self.clock).map_err(StartError::Seed)?;
        let spaces = Arc::new(Spaces::new(Space::new("default", world, self.clock, ids, self.nonces)));
        let app = Arc::new(App {
            gateway: Gateway {
                spaces: Arc::clone(&spaces),
                settings: SettingsCell::new(self.settings),
                products: PRODUCTS,
            },
            control: Arc::new(Control::new(PRODUCTS)),
            limits: self.limits,
        });
        let addresses = bound.iter().map(Bound::address).collect::<Result<_, _>>()?;
        let listeners = bound.into_iter().map(Bound::listen).collect::<Result<_, _>>()?;
        let server = Server::start(Arc::clone(&app), listeners);
        Ok(Emulator { addresses, spaces, app, server })
    }
}

fn build_world(seeds: &[(String, String)], ids: &Ids, clock: &dyn Clock) -> Result<World, Vec<Mistake>> {
    if seeds.is_empty() {
        seed::build(&[("the default seed".to_owned(), seed::DEFAULT.to_owned())], ids, clock.now())
    } else {
        seed::build(seeds, ids, clock.now())
    }
}

/// A running emulator. Dropping it stops it at once.
#[derive(Debug)]
pub struct Emulator {
    addresses: Vec<Address>,
    spaces: Arc<Spaces>,
    app: Arc<App>,
    server: Server,
}

impl Emulator {
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens, in the order in which it was told to.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
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

    /// Puts a world made from other seeds in place of this one, and takes other settings.
    ///
    /// # Errors
    /// Every mistake of the seeds; nothing has changed then.
    pub fn reload(&self, seed_paths: &[PathBuf], settings: Settings) -> Result<(), Vec<Mistake>> {
        let space = self.spaces.default_space();
        let world = build_world(&seed::read(seed_paths)?, &space.ids, &*space.clock)?;
        self.app.gateway.settings.set(settings);
        space.store.replace(world);
        Ok(())
    }

    /// Stops, giving requests in flight that much time. Answers whether all were done.
    pub async fn stop(self, patience: Duration) -> bool {
        self.server.stop(patience).await
    }
}
