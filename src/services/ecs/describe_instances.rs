//! `DescribeInstances`.

use std::net::Ipv4Addr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use super::input;
use super::instance_model::{
    DedicatedHostAttribute, EipAddress, INTERNET_CHARGE_TYPE, IpAddress, Ipv6Set, SecurityGroupId, VpcAttributes,
    addresses, inner_address, security_groups,
};
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Instance, InstanceId, Network, OsType, Region, RequestId, Status, World, utc_minutes};

/// The instances of a region that pass every filter, a page at a time.
///
/// Unknown ids are left out without an error (inferred); `InstanceIds=[]` gives an empty list.
/// Source: ecs-supporting.md 4; the member order puts `EipAddress` before `PublicIpAddress`, on
/// which a client depends (clients.md 7).
pub(super) struct DescribeInstances;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    instance_ids: Option<Vec<String>>,
    filters: Vec<Filter>,
    paging: Paging,
    dry_run: bool,
}

/// The two pagings; a `NextToken` or `MaxResults` chooses the second (ecs-supporting.md 4).
#[derive(Debug)]
enum Paging {
    Pages { number: u32, size: u32 },
    Tokens { start: usize, size: u32 },
}

/// One condition on an instance; all have to hold.
#[derive(Debug)]
enum Filter {
    Name(Wildcard),
    Text(TextField, String),
    Addresses(AddressField, Vec<String>),
    Tags(Vec<(String, Option<String>)>),
}

#[derive(Clone, Copy, Debug)]
enum TextField {
    Status,
    NetworkType,
    VpcId,
    VSwitchId,
    ZoneId,
    SecurityGroupId,
    InstanceType,
    InstanceTypeFamily,
    ImageId,
    KeyPairName,
    ResourceGroupId,
    ChargeType,
    InternetChargeType,
    LockReason,
}

const TEXT_FIELDS: &[(&str, TextField)] = &[
    ("Status", TextField::Status),
    ("InstanceNetworkType", TextField::NetworkType),
    ("VpcId", TextField::VpcId),
    ("VSwitchId", TextField::VSwitchId),
    ("ZoneId", TextField::ZoneId),
    ("SecurityGroupId", TextField::SecurityGroupId),
    ("InstanceType", TextField::InstanceType),
    ("InstanceTypeFamily", TextField::InstanceTypeFamily),
    ("ImageId", TextField::ImageId),
    ("KeyPairName", TextField::KeyPairName),
    ("ResourceGroupId", TextField::ResourceGroupId),
    ("InstanceChargeType", TextField::ChargeType),
    ("InternetChargeType", TextField::InternetChargeType),
    ("LockReason", TextField::LockReason),
];

#[derive(Clone, Copy, Debug)]
enum AddressField {
    Private,
    Public,
    Eip,
    Inner,
}

const ADDRESS_FIELDS: &[(&str, AddressField)] = &[
    ("PrivateIpAddresses", AddressField::Private),
    ("PublicIpAddresses", AddressField::Public),
    ("EipAddresses", AddressField::Eip),
    ("InnerIpAddresses", AddressField::Inner),
];

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let region = input::region(params)?;
        let instance_ids = list(params, "InstanceIds")?;
        let filters = filters(params)?;
        let paging = paging(params)?;
        Ok(Self { region, instance_ids, filters, paging, dry_run: params.flag("DryRun")? })
    }
}

/// A JSON list of at most 100 (ecs-supporting.md 4; for addresses: inferred).
fn list(params: &Params<'_>, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    params.json_list(name, 0..=100).transpose().map_err(|_| Code::InvalidParameter.about(name))
}

fn filters(params: &Params<'_>) -> Result<Vec<Filter>, ApiError> {
    let mut filters = Vec::new();
    if let Some(name) = params.optional("InstanceName") {
        filters.push(Filter::Name(Wildcard::new(name)));
    }
    for &(name, field) in TEXT_FIELDS {
        if let Some(value) = params.optional(name) {
            check_value(field, value)?;
            filters.push(Filter::Text(field, value.to_owned()));
        }
    }
    for &(name, field) in ADDRESS_FIELDS {
        if let Some(list) = list(params, name)? {
            filters.push(Filter::Addresses(field, list));
        }
    }
    let tags = params.rows("Tag")?.iter().map(|row| tag(row)).collect::<Result<Vec<_>, _>>()?;
    if tags.len() > 20 {
        return Err(Code::TagCount.into());
    }
    filters.push(Filter::Tags(tags));
    Ok(filters)
}

