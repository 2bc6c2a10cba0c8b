//! An emulator: its spaces, started on sockets, stopped.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::control::{Access, Configuration, Control, Init, Listed};
use crate::files::{InitFolder, SaveError, SnapshotDir, StateError, StateFile, beside_calls, read_seeds};
use crate::gateway::Gateway;
use crate::gateway::registry::PRODUCTS;
use crate::handle::Handle;
use crate::http::{self, Address, App, BindError, Bound, Digests, Door, Limits, Server};
use crate::metadata::{self, Metadata};
use crate::settings::{AuthMode, Settings, SettingsCell};
use crate::world::seed::Mistake;
use crate::world::{Clock, NamedInstance, Namespace, NoSpace, Origin, SpaceLimits, Spaces, World};

/// How an emulator is made. The defaults are those of `ecsim serve`, but for the address: a free
/// port on 127.0.0.1.
#[derive(Debug, Default)]
pub struct Builder {
    seeds: Vec<(String, String)>,
    addresses: Vec<Address>,
    without_listeners: bool,
    seed_paths: Vec<PathBuf>,
    origin: Origin,
    space_limits: SpaceLimits,
    settings: Settings,
    limits: Limits,
    access: Access,
    listed: Listed,
    metadata: metadata::Settings,
    metadata_listeners: Vec<(SocketAddr, NamedInstance)>,
    state_file: Option<PathBuf>,
    state_interval: Option<Duration>,
    snapshot_dir: Option<PathBuf>,
    init: InitFolder,
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
    /// The state file holds more namespaces than there may be.
    #[error("too many namespaces in the state file: {}", .0.reason)]
    TooManyKept(Mistake),
    /// The state file could not be saved at the stop: its folder is not there, or nothing can be written in it.
    #[error(transparent)]
    Unsavable(SaveError),
    /// The state file is where a named snapshot would be, which could be written over it.
    #[error("the state file would be a snapshot of the snapshot folder")]
    StateAmongSnapshots,
    #[error("cannot tell the address of a socket: {0}")]
    Address(#[from] io::Error),
    /// An instance that the metadata service is told about, and that no seed has.
    #[error("there is no instance {0}")]
    UnknownInstance(NamedInstance),
}

impl From<StateError> for StartError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::TooMany(mistake) => Self::TooManyKept(mistake),
            StateError::Mistakes(mistakes) => Self::State(mistakes),
        }
    }
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

    /// Listens nowhere: the emulator is reached by [`Emulator::service`] alone.
    #[must_use]
    pub fn without_listeners(mut self) -> Self {
        self.without_listeners = true;
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

    /// How much of a call's signature is checked. It is one of the [`Builder::settings`]: what is said last counts.
    #[must_use]
    pub fn auth(mut self, mode: AuthMode) -> Self {
        self.settings.auth = mode;
        self
    }

    /// All that can also be changed while it runs.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// How large and how slow requests may be, and how many connections there are.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who may use the control API.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// What `/_ecsim/config` says of where settings are from.
    #[must_use]
    pub fn listed(mut self, listed: Listed) -> Self {
        self.listed = listed;
        self
    }

    /// The machine's clock, in place of the system's: [`ManualClock`](crate::world::ManualClock) stands still until a test
    /// moves it. The clocks of the namespaces follow it, and each can be moved by itself: [`Handle::clock`].
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.origin.machine = clock;
        self
    }

    /// The world's time at the start, and whether it stands still there. What is none is as seeds or a state file have it;
    /// a time that is told alone goes on.
    #[must_use]
    pub fn now(mut self, now: Option<Timestamp>, frozen: Option<bool>) -> Self {
        (self.origin.now, self.origin.frozen) = (now, frozen);
        self
    }

    /// How the metadata service knows who asks, and what it hands out.
    #[must_use]
    pub fn metadata(mut self, settings: metadata::Settings) -> Self {
        self.metadata = settings;
        self
    }

    /// Listens on this address too; whoever asks for metadata there is this instance, of `default` if it says no namespace.
    #[must_use]
    pub fn listen_as(mut self, address: SocketAddr, mut instance: NamedInstance) -> Self {
        instance.namespace.get_or_insert(Namespace::DEFAULT);
        self.metadata_listeners.push((address, instance));
        self
    }

    /// Makes ids, request ids, keys and tokens repeat exactly.
    #[must_use]
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.origin.rng_seed = Some(seed);
        self
    }

    /// How many nonces are remembered at most, and for how long.
    #[must_use]
    pub fn nonces(mut self, most: u32, keep: SignedDuration) -> Self {
        self.origin.nonces = (most, keep);
        self
    }

    /// How many requests the journal of each namespace keeps at most; 0 keeps none.
    #[must_use]
    pub fn journal_max(mut self, most: u32) -> Self {
        self.origin.journal_max = most;
        self
    }

    /// How many spaces there may be beside `default`, and how long one that nobody uses stays.
    #[must_use]
    pub fn space_limits(mut self, limits: SpaceLimits) -> Self {
        self.space_limits = limits;
        self
    }

    /// Goes on from what this file holds, if there is one, and not from the seeds; writes it at the stop, and as often in
    /// between as `every` says. It is the state of all namespaces that are there.
    #[must_use]
    pub fn state_file(mut self, path: Option<PathBuf>, every: Option<Duration>) -> Self {
        (self.state_file, self.state_interval) = (path, every);
        self
    }

    /// The control API keeps named snapshots in this folder, which it makes for the first one; without a folder it refuses to.
    #[must_use]
    pub fn snapshot_dir(mut self, path: Option<PathBuf>) -> Self {
        self.snapshot_dir = path;
        self
    }

    /// Adds the seeds of an init folder. Its hooks are waited for, and run by whoever says so: `ecsim serve`.
    #[must_use]
    pub(crate) fn init(mut self, folder: InitFolder) -> Self {
        self.init = folder;
        self
    }

    /// Binds, reads the state or the seeds, only then listens and serves.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let snapshots = self.snapshot_dir.map(SnapshotDir::new);
        if let (Some(state), Some(snapshots)) = (&self.state_file, &snapshots)
            && snapshots.takes(state)
        {
            return Err(StartError::StateAmongSnapshots);
        }
        let state = self.state_file.map(|path| Arc::new(StateFile::new(path)));
        if let Some(state) = &state {
            // Now, and not at the stop, when all would be lost.
            state.try_to_save().map_err(StartError::Unsavable)?;
        }
        if let Some(snapshots) = &snapshots {
            snapshots.remove_left_over();
        }
        let mut addresses = self.addresses;
        if self.without_listeners {
            addresses.clear();
        } else if addresses.is_empty() {
            addresses.push(Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        }
        let of_instances =
            self.metadata_listeners.iter().map(|(address, id)| (Address::Tcp(*address), Some(id.clone())));
        let mut bound = Vec::new();
        for (address, instance) in addresses.into_iter().map(|address| (address, None)).chain(of_instances) {
            bound.push((Bound::bind(&address).await?, instance));
        }
        let mut origin = self.origin;
        let mut seeds = self.seeds;
        seeds.extend(read_seeds(&[self.seed_paths, self.init.seeds.clone()].concat()).map_err(StartError::Seed)?);
        if !seeds.is_empty() {
            origin.seeds = seeds;
        }
        let told = self.metadata_listeners.iter().map(|(_, named)| named).chain(&self.metadata.default_instance);
        let told: Vec<_> = told.collect();
        let spaces = Arc::new(first_spaces(origin, self.space_limits, state.as_deref(), &told)?);
        let settings = Arc::new(SettingsCell::new(self.settings));
        let configuration = Configuration::new(Arc::clone(&settings), Arc::clone(&spaces), self.listed);
        let limits = (&self.limits).into();
        let app = Arc::new(App {
            gateway: Gateway { spaces: Arc::clone(&spaces), settings: Arc::clone(&settings), products: PRODUCTS },
            metadata: Metadata { spaces: Arc::clone(&spaces), settings: self.metadata, live: settings },
            control: Arc::new(Control::new(
                PRODUCTS,
                Arc::clone(&spaces),
                snapshots,
                self.access,
                configuration,
                limits,
                Init::new(&self.init),
            )),
            limits: self.limits,
            digests: Digests::default(),
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
        let mut background = JoinSet::new();
        background.spawn(forget_idle(Arc::downgrade(&spaces), self.space_limits.idle));
        if let (Some(file), Some(every)) = (&state, self.state_interval) {
            background.spawn(keep(Arc::clone(file), Arc::clone(&app), every));
        }
        let default = Handle::new(&spaces, Namespace::DEFAULT);
        Ok(Emulator { default, addresses, of_instances, spaces, app, server, state, _background: background })
    }
}

/// The spaces of the state, if there is one, or else `default` of the seeds. Each instance that is told is in its space.
fn first_spaces(
    origin: Origin,
    limits: SpaceLimits,
    state: Option<&StateFile>,
    told: &[&NamedInstance],
) -> Result<Spaces, StartError> {
    let lacks = |world: &World, named: &NamedInstance| world.instance(named.id.as_str()).is_none();
    let (spaces, unknown) = if let Some(state) = state.filter(|state| state.is_there()) {
        // They are for resets and further namespaces: what is wrong with them is said now, and not then. It takes as long
        // as a start without a state, and what is made is gone before the state is read.
        let unknown_to_seeds: Vec<&NamedInstance> = {
            let seeds = origin.world().map_err(StartError::Seed)?;
            told.iter().copied().filter(|named| lacks(&seeds, named)).collect()
        };
        let spaces = state.begin(origin, limits)?;
        let is_unknown = |named: &NamedInstance| match spaces.get(&named.namespace()) {
            Some(space) => space.store.read(|world| lacks(world, named)),
            None => unknown_to_seeds.contains(&named),
        };
        let unknown = told.iter().find(|named| is_unknown(named)).copied();
        (spaces, unknown)
    } else {
        let spaces = Spaces::new(origin, limits).map_err(StartError::Seed)?;
        // Of seeds, every space begins with the same instances.
        let unknown = spaces.default_space().store.read(|world| told.iter().find(|named| lacks(world, named)).copied());
        (spaces, unknown)
    };
    unknown.map_or(Ok(spaces), |unknown| Err(StartError::UnknownInstance(unknown.clone())))
}

/// Looks for spaces that nobody uses, for as long as there are any.
async fn forget_idle(spaces: Weak<Spaces>, idle: SignedDuration) {
    let often =
        Duration::try_from(idle / 4).unwrap_or_default().clamp(Duration::from_millis(100), Duration::from_mins(1));
    loop {
        tokio::time::sleep(often).await;
        let Some(spaces) = spaces.upgrade() else { return };
        spaces.forget_idle();
    }
}

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    #[error("{0:?} is no namespace: {form}", form = Namespace::FORM)]
    Name(String),
    #[error(transparent)]
    NoSpace(#[from] NoSpace),
}

/// Saves the state now and then, but no world that hooks have not finished.
async fn keep(file: Arc<StateFile>, app: Arc<App>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        if app.control.init.awaited().is_none()
            && let Err(error) = save(Some(&file), &app.gateway.spaces).await
        {
            tracing::error!("{error}");
        }
    }
}

