//! The spaces of an emulator: how one is made, found, put in place of another, and forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::seed::{self, Files, Mistake};
use super::sync::RwLock;
use super::{Clock, Ids, Journal, Namespace, NonceMemory, Pace, Space, SpaceClock, SystemClock, World};

/// What every space begins with.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Names and texts of the seeds.
    pub seeds: Vec<(String, String)>,
    /// The machine's clock, which those of the spaces follow.
    pub machine: Arc<dyn Clock>,
    /// The world's time at the start.
    pub now: Option<Timestamp>,
    /// Whether time stands still. None leaves it to the seeds or to what was kept, unless `now` is told: then it goes on.
    pub frozen: Option<bool>,
    /// Makes ids repeat exactly.
    pub rng_seed: Option<u64>,
    /// How many nonces are remembered at most, and for how long.
    pub nonces: (u32, SignedDuration),
    /// How many requests a journal keeps at most.
    pub journal_max: u32,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            seeds: default_seed(),
            machine: Arc::new(SystemClock),
            now: None,
            frozen: None,
            rng_seed: None,
            nonces: (1 << 18, SignedDuration::from_mins(30)),
            journal_max: 1000,
        }
    }
}

impl Origin {
    /// The world of the seeds.
    ///
    /// # Errors
    /// Every mistake.
    pub fn world(&self) -> Result<World, Vec<Mistake>> {
        Ok(begin(self, &Namespace::DEFAULT, Source::Seeds)?.0)
    }

    /// The pace at the start, where seeds may have said one: a time that is set counts from there.
    fn pace(&self, said: Option<Pace>) -> Pace {
        let (real, said) = (self.machine.now(), said.unwrap_or(Pace::Real));
        match (self.now, self.frozen) {
            (now, Some(true)) => Pace::Frozen(now.unwrap_or(said.at(real))),
            (Some(now), _) => Pace::Offset(now.duration_since(real)),
            (None, Some(false)) => Pace::Real,
            (None, None) => said,
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
    /// The files have mistakes; or the seeds, in this space alone: they were good in `default`, where ids of keys end otherwise.
    #[error("a mistake in the seeds: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Seed(Vec<Mistake>),
}

/// Why spaces that were kept are not gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Beside `default` there are more than there may be.
    #[error("there are more than {0} namespaces beside default")]
    TooMany(usize),
    /// Every mistake of every space.
    #[error("mistakes in what was kept")]
    Mistakes(Vec<(Namespace, Mistake)>),
}

/// The spaces of an emulator by name. `default` is always there, another from its first use on.
#[derive(Debug)]
pub struct Spaces {
    /// Read while a space is made of it, so that none of an older origin can appear after a newer one is in force.
    origin: RwLock<Origin>,
    limits: SpaceLimits,
    /// What whoever is in no space is answered with.
    ids_of_none: Ids,
    live: RwLock<Live>,
}

#[derive(Debug)]
struct Live {
    generations: Generations,
    default: Arc<Space>,
    /// With the machine's time by which they were used last.
    named: BTreeMap<Namespace, (Arc<Space>, Timestamp)>,
}

/// Numbers spaces as they come into force, so that of two in one place the later has the greater number.
#[derive(Debug, Default)]
struct Generations(u64);

impl Generations {
    fn begin(&mut self, mut space: Space) -> Arc<Space> {
        self.0 += 1;
        space.generation = self.0;
        Arc::new(space)
    }
}

impl Spaces {
    /// Makes `default` of the seeds.
    ///
    /// # Errors
    /// Every mistake.
    pub fn new(origin: Origin, limits: SpaceLimits) -> Result<Self, Vec<Mistake>> {
        let default = make(&origin, Namespace::DEFAULT, Source::Seeds)?;
        Ok(Self::starting(origin, limits, default, BTreeMap::new()))
    }

    /// Makes the spaces that were kept, each of the text of its snapshot, and none if one cannot be made. A space that
    /// was not kept begins as the seeds have it. Whoever starts says how time goes before what was kept does.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn of_kept(
        origin: Origin,
        limits: SpaceLimits,
        kept: impl IntoIterator<Item = (Namespace, String)>,
    ) -> Result<Self, NotKept> {
        let (mut default, mut named, mut mistakes) = (None, BTreeMap::new(), Vec::new());
        for (name, text) in kept {
            let file = [(name.to_string(), text)];
            match make(&origin, name.clone(), Source::Kept(&file)) {
                Ok(space) if name.is_default() => default = Some(space),
                Ok(space) => drop(named.insert(name, space)),
                Err(of_one) => mistakes.extend(of_one.into_iter().map(|mistake| (name.clone(), mistake))),
            }
            if named.len() > limits.most {
                return Err(NotKept::TooMany(limits.most));
            }
        }
        if !mistakes.is_empty() {
            return Err(NotKept::Mistakes(mistakes));
        }
        let of_seeds = || make(&origin, Namespace::DEFAULT, Source::Seeds);
        let default = default.map_or_else(of_seeds, Ok).map_err(|mistakes| {
            NotKept::Mistakes(mistakes.into_iter().map(|mistake| (Namespace::DEFAULT, mistake)).collect())
        })?;
        Ok(Self::starting(origin, limits, default, named))
    }