fn check_value(field: TextField, value: &str) -> Result<(), ApiError> {
    let (known, code) = match field {
        TextField::Status => (Status::parse(value).is_some(), Code::StatusNotFound),
        TextField::NetworkType => (matches!(value, "vpc" | "classic"), Code::NetworkTypeNotFound),
        TextField::ChargeType => (matches!(value, "PrePaid" | "PostPaid"), Code::ChargeTypeNotFound),
        _ => return Ok(()),
    };
    if known { Ok(()) } else { Err(code.into()) }
}

/// A key, and a value unless any will do; a value without its key is a mismatch.
fn tag(row: &[(&str, &str)]) -> Result<(String, Option<String>), ApiError> {
    let field = |name| row.iter().find(|(field, _)| *field == name).map(|(_, value)| (*value).to_owned());
    let key = field("Key").filter(|key| !key.is_empty()).ok_or(Code::TagMismatch)?;
    Ok((key, field("Value").filter(|value| !value.is_empty())))
}

fn paging(params: &Params<'_>) -> Result<Paging, ApiError> {
    let token = params.optional("NextToken");
    if token.is_none() && params.optional("MaxResults").is_none() {
        let number = params.integer("PageNumber", 1..=u32::MAX, 1)?;
        return Ok(Paging::Pages { number, size: params.integer("PageSize", 1..=100, 10)? });
    }
    let size = params.integer("MaxResults", 0..=u32::MAX, 10)?.clamp(10, 100);
    let start = token.map_or(Some(0), read_token).ok_or_else(|| Code::InvalidParameter.about("NextToken"))?;
    Ok(Paging::Tokens { start, size })
}

/// The token of the real service is opaque; ours says how many rows came before.
fn write_token(start: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(start.to_string())
}

fn read_token(token: &str) -> Option<usize> {
    let start = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    start.parse().ok()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    instances: Items<InstanceRow>,
    total_count: usize,
    request_id: RequestId,
    page_size: u32,
    page_number: u32,
    next_token: String,
}

/// Every member of ecs-supporting.md 4; none of them shows the RAM role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceRow {
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
    instance_type_family: String,
    instance_network_type: &'static str,
    instance_charge_type: &'static str,
    internet_charge_type: &'static str,
    internet_max_bandwidth_in: u32,
    internet_max_bandwidth_out: u32,
    cpu: u32,
    memory: u32,
    creation_time: String,
    start_time: String,
    expired_time: &'static str,
    auto_release_time: &'static str,
    serial_number: String,
    key_pair_name: String,
    resource_group_id: String,
    #[serde(rename = "OSName")]
    os_name: &'static str,
    #[serde(rename = "OSNameEn")]
    os_name_en: &'static str,
    #[serde(rename = "OSType")]
    os_type: &'static str,
    stopped_mode: &'static str,
    spot_strategy: &'static str,
    spot_price_limit: f64,
    spot_duration: u32,
    spot_interruption_behavior: &'static str,
    sale_cycle: &'static str,
    credit_specification: &'static str,
    deployment_set_id: &'static str,
    deployment_set_group_no: u32,
    hpc_cluster_id: &'static str,
    vlan_id: &'static str,
    #[serde(rename = "GPUAmount")]
    gpu_amount: u32,
    #[serde(rename = "GPUSpec")]
    gpu_spec: &'static str,
    #[serde(rename = "ISP")]
    isp: &'static str,
    local_storage_amount: u32,
    local_storage_capacity: u32,
    io_optimized: bool,
    device_available: bool,
    deletion_protection: bool,
    recyclable: bool,
    #[serde(rename = "EnableNVS")]
    enable_nvs: bool,
    security_group_ids: Items<SecurityGroupId>,
    eip_address: EipAddress,
    public_ip_address: Items<IpAddress>,
    inner_ip_address: Items<IpAddress>,
    rdma_ip_address: Items<IpAddress>,
    vpc_attributes: VpcAttributes,
    network_interfaces: Items<NetworkInterface>,
    operation_locks: Items<LockReason>,
    tags: Items<Tag>,
    metadata_options: MetadataOptions,
    cpu_options: CpuOptions,
    dedicated_host_attribute: DedicatedHostAttribute,
    dedicated_instance_attribute: DedicatedInstanceAttribute,
    ecs_capacity_reservation_attr: EcsCapacityReservationAttr,
}

