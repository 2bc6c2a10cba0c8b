//! RAM users.

use jiff::Timestamp;

use super::directory::Entity;
use super::{AccountId, AttachedPolicies, RamId};

/// A user of an account. Of what nobody has filled in, the text is empty.
#[derive(Clone, Debug)]
pub struct User {
    id: RamId,
    account: AccountId,
    name: Box<str>,
    pub display_name: Box<str>,
    pub mobile_phone: Box<str>,
    pub email: Box<str>,
    pub comments: Box<str>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub(super) policies: AttachedPolicies,
}

impl User {
    /// A user of whom only the name is known.
    pub fn new(id: RamId, account: AccountId, name: &str, created: Timestamp) -> Self {
        Self {
            id,
            account,
            name: name.into(),
            display_name: Box::default(),
            mobile_phone: Box::default(),
            email: Box::default(),
            comments: Box::default(),
            created,
            updated: created,
            policies: AttachedPolicies::default(),
        }
    }

    /// In characters (ram.md 4, documented).
    pub const LONGEST_NAME: usize = 64;

    /// 1 to 64 letters, digits, `.`, `_` or `-` (ram.md 4, documented).
    pub fn is_name(name: &str) -> bool {
        (1..=Self::LONGEST_NAME).contains(&name.len()) && name.chars().all(Self::name_takes)
    }

    /// Whether a name can have this character.
    pub fn name_takes(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
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

    pub fn policies(&self) -> &AttachedPolicies {
        &self.policies
    }
}

impl Entity for User {
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
