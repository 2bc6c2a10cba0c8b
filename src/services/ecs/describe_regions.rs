//! `DescribeRegions`.

use serde::Serialize;

use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{REGIONS, Region, RequestId, World};

/// Every region, with its real endpoint: SDKs do not follow it by themselves (inferred).
///
/// Source: ecs-supporting.md 11.
pub(super) struct DescribeRegions;

#[derive(Debug)]
pub(super) struct Input {
    language: Language,
}

/// The language of local names. Japanese names stand in no source of ours: English ones are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Chinese,
    English,
}

impl Language {
    /// `AcceptLanguage`, Chinese if absent (ecs-supporting.md 11 and 12, documented).
    pub(super) fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        match params.optional("AcceptLanguage") {
            None | Some("zh-CN" | "zh-TW") => Ok(Self::Chinese),
            Some("en-US" | "ja") => Ok(Self::English),
            Some(_) => Err(Code::LanguageNotFound.into()),
        }
    }

    fn name_of(self, region: &Region) -> &'static str {
        match self {
            Self::Chinese => region.name_zh,
            Self::English => region.name_en,
        }
    }
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        if let Some(kind) = params.optional("ResourceType")
            && !matches!(kind, "instance" | "disk" | "reservedinstance" | "scu")
        {
            return Err(Code::ResourceTypeNotFound.into());
        }
        Ok(Self { language: Language::from_params(params)? })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    regions: Items<RegionRow>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RegionRow {
    region_id: &'static str,
    region_endpoint: String,
    local_name: &'static str,
    status: &'static str,
}

impl Item for RegionRow {
    const ELEMENT: &'static str = "Region";
}

impl Reply for Output {}

impl Action for DescribeRegions {
    const NAME: &'static str = "DescribeRegions";
    type Input = Input;
    type Reply = Output;

    fn needs(_ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![Permission::new("ecs:DescribeRegions", "*".to_owned())]
    }
}

impl Read for DescribeRegions {
    fn call(ctx: &Ctx<'_>, _world: &World, input: Input) -> Result<Output, ApiError> {
        let row = |region: &Region| RegionRow {
            region_id: region.id,
            region_endpoint: region.ecs_endpoint(),
            local_name: input.language.name_of(region),
            status: "available",
        };
        Ok(Output { request_id: ctx.request_id, regions: Items(REGIONS.iter().map(row).collect()) })
    }
}
