//! The lock around a world, and the world itself.

use std::net::Ipv4Addr;
use std::ops::Sub;
use std::sync::OnceLock;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use jiff::Timestamp;

use super::directory::Directory;
use super::key::Keys;
use super::role_changes::RoleChanges;
use super::sync::RwLock;
use super::{AccountId, Instance, InstanceId, ManagedPolicy, Region, Role, User};

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
}

/// How much there is in a world; of policies, those that are not the vendor's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub keys: usize,
    pub users: usize,
    pub roles: usize,
    pub policies: usize,
    pub instances: usize,
}

/// How much more there is than there was in a world that this one was made of by adding.
impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            keys: self.keys - before.keys,
            users: self.users - before.users,
            roles: self.roles - before.roles,
            policies: self.policies - before.policies,
            instances: self.instances - before.instances,
        }
    }
}

/// Where an instance stands in its world, so that it need not be looked for again. It stays there: instances are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceIndex(usize);

/// Everything that exists in a space. What there is of users, roles, policies and keys is in `identities.rs`.
///
/// Instances stand in order of creation, which is the order that lists answer in; see ADR 3 for
/// why this one map is not a `BTreeMap`. Its ids are the seed's, never a caller's, so a fast hash does.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(super) keys: Keys,
    pub(super) users: Directory<User>,
    pub(super) roles: Directory<Role>,
    pub(super) policies: Directory<ManagedPolicy>,
    instances: IndexMap<InstanceId, Instance, DefaultHashBuilder>,
    /// The places of the instances by their addresses, made when somebody first asks for one.
    by_address: OnceLock<Vec<(Ipv4Addr, u32)>>,
    pub(super) role_changes: RoleChanges,
}

impl World {
    /// All instances, oldest first.
    pub fn instances(&self) -> impl Iterator<Item = (&InstanceId, &Instance)> {
        self.instances.iter()
    }

    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.get(id)
    }

    /// An instance with its id as it is kept.
    pub fn instance_entry(&self, id: &str) -> Option<(&InstanceId, &Instance)> {
        self.instances.get_key_value(id)
    }

    /// The instances that have a private address, oldest first.
    pub fn instances_at(&self, address: Ipv4Addr) -> Vec<(&InstanceId, &Instance)> {
        let by_address = self.by_address.get_or_init(|| {
            let mut places: Vec<_> = (0..).zip(self.instances.values()).map(|(n, i)| (i.address(), n)).collect();
            places.sort_unstable();
            places
        });
        let first = by_address.partition_point(|(other, _)| *other < address);
        let here = by_address[first..].iter().take_while(|(other, _)| *other == address);
        here.filter_map(|(_, place)| self.instances.get_index(*place as usize)).collect()
    }

    /// Where an instance stands.
    pub fn instance_index(&self, id: &str) -> Option<InstanceIndex> {
        self.instances.get_index_of(id).map(InstanceIndex)
    }

    pub(super) fn instance_at_mut(&mut self, index: InstanceIndex) -> Option<(&InstanceId, &mut Instance)> {
        self.instances.get_index_mut(index.0)
    }

    pub fn instance_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.instances.get_mut(id)
    }

    /// The instance as an account sees it in a region: one of another account or region does not
    /// exist for it (ecs-instance-ram-role.md 7, D5).
    pub fn instance_in(&self, account: AccountId, region: &Region, id: &str) -> Option<&Instance> {
        self.instance(id).filter(|i| i.account == account && std::ptr::eq(i.region, region))
    }

    /// The same, with where it stands.
    pub fn instance_index_in(
        &self,
        account: AccountId,
        region: &Region,
        id: &str,
    ) -> Option<(InstanceIndex, &Instance)> {
        let (index, _, instance) = self.instances.get_full(id)?;
        let is_seen = instance.account == account && std::ptr::eq(instance.region, region);
        is_seen.then_some((InstanceIndex(index), instance))
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

    /// The accounts that anything belongs to, some more than once.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let identities = self.users.accounts().chain(self.roles.accounts()).chain(self.policies.accounts());
        let keys = self.keys.iter().map(|(_, key)| key.account);
        identities.chain(keys).chain(self.instances.values().map(|instance| instance.account))
    }

    /// Does what is due at a time.
    pub fn settle(&mut self, now: Timestamp) {
        self.forget_sessions(now);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            keys: self.keys.iter().count(),
            users: self.users.len(),
            roles: self.roles.len(),
            policies: self.policies.len(),
            instances: self.instances.len(),
        }
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
        self.by_address.take();
        match self.instances.entry(id) {
            indexmap::map::Entry::Occupied(_) => false,
            indexmap::map::Entry::Vacant(place) => {
                place.insert(instance);
                true
            }
        }
    }
}
