//! State and its invariants: what exists, who owns it, and the clock and ids that it lives by.
//!
//! A [`Space`] is one isolated world with everything that belongs to it. A [`World`] is the state
//! behind one lock, a [`Store`]. Nothing here knows HTTP, parameters or error codes.

mod account;
mod arn;
#[cfg(test)]
mod bench;
pub mod chaos;
mod cidr;
mod clock;
mod directory;
mod identities;
mod ids;
mod instance;
pub mod journal;
mod key;
mod managed_policy;
mod metadata_token;
mod namespace;
mod nonce;
mod region;
mod role;
mod role_changes;
mod role_credentials;
pub mod seed;
mod session;
pub mod snapshot;
mod space;
mod spaces;
mod store;
pub(crate) mod sync;
mod tags;
mod unique;
mod user;

pub(crate) use account::keyed;
pub use account::{AccountId, Secret};
pub use arn::Arn;
pub use cidr::Cidr;
pub use clock::{Clock, ManualClock, Pace, SpaceClock, SystemClock, parse_utc, utc_minutes, utc_seconds};
pub use identities::{Holder, PolicyStays, RoleStays, UserStays};
pub use ids::{Ids, RamId, RequestId, TraceId};
pub use instance::{
    Attachment, Instance, InstanceId, MarketPlace, MetadataOptions, Network, OsType, Spec, Spot, Status,
};
pub use journal::Journal;
pub use key::{AccessKey, KeyOwner, KeyStatus, SecurityToken};
pub use managed_policy::{
    AttachedPolicies, AttachedPolicy, ManagedPolicy, Policy, PolicyRef, PolicyType, PolicyVersion, VersionId,
    VersionStays,
};
pub use metadata_token::{MOST_METADATA_TOKENS, MetadataTokens};
pub use namespace::{NamedInstance, Namespace, NotOneNamespace};
pub use nonce::NonceMemory;
pub use region::{INSTANCE_TYPES, REGIONS, Region, instance_type};
pub use role::{Role, RoleName};
pub use role_changes::{MOST_ROLE_CHANGES, Propagation, RoleChange, RoleChanges, RolesSeen, Seen, Standing, View};
pub use role_credentials::{CREDENTIAL_LIFETIME, ECS_SERVICE, RoleCredentials};
pub use session::{Credentials, MOST_POLICY_BYTES, MOST_SESSIONS, RoleSession};
pub use space::Space;
pub use spaces::{NoSpace, NotKept, Origin, SpaceLimits, Spaces};
pub use store::{Counts, InstanceIndex, Store, World};
pub use tags::Tags;
pub(crate) use unique::Unique;
pub use user::User;
