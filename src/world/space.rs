//! A space: one world and everything that belongs to it.

use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::{Mutex, RwLock};

use super::{Ids, MetadataTokens, NonceMemory, Pace, SpaceClock, Store, World};

/// One isolated world with its own clock, ids, nonces and tokens.
#[derive(Debug)]
pub struct Space {
    /// What calls and logs know it by.
    pub name: Box<str>,
    pub store: Store,
    pub clock: SpaceClock,
    pub ids: Ids,
    pub nonces: Mutex<NonceMemory>,
    pub metadata_tokens: Mutex<MetadataTokens>,
}

impl Space {
    /// `nonces`: how many are remembered at most, and for how long.
    pub fn new(
        name: &str,
        world: World,
        clock: impl Into<SpaceClock>,
        ids: Ids,
        nonces: (u32, SignedDuration),
    ) -> Self {
        Self {
            name: name.into(),
            store: Store::new(world),
            clock: clock.into(),
            ids,
            nonces: Mutex::new(NonceMemory::new(nonces.0, nonces.1)),
            metadata_tokens: Mutex::default(),
        }
    }

    /// Moves the clock as `pace` says of it, and does all that is due by then, under the lock of the world: whatever
    /// finds the new time finds that done.
    ///
    /// # Errors
    /// Those of `pace`; nothing has changed then.
    pub fn move_clock<E>(&self, pace: impl FnOnce(&SpaceClock) -> Result<Pace, E>) -> Result<(), E> {
        self.store.write(|world| {
            self.clock.set(pace(&self.clock)?);
            let now = self.clock.now();
            world.settle(now);
            self.metadata_tokens.lock().forget(now);
            Ok(())
        })
    }
}

/// The spaces of an emulator. Only one exists so far; a namespace will be a second entry.
#[derive(Debug)]
pub struct Spaces {
    default: RwLock<Arc<Space>>,
}

impl Spaces {
    pub fn new(default: Space) -> Self {
        Self { default: RwLock::new(Arc::new(default)) }
    }

    /// The space `default`, where calls without a key are answered from.
    pub fn default_space(&self) -> Arc<Space> {
        self.default.read().clone()
    }

    /// The space that a key belongs to.
    pub fn of_key(&self, _access_key_id: &str) -> Arc<Space> {
        self.default_space()
    }
}
