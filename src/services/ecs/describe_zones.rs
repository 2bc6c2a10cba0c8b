//! `DescribeZones`.

use serde::Serialize;

use super::describe_regions::Language;
use super::input;
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{INSTANCE_TYPES, Region, RequestId, World};

/// The zones of a region, each with what Terraform wants to find there (clients.md 5).
///
/// Source: ecs-supporting.md 12; the lists of what is available are inferred.
pub(super) struct DescribeZones;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    language: Language,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let region = input::region(params)?;
        match params.optional("InstanceChargeType") {
            None | Some("PrePaid" | "PostPaid") => {}
            Some(_) => return Err(Code::ChargeTypeNotFound.into()),
        }
        match params.optional("SpotStrategy") {
            None | Some("NoSpot" | "SpotWithPriceLimit" | "SpotAsPriceGo") => {}
            Some(_) => return Err(Code::SpotStrategyInvalid.into()),
        }
        Ok(Self { region, language: Language::from_params(params)? })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    zones: Items<Zone>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Zone {
    zone_id: String,
    local_name: String,
    zone_type: &'static str,
    available_resource_creation: Items<ResourceTypes>,
    available_disk_categories: Items<DiskCategories>,
    available_instance_types: Items<InstanceTypes>,
    available_volume_categories: Items<VolumeCategories>,
    available_dedicated_host_types: Items<DedicatedHostType>,
    dedicated_host_generations: Items<DedicatedHostGeneration>,
    available_resources: Items<ResourcesInfo>,
}

impl Item for Zone {
    const ELEMENT: &'static str = "Zone";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourcesInfo {
    io_optimized: bool,
    network_types: Items<NetworkCategory>,
    system_disk_categories: Items<SystemDiskCategory>,
    data_disk_categories: Items<DataDiskCategory>,
    instance_types: Items<InstanceType>,
    instance_type_families: Items<InstanceTypeFamily>,
    instance_generations: Items<InstanceGeneration>,
}

impl Item for ResourcesInfo {
    const ELEMENT: &'static str = "ResourcesInfo";
}

macro_rules! names {
    ($($name:ident = $element:literal),* $(,)?) => {
        $(
            #[derive(Debug, Serialize)]
            #[serde(transparent)]
            struct $name(&'static str);

            impl Item for $name {
                const ELEMENT: &'static str = $element;
            }

            impl $name {
                fn list(names: impl IntoIterator<Item = &'static str>) -> Items<Self> {
                    Items(names.into_iter().map(Self).collect())
                }
            }
        )*
    };
}

// The vendor's spelling: the inner names begin with a small letter (ecs-supporting.md 12).
names! {
    ResourceTypes = "ResourceTypes",
    DiskCategories = "DiskCategories",
    InstanceTypes = "InstanceTypes",
    VolumeCategories = "VolumeCategories",
    DedicatedHostType = "DedicatedHostType",
    DedicatedHostGeneration = "DedicatedHostGeneration",
    NetworkCategory = "supportedNetworkCategory",
    SystemDiskCategory = "supportedSystemDiskCategory",
    DataDiskCategory = "supportedDataDiskCategory",
    InstanceType = "supportedInstanceType",
    InstanceTypeFamily = "supportedInstanceTypeFamily",
    InstanceGeneration = "supportedInstanceGeneration",
}

const DISKS: [&str; 3] = ["cloud_essd", "cloud_ssd", "cloud_efficiency"];

impl Reply for Output {}

impl Action for DescribeZones {
    const NAME: &'static str = "DescribeZones";
    type Input = Input;
    type Reply = Output;

    fn needs(_ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![Permission::new("ecs:DescribeZones", "*".to_owned())]
    }
}

impl Read for DescribeZones {
    fn call(ctx: &Ctx<'_>, _world: &World, input: Input) -> Result<Output, ApiError> {
        let zones =
            input.region.zone_ids().map(|zone_id| zone(input.language.zone_name(input.region, &zone_id), zone_id));
        Ok(Output { request_id: ctx.request_id, zones: Items(zones.collect()) })
    }
}

impl Language {
    fn zone_name(self, region: &Region, zone_id: &str) -> String {
        let letter = zone_id.chars().last().unwrap_or_default().to_ascii_uppercase();
        match self {
            Self::Chinese => format!("{} 可用区{letter}", region.name_zh),
            Self::English => format!("{} Zone {letter}", region.name_en),
        }
    }
}

fn zone(local_name: String, zone_id: String) -> Zone {
    let types = || INSTANCE_TYPES.iter().map(|row| row.0);
    let mut families: Vec<_> = types().filter_map(|name| name.rsplit_once('.')).map(|(family, _)| family).collect();
    families.dedup();
    Zone {
        zone_id,
        local_name,
        zone_type: "AvailabilityZone",
        available_resource_creation: ResourceTypes::list(["VSwitch", "IoOptimized", "Instance", "Disk"]),
        available_disk_categories: DiskCategories::list(DISKS),
        available_instance_types: InstanceTypes::list(types()),
        available_volume_categories: VolumeCategories::list([]),
        available_dedicated_host_types: DedicatedHostType::list([]),
        dedicated_host_generations: DedicatedHostGeneration::list([]),
        available_resources: Items(vec![ResourcesInfo {
            io_optimized: true,
            network_types: NetworkCategory::list(["vpc", "classic"]),
            system_disk_categories: SystemDiskCategory::list(DISKS),
            data_disk_categories: DataDiskCategory::list(DISKS),
            instance_types: InstanceType::list(types()),
            instance_type_families: InstanceTypeFamily::list(families),
            instance_generations: InstanceGeneration::list(["ecs-5", "ecs-6", "ecs-7"]),
        }]),
    }
}
