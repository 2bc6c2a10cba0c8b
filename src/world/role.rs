//! RAM roles.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::directory::Entity;
use super::{AccountId, AttachedPolicies, RamId, Tags};
use crate::policy::TrustPolicy;

/// The name of a role. Two spellings that differ in case name one role (ram.md 2, inferred); the
/// stored spelling is the one that is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct RoleName(Arc<str>);

impl RoleName {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` names the same role.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// In characters (ram.md 3, documented).
    pub const LONGEST: usize = 64;

    /// 1 to 64 letters, digits, `.`, `-` or `_` (ecs-instance-ram-role.md 9: `_` in older texts).
    pub fn is_well_formed(name: &str) -> bool {
        (1..=Self::LONGEST).contains(&name.len()) && name.chars().all(Self::takes)
    }

    /// Whether a name can have this character.
    pub fn takes(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role of an account.
#[derive(Clone, Debug)]
pub struct Role {
    id: RamId,
    account: AccountId,
    name: RoleName,
    pub description: Box<str>,
    pub trust: TrustPolicy,
    /// How long a session may last at most, in seconds, within [`Role::SESSION_SECONDS`].
    pub max_session_duration: u32,
    /// Whether it can be taken on in the vendor's console, which ecsim has not.
    pub allow_console_login: bool,
    pub tags: Tags,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub(super) policies: AttachedPolicies,
}

impl Role {
    /// The bounds of a longest session; the lower one is the default (ram.md 3, documented).
    pub const SESSION_SECONDS: RangeInclusive<u32> = 3600..=43200;

    /// A role without description, tags and policies.
    pub fn new(id: RamId, account: AccountId, name: RoleName, trust: TrustPolicy, created: Timestamp) -> Self {
        Self {
            id,
            account,
            name,
            description: Box::default(),
            trust,
            max_session_duration: *Self::SESSION_SECONDS.start(),
            allow_console_login: true,
            tags: Tags::new(),
            created,
            updated: created,
            policies: AttachedPolicies::default(),
        }
    }

    pub fn id(&self) -> RamId {
        self.id
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn name(&self) -> &RoleName {
        &self.name
    }

    pub fn policies(&self) -> &AttachedPolicies {
        &self.policies
    }
}

impl Entity for Role {
    fn id(&self) -> RamId {
        self.id
    }

    fn account(&self) -> AccountId {
        self.account
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }
}