async fn save(file: Option<&Arc<StateFile>>, spaces: &Arc<Spaces>) -> Result<(), SaveError> {
    let Some(file) = file else { return Ok(()) };
    let (file, spaces) = (Arc::clone(file), Arc::clone(spaces));
    beside_calls(move || file.save(&spaces)).await
}

/// How an emulator stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Whether all requests in flight were done.
    pub drained: bool,
    /// Whether the state file, if there is one, holds what the world was at the end.
    pub saved: Result<(), SaveError>,
}

/// A running emulator. Dropping it stops it at once, and saves nothing: its sockets are closed, whatever is in flight there.
///
/// It is the [`Handle`] of its namespace `default` too, so that a test that needs only one world needs no other:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = ecsim::Emulator::builder().start().await?;
/// let now = emulator.clock().now()?;
/// assert!(emulator.change(|world| world.detach_role(now, "i-bp1ecsim0000000web01"))?);
/// emulator.reset()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulator {
    default: Handle,
    addresses: Vec<Address>,
    of_instances: Vec<(SocketAddr, NamedInstance)>,
    spaces: Arc<Spaces>,
    app: Arc<App>,
    server: Server,
    /// What it does beside answering; dropping it stops that.
    _background: JoinSet<()>,
    state: Option<Arc<StateFile>>,
}

