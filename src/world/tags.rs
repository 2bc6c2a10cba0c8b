//! Tags of roles and policies.

use std::collections::BTreeMap;

/// Values by key. Keys differ in case (inferred).
pub type Tags = BTreeMap<Box<str>, Box<str>>;
