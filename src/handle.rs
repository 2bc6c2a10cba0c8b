//! What a Rust test does with one namespace of an emulator that it embeds.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::control;
use crate::gateway::registry::PRODUCTS;
use crate::world::chaos::Counted;
use crate::world::journal::Record;
use crate::world::seed::Mistake;
use crate::world::{Counts, Namespace, NoSpace, Pace, Space, SpaceClock, Spaces, World};

/// One namespace of a running emulator: [`Emulator::namespace`](crate::Emulator::namespace), or the emulator itself for
/// `default`. It follows resets: what is asked of it is asked of the world that is there then.
#[derive(Clone, Debug)]
pub struct Handle {
    spaces: Arc<Spaces>,
    namespace: Namespace,
}

impl Handle {
    pub(crate) fn new(spaces: &Arc<Spaces>, namespace: Namespace) -> Self {
        Self { spaces: Arc::clone(spaces), namespace }
    }

    /// The name of the namespace.
    pub fn name(&self) -> &Namespace {
        &self.namespace
    }

    /// The id to sign with for a key of the seeds: with the name of the namespace, outside `default`.
    pub fn key_id(&self, id: &str) -> String {
        if self.namespace.is_default() { id.to_owned() } else { format!("{id}@{}", self.namespace) }
    }

    /// The world, to look at. Calls that change it wait meanwhile, so `look` must not ask this namespace for anything.
    ///
    /// # Errors
    /// The namespace was forgotten and cannot be made again.
    pub fn world<T>(&self, look: impl FnOnce(&World) -> T) -> Result<T, NoSpace> {
        Ok(self.space()?.store.read(look))
    }

    /// The world, to change. Calls wait meanwhile, so `change` must not ask this namespace for anything.
    ///
    /// # Errors
    /// Those of [`Handle::world`].
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T, NoSpace> {
        Ok(self.space()?.store.write(change))
    }

    /// Begins again as the seeds have it. Calls in flight finish on the old world.
    ///
    /// # Errors
    /// Those of [`Handle::world`].
    pub fn reset(&self) -> Result<(), NoSpace> {
        self.spaces.replace(&self.namespace, None).map(|_| ())
    }

    /// Adds what a seed says to the world, whole or not at all; how much more there is then. `name` is what mistakes are
    /// reported with.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = ecsim::Emulator::builder().without_listeners().start().await?;
    /// let t1 = emulator.namespace("t1")?;
    /// let more = t1.seed("more", r#"{ "accounts": [{ "instances": [{ "id": "i-1", "role": "web-role" }] }] }"#)?;
    /// assert_eq!(more.instances, 1);
    /// assert!(t1.seed("again", r#"{ "accounts": [{ "instances": [{ "id": "i-1" }] }] }"#).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoSpace::Seed`] with every mistake, and then nothing has changed; those of [`Handle::world`].
    pub fn seed(&self, name: &str, text: &str) -> Result<Counts, NoSpace> {
        let files = [(name.to_owned(), text.to_owned())];
        let (_, more) = self.spaces.change(&self.namespace, |space| space.add(&files).map_err(NoSpace::Seed))?;
        Ok(more)
    }

    /// The world as text: a seed that leaves nothing out, with the secrets of its keys.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = ecsim::Emulator::builder().without_listeners().start().await?;
    /// let (t1, t2) = (emulator.namespace("t1")?, emulator.namespace("t2")?);
    /// let now = t1.clock().now()?;
    /// t1.change(|world| world.detach_role(now, "i-bp1ecsim0000000web01"))?;
    /// t2.put("of t1", &t1.snapshot()?)?;
    /// assert_eq!(t2.snapshot()?, t1.snapshot()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Handle::world`].
    pub fn snapshot(&self) -> Result<String, NoSpace> {
        Ok(self.space()?.snapshot())
    }

    /// Puts the world of a snapshot, or of a seed, in the place of the one that is there. Calls in flight finish on the old
    /// world.
    ///
    /// # Errors
    /// Those of [`Handle::seed`].
    pub fn put(&self, name: &str, text: &str) -> Result<(), NoSpace> {
        self.spaces.replace(&self.namespace, Some(&[(name.to_owned(), text.to_owned())])).map(|_| ())
    }

