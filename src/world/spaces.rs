//! The spaces of an emulator: how one is made, found, put in place of another, and forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::seed::{self, Files, Mistake};
use super::sync::{AtomicU64, RwLock};
use super::{Clock, Ids, Namespace, NonceMemory, Pace, Space, SpaceClock, SystemClock};

/// What every space begins with.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Names and texts of the seeds.
    pub seeds: Vec<(String, String)>,
    /// The machine's clock, which those of the spaces follow.
    pub machine: Arc<dyn Clock>,
    /// The world's time at the start; it goes on from there, or not at all.
    pub now: Option<Timestamp>,
    pub frozen: bool,
    /// Makes ids repeat exactly.
    pub rng_seed: Option<u64>,
    /// How many nonces are remembered at most, and for how long.
    pub nonces: (u32, SignedDuration),
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            seeds: default_seed(),
            machine: Arc::new(SystemClock),
            now: None,
            frozen: false,
            rng_seed: None,
            nonces: (1 << 18, SignedDuration::from_mins(30)),
        }
    }
}

impl Origin {
    /// The pace at the start, where seeds may have said one: a time that is set counts from there.
    fn pace(&self, said: Option<Pace>) -> Pace {
        let (real, said) = (self.machine.now(), said.unwrap_or(Pace::Real));
        match (self.now, self.frozen) {
            (now, true) => Pace::Frozen(now.unwrap_or(said.at(real))),
            (Some(now), false) => Pace::Offset(now.duration_since(real)),
            (None, false) => said,
        }
    }
}

fn default_seed() -> Vec<(String, String)> {
    vec![("the default seed".to_owned(), seed::DEFAULT.to_owned())]
}

/// How many spaces there may be beside `default`, and how long one that nobody uses stays.
#[derive(Clone, Copy, Debug)]
pub struct SpaceLimits {
    pub most: usize,
    pub idle: SignedDuration,
}

impl Default for SpaceLimits {
    fn default() -> Self {
        Self { most: 1024, idle: SignedDuration::from_hours(24) }
    }
}

/// Why there is no such space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSpace {
    /// As many as there may be are in use.
    #[error("there are {0} namespaces already")]
    TooMany(usize),
    /// The files have mistakes, or the seeds, which nobody has looked at where a space began with other files.
    #[error("a mistake in the seeds: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Seed(Vec<Mistake>),
}

/// The spaces of an emulator by name. `default` is always there, another from its first use on.
#[derive(Debug)]
pub struct Spaces {
    /// Read while a space is made of it, so that none of an older origin can appear after a newer one is in force.
    origin: RwLock<Origin>,
    limits: SpaceLimits,
    generations: AtomicU64,
    live: RwLock<Live>,
}

#[derive(Debug)]
struct Live {
    default: Arc<Space>,
    /// With the machine's time by which they were used last.
    named: BTreeMap<Namespace, (Arc<Space>, Timestamp)>,
}

impl Spaces {
    /// Makes `default`, of files or else of the seeds.
    ///
    /// # Errors
    /// Every mistake.
    pub fn new(origin: Origin, limits: SpaceLimits, files: Option<&Files>) -> Result<Self, Vec<Mistake>> {
        let generations = AtomicU64::new(0);
        let of_files = files.map(|files| Origin { seeds: files.to_vec(), ..origin.clone() });
        let default = Arc::new(make(of_files.as_ref().unwrap_or(&origin), Namespace::DEFAULT, &generations, None)?);
        let live = RwLock::new(Live { default, named: BTreeMap::new() });
        Ok(Self { origin: RwLock::new(origin), limits, generations, live })
    }

    /// The space `default`, where whoever names no other is answered from.
    pub fn default_space(&self) -> Arc<Space> {
        Arc::clone(&self.live.read().default)
    }

    /// A space that is there already.
    pub fn get(&self, name: &Namespace) -> Option<Arc<Space>> {
        let live = self.live.read();
        if name.is_default() {
            return Some(Arc::clone(&live.default));
        }
        let (space, _) = live.named.get(name)?;
        space.note_use();
        Some(Arc::clone(space))
    }

    /// The space of a name, which is made of the seeds at its first use.
    ///
    /// # Errors
    /// [`NoSpace`].
    pub fn of(&self, name: &Namespace) -> Result<Arc<Space>, NoSpace> {
        if let Some(space) = self.get(name) {
            return Ok(space);
        }
        self.has_room(&self.live.read(), name)?;
        let origin = self.origin.read();
        // Before the lock, which is gone before what has been made for nothing goes.
        let space = Arc::new(make(&origin, name.clone(), &self.generations, None).map_err(NoSpace::Seed)?);
        let mut live = self.live.write();
        self.has_room(&live, name)?;
        // Of two that made it at the same time, the first keeps it.
        let (kept, _) = live.named.entry(name.clone()).or_insert_with(|| (Arc::clone(&space), origin.machine.wall()));
        Ok(Arc::clone(kept))
    }

