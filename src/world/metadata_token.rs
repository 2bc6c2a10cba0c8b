//! The tokens of the metadata service, and how long they are remembered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::ids::until;
use super::{Ids, InstanceId};

/// How many tokens a space remembers at most; beyond, the one that expires first makes room. Clients ask for a new
/// one before every read and let the old ones lie (imds.md 5).
pub const MOST_METADATA_TOKENS: usize = 10_000;

/// The tokens that the metadata service has given out, each to one instance (imds.md 2, documented).
#[derive(Debug, Default)]
pub struct MetadataTokens {
    by_value: BTreeMap<Box<str>, (InstanceId, Timestamp)>,
    by_expiry: BTreeSet<(Timestamp, Box<str>)>,
}

impl MetadataTokens {
    /// A new token of an instance.
    pub fn issue(&mut self, ids: &Ids, now: Timestamp, instance: InstanceId, lifetime: SignedDuration) -> String {
        self.forget(now);
        if self.by_value.len() >= MOST_METADATA_TOKENS
            && let Some((_, value)) = self.by_expiry.pop_first()
        {
            self.by_value.remove(&value);
        }
        let value = until(|| ids.metadata_token(), |value| !self.by_value.contains_key(value.as_str()));
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        self.by_expiry.insert((expires, value.as_str().into()));
        self.by_value.insert(value.as_str().into(), (instance, expires));
        value
    }

    /// Whether it is a token of this instance that has not expired.
    pub fn accepts(&self, value: &str, instance: &InstanceId, now: Timestamp) -> bool {
        self.by_value.get(value).is_some_and(|(owner, expires)| owner == instance && now < *expires)
    }

    /// Forgets what has expired.
    pub fn forget(&mut self, now: Timestamp) {
        while let Some((expires, _)) = self.by_expiry.first()
            && *expires <= now
            && let Some((_, value)) = self.by_expiry.pop_first()
        {
            self.by_value.remove(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::parse_utc;

    #[test]
    fn a_token_is_its_instance_s_until_it_expires() {
        let (ids, mut tokens) = (Ids::seeded(1), MetadataTokens::default());
        let now = parse_utc("2026-01-05T08:00:00Z").expect("a time");
        let (one, other) = (InstanceId::new("i-1"), InstanceId::new("i-2"));
        let minute = SignedDuration::from_mins(1);
        let first = tokens.issue(&ids, now, one.clone(), minute);
        let second = tokens.issue(&ids, now, one.clone(), minute * 2);
        let last = now + SignedDuration::from_secs(59);
        for (token, instance, at, accepted) in [
            (&first, &one, now, true),
            (&first, &one, last, true),
            (&first, &one, now + minute, false),
            (&first, &other, now, false),
            (&second, &one, now + minute, true),
            (&"x".to_owned(), &one, now, false),
        ] {
            assert_eq!(tokens.accepts(token, instance, at), accepted, "{token} for {instance} at {at}");
        }
        tokens.forget(now + minute);
        assert!(!tokens.accepts(&first, &one, now) && tokens.accepts(&second, &one, now));
    }

    #[test]
    fn beyond_the_bound_the_token_that_expires_first_makes_room() {
        let (ids, mut tokens) = (Ids::seeded(1), MetadataTokens::default());
        let now = parse_utc("2026-01-05T08:00:00Z").expect("a time");
        let mut issue = |minutes| tokens.issue(&ids, now, InstanceId::new("i-1"), SignedDuration::from_mins(minutes));
        let (long, short) = (issue(60), issue(1));
        for _ in 2..=MOST_METADATA_TOKENS {
            issue(60);
        }
        let accepts = |token: &str| tokens.accepts(token, &InstanceId::new("i-1"), now);
        assert_eq!((accepts(&short), accepts(&long)), (false, true));
        assert_eq!((tokens.by_value.len(), tokens.by_expiry.len()), (MOST_METADATA_TOKENS, MOST_METADATA_TOKENS));
    }
}
