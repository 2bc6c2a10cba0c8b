//! `DescribeInstanceAttribute`.

use serde::Serialize;

use super::instance_model::{
    DedicatedHostAttribute, EipAddress, INTERNET_CHARGE_TYPE, IpAddress, SecurityGroupId, VpcAttributes, addresses,
    inner_address, security_groups,
};
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Instance, InstanceId, RequestId, Status, World, utc_minutes};

/// One instance in full, without a wrapper. A `RegionId` is not used to reject (inferred).
///
/// Source: ecs-supporting.md 6. Unlike in `DescribeInstances`, `IoOptimized` is a string.
pub(super) struct DescribeInstanceAttribute;

#[derive(Debug)]
pub(super) struct Input {
    instance_id: InstanceId,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { instance_id: InstanceId::new(params.required("InstanceId")?) })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    instance_id: InstanceId,
    instance_name: String,
    description: String,
    host_name: String,
    status: Status,
    region_id: &'static str,
    zone_id: String,
    cluster_id: &'static str,
    image_id: String,
    instance_type: String,
    instance_network_type: &'static str,
    instance_charge_type: &'static str,
    internet_charge_type: &'static str,
    internet_max_bandwidth_in: u32,
    internet_max_bandwidth_out: u32,
    cpu: u32,
    memory: u32,
    serial_number: String,
    creation_time: String,
    expired_time: &'static str,
    stopped_mode: &'static str,
    vlan_id: &'static str,
    credit_specification: &'static str,
    io_optimized: &'static str,
    security_group_ids: Items<SecurityGroupId>,
    eip_address: EipAddress,
    public_ip_address: Items<IpAddress>,
    inner_ip_address: Items<IpAddress>,
    vpc_attributes: VpcAttributes,
    operation_locks: Items<LockReason>,
    dedicated_host_attribute: DedicatedHostAttribute,
    enable_jumbo_frame: bool,
    network_options: NetworkOptions,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LockReason {
    lock_reason: String,
}

impl Item for LockReason {
    const ELEMENT: &'static str = "LockReason";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkOptions {
    enable_jumbo_frame: bool,
}

impl Reply for Output {}

impl Action for DescribeInstanceAttribute {
    const NAME: &'static str = "DescribeInstanceAttribute";
    type Input = Input;
    type Reply = Output;

    /// Access level get, on the instance (ecs-supporting.md 1; the resource inferred); of one that is not there the
    /// region is not known (inferred).
    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        let (action, id) = ("ecs:DescribeInstanceAttribute", &input.instance_id);
        vec![match find(ctx, world, id) {
            Some(found) => Permission::on_instance(ctx, action, found.region, id),
            None => Permission::new(action, format!("acs:ecs:*:{}:instance/{id}", ctx.caller.account)),
        }]
    }
}

impl Read for DescribeInstanceAttribute {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let id = input.instance_id;
        let instance = find(ctx, world, &id).ok_or(Code::InstanceNotFound)?;
        let spec = &*instance.spec;
        Ok(Output {
            request_id: ctx.request_id,
            instance_name: spec.name.to_string(),
            description: spec.description.to_string(),
            host_name: instance.host_name(&id).into_owned(),
            status: spec.status,
            region_id: instance.region.id,
            zone_id: spec.zone_id.to_string(),
            cluster_id: "",
            image_id: spec.image_id.to_string(),
            instance_type: spec.instance_type.to_string(),
            instance_network_type: spec.network.name(),
            instance_charge_type: spec.charge_type,
            internet_charge_type: INTERNET_CHARGE_TYPE,
            internet_max_bandwidth_in: 100,
            internet_max_bandwidth_out: if spec.public_ip.is_some() { 5 } else { 0 },
            cpu: spec.cpu,
            memory: spec.memory,
            serial_number: instance.serial_number(&id).into_owned(),
            creation_time: utc_minutes(spec.created),
            expired_time: if spec.charge_type == "PrePaid" { "2099-12-31T15:59Z" } else { "" },
            stopped_mode: if spec.status == Status::Stopped { "KeepCharging" } else { "Not-applicable" },
            vlan_id: "",
            credit_specification: "",
            io_optimized: "optimized",
            security_group_ids: security_groups(spec),
            eip_address: EipAddress::as_attribute(&id, instance),
            public_ip_address: addresses(spec.public_ip),
            inner_ip_address: inner_address(instance),
            vpc_attributes: VpcAttributes::of(instance),
            operation_locks: Items(
                spec.locks.iter().map(|reason| LockReason { lock_reason: reason.to_string() }).collect(),
            ),
            dedicated_host_attribute: DedicatedHostAttribute::NONE,
            enable_jumbo_frame: false,
            network_options: NetworkOptions { enable_jumbo_frame: false },
            instance_id: id,
        })
    }
}

fn find<'w>(ctx: &Ctx<'_>, world: &'w World, id: &InstanceId) -> Option<&'w Instance> {
    world.instance(id.as_str()).filter(|instance| instance.account == ctx.caller.account)
}
