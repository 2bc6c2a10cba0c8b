//! A local emulator of Alibaba Cloud's ECS endpoint, with RAM, STS and the instance metadata service beside it.
//!
//! # How a test begins
//!
//! [`Emulator::builder`] says what the emulator is to be, and `start` starts it: on a free port of 127.0.0.1, with the
//! built-in seed. It stops when it is dropped. Whatever client is tested calls [`Emulator::url`].
//!
//! ```
//! use ecsim::Emulator;
//! use jiff::SignedDuration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seed = r#"{ "accounts": [{
//!     "keys": [{ "id": "test", "secret": "test" }],
//!     "roles": [{ "name": "web" }],
//!     "instances": [{ "id": "i-1", "role": "web" }]
//! }] }"#;
//! let emulator = Emulator::builder().seed("seed", seed).rng_seed(42).start().await?;
//! let url = emulator.url().ok_or("no TCP listener")?;
//! // Here the client that is tested calls `url`, with key `test` and secret `test`.
//! # assert!(url.starts_with("http://127.0.0.1:"));
//!
//! let role = emulator.world(|world| world.instance("i-1")?.role().map(ToString::to_string))?;
//! assert_eq!(role.as_deref(), Some("web"));
//! emulator.clock().advance(SignedDuration::from_hours(6))?;
//! assert!(emulator.requests()?.is_empty(), "nobody has called");
//! emulator.reset()?;
//! # Ok(())
//! # }
//! ```
//!
//! # A world for each test
//!
//! Tests can share an emulator. [`Emulator::namespace`] gives each a [`Handle`](handle::Handle) of a world that nobody else
//! is in; clients get there by their key, [`Handle::key_id`](handle::Handle::key_id). The emulator itself is the handle of
//! `default`, in the same words.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = ecsim::Emulator::builder().without_listeners().start().await?;
//! let t1 = emulator.namespace("t1")?;
//! let now = t1.clock().now()?;
//! assert!(t1.change(|world| world.detach_role(now, "i-bp1ecsim0000000web01"))?);
//! assert_eq!(t1.key_id("test"), "test@t1");
//! # Ok(())
//! # }
//! ```
//!
//! # Without a socket
//!
//! [`Emulator::service`] is the emulator as a tower service, and with
//! [`Builder::without_listeners`](emulator::Builder::without_listeners) that is the only way to it. `examples/` has a whole
//! test of each kind.
//!
//! # The sources
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