    /// Puts faults in the place of all that the namespace has: rules as `POST /_ecsim/chaos/faults` takes them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = ecsim::Emulator::builder().without_listeners().start().await?;
    /// let t1 = emulator.namespace("t1")?;
    /// t1.set_faults(r#"[{ "operation": "DetachInstanceRamRole", "times": 2, "error": { "code": "ServiceUnavailable" } }]"#)?;
    /// assert_eq!(t1.faults()?[0].fired, 0);
    /// assert!(t1.set_faults(r#"[{ "operation": "Detach" }]"#).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FaultsError`]; nothing has changed then.
    pub fn set_faults(&self, rules: &str) -> Result<(), FaultsError> {
        let set = |space: &Space| control::set_faults(PRODUCTS, space, rules).map_err(FaultsError::Mistakes);
        self.spaces.change(&self.namespace, set).map(|_| ())
    }

    /// The faults of the namespace, in the order in which calls meet them, with what they have done.
    ///
    /// # Errors
    /// Those of [`Handle::world`].
    pub fn faults(&self) -> Result<Vec<Counted>, NoSpace> {
        Ok(self.space()?.chaos.faults())
    }

    /// The clock of the namespace.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use jiff::SignedDuration;
    /// let emulator = ecsim::Emulator::builder().without_listeners().start().await?;
    /// let t1 = emulator.namespace("t1")?;
    /// let clock = t1.clock();
    /// let before = clock.now()?;
    /// clock.advance(SignedDuration::from_hours(6))?;
    /// assert!(clock.now()? >= before + SignedDuration::from_hours(6));
    /// t1.reset()?;
    /// assert!(clock.now()? < before + SignedDuration::from_hours(6), "as the seeds have it");
    /// # Ok(())
    /// # }
    /// ```
    pub fn clock(&self) -> ClockHandle {
        ClockHandle(self.clone())
    }

    /// The latest requests of the namespace, oldest first: as many as its journal keeps. A reset begins a new journal.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = ecsim::Emulator::builder().start().await?;
    /// let t1 = emulator.namespace("t1")?;
    /// // A client calls emulator.url() with key t1.key_id("test"), and then:
    /// assert!(t1.requests()?.iter().all(|request| request.action() != Some("DetachInstanceRamRole")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Handle::world`].
    pub fn requests(&self) -> Result<Vec<Record>, NoSpace> {
        Ok(self.space()?.journal.look(|kept| kept.records().collect()))
    }

    fn space(&self) -> Result<Arc<Space>, NoSpace> {
        self.spaces.of(&self.namespace)
    }
}

/// Why faults are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    #[error(transparent)]
    NoSpace(#[from] NoSpace),
    /// Every mistake.
    #[error("a mistake in the faults: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Mistakes(Vec<Mistake>),
}

/// The clock of one namespace. It follows resets as the [`Handle`] does, and has the handle's errors. What is due when it
/// moves has happened when it has moved.
#[derive(Clone, Debug)]
pub struct ClockHandle(Handle);

impl ClockHandle {
    /// What time it is in the world.
    pub fn now(&self) -> Result<Timestamp, NoSpace> {
        Ok(self.0.space()?.clock.now())
    }

    /// How it goes beside the machine's.
    pub fn pace(&self) -> Result<Pace, NoSpace> {
        Ok(self.0.space()?.clock.pace())
    }

    /// Makes it go otherwise.
    pub fn set_pace(&self, pace: Pace) -> Result<(), NoSpace> {
        self.set(|_| pace)
    }

    /// Moves it; a clock that stands goes on standing. Beyond all time it stays at the end.
    pub fn advance(&self, by: SignedDuration) -> Result<(), NoSpace> {
        let further = |at: Timestamp| at.saturating_add(by).unwrap_or(Timestamp::MAX);
        self.set(|clock| match clock.pace() {
            Pace::Frozen(at) => Pace::Frozen(further(at)),
            Pace::Real | Pace::Offset(_) => {
                let real = clock.real();
                Pace::Offset(further(clock.at(real)).duration_since(real))
            }
        })
    }

    /// Stops it at a time.
    pub fn freeze(&self, at: Timestamp) -> Result<(), NoSpace> {
        self.set_pace(Pace::Frozen(at))
    }

    fn set(&self, pace: impl FnOnce(&SpaceClock) -> Pace) -> Result<(), NoSpace> {
        self.0.space()?.move_clock(|clock| Ok(pace(clock)))
    }
}
