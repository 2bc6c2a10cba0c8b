//! The parts of an instance that more than one action shows.
//!
//! What the emulator does not keep (disks, GPUs, dedicated hosts, ..) is shown as the real service
//! shows an instance that has none of it: inferred.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::api::render::{Item, Items};
use crate::world::{Instance, InstanceId, Network, Spec};

/// A member of a list of plain strings, such as `IpAddress`.
macro_rules! string_items {
    ($($name:ident = $element:literal),* $(,)?) => {
        $(
            #[derive(Debug, Serialize)]
            #[serde(transparent)]
            pub(super) struct $name(pub(super) String);

            impl Item for $name {
                const ELEMENT: &'static str = $element;
            }
        )*
    };
}

string_items! {
    IpAddress = "IpAddress",
    SecurityGroupId = "SecurityGroupId",
    Ipv6Set = "Ipv6Set",
}

pub(super) fn addresses(addresses: impl IntoIterator<Item = Ipv4Addr>) -> Items<IpAddress> {
    Items(addresses.into_iter().map(|address| IpAddress(address.to_string())).collect())
}

pub(super) fn security_groups(spec: &Spec) -> Items<SecurityGroupId> {
    Items(spec.security_group_ids.iter().map(|id| SecurityGroupId(id.to_string())).collect())
}

/// The inner address: only in the classic network (ecs-supporting.md 4).
pub(super) fn inner_address(instance: &Instance) -> Items<IpAddress> {
    addresses(instance.is_classic().then_some(instance.address()))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VpcAttributes {
    vpc_id: String,
    #[serde(rename = "VSwitchId")]
    vswitch_id: String,
    nat_ip_address: &'static str,
    private_ip_address: Items<IpAddress>,
}

impl VpcAttributes {
    pub(super) fn of(instance: &Instance) -> Self {
        let (vpc_id, vswitch_id, address) = match &instance.spec.network {
            Network::Vpc { vpc_id, vswitch_id, .. } => {
                (vpc_id.to_string(), vswitch_id.to_string(), Some(instance.address()))
            }
            Network::Classic => (String::new(), String::new(), None),
        };
        Self { vpc_id, vswitch_id, nat_ip_address: "", private_ip_address: addresses(address) }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EipAddress {
    allocation_id: String,
    ip_address: String,
    internet_charge_type: &'static str,
    bandwidth: u32,
    /// Shown by `DescribeInstances` only (ecs-supporting.md 4 and 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    is_support_unassociate: Option<bool>,
}

impl EipAddress {
    /// As `DescribeInstanceAttribute` shows it.
    pub(super) fn as_attribute(id: &InstanceId, instance: &Instance) -> Self {
        Self { is_support_unassociate: None, ..Self::of(id, instance) }
    }

    pub(super) fn of(id: &InstanceId, instance: &Instance) -> Self {
        match instance.spec.eip {
            Some(address) => Self {
                allocation_id: format!("eip-{}", id.after_prefix()),
                ip_address: address.to_string(),
                internet_charge_type: INTERNET_CHARGE_TYPE,
                bandwidth: 5,
                is_support_unassociate: Some(true),
            },
            None => Self {
                allocation_id: String::new(),
                ip_address: String::new(),
                internet_charge_type: "",
                bandwidth: 0,
                is_support_unassociate: Some(false),
            },
        }
    }
}

/// How instances of this world pay for traffic.
pub(super) const INTERNET_CHARGE_TYPE: &str = "PayByTraffic";

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DedicatedHostAttribute {
    dedicated_host_id: &'static str,
    dedicated_host_name: &'static str,
    dedicated_host_cluster_id: &'static str,
}

impl DedicatedHostAttribute {
    pub(super) const NONE: Self =
        Self { dedicated_host_id: "", dedicated_host_name: "", dedicated_host_cluster_id: "" };
}
