//! What goes wrong on purpose in one space: faults, latency and limits. It is no part of the world, so that no seed,
//! snapshot or state file has it, and a space that takes the place of another begins without any.

mod fault;
mod latency;
mod limit;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::sync::{AtomicBool, Mutex};
use super::{AccountId, Ids};
pub use fault::{
    Counted, Damage, Effect, Fault, FaultId, Fired, InjectedError, METADATA, Operation, Target, Treatment,
};
pub use latency::Latency;
pub use limit::{Limit, LimitKey, LimitState, Rate, Throttled};

use fault::Armed;

/// How many faults a space may have.
pub const MOST_FAULTS: usize = 100;

/// How many limits a space may have.
pub const MOST_LIMITS: usize = 100;

/// The longest that an answer is held back, and the longest of [`Fault::retry_after`].
pub const LONGEST_DELAY: Duration = Duration::from_mins(10);

/// The faults, the latency and the limits of a space.
#[derive(Debug, Default)]
pub struct Chaos {
    /// Whether there is any: all that a call looks at where there is none.
    armed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Vec<Armed>,
    latency: Option<Latency>,
    limits: Vec<Limit>,
    /// How many ids were made for faults that had none.
    made_ids: u64,
}

/// Why faults are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsRefused {
    #[error("there may be {MOST_FAULTS} rules")]
    TooMany,
    /// At these positions of what was given.
    #[error("an id that another rule has")]
    SameId(Vec<usize>),
}

impl Chaos {
    /// Whether calls have to be looked at.
    pub fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Relaxed)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        let armed = !state.faults.is_empty() || state.latency.is_some() || !state.limits.is_empty();
        self.armed.store(armed, Ordering::Relaxed);
        result
    }

    /// How long the answer to one call is held back by latency.
    pub fn delay(&self, ids: &Ids) -> Duration {
        self.state.lock().latency.map_or(Duration::ZERO, |latency| latency.draw(|| ids.fraction()))
    }

    pub fn latency(&self) -> Option<Latency> {
        self.state.lock().latency
    }

    pub fn set_latency(&self, latency: Option<Latency>) {
        self.change(|state| state.latency = latency);
    }

    /// What goes wrong with one call: of the faults, in their order, the first that matches and fires. Those behind it do
    /// not count the call.
    pub fn strike(&self, target: &Target<'_>, ids: &Ids) -> Option<Fired> {
        self.state.lock().faults.iter_mut().find_map(|armed| armed.strike(target, ids))
    }

    /// The faults in their order, with what they have done.
    pub fn faults(&self) -> Vec<Counted> {
        self.state.lock().faults.iter().map(Armed::counted).collect()
    }

    /// Puts faults in the place of all that there are. One without an id gets one.
    ///
    /// # Errors
    /// [`FaultsRefused`]; nothing has changed then.
    pub fn set_faults(&self, faults: Vec<(Option<FaultId>, Fault)>) -> Result<Vec<Counted>, FaultsRefused> {
        self.change(|state| state.put(false, faults))
    }

    /// Adds faults behind those that there are.
    ///
    /// # Errors
    /// Those of [`Chaos::set_faults`].
    pub fn add_faults(&self, faults: Vec<(Option<FaultId>, Fault)>) -> Result<Vec<Counted>, FaultsRefused> {
        self.change(|state| state.put(true, faults))
    }

    /// Removes the faults that are described: by their id, or one without an id by all that it says. Answers what stays.
    pub fn remove_faults(&self, described: &[(Option<FaultId>, Fault)]) -> Vec<Counted> {
        self.change(|state| {
            state.faults.retain(|armed| !described.iter().any(|(id, fault)| armed.is(id.as_ref(), fault)));
            state.faults.iter().map(Armed::counted).collect()
        })
    }

    /// Lets a call through, or not: each limit that is for it has to have a token, which it gives away then.
    ///
    /// # Errors
    /// The first that has none, of those for the action, those for its product, and those for all, in this order.
    pub fn admit(&self, now: Timestamp, account: AccountId, product: &str, action: &str) -> Result<(), Throttled> {
        let mut state = self.state.lock();
        let is_for = |limit: &&mut Limit| limit.key.is_for(product, action);
        if let Some(throttled) = state.limits.iter_mut().filter(is_for).find_map(|limit| limit.refuses(now, account)) {
            return Err(throttled);
        }
        state.limits.iter_mut().filter(is_for).for_each(|limit| limit.take(account));
        Ok(())
    }

    /// The limits, those for single actions first, with how full they are.
    pub fn limits(&self, now: Timestamp) -> Vec<LimitState> {
        self.state.lock().limits.iter_mut().map(|limit| limit.state(now)).collect()
    }

    /// Puts limits in the place of all that there are; they begin full. The last of those with one key counts.
    ///
    /// # Errors
    /// There are more than there may be; nothing has changed then.
    pub fn set_limits(&self, limits: Vec<Limit>) -> Result<(), TooManyLimits> {
        self.change(|state| state.put_limits(Vec::new(), limits))
    }

    /// Adds limits, in the place of those with the same key.
    ///
    /// # Errors
    /// Those of [`Chaos::set_limits`].
    pub fn add_limits(&self, limits: Vec<Limit>) -> Result<(), TooManyLimits> {
        self.change(|state| {
            let there = state.limits.clone();
            state.put_limits(there, limits)
        })
    }
}

