//! The words that an action is written in.

pub mod action;
pub mod error;
pub mod explanation;
pub mod fidelity;
mod json;
pub mod params;
pub mod permission;
pub mod render;
pub mod station;
