//! The one integration binary. Every test has an emulator of its own.

mod detach_instance_ram_role;
mod gateway;
mod support;
mod transport;
mod vectors;
