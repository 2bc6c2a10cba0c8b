//! A small world for the tests of this room.

use jiff::Timestamp;

use super::{AccountId, Ids, RamId, Role, RoleName, World, parse_utc};
use crate::policy::TrustPolicy;

/// An empty world of the default account, and what its things are made with.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) ids: Ids,
    pub(super) now: Timestamp,
}

impl Bench {
    pub(super) fn new() -> Self {
        let now = parse_utc("2026-01-05T08:00:00Z").expect("a time");
        Self { world: World::default(), ids: Ids::seeded(1), now }
    }

    pub(super) fn role(&mut self, name: &str) -> RamId {
        let (id, trust) = (self.ids.ram_id(), TrustPolicy::of_service("ecs.aliyuncs.com"));
        assert!(self.world.add_role(Role::new(id, AccountId::DEFAULT, RoleName::new(name), trust, self.now)));
        id
    }
}
