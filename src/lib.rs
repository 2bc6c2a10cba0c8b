//! A local emulator of Alibaba Cloud's ECS endpoint.
//!
//! Read in this order: [`emulator`], `http`, [`gateway`], `services::ecs::detach_instance_ram_role`,
//! [`world`]. `docs/architecture.md` is the map.

pub mod api;
pub mod cli;
pub mod config;
mod control;
pub mod emulator;
pub mod files;
pub mod gateway;
pub mod http;
pub mod metadata;
pub mod policy;
mod services;
pub mod world;
