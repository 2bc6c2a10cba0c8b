//! Policies that users and roles can have, and who has them.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;

use super::directory::Entity;
use super::{AccountId, RamId, Tags};
use crate::policy::{PermissionPolicy, SystemPolicy};

/// Whose policy it is (ram.md 3, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    System,
    Custom,
}

impl PolicyType {
    /// The types; a name is looked for among the account's own policies first.
    pub const ALL: [Self; 2] = [Self::Custom, Self::System];

    /// Reads exactly the name (case: ram.md 3, inferred).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy_type| policy_type.name() == name)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Custom => "Custom",
        }
    }
}

/// The number of a version of a policy: the first is `v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionId(u32);

impl VersionId {
    pub const FIRST: Self = Self(1);
    /// The last that a policy can begin with, so that its numbers do not end.
    const LAST: Self = Self(1 << 30);

    /// Reads `v` and a number without leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let version = Self(text.strip_prefix('v')?.parse().ok()?);
        (version.to_string() == text).then_some(version)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A version of a custom policy.
#[derive(Clone, Debug)]
pub struct PolicyVersion {
    pub id: VersionId,
    pub policy: PermissionPolicy,
    pub created: Timestamp,
}

/// A custom policy of an account. It always has its default version.
#[derive(Clone, Debug)]
pub struct ManagedPolicy {
    id: RamId,
    account: AccountId,
    name: Box<str>,
    pub description: Box<str>,
    pub tags: Tags,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// By rising id; ids are not used again.
    versions: Vec<PolicyVersion>,
    last: VersionId,
    default: usize,
}

/// Why a version of a policy stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionStays {
    Unknown,
    IsDefault,
}

impl ManagedPolicy {
    /// A policy with its first version.
    pub fn new(id: RamId, account: AccountId, name: &str, policy: PermissionPolicy, created: Timestamp) -> Self {
        Self {
            id,
            account,
            name: name.into(),
            description: Box::default(),
            tags: Tags::new(),
            created,
            updated: created,
            versions: vec![PolicyVersion { id: VersionId::FIRST, policy, created }],
            last: VersionId::FIRST,
            default: 0,
        }
    }

    /// A policy as it was. Without more said, the first version is the default one, and no later one has been removed.
    /// `None` unless the ids of the versions rise, the default one is among them, and the last is not before them.
    pub(super) fn of_versions(
        id: RamId,
        account: AccountId,
        name: &str,
        created: Timestamp,
        versions: Vec<PolicyVersion>,
        default: Option<VersionId>,
        last: Option<VersionId>,
    ) -> Option<Self> {
        let (first, newest) = (versions.first()?.id, versions.last()?.id);
        let default = versions.iter().position(|version| version.id == default.unwrap_or(first))?;
        let last = last.unwrap_or(newest);
        let good = versions.is_sorted_by(|a, b| a.id < b.id) && newest <= last && last <= VersionId::LAST;
        let description = Box::default();
        let policy = Self {
            id,
            account,
            name: name.into(),
            description,
            tags: Tags::new(),
            created,
            updated: created,
            versions,
            last,
            default,
        };
        good.then_some(policy)
    }

    /// In characters (ram.md 4, documented).
    pub const LONGEST_NAME: usize = 128;

    /// 1 to 128 letters, digits or `-` (ram.md 4, documented).
    pub fn is_name(name: &str) -> bool {
        (1..=Self::LONGEST_NAME).contains(&name.len()) && name.chars().all(Self::name_takes)
    }

    /// Whether a name can have this character.
    pub fn name_takes(c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '-'
    }

    pub fn id(&self) -> RamId {
        self.id
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    /// In the spelling that it was made with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Oldest first.
    pub fn versions(&self) -> &[PolicyVersion] {
        &self.versions
    }

    pub fn version(&self, id: VersionId) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The version that counts in decisions.
    pub fn default_version(&self) -> &PolicyVersion {
        &self.versions[self.default]
    }

    pub fn is_default(&self, id: VersionId) -> bool {
        self.default_version().id == id
    }

    /// Adds a version, which becomes the default one only by [`Self::set_default`].
    pub fn add_version(&mut self, policy: PermissionPolicy, now: Timestamp) -> &PolicyVersion {
        self.last.0 += 1;
        self.versions.push(PolicyVersion { id: self.last, policy, created: now });
        self.updated = now;
        self.newest()
    }

    /// The version that was added last, whether it is still there or not.
    pub(super) fn last_version(&self) -> VersionId {
        self.last
    }

    /// The version that was added last, if it has not been removed; else the one before it.
    pub fn newest(&self) -> &PolicyVersion {
        &self.versions[self.versions.len() - 1]
    }

    /// Makes room: the oldest version that is not the default one goes, if there is one.
    pub fn remove_oldest(&mut self, now: Timestamp) {
        let oldest = self.versions.iter().map(|version| version.id).find(|id| !self.is_default(*id));
        // The default one is the only reason to stay.
        let _ = oldest.map(|id| self.remove_version(id, now));
    }

    /// Whether there is such a version.
    pub fn set_default(&mut self, id: VersionId, now: Timestamp) -> bool {
        let place = self.versions.iter().position(|version| version.id == id);
        if let Some(place) = place {
            self.default = place;
            self.updated = now;
        }
        place.is_some()
    }

    /// # Errors
    /// Why the version stays.
    pub fn remove_version(&mut self, id: VersionId, now: Timestamp) -> Result<(), VersionStays> {
        let place = self.versions.iter().position(|version| version.id == id).ok_or(VersionStays::Unknown)?;
        if place == self.default {
            return Err(VersionStays::IsDefault);
        }
        self.versions.remove(place);
        self.default -= usize::from(place < self.default);
        self.updated = now;
        Ok(())
    }
}

impl Entity for ManagedPolicy {
    fn id(&self) -> RamId {
        self.id
    }