/// So that what can be said of a namespace is said once, in the same words for `default` as for any other.
impl Deref for Emulator {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.default
    }
}

impl Emulator {
    /// An emulator with the built-in seed on a free port of 127.0.0.1, unless more is said.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens, in the order in which it was told to.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The listeners of one instance each, in the order in which they were told.
    pub fn instance_addresses(&self) -> &[(SocketAddr, NamedInstance)] {
        &self.of_instances
    }

    /// The base URL of the first TCP listener.
    pub fn url(&self) -> Option<String> {
        self.addresses.iter().find_map(|address| match address {
            Address::Tcp(address) => Some(format!("http://{address}")),
            Address::Unix(_) => None,
        })
    }

    /// A namespace, which is made of the seeds if it is not there.
    ///
    /// # Errors
    /// [`NamespaceError`].
    pub fn namespace(&self, name: &str) -> Result<Handle, NamespaceError> {
        let name = Namespace::parse(name).ok_or_else(|| NamespaceError::Name(name.to_owned()))?;
        self.spaces.of(&name)?;
        Ok(Handle::new(&self.spaces, name))
    }

    /// The emulator as a service, for requests that come by no socket. Faults hold answers back and damage their bodies as
    /// they do on a connection; what would end that in place of an answer is an answer whose body fails before its first byte.
    ///
    /// No address comes with such requests, so that they count as this machine's: whoever puts the service behind a
    /// listener says by [`Builder::access`] who may use the control API. A service goes on answering when the emulator is
    /// stopped or dropped.
    pub fn service(&self) -> Router {
        http::service(Arc::clone(&self.app))
    }

