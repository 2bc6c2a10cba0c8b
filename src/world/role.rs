//! RAM roles, as far as instances need them.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

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

    /// 1 to 64 letters, digits, `.`, `-` or `_` (ecs-instance-ram-role.md 9: `_` in older texts).
    pub fn is_well_formed(name: &str) -> bool {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
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
    pub name: RoleName,
    pub description: String,
    pub trust: TrustPolicy,
    pub created: Timestamp,
}
