//! The lock around a world, and the world itself.

use std::collections::BTreeMap;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use parking_lot::RwLock;

use super::{AccessKey, AccountId, Instance, InstanceId, Region, Role};

/// A world behind one lock, reached only through closures, so that nobody can hold two.
#[derive(Debug)]
pub struct Store(RwLock<World>);

impl Store {
    pub fn new(world: World) -> Self {
        Self(RwLock::new(world))
    }

    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.0.read())
    }

    pub fn write<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.write())
    }

    /// Puts another world in place of this one. A call that holds the lock finishes on the old one; one that has
    /// only been authenticated performs on the new one.
    pub fn replace(&self, world: World) {
        let old = std::mem::replace(&mut *self.0.write(), world);
        drop(old); // After the lock: a large world takes its time to go.
    }
}

/// Everything that exists in a space.
///
/// Instances stand in order of creation, which is the order that lists answer in; see ADR 3 for
/// why this one map is not a `BTreeMap`. Its ids are the seed's, never a caller's, so a fast hash does.
#[derive(Clone, Debug, Default)]
pub struct World {
    keys: BTreeMap<Box<str>, AccessKey>,
    roles: BTreeMap<(AccountId, Box<str>), Role>,
    instances: IndexMap<InstanceId, Instance, DefaultHashBuilder>,
}

impl World {
    pub fn keys(&self) -> impl Iterator<Item = (&str, &AccessKey)> {
        self.keys.iter().map(|(id, key)| (&**id, key))
    }

    pub fn key(&self, id: &str) -> Option<&AccessKey> {
        self.keys.get(id)
    }

    /// Whether the id was free.
    pub(super) fn add_key(&mut self, id: &str, key: AccessKey) -> bool {
        let free = !self.keys.contains_key(id);
        if free {
            self.keys.insert(id.into(), key);
        }
        free
    }

    /// A role by its name in any case.
    pub fn role(&self, account: AccountId, name: &str) -> Option<&Role> {
        self.roles.get(&(account, name.to_ascii_lowercase().into_boxed_str()))
    }

    /// Whether the name was free.
    pub(super) fn add_role(&mut self, account: AccountId, role: Role) -> bool {
        let key = (account, role.name.as_str().to_ascii_lowercase().into_boxed_str());
        let free = !self.roles.contains_key(&key);
        if free {
            self.roles.insert(key, role);
        }
        free
    }

    /// All instances, oldest first.
    pub fn instances(&self) -> impl Iterator<Item = (&InstanceId, &Instance)> {
        self.instances.iter()
    }

    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.get(id)
    }

    pub fn instance_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.instances.get_mut(id)
    }

    /// The instance as an account sees it in a region: one of another account or region does not
    /// exist for it (ecs-instance-ram-role.md 7, D5).
    pub fn instance_in(&self, account: AccountId, region: &Region, id: &str) -> Option<&Instance> {
        self.instance(id).filter(|i| i.account == account && std::ptr::eq(i.region, region))
    }

    /// The instances of an account in a region, oldest first.
    pub fn instances_in(
        &self,
        account: AccountId,
        region: &'static Region,
    ) -> impl Iterator<Item = (&InstanceId, &Instance)> {
        self.instances().filter(move |(_, i)| i.account == account && std::ptr::eq(i.region, region))
    }

    /// Those of the ids that an account has in a region, oldest first, each once.
    pub fn instances_named<'w>(
        &'w self,
        account: AccountId,
        region: &Region,
        ids: &[String],
    ) -> Vec<(&'w InstanceId, &'w Instance)> {
        let mut places: Vec<_> = ids.iter().filter_map(|id| self.instances.get_index_of(id.as_str())).collect();
        places.sort_unstable();
        places.dedup();
        let found = places.into_iter().filter_map(|place| self.instances.get_index(place));
        found.filter(|(_, i)| i.account == account && std::ptr::eq(i.region, region)).collect()
    }

    /// How many instances there are.
    pub fn instance_count(&self) -> usize {
        self.instances.len()
    }

    pub(super) fn reserve_instances(&mut self, count: usize) {
        self.instances.reserve_exact(count);
    }

    /// Whether the id was free.
    pub(super) fn add_instance(&mut self, id: InstanceId, instance: Instance) -> bool {
        match self.instances.entry(id) {
            indexmap::map::Entry::Occupied(_) => false,
            indexmap::map::Entry::Vacant(place) => {
                place.insert(instance);
                true
            }
        }
    }
}
