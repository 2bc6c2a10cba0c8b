//! Security Token Service, 2015-04-01.

mod assume_role;
mod get_caller_identity;

use crate::api::action::{Entry, reads, writes};

/// The actions that are emulated, by name.
pub(crate) static ACTIONS: &[Entry] =
    &[writes::<assume_role::AssumeRole>(), reads::<get_caller_identity::GetCallerIdentity>()];
