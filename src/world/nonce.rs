//! The memory of used nonces (protocol.md 3.1; scope and duration inferred, decision 17).
//!
//! A nonce is kept as an 8-byte keyed fingerprint. The ring holds them in order of arrival, the
//! runs say how many arrived in which second, and the index finds one without a search. Full,
//! this is 2 MiB of ring and 2.5 MiB of index for 262,144 nonces; both grow by doubling.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use jiff::{SignedDuration, Timestamp};

/// Nonces that were used lately, at most so many and at most so old.
#[derive(Debug)]
pub struct NonceMemory {
    capacity: usize,
    keep: SignedDuration,
    fingerprint: RandomState,
    ring: VecDeque<u64>,
    /// Number of the oldest nonce in `ring`; numbers wrap around.
    first: u32,
    /// Second of arrival and how many arrived in it, oldest first.
    runs: VecDeque<(i64, u32)>,
    index: HashTable<u32>,
    dropped: u64,
}

/// The nonce was used before.
#[derive(Debug, PartialEq, Eq)]
pub struct Replayed;

impl NonceMemory {
    /// Remembers at most `capacity` nonces (0: none at all), each for `keep` of wall time.
    pub fn new(capacity: u32, keep: SignedDuration) -> Self {
        Self {
            capacity: capacity as usize,
            keep,
            fingerprint: RandomState::new(),
            ring: VecDeque::new(),
            first: 0,
            runs: VecDeque::new(),
            index: HashTable::new(),
            dropped: 0,
        }
    }

    /// Takes note of a nonce of a key.
    ///
    /// # Errors
    /// [`Replayed`] if it was used within the kept time and has not been displaced since.
    pub fn remember(&mut self, key_id: &str, nonce: &str, wall: Timestamp) -> Result<(), Replayed> {
        if self.capacity == 0 {
            return Ok(());
        }
        self.forget_older_than(wall.as_second().saturating_sub(self.keep.as_secs()));
        self.sweep_index();
        // Prefix-free: the key's length separates ("ab", "c") from ("a", "bc").
        let fingerprint = self.fingerprint.hash_one((key_id.len(), key_id, nonce));
        let number = self.first.wrapping_add(self.ring.len() as u32);
        let (ring, first) = (&self.ring, self.first);
        let at = |number: u32| ring[number.wrapping_sub(first) as usize];
        match self.index.entry(fingerprint, |&n| at(n) == fingerprint, |&n| at(n)) {
            Entry::Occupied(_) => return Err(Replayed),
            Entry::Vacant(place) => place.insert(number),
        };
        // Room first, so that the ring never grows beyond its capacity.
        if self.ring.len() == self.capacity {
            self.forget_oldest();
            self.dropped += 1;
        }
        self.ring.push_back(fingerprint);
        match self.runs.back_mut() {
            // A clock that steps back joins the newest second, so the runs stay in order.
            Some((second, count)) if *second >= wall.as_second() => *count += 1,
            _ => self.runs.push_back((wall.as_second(), 1)),
        }
        Ok(())
    }

    /// How many nonces were displaced by newer ones before their time.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What is removed from the index leaves marks, which take room as entries do. Where they are many, they are
    /// cleared away here; else the index would double, and never be half full again.
    fn sweep_index(&mut self) {
        let holds = self.index.num_buckets() / 8 * 7;
        let is_full = self.index.len() == self.index.capacity();
        if !is_full || self.index.len() > holds / 4 * 3 {
            return;
        }
        self.index.clear();
        let (ring, first) = (&self.ring, self.first);
        let hash = |&number: &u32| ring[number.wrapping_sub(first) as usize];
        for (place, &fingerprint) in ring.iter().enumerate() {
            self.index.insert_unique(fingerprint, first.wrapping_add(place as u32), hash);
        }
    }

