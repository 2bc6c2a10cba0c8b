//! The policy language of RAM: parse a document, match a request, decide, and say why.
//!
//! Pure: a document is text, a request is plain values, and nothing here knows accounts, clocks or
//! error codes. A document is parsed and its patterns and values are compiled once; a decision then
//! reads it, and allocates only where a string operator meets a time or an address. Source of the language: ram.md 5.

mod condition;
mod decide;
mod document;
mod json;
mod pattern;
mod resource;
mod system;
mod trust;

pub use condition::{Context, Value, key};
pub use decide::{Decision, Ground, Layer, Request, decide};
pub use document::{Effect, PermissionPolicy, Statement, Use};
pub(crate) use json::Place;
pub use json::{Fault, PolicyError};
pub use resource::{Resource, Tag};
pub use system::{SystemPolicy, system_policies, system_policy};
pub use trust::{Assumer, TrustPolicy};
