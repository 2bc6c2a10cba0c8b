//! Accounts, and the secrets of access keys.

use std::fmt;

use hmac::{Hmac, KeyInit};
use serde::Serialize;
use sha1::Sha1;
use sha2::Sha256;

/// The 16 decimal digits of an account (ecs-instance-ram-role.md 9, documented).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 16]);

impl AccountId {
    /// The account of the default seed, which `--auth off` takes every caller for.
    pub const DEFAULT: Self = Self(*b"1000000000000001");

    /// Reads exactly 16 decimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes().try_into().ok()?;
        text.bytes().all(|b| b.is_ascii_digit()).then_some(Self(digits))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for AccountId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An access key secret. Never printed; the keyed hash states are made once, because a call that
/// starts from them saves two compressions.
pub struct Secret {
    text: Box<str>,
    v1: Hmac<Sha1>,
    acs3: Hmac<Sha256>,
}

impl Secret {
    /// Takes any text, the empty one included.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), v1: keyed(&format!("{text}&")), acs3: keyed(text) }
    }

    /// The secret itself, for the algorithms that have no prepared state.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// HMAC-SHA1 keyed with `secret&`: what nearly every V1 call is signed with (protocol.md 4.4).
    pub(crate) fn v1_sha1(&self) -> Hmac<Sha1> {
        self.v1.clone()
    }

    /// HMAC-SHA256 keyed with the bare secret: the default of ACS3 (protocol.md 5.3).
    pub(crate) fn acs3_sha256(&self) -> Hmac<Sha256> {
        self.acs3.clone()
    }
}

/// HMAC takes keys of any length, so keying cannot fail.
pub(crate) fn keyed<M: KeyInit>(key: &str) -> M {
    M::new_from_slice(key.as_bytes()).unwrap_or_else(|_| unreachable!("HMAC takes any key length"))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