/// Why limits are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there may be {MOST_LIMITS} limits")]
pub struct TooManyLimits;

impl State {
    /// Puts faults behind those that there are, or in their place.
    fn put(&mut self, behind: bool, more: Vec<(Option<FaultId>, Fault)>) -> Result<Vec<Counted>, FaultsRefused> {
        let staying = if behind { &*self.faults } else { &[] };
        if staying.len() + more.len() > MOST_FAULTS {
            return Err(FaultsRefused::TooMany);
        }
        let mut ids: BTreeSet<FaultId> = staying.iter().map(|armed| armed.id().clone()).collect();
        let given = more.iter().enumerate().filter_map(|(position, (id, _))| Some((position, id.as_ref()?)));
        let same: Vec<_> = given.filter_map(|(at, id)| (!ids.insert(id.clone())).then_some(at)).collect();
        if !same.is_empty() {
            return Err(FaultsRefused::SameId(same));
        }
        if !behind {
            self.faults.clear();
        }
        for (id, fault) in more {
            let id = id.unwrap_or_else(|| {
                super::ids::until(
                    || {
                        self.made_ids += 1;
                        FaultId::made(self.made_ids)
                    },
                    |id| !ids.contains(id),
                )
            });
            self.faults.push(Armed::new(id, fault));
        }
        Ok(self.faults.iter().map(Armed::counted).collect())
    }

    fn put_limits(&mut self, mut limits: Vec<Limit>, more: Vec<Limit>) -> Result<(), TooManyLimits> {
        for limit in more {
            limits.retain(|there| there.key != limit.key);
            limits.push(limit);
        }
        if limits.len() > MOST_LIMITS {
            return Err(TooManyLimits);
        }
        limits.sort_by(|a, b| a.key.cmp(&b.key));
        self.limits = limits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::parse_utc;

    fn id(text: &str) -> Option<FaultId> {
        FaultId::parse(text)
    }

    #[test]
    fn ids_are_unique_and_one_that_is_missing_is_made() {
        let chaos = Chaos::default();
        assert!(!chaos.is_armed());
        let faults = vec![(id("fault-1"), Fault::default()), (None, Fault::default())];
        let ids = |faults: Vec<Counted>| faults.iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
        assert_eq!(chaos.set_faults(faults).map(ids), Ok(vec!["fault-1".to_owned(), "fault-2".to_owned()]));
        assert!(chaos.is_armed());
        let again = vec![(None, Fault::default()), (id("fault-2"), Fault::default())];
        assert_eq!(chaos.add_faults(again), Err(FaultsRefused::SameId(vec![1])));
        let more = vec![(None, Fault::default()); MOST_FAULTS - 1];
        assert_eq!(chaos.add_faults(more), Err(FaultsRefused::TooMany));
        assert_eq!(ids(chaos.faults()), ["fault-1", "fault-2"]);
        assert_eq!(ids(chaos.remove_faults(&[(id("fault-1"), Fault::default())])), ["fault-2"]);
        let other = Fault { after: 1, ..Fault::default() };
        assert_eq!(chaos.remove_faults(&[(None, other)]).len(), 1);
        assert_eq!(chaos.remove_faults(&[(None, Fault::default())]).len(), 0);
        assert!(!chaos.is_armed());
    }

    #[test]
    fn a_call_passes_only_if_each_limit_for_it_lets_it_and_takes_of_none_otherwise() {
        let chaos = Chaos::default();
        let now = parse_utc("2026-11-24T02:07:22Z").expect("a time");
        let limit = |key, burst| {
            let error = InjectedError { status: 400, code: "T".into(), message: "t".into() };
            Limit::new(key, Rate::new(1.0, burst).expect("a rate"), error.into(), false, None)
        };
        let action = LimitKey::Action("ecs".into(), "DescribeRegions".into());
        chaos.set_limits(vec![limit(LimitKey::All, 2), limit(action.clone(), 1)]).expect("two are not too many");
        let call = |action| chaos.admit(now, AccountId::DEFAULT, "Ecs", action).map_err(|refused| refused.key);
        assert_eq!(call("DescribeRegions"), Ok(()));
        assert_eq!(call("DescribeRegions"), Err(action));
        assert_eq!(call("DescribeZones"), Ok(()));
        assert_eq!(call("DescribeZones"), Err(LimitKey::All));
    }
}
