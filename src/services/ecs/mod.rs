//! Elastic Compute Service, 2014-05-26.

mod attach_instance_ram_role;
mod batch;
mod describe_instance_attribute;
mod describe_instance_ram_role;
mod describe_instance_status;
mod describe_instances;
mod describe_regions;
mod describe_zones;
mod detach_instance_ram_role;
mod input;
mod instance_model;
mod modify_instance_metadata_options;

use crate::api::action::{Entry, reads, writes};

/// The actions that are emulated, by name.
pub(crate) static ACTIONS: &[Entry] = &[
    writes::<attach_instance_ram_role::AttachInstanceRamRole>(),
    reads::<describe_instance_attribute::DescribeInstanceAttribute>(),
    reads::<describe_instance_ram_role::DescribeInstanceRamRole>(),
    reads::<describe_instance_status::DescribeInstanceStatus>(),
    reads::<describe_instances::DescribeInstances>(),
    reads::<describe_regions::DescribeRegions>(),
    reads::<describe_zones::DescribeZones>(),
    writes::<detach_instance_ram_role::DetachInstanceRamRole>(),
    writes::<modify_instance_metadata_options::ModifyInstanceMetadataOptions>(),
];
