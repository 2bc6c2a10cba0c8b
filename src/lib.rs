//! A local emulator of Alibaba Cloud's ECS endpoint.
//!
//! A Rust test embeds it:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = ecsim::Emulator::builder().rng_seed(42).start().await?;
//! let t1 = emulator.namespace("t1")?;
//! let role = t1.world(|world| world.instance("i-bp1ecsim0000000web01")?.role().map(ToString::to_string))?;
//! assert_eq!(role.as_deref(), Some("web-role"));
//! // Point a client at emulator.url(), with key t1.key_id("test").
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: [`emulator`], `http`, [`gateway`], `services::ecs::detach_instance_ram_role`,
//! [`world`]. `docs/architecture.md` is the map.

pub mod api;
pub mod cli;
pub mod config;
pub mod control;
pub mod emulator;
pub mod files;
pub mod gateway;
pub mod handle;
pub mod hooks;
pub mod http;
pub mod metadata;
pub mod policy;
#[cfg(all(test, shuttle))]
mod schedules;
mod services;
pub mod settings;
pub mod world;

pub use emulator::Emulator;