    fn account(&self) -> AccountId {
        self.account
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// A policy of either type, as a world knows it.
#[derive(Clone, Copy, Debug)]
pub enum Policy<'w> {
    System(&'static SystemPolicy),
    Custom(&'w ManagedPolicy),
}

impl<'w> Policy<'w> {
    pub fn policy_type(self) -> PolicyType {
        match self {
            Self::System(_) => PolicyType::System,
            Self::Custom(_) => PolicyType::Custom,
        }
    }

    pub fn name(self) -> &'w str {
        match self {
            Self::System(policy) => policy.name,
            Self::Custom(policy) => policy.name(),
        }
    }

    pub fn description(self) -> &'w str {
        match self {
            Self::System(policy) => policy.description,
            Self::Custom(policy) => &policy.description,
        }
    }

    /// The document that counts in decisions.
    pub fn document(self) -> &'w PermissionPolicy {
        match self {
            Self::System(policy) => &policy.policy,
            Self::Custom(policy) => &policy.default_version().policy,
        }
    }

    pub fn default_version(self) -> VersionId {
        match self {
            Self::System(_) => VersionId::FIRST,
            Self::Custom(policy) => policy.default_version().id,
        }
    }

    /// What it is attached by.
    pub fn reference(self) -> PolicyRef {
        match self {
            Self::System(policy) => PolicyRef::System(policy),
            Self::Custom(policy) => PolicyRef::Custom(policy.id),
        }
    }
}

/// Which policy is attached; it follows the policy through its versions, and costs a decision one
/// look into a map.
#[derive(Clone, Copy, Debug)]
pub enum PolicyRef {
    System(&'static SystemPolicy),
    Custom(RamId),
}

impl PolicyRef {
    /// What tells it from every other: the system's policies have names of their own.
    fn key(self) -> (&'static str, Option<RamId>) {
        match self {
            Self::System(policy) => (policy.name, None),
            Self::Custom(id) => ("", Some(id)),
        }
    }
}

impl PartialEq for PolicyRef {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for PolicyRef {}

impl PartialOrd for PolicyRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PolicyRef {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// A policy on a user or role.
#[derive(Clone, Copy, Debug)]
pub struct AttachedPolicy {
    pub policy: PolicyRef,
    pub attached: Timestamp,
}

/// The policies of a user or role, in the order in which they were attached, each once.
#[derive(Clone, Debug, Default)]
pub struct AttachedPolicies(Vec<AttachedPolicy>);

impl AttachedPolicies {
    pub fn iter(&self) -> impl Iterator<Item = AttachedPolicy> {
        self.0.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the policy was attached; `None` if it is not.
    pub fn since(&self, policy: PolicyRef) -> Option<Timestamp> {
        self.iter().find(|attached| attached.policy == policy).map(|attached| attached.attached)
    }

    /// How many of a type there are.
    pub fn count(&self, policy_type: PolicyType) -> usize {
        let of_type = |attached: &AttachedPolicy| {
            matches!(attached.policy, PolicyRef::System(_)) == (policy_type == PolicyType::System)
        };
        self.iter().filter(of_type).count()
    }

    pub(super) fn attach(&mut self, policy: PolicyRef, attached: Timestamp) -> bool {
        let free = self.since(policy).is_none();
        if free {
            self.0.push(AttachedPolicy { policy, attached });
        }
        free
    }

    pub(super) fn detach(&mut self, policy: PolicyRef) -> bool {
        let before = self.0.len();
        self.0.retain(|attached| attached.policy != policy);
        self.0.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Use;
    use crate::world::{Ids, parse_utc};

    fn policy() -> ManagedPolicy {
        let document = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let parsed = PermissionPolicy::parse(document, Use::Identity).expect("a policy");
        let now = parse_utc("2026-01-05T08:00:00Z").expect("a time");
        let mut policy = ManagedPolicy::new(Ids::seeded(1).ram_id(), AccountId::DEFAULT, "p", parsed.clone(), now);
        for _ in 0..2 {
            policy.add_version(parsed.clone(), now);
        }
        policy
    }

    #[test]
    fn versions_are_numbered_on_and_the_default_one_stays_itself() {
        let mut policy = policy();
        let now = policy.created;
        let id = |text| VersionId::parse(text).expect("a version id");
        assert!(policy.set_default(id("v3"), now) && !policy.set_default(id("v9"), now));
        assert_eq!(policy.remove_version(id("v1"), now), Ok(()));
        assert!(policy.is_default(id("v3")));
        assert_eq!(policy.remove_version(id("v3"), now), Err(VersionStays::IsDefault));
        assert_eq!(policy.remove_version(id("v1"), now), Err(VersionStays::Unknown));
        let document = policy.default_version().policy.clone();
        assert_eq!(policy.add_version(document, now).id, id("v4"));
        assert_eq!(policy.versions().iter().map(|v| v.id.to_string()).collect::<Vec<_>>(), ["v2", "v3", "v4"]);
    }

    #[test]
    fn a_version_id_has_one_spelling() {
        assert_eq!(VersionId::parse("v1"), Some(VersionId::FIRST));
        for bad in ["", "v", "1", "V1", "v01", "v+1", "v1 ", "v99999999999"] {
            assert_eq!(VersionId::parse(bad), None, "{bad:?}");
        }
    }
}
