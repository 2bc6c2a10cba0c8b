//! State and its invariants: what exists, who owns it, and the clock and ids that it lives by.
//!
//! A [`Space`] is one isolated world with everything that belongs to it. A [`World`] is the state
//! behind one lock, a [`Store`]. Nothing here knows HTTP, parameters or error codes.

mod account;
mod clock;
mod ids;
mod instance;
mod nonce;
mod region;
mod role;
pub mod seed;
mod space;
mod store;

pub(crate) use account::keyed;
pub use account::{AccessKey, AccountId, KeyStatus, Secret, SecurityToken};
pub use clock::{Clock, ManualClock, SystemClock, parse_utc, utc_minutes, utc_seconds};
pub use ids::{Ids, RequestId, TraceId};
pub use instance::{Attachment, Instance, InstanceId, Network, Spec, Status};
pub use nonce::NonceMemory;
pub use region::{INSTANCE_TYPES, REGIONS, Region, instance_type};
pub use role::{Role, RoleName};
pub use space::{Space, Spaces};
pub use store::{Store, World};