    fn starting(origin: Origin, limits: SpaceLimits, default: Space, named: BTreeMap<Namespace, Space>) -> Self {
        let (mut generations, used) = (Generations::default(), origin.machine.wall());
        let default = generations.begin(default);
        let named = named.into_iter().map(|(name, space)| (name, (generations.begin(space), used))).collect();
        let (ids_of_none, live) = (Ids::of_none(origin.rng_seed), Live { generations, default, named });
        Self { origin: RwLock::new(origin), limits, ids_of_none, live: RwLock::new(live) }
    }

    /// The ids of what is in no space: drawing them leaves those of every space as they are.
    pub fn ids_of_none(&self) -> &Ids {
        &self.ids_of_none
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
        self.change(name, |_| Ok(())).map(|(space, ())| space)
    }

    /// Changes the space of a name. One that is not there is made of the seeds for it, and comes into force changed.
    ///
    /// # Errors
    /// [`NoSpace`], and those of `change`; no space has been made then.
    pub fn change<T, E: From<NoSpace>>(
        &self,
        name: &Namespace,
        change: impl Fn(&Space) -> Result<T, E>,
    ) -> Result<(Arc<Space>, T), E> {
        let there = |space: Arc<Space>| {
            let changed = change(&space)?;
            Ok((space, changed))
        };
        if let Some(space) = self.get(name) {
            return there(space);
        }
        self.has_room(&self.live.read(), name)?;
        let origin = self.origin.read();
        // Before the lock, which is gone before what has been made for nothing goes.
        let space = make(&origin, name.clone(), Source::Seeds).map_err(NoSpace::Seed)?;
        let changed = change(&space)?;
        let mut live = self.live.write();
        self.has_room(&live, name)?;
        // Of two that made it at the same time, the first keeps it.
        if let Some(kept) = live.named.get(name).map(|(kept, _)| Arc::clone(kept)) {
            drop(live);
            drop(origin);
            return there(kept);
        }
        Ok((live.put(space, origin.machine.wall()).0, changed))
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
        let source = files.map_or(Source::Seeds, Source::Put);
        let space = make(&origin, name.clone(), source).map_err(NoSpace::Seed)?;
        let mut live = self.live.write();
        self.has_room(&live, name)?;
        let (space, old) = live.put(space, origin.machine.wall());
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
        let default = make(&next, Namespace::DEFAULT, Source::Seeds)?;
        *origin = next;
        let mut live = self.live.write();
        let default = live.generations.begin(default);
        let old = (std::mem::replace(&mut live.default, default), std::mem::take(&mut live.named));
        drop(live);
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

    /// How many nonces each space remembers at most, and for how long.
    pub fn nonces(&self) -> (u32, SignedDuration) {
        self.origin.read().nonces
    }
}

impl Live {
    /// The space as it is in force, and the one that was there before.
    fn put(&mut self, space: Space, now: Timestamp) -> (Arc<Space>, Option<Arc<Space>>) {
        let space = self.generations.begin(space);
        let old = if space.namespace.is_default() {
            Some(std::mem::replace(&mut self.default, Arc::clone(&space)))
        } else {
            self.named.insert(space.namespace.clone(), (Arc::clone(&space), now)).map(|(old, _)| old)
        };
        (space, old)
    }
}

/// What a space is made of, and who has the last word on how its time goes.
#[derive(Clone, Copy)]
enum Source<'f> {
    /// The origin's seeds; the origin has it.
    Seeds,
    /// What an earlier process kept; the origin has it, since it was told at this start.
    Kept(&'f Files),
    /// What somebody puts in while it runs; the files have it.
    Put(&'f Files),
}

fn make(origin: &Origin, namespace: Namespace, source: Source<'_>) -> Result<Space, Vec<Mistake>> {
    let (world, clock, ids) = begin(origin, &namespace, source)?;
    let nonces = NonceMemory::new(origin.nonces.0, origin.nonces.1);
    Ok(Space::new(namespace, world, clock, ids, nonces, Journal::new(origin.journal_max)))
}

fn begin(origin: &Origin, namespace: &Namespace, source: Source<'_>) -> Result<(World, SpaceClock, Ids), Vec<Mistake>> {
    let (clock, ids) = (SpaceClock::new(Arc::clone(&origin.machine)), Ids::of(origin.rng_seed, namespace));
    let pace = |said: Option<Pace>| match (source, said) {
        (Source::Put(_), Some(said)) => said,
        _ => origin.pace(said),
    };
    let files = match source {
        Source::Seeds => &origin.seeds,
        Source::Kept(files) | Source::Put(files) => files,
    };
    let world = seed::build_at(files, &ids, |said| {
        clock.set(pace(said));
        clock.now()
    })?;
    Ok((world, clock, ids))
}
