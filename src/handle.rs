//! What a Rust test does with one namespace of an emulator that it embeds.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::world::{Namespace, NoSpace, Pace, Space, Spaces, World};

/// One namespace of a running emulator. It follows resets: what is asked of it is asked of the world that is there then.
#[derive(Clone, Debug)]
pub struct Handle {
    spaces: Arc<Spaces>,
    namespace: Namespace,
}

impl Handle {
    /// Makes the namespace if it is not there.
    pub(crate) fn new(spaces: &Arc<Spaces>, namespace: Namespace) -> Result<Self, NoSpace> {
        spaces.of(&namespace)?;
        Ok(Self { spaces: Arc::clone(spaces), namespace })
    }

    pub fn namespace(&self) -> &Namespace {
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

    /// The clock of the namespace.
    ///
    /// # Errors
    /// Those of [`Handle::world`].
    pub fn clock(&self) -> Result<ClockHandle, NoSpace> {
        Ok(ClockHandle(self.space()?))
    }

    fn space(&self) -> Result<Arc<Space>, NoSpace> {
        self.spaces.of(&self.namespace)
    }
}

/// The clock of one world. What is due when it moves has happened when it has moved.
#[derive(Clone, Debug)]
pub struct ClockHandle(Arc<Space>);

impl ClockHandle {
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Moves it; a clock that stands goes on standing. Beyond all time it stays at the end.
    pub fn advance(&self, by: SignedDuration) {
        let further = |at: Timestamp| at.saturating_add(by).unwrap_or(Timestamp::MAX);
        self.set(|clock| match clock.pace() {
            Pace::Frozen(at) => Pace::Frozen(further(at)),
            Pace::Real | Pace::Offset(_) => {
                let real = clock.real();
                Pace::Offset(further(clock.at(real)).duration_since(real))
            }
        });
    }

    /// Stops it at a time.
    pub fn freeze(&self, at: Timestamp) {
        self.set(|_| Pace::Frozen(at));
    }

    fn set(&self, pace: impl FnOnce(&crate::world::SpaceClock) -> Pace) {
        let moved = self.0.move_clock(|clock| Ok::<_, std::convert::Infallible>(pace(clock)));
        let Ok(()) = moved;
    }
}
