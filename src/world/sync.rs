//! The locks and flags that spaces are shared by: those of parking_lot and the standard library, or, built with
//! `--cfg shuttle`, ones that hand over to another thread wherever `schedules.rs` has them do so.

#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Mutex, RwLock};
#[cfg(shuttle)]
pub(crate) use shuttle::sync::atomic::AtomicBool;
#[cfg(shuttle)]
pub(crate) use shuttle_parking_lot::{Mutex, RwLock};
#[cfg(not(shuttle))]
pub(crate) use std::sync::atomic::AtomicBool;
