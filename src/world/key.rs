//! Access keys: who owns them, whether they may sign, and when they last did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use super::{AccountId, RamId, RoleSession, Secret};

/// Whether a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    Active,
    Inactive,
}

impl KeyStatus {
    /// Reads exactly the name (case: inferred).
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Inactive].into_iter().find(|status| status.name() == name)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

/// The token of a temporary key, which has to ride along with every call that it signs.
#[derive(Clone)]
pub struct SecurityToken {
    pub value: Box<str>,
    pub expires: Timestamp,
}

/// Without the value, which is a secret.
impl fmt::Debug for SecurityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Whose key it is, within its account.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyOwner {
    Account,
    User(RamId),
    /// A temporary key of a role.
    Session(Arc<RoleSession>),
}

/// A key pair.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub account: AccountId,
    pub owner: KeyOwner,
    pub status: KeyStatus,
    pub secret: Arc<Secret>,
    /// `Some` for a temporary key.
    pub token: Option<Arc<SecurityToken>>,
    pub created: Timestamp,
    usage: Usage,
}

impl AccessKey {
    /// A permanent, active key that has signed nothing yet.
    pub fn new(account: AccountId, owner: KeyOwner, secret: &str, created: Timestamp) -> Self {
        let secret = Arc::new(Secret::new(secret));
        Self { account, owner, status: KeyStatus::Active, secret, token: None, created, usage: Usage::default() }
    }

    /// A temporary key of a role.
    pub fn temporary(
        account: AccountId,
        session: RoleSession,
        secret: &str,
        token: SecurityToken,
        created: Timestamp,
    ) -> Self {
        let key = Self::new(account, KeyOwner::Session(Arc::new(session)), secret, created);
        Self { token: Some(Arc::new(token)), ..key }
    }

    /// The size of the policy that narrows its session, in bytes.
    fn policy_size(&self) -> usize {
        match &self.owner {
            KeyOwner::Session(session) => session.policy.as_ref().map_or(0, |(_, policy)| policy.text().len()),
            KeyOwner::Account | KeyOwner::User(_) => 0,
        }
    }

    /// Notes that the key has signed a call. Takes no lock of the world, which many calls at once would wait for, and
    /// writes once a second, so that they do not contend for the figure either.
    pub fn used(&self, now: Timestamp) {
        let second = now.as_second();
        if self.usage.0.load(Ordering::Relaxed) < second {
            self.usage.0.fetch_max(second, Ordering::Relaxed);
        }
    }

    /// When the key last signed a call, to the second.
    pub fn last_used(&self) -> Option<Timestamp> {
        let second = self.usage.0.load(Ordering::Relaxed);
        if second == NEVER { None } else { Timestamp::from_second(second).ok() }
    }
}

const NEVER: i64 = i64::MIN;

/// The second of the last use, or [`NEVER`].
#[derive(Debug)]
struct Usage(AtomicI64);

impl Default for Usage {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER))
    }
}

impl Clone for Usage {
    fn clone(&self) -> Self {
        Self(AtomicI64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// The keys of a world by id. Each is shared with the calls that it signs.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_id: BTreeMap<Box<str>, Arc<AccessKey>>,
    /// The temporary ones, by when they expire.
    expiring: BTreeSet<(Timestamp, Box<str>)>,
    /// The size of the policies of all sessions, in bytes.
    policy_size: usize,
}

impl Keys {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &AccessKey)> {
        self.by_id.iter().map(|(id, key)| (&**id, &**key))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<AccessKey>> {
        self.by_id.get(id)
    }

    /// A key to change; its token and owner stay as they are.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut AccessKey> {
        self.by_id.get_mut(id).map(Arc::make_mut)
    }

    /// Whether the id was free.
    pub(super) fn add(&mut self, id: &str, key: AccessKey) -> bool {
        let free = !self.by_id.contains_key(id);
        if free {
            if let Some(token) = &key.token {
                self.expiring.insert((token.expires, id.into()));
            }
            self.policy_size += key.policy_size();
            self.by_id.insert(id.into(), Arc::new(key));
        }
        free
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<AccessKey>> {
        let key = self.by_id.remove(id)?;
        if let Some(token) = &key.token {
            self.expiring.remove(&(token.expires, id.into()));
        }
        self.policy_size -= key.policy_size();
        Some(key)
    }

    /// The temporary key that expires first.
    pub(super) fn first_to_expire(&self) -> Option<(Timestamp, &str)> {
        self.expiring.first().map(|(expires, id)| (*expires, &**id))
    }

    /// How many temporary keys there are.
    pub(super) fn temporary(&self) -> usize {
        self.expiring.len()
    }

    /// The size of the policies of all sessions, in bytes.
    pub(super) fn policy_size(&self) -> usize {
        self.policy_size
    }
}

/// A copy of a world has uses of its own.
impl Clone for Keys {
    fn clone(&self) -> Self {
        let copy = |(id, key): (&str, &AccessKey)| (id.into(), Arc::new(key.clone()));
        let by_id = self.iter().map(copy).collect();
        Self { by_id, expiring: self.expiring.clone(), policy_size: self.policy_size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_remembers_its_latest_use_and_a_copy_of_it_has_its_own() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let key = AccessKey::new(AccountId::DEFAULT, KeyOwner::Account, "s", at(0));
        assert_eq!(key.last_used(), None);
        key.used(at(20));
        key.used(at(10));
        let copy = key.clone();
        copy.used(at(30));
        assert_eq!((key.last_used(), copy.last_used()), (Some(at(20)), Some(at(30))));
    }
}