impl Item for InstanceRow {
    const ELEMENT: &'static str = "Instance";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkInterface {
    network_interface_id: String,
    mac_address: String,
    primary_ip_address: String,
    r#type: &'static str,
    private_ip_sets: Items<PrivateIpSet>,
    ipv6_sets: Items<Ipv6Set>,
}

impl Item for NetworkInterface {
    const ELEMENT: &'static str = "NetworkInterface";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PrivateIpSet {
    private_ip_address: String,
    primary: bool,
}

impl Item for PrivateIpSet {
    const ELEMENT: &'static str = "PrivateIpSet";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LockReason {
    lock_reason: String,
    lock_msg: &'static str,
}

impl Item for LockReason {
    const ELEMENT: &'static str = "LockReason";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    tag_key: String,
    tag_value: String,
}

impl Item for Tag {
    const ELEMENT: &'static str = "Tag";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetadataOptions {
    http_endpoint: &'static str,
    http_tokens: &'static str,
    http_put_response_hop_limit: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CpuOptions {
    core_count: u32,
    threads_per_core: u32,
    numa: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DedicatedInstanceAttribute {
    affinity: &'static str,
    tenancy: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EcsCapacityReservationAttr {
    capacity_reservation_id: &'static str,
    capacity_reservation_preference: &'static str,
}

impl Reply for Output {}

impl Action for DescribeInstances {
    const NAME: &'static str = "DescribeInstances";
    type Input = Input;
    type Reply = Output;

    /// Access level list (ecs-supporting.md 1), on the listed instances or on all (inferred).
    fn needs(ctx: &Ctx<'_>, input: &Input, _world: &World) -> Vec<Permission> {
        let listed = input.instance_ids.clone().filter(|ids| !ids.is_empty());
        let ids = listed.unwrap_or_else(|| vec!["*".to_owned()]).into_iter().map(InstanceId::new);
        ids.map(|id| Permission::on_instance(ctx, "ecs:DescribeInstances", input.region, &id)).collect()
    }
}

impl Read for DescribeInstances {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        if input.dry_run {
            return Err(Code::DryRunPassed.into());
        }
        let (page_number, page_size, start) = match input.paging {
            Paging::Pages { number, size } => (number, size, input::before_page(number, size)),
            Paging::Tokens { start, size } => (1, size, start),
        };
        let holds = |(_, instance): &(_, &Instance)| input.filters.iter().all(|filter| filter.holds(instance));
        let account = ctx.caller.account;
        let (shown, total_count) = if let Some(ids) = &input.instance_ids {
            let named = world.instances_named(account, input.region, ids);
            input::window(named.into_iter().filter(holds), start, page_size)
        } else {
            input::window(world.instances_in(account, input.region).filter(holds), start, page_size)
        };
        let next = start.saturating_add(shown.len());
        let more = matches!(input.paging, Paging::Tokens { .. }) && next < total_count;
        Ok(Output {
            instances: Items(shown.into_iter().map(|(id, instance)| row(id, instance)).collect()),
            total_count,
            request_id: ctx.request_id,
            page_size,
            page_number,
            next_token: if more { write_token(next) } else { String::new() },
        })
    }
}

impl Filter {
    fn holds(&self, instance: &Instance) -> bool {
        match self {
            Self::Name(pattern) => pattern.matches(&instance.spec.name),
            Self::Text(field, wanted) => field.is(wanted, instance),
            Self::Addresses(field, wanted) => field.of(instance).is_some_and(|address| {
                let address = address.to_string();
                wanted.contains(&address)
            }),
            Self::Tags(wanted) => wanted.iter().all(|(key, value)| {
                let mut tags = instance.spec.tags.iter();
                tags.any(|(k, v)| **k == **key && value.as_ref().is_none_or(|value| **v == **value))
            }),
        }
    }
}

impl TextField {
    fn is(self, wanted: &str, instance: &Instance) -> bool {
        let spec = &*instance.spec;
        let vpc = match &spec.network {
            Network::Vpc { vpc_id, vswitch_id, .. } => Some((vpc_id, vswitch_id)),
            Network::Classic => None,
        };
        match self {
            Self::Status => spec.status.name() == wanted,
            Self::NetworkType => spec.network.name() == wanted,
            Self::VpcId => vpc.is_some_and(|(id, _)| **id == *wanted),
            Self::VSwitchId => vpc.is_some_and(|(_, id)| **id == *wanted),
            Self::ZoneId => *spec.zone_id == *wanted,
            Self::SecurityGroupId => spec.security_group_ids.iter().any(|id| **id == *wanted),
            Self::InstanceType => *spec.instance_type == *wanted,
            Self::InstanceTypeFamily => family(&spec.instance_type) == wanted,
            Self::ImageId => *spec.image_id == *wanted,
            Self::KeyPairName => *spec.key_pair_name == *wanted,
            Self::ResourceGroupId => *spec.resource_group_id == *wanted,
            Self::ChargeType => spec.charge_type == wanted,
            Self::InternetChargeType => wanted == INTERNET_CHARGE_TYPE,
            Self::LockReason => spec.locks.iter().any(|reason| **reason == *wanted),
        }
    }
}

impl AddressField {
    fn of(self, instance: &Instance) -> Option<Ipv4Addr> {
        match self {
            Self::Private => (!instance.is_classic()).then_some(instance.address()),
            Self::Inner => instance.is_classic().then_some(instance.address()),
            Self::Public => instance.spec.public_ip,
            Self::Eip => instance.spec.eip,
        }
    }
}

/// `ecs.g6` of `ecs.g6.large`.
fn family(instance_type: &str) -> &str {
    instance_type.rsplit_once('.').map_or(instance_type, |(family, _)| family)
}

/// A pattern in which `*` stands for any text, taken apart once for all instances.
#[derive(Debug)]
struct Wildcard {
    /// The texts between the stars.
    pieces: Vec<String>,
    /// Bytes of the shortest text that can match.
    shortest: usize,
}

impl Wildcard {
    fn new(pattern: &str) -> Self {
        let pieces: Vec<_> = pattern.split('*').map(str::to_owned).collect();
        let shortest = pieces.iter().map(String::len).sum();
        // Stars in a row are one: only the first and the last piece may be empty.
        let last = pieces.len() - 1;
        let kept = pieces.into_iter().enumerate().filter(|(at, piece)| *at == 0 || *at == last || !piece.is_empty());
        Self { pieces: kept.map(|(_, piece)| piece).collect(), shortest }
    }

    fn matches(&self, text: &str) -> bool {
        if text.len() < self.shortest {
            return false;
        }
        let (first, last, middle) = match self.pieces.as_slice() {
            [whole] => return whole == text,
            [first, middle @ .., last] => (first, last, middle),
            [] => return text.is_empty(),
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            match text.find(piece.as_str()) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}

fn row(id: &InstanceId, instance: &Instance) -> InstanceRow {
    let spec = &*instance.spec;
    let subscription = spec.charge_type == "PrePaid";
    let (os_name, os_name_en) = os_names(spec.os_type);
    InstanceRow {
        instance_id: id.clone(),
        instance_name: spec.name.to_string(),
        description: spec.description.to_string(),
        host_name: instance.host_name(id).into_owned(),
        status: spec.status,
        region_id: instance.region.id,
        zone_id: spec.zone_id.to_string(),
        cluster_id: "",
        image_id: spec.image_id.to_string(),
        instance_type: spec.instance_type.to_string(),
        instance_type_family: family(&spec.instance_type).to_owned(),
        instance_network_type: spec.network.name(),
        instance_charge_type: spec.charge_type,
        internet_charge_type: INTERNET_CHARGE_TYPE,
        internet_max_bandwidth_in: 100,
        internet_max_bandwidth_out: if spec.public_ip.is_some() { 5 } else { 0 },
        cpu: spec.cpu,
        memory: spec.memory,
        creation_time: utc_minutes(spec.created),
        start_time: utc_minutes(spec.created),
        expired_time: if subscription { "2099-12-31T15:59Z" } else { "" },
        auto_release_time: "",
        serial_number: instance.serial_number(id).into_owned(),
        key_pair_name: spec.key_pair_name.to_string(),
        resource_group_id: spec.resource_group_id.to_string(),
        os_name,
        os_name_en,
        os_type: spec.os_type.name(),
        stopped_mode: if spec.status == Status::Stopped { "KeepCharging" } else { "Not-applicable" },
        spot_strategy: spec.spot_strategy(),
        spot_price_limit: 0.0,
        spot_duration: 0,
        spot_interruption_behavior: "",
        sale_cycle: "",
        credit_specification: "",
        deployment_set_id: "",
        deployment_set_group_no: 0,
        hpc_cluster_id: "",
        vlan_id: "",
        gpu_amount: 0,
        gpu_spec: "",
        isp: "",
        local_storage_amount: 0,
        local_storage_capacity: 0,
        io_optimized: true,
        device_available: true,
        deletion_protection: spec.deletion_protection,
        recyclable: false,
        enable_nvs: false,
        security_group_ids: security_groups(spec),
        eip_address: EipAddress::of(id, instance),
        public_ip_address: addresses(spec.public_ip),
        inner_ip_address: inner_address(instance),
        rdma_ip_address: addresses(None),
        vpc_attributes: VpcAttributes::of(instance),
        network_interfaces: Items(network_interface(id, instance).into_iter().collect()),
        operation_locks: Items(
            spec.locks.iter().map(|reason| LockReason { lock_reason: reason.to_string(), lock_msg: "" }).collect(),
        ),
        tags: Items(
            spec.tags
                .iter()
                .map(|(key, value)| Tag { tag_key: key.to_string(), tag_value: value.to_string() })
                .collect(),
        ),
        metadata_options: MetadataOptions {
            http_endpoint: spec.metadata_options.endpoint(),
            http_tokens: spec.metadata_options.tokens(),
            http_put_response_hop_limit: spec.metadata_options.hop_limit.into(),
        },
        cpu_options: CpuOptions { core_count: spec.cpu.div_ceil(2), threads_per_core: 2.min(spec.cpu), numa: "" },
        dedicated_host_attribute: DedicatedHostAttribute::NONE,
        dedicated_instance_attribute: DedicatedInstanceAttribute { affinity: "", tenancy: "" },
        ecs_capacity_reservation_attr: EcsCapacityReservationAttr {
            capacity_reservation_id: "",
            capacity_reservation_preference: "",
        },
    }
}

/// `OSName` and `OSNameEn`.
fn os_names(os_type: OsType) -> (&'static str, &'static str) {
    match os_type {
        OsType::Linux => ("Alibaba Cloud Linux  3.2104 LTS 64位", "Alibaba Cloud Linux  3.2104 LTS 64 bit"),
        OsType::Windows => (
            "Windows Server  2022 数据中心版 64位中文版",
            "Windows Server  2022 Data Center Edition 64bit Chinese Edition",
        ),
    }
}

/// The primary interface of an instance in a VPC.
fn network_interface(id: &InstanceId, instance: &Instance) -> Option<NetworkInterface> {
    if instance.is_classic() {
        return None;
    }
    let address = instance.address().to_string();
    Some(NetworkInterface {
        network_interface_id: Instance::network_interface_id(id),
        mac_address: instance.mac().into_owned(),
        primary_ip_address: address.clone(),
        r#type: "Primary",
        private_ip_sets: Items(vec![PrivateIpSet { private_ip_address: address, primary: true }]),
        ipv6_sets: Items(Vec::new()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, matches) in [
            ("web-1", "web-1", true),
            ("web-1", "web-12", false),
            ("web-*", "web-1", true),
            ("*", "", true),
            ("*-1", "web-1", true),
            ("w*b*1", "web-b-1", true),
            ("*a*a*", "aa", true),
            ("*a*a", "a", false),
            ("a*a", "a", false),
            ("***", "x", true),
            ("a**b", "ab", true),
            ("", "", true),
        ] {
            assert_eq!(Wildcard::new(pattern).matches(text), matches, "{pattern:?} against {text:?}");
        }
    }

    #[test]
    fn a_token_says_where_the_next_page_starts() {
        assert_eq!(read_token(&write_token(120)), Some(120));
        for bad in ["x", "____", "MQ==", "LTE"] {
            assert_eq!(read_token(bad), None, "{bad}");
        }
    }
}
