//! Things that have an id of their own, and a name in their account.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::{AccountId, RamId};

/// A user, role or policy: its id, account and name never change.
pub(super) trait Entity {
    fn id(&self) -> RamId;
    fn account(&self) -> AccountId;
    fn name(&self) -> &str;
}

/// The things of one kind, by id, and by account and name in any case (ram.md 2, inferred).
#[derive(Clone, Debug)]
pub(super) struct Directory<T> {
    things: BTreeMap<RamId, T>,
    names: BTreeMap<(AccountId, CompactString), RamId>,
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), names: BTreeMap::new() }
    }
}

impl<T: Entity> Directory<T> {
    pub(super) fn get(&self, id: RamId) -> Option<&T> {
        self.things.get(&id)
    }

    pub(super) fn has(&self, id: RamId) -> bool {
        self.things.contains_key(&id)
    }

    pub(super) fn get_mut(&mut self, id: RamId) -> Option<&mut T> {
        self.things.get_mut(&id)
    }

    pub(super) fn find(&self, account: AccountId, name: &str) -> Option<&T> {
        self.get(*self.names.get(&key(account, name))?)
    }

    pub(super) fn find_mut(&mut self, account: AccountId, name: &str) -> Option<&mut T> {
        self.things.get_mut(self.names.get(&key(account, name))?)
    }

    pub(super) fn len(&self) -> usize {
        self.things.len()
    }

    /// The accounts that have some, each as often as it has.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.names.keys().map(|(account, _)| *account)
    }

    /// The things of an account, by name without case.
    pub(super) fn of_account(&self, account: AccountId) -> impl Iterator<Item = &T> {
        let names = self.names.range(key(account, "")..).take_while(move |((owner, _), _)| *owner == account);
        names.filter_map(|(_, id)| self.get(*id))
    }

    /// The things of all accounts, by account, and by name without case.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.names.values().filter_map(|id| self.get(*id))
    }

    /// Whether name and id were free.
    pub(super) fn add(&mut self, thing: T) -> bool {
        let key = key(thing.account(), thing.name());
        let free = !self.names.contains_key(&key) && !self.things.contains_key(&thing.id());
        if free {
            self.names.insert(key, thing.id());
            self.things.insert(thing.id(), thing);
        }
        free
    }

    pub(super) fn remove(&mut self, id: RamId) -> Option<T> {
        let thing = self.things.remove(&id)?;
        self.names.remove(&key(thing.account(), thing.name()));
        Some(thing)
    }
}

/// Most names are short enough to be held in place, so that looking one up allocates nothing.
fn key(account: AccountId, name: &str) -> (AccountId, CompactString) {
    let mut name = CompactString::from(name);
    name.make_ascii_lowercase();
    (account, name)
}
