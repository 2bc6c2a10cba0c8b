//! A space: one world and everything that belongs to it.

use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::{Mutex, RwLock};

use super::{Clock, Ids, NonceMemory, Store, World};

/// One isolated world with its own clock, ids and nonces.
#[derive(Debug)]
pub struct Space {
    /// What calls and logs know it by.
    pub name: Box<str>,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    pub nonces: Mutex<NonceMemory>,
}

impl Space {
    /// `nonces`: how many are remembered at most, and for how long.
    pub fn new(name: &str, world: World, clock: Arc<dyn Clock>, ids: Ids, nonces: (u32, SignedDuration)) -> Self {
        let nonces = Mutex::new(NonceMemory::new(nonces.0, nonces.1));
        Self { name: name.into(), store: Store::new(world), clock, ids, nonces }
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
