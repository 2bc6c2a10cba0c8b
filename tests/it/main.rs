//! The one integration binary. Every test has an emulator of its own.

mod attach_instance_ram_role;
mod command_line;
mod credentials;
mod describe_instance_ram_role;
mod detach_instance_ram_role;
mod gateway;
mod house;
mod instances;
mod metadata;
mod permissions;
mod ram_attachments;
mod ram_keys;
mod ram_permissions;
mod ram_policies;
mod ram_roles;
mod ram_tags;
mod ram_users;
mod readme;
mod renderings;
mod seeds;
mod snapshots;
mod state_file;
mod sts;
mod support;
mod transport;
mod vectors;
