//! A space: one world and everything that belongs to it.

use std::sync::atomic::Ordering;

use super::chaos::Chaos;
use super::seed::{self, Files, Mistake};
use super::sync::{AtomicBool, Mutex};
use super::{Counts, Ids, Journal, MetadataTokens, Namespace, NonceMemory, Pace, SpaceClock, Store, World};

/// One isolated world with its own clock, ids, nonces, tokens, faults and journal.
#[derive(Debug)]
pub struct Space {
    pub namespace: Namespace,
    /// No other space of the process has it, not even one of the same name before or after.
    pub generation: u64,
    pub store: Store,
    pub clock: SpaceClock,
    pub ids: Ids,
    pub nonces: Mutex<NonceMemory>,
    pub metadata_tokens: Mutex<MetadataTokens>,
    pub chaos: Chaos,
    pub journal: Journal,
    /// Whether it was used since somebody looked.
    used: AtomicBool,
}

impl Space {
    pub(super) fn new(
        namespace: Namespace,
        world: World,
        clock: SpaceClock,
        ids: Ids,
        nonces: NonceMemory,
        journal: Journal,
    ) -> Self {
        Self {
            namespace,
            generation: 0,
            store: Store::new(world),
            clock,
            ids,
            nonces: Mutex::new(nonces),
            metadata_tokens: Mutex::default(),
            chaos: Chaos::default(),
            journal,
            used: AtomicBool::new(true),
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

    /// Adds what a seed says to what is there, whole or, with every mistake, not at all; how much more there is then.
    ///
    /// # Errors
    /// Every mistake; nothing has changed then.
    pub fn add(&self, files: &Files) -> Result<Counts, Vec<Mistake>> {
        let (more, old) = self.store.write(|world| {
            let next = self.ids.apart(|ids| seed::extend(world.clone(), files, ids, self.clock.now()))?;
            Ok::<_, Vec<Mistake>>((next.counts() - world.counts(), std::mem::replace(world, next)))
        })?;
        drop(old); // After the lock: a large world takes its time to go.
        Ok(more)
    }

    pub(super) fn note_use(&self) {
        // Looked at first: many calls at once would contend for the write.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was used since this was last asked.
    pub(super) fn take_use(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }
}