    fn has_room(&self, live: &Live, name: &Namespace) -> Result<(), NoSpace> {
        let is_there = name.is_default() || live.named.contains_key(name);
        let most = self.limits.most;
        if is_there || live.named.len() < most { Ok(()) } else { Err(NoSpace::TooMany(most)) }
    }

    /// Puts a new space in the place of one: as the seeds have it, or of files. Calls in flight finish
    /// on the old one.
    ///
    /// # Errors
    /// [`NoSpace`]; nothing has changed then.
    pub fn replace(&self, name: &Namespace, files: Option<&Files>) -> Result<Arc<Space>, NoSpace> {
        self.has_room(&self.live.read(), name)?;
        let origin = self.origin.read();
        let space = Arc::new(make(&origin, name.clone(), &self.generations, files).map_err(NoSpace::Seed)?);
        let mut live = self.live.write();
        self.has_room(&live, name)?;
        let old = live.put(Arc::clone(&space), origin.machine.wall());
        drop(live);
        drop(old); // After the lock: a large world takes its time to go.
        Ok(space)
    }

    /// Begins again with other seeds, or without any with the default one; of all spaces, `default` stays.
    ///
    /// # Errors
    /// Every mistake of the seeds; nothing has changed then.
    pub fn begin_again(&self, seeds: Vec<(String, String)>) -> Result<(), Vec<Mistake>> {
        let mut origin = self.origin.write();
        let seeds = if seeds.is_empty() { default_seed() } else { seeds };
        let next = Origin { seeds, ..origin.clone() };
        let default = Arc::new(make(&next, Namespace::DEFAULT, &self.generations, None)?);
        *origin = next;
        let old = std::mem::replace(&mut *self.live.write(), Live { default, named: BTreeMap::new() });
        drop(origin);
        drop(old);
        Ok(())
    }

    /// Forgets a space; whoever names it again gets a new one. `default` stays.
    pub fn remove(&self, name: &Namespace) -> Option<Arc<Space>> {
        self.live.write().named.remove(name).map(|(space, _)| space)
    }

    /// Forgets the spaces that nobody has used for as long as they may stay.
    pub fn forget_idle(&self) {
        let now = self.origin.read().machine.wall();
        let is_idle = |(space, used): &mut (Arc<Space>, Timestamp)| {
            if space.take_use() {
                *used = now;
            }
            now.duration_since(*used) > self.limits.idle
        };
        let idle: Vec<_> = self.live.write().named.extract_if(.., |_, entry| is_idle(entry)).collect();
        drop(idle);
    }

    /// All spaces that are there, `default` first.
    pub fn all(&self) -> Vec<Arc<Space>> {
        let live = self.live.read();
        std::iter::once(&live.default).chain(live.named.values().map(|(space, _)| space)).cloned().collect()
    }

    pub fn limits(&self) -> SpaceLimits {
        self.limits
    }
}

impl Live {
    /// The space that was there before.
    fn put(&mut self, space: Arc<Space>, now: Timestamp) -> Option<Arc<Space>> {
        if space.namespace.is_default() {
            return Some(std::mem::replace(&mut self.default, space));
        }
        self.named.insert(space.namespace.clone(), (space, now)).map(|(old, _)| old)
    }
}

/// A space of files, or else of the origin's seeds. Files may say how the world's time goes; of seeds that do, the origin
/// has the last word.
fn make(
    origin: &Origin,
    namespace: Namespace,
    generations: &AtomicU64,
    files: Option<&Files>,
) -> Result<Space, Vec<Mistake>> {
    let (clock, ids) = (SpaceClock::new(Arc::clone(&origin.machine)), Ids::of(origin.rng_seed, &namespace));
    let pace = |said: Option<Pace>| match (files, said) {
        (Some(_), Some(said)) => said,
        _ => origin.pace(said),
    };
    let world = seed::build_at(files.unwrap_or(&origin.seeds), &ids, |said| {
        clock.set(pace(said));
        clock.now()
    })?;
    let nonces = NonceMemory::new(origin.nonces.0, origin.nonces.1);
    let generation = generations.fetch_add(1, Ordering::Relaxed) + 1;
    Ok(Space::new(namespace, generation, world, clock, ids, nonces))
}
