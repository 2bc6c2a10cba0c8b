//! The names of those who act, as policies, answers and `RoleArn` write them.

use std::fmt;

use super::AccountId;

/// The account and what of it: `acs:ram::<account>:…` (ram.md 2, documented; of a session sts.md 3, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arn<'a> {
    /// The account itself.
    Root(AccountId),
    User(AccountId, &'a str),
    Role(AccountId, &'a str),
    /// A role, and the name of its session.
    AssumedRole(AccountId, &'a str, &'a str),
}

impl<'a> Arn<'a> {
    /// Reads what names a user or a role; whether the name can be one is not looked at.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (account, what) = text.strip_prefix("acs:ram::")?.split_once(':')?;
        let account = AccountId::parse(account)?;
        match what.split_once('/')? {
            ("user", name) => Some(Self::User(account, name)),
            ("role", name) => Some(Self::Role(account, name)),
            _ => None,
        }
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(account) => write!(f, "acs:ram::{account}:root"),
            Self::User(account, name) => write!(f, "acs:ram::{account}:user/{name}"),
            Self::Role(account, name) => write!(f, "acs:ram::{account}:role/{name}"),
            Self::AssumedRole(account, role, session) => {
                write!(f, "acs:ram::{account}:assumed-role/{role}/{session}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_roles_are_read_as_they_are_written_and_nothing_else_is_read() {
        for arn in [Arn::User(AccountId::DEFAULT, "ann"), Arn::Role(AccountId::DEFAULT, "a/b")] {
            assert_eq!(Arn::parse(&arn.to_string()), Some(arn));
        }
        for arn in [Arn::Root(AccountId::DEFAULT), Arn::AssumedRole(AccountId::DEFAULT, "web", "job")] {
            assert_eq!(Arn::parse(&arn.to_string()), None);
        }
        for other in ["", "web", "acs:ram::1:role/web", "acs:ram:cn-hangzhou:1000000000000001:role/web"] {
            assert_eq!(Arn::parse(other), None, "{other}");
        }
    }
}