    /// How far the init folder is.
    pub(crate) fn init(&self) -> &Init {
        &self.app.control.init
    }

    /// Forgets the namespaces that nobody has used for as long as they may stay, as it does by itself now and then.
    pub fn forget_idle(&self) {
        self.spaces.forget_idle();
    }

    /// Begins again with other seeds, those of an init folder among them, and other settings: every space as at a start,
    /// unless there is a state file: then the worlds stay, and neither seeds nor folder are looked at. No hook runs.
    ///
    /// # Errors
    /// Every mistake of the folder or the seeds; nothing has changed then.
    pub async fn reload(
        &self,
        seed_paths: Vec<PathBuf>,
        init_dir: Option<PathBuf>,
        settings: Settings,
        listed: Listed,
    ) -> Result<(), Vec<Mistake>> {
        if self.state.is_none() {
            let (spaces, app) = (Arc::clone(&self.spaces), Arc::clone(&self.app));
            beside_calls(move || {
                let init = InitFolder::find(init_dir.as_deref())?;
                spaces.begin_again(read_seeds(&[&*seed_paths, &init.seeds].concat())?)?;
                app.control.init.take_seeds(&init);
                Ok::<_, Vec<Mistake>>(())
            })
            .await?;
        }
        self.app.control.configuration.reload(settings, listed);
        Ok(())
    }

    /// From now on `ready` says that the emulator stops; it still answers.
    pub fn drain(&self) {
        self.app.control.drain();
    }

    /// Saves the state, if there is a file for it and what that holds is not the same.
    ///
    /// # Errors
    /// [`SaveError`].
    pub(crate) async fn save(&self) -> Result<(), SaveError> {
        save(self.state.as_ref(), &self.spaces).await
    }

    /// Stops at once and saves nothing. What dropping does not: it waits until the files of its sockets are gone.
    pub async fn abandon(mut self) {
        self.server.stop(Duration::ZERO).await;
    }

    /// Stops, giving requests in flight that much time, then saves the state.
    pub async fn stop(self, patience: Duration) -> Stopped {
        let Ok(stopped) = self.stop_unless(patience, std::future::pending::<Infallible>()).await;
        stopped
    }

    /// The same, unless something comes before all is done: then it stops at once, and what it was about to save is not waited
    /// for.
    ///
    /// # Errors
    /// What has come.
    pub(crate) async fn stop_unless<T>(
        mut self,
        patience: Duration,
        cut_off: impl Future<Output = T>,
    ) -> Result<Stopped, T> {
        let stopped = async {
            let drained = self.server.stop(patience).await;
            Stopped { drained, saved: save(self.state.as_ref(), &self.spaces).await }
        };
        let cut_off = tokio::select! {
            stopped = stopped => return Ok(stopped),
            cut_off = cut_off => cut_off,
        };
        self.abandon().await;
        Err(cut_off)
    }
}
