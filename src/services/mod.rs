//! The products: one folder a product, one file an action.

pub(crate) mod ecs;
pub(crate) mod location;
pub(crate) mod ram;
pub(crate) mod sts;