    fn forget_older_than(&mut self, second: i64) {
        while self.runs.front().is_some_and(|&(arrived, _)| arrived < second) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let (Some(fingerprint), Some((_, count))) = (self.ring.pop_front(), self.runs.front_mut()) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.runs.pop_front();
        }
        let oldest = self.first;
        if let Ok(entry) = self.index.find_entry(fingerprint, |&n| n == oldest) {
            entry.remove();
        }
        self.first = oldest.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_nonce_is_refused_until_it_is_too_old() {
        let mut memory = NonceMemory::new(100, SignedDuration::from_mins(30));
        assert_eq!(memory.remember("key", "n", at(0)), Ok(()));
        assert_eq!(memory.remember("key", "n", at(1800)), Err(Replayed));
        assert_eq!(memory.remember("key", "n", at(1801)), Ok(()));
    }

    #[test]
    fn a_full_memory_never_grows_and_forgets_nothing_early() {
        let mut memory = NonceMemory::new(1000, SignedDuration::from_mins(30));
        let remember = |memory: &mut NonceMemory, number: i32| memory.remember("key", &number.to_string(), at(0));
        for number in 0..20_000 {
            assert_eq!(remember(&mut memory, number), Ok(()));
            assert_eq!(remember(&mut memory, number.max(999) - 999), Err(Replayed), "{number}");
        }
        assert_eq!((memory.index.len(), memory.index.num_buckets(), memory.ring.capacity()), (1000, 2048, 1024));
    }

    #[test]
    fn the_same_nonce_of_another_key_is_another_nonce() {
        let mut memory = NonceMemory::new(100, SignedDuration::from_mins(30));
        assert_eq!(memory.remember("ab", "c", at(0)), Ok(()));
        assert_eq!(memory.remember("a", "bc", at(0)), Ok(()));
        assert_eq!(memory.remember("a", "bc", at(0)), Err(Replayed));
    }

    #[test]
    fn beyond_the_capacity_the_oldest_goes_and_is_counted() {
        let mut memory = NonceMemory::new(3, SignedDuration::from_mins(30));
        for nonce in ["1", "2", "3", "4"] {
            assert_eq!(memory.remember("key", nonce, at(0)), Ok(()));
        }
        assert_eq!(memory.dropped(), 1);
        for kept in ["2", "3", "4"] {
            assert_eq!(memory.remember("key", kept, at(1)), Err(Replayed), "{kept}");
        }
        assert_eq!(memory.remember("key", "1", at(1)), Ok(()), "the oldest was dropped");
    }

    #[test]
    fn numbers_wrap_around_without_losing_a_nonce() {
        let mut memory = NonceMemory::new(4, SignedDuration::from_mins(30));
        memory.first = u32::MAX - 1;
        for nonce in ["1", "2", "3", "4", "5"] {
            assert_eq!(memory.remember("key", nonce, at(0)), Ok(()));
        }
        for kept in ["2", "3", "4", "5"] {
            assert_eq!(memory.remember("key", kept, at(0)), Err(Replayed), "{kept}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_does_not_forget_early() {
        let mut memory = NonceMemory::new(10, SignedDuration::from_secs(10));
        assert_eq!(memory.remember("key", "late", at(100)), Ok(()));
        assert_eq!(memory.remember("key", "early", at(50)), Ok(()));
        assert_eq!(memory.remember("key", "early", at(105)), Err(Replayed));
    }

    proptest::proptest! {
        /// Against the obvious model: a list of (key, nonce, second), oldest dropped beyond the cap.
        #[test]
        fn agrees_with_a_plain_list(
            capacity in 1u32..8,
            calls in proptest::collection::vec((0u8..12, 0i64..4), 1..200),
        ) {
            let mut memory = NonceMemory::new(capacity, SignedDuration::from_secs(5));
            let (mut model, mut dropped, mut now) = (VecDeque::new(), 0, 0);
            for (nonce, step) in calls {
                now += step;
                model.retain(|&(_, second)| second >= now - 5);
                let known = model.iter().any(|&(n, _)| n == nonce);
                if !known {
                    model.push_back((nonce, now));
                    if model.len() > capacity as usize {
                        model.pop_front();
                        dropped += 1;
                    }
                }
                let got = memory.remember("key", &nonce.to_string(), at(now));
                proptest::prop_assert_eq!(got.is_err(), known);
                proptest::prop_assert_eq!(memory.dropped(), dropped);
                proptest::prop_assert_eq!(memory.index.len(), model.len());
            }
        }
    }
}
