//! `DescribeInstanceStatus`.

use serde::Serialize;

use super::input;
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Instance, InstanceId, Region, RequestId, Status, World};

/// The states of the listed instances, or of all of a region.
///
/// Source: ecs-supporting.md 5. Unknown ids are left out, what makes an id malformed, and zone before ids: inferred.
pub(super) struct DescribeInstanceStatus;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    instance_ids: Vec<String>,
    zone_id: Option<String>,
    page_number: u32,
    page_size: u32,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let region = input::region(params)?;
        let zone_id = params.optional("ZoneId").map(str::to_owned);
        if zone_id.as_ref().is_some_and(|zone| !region.zone_ids().any(|known| known == *zone)) {
            return Err(Code::ZoneNotFound.into());
        }
        let rows = params.rows("InstanceId").map_err(|_| Code::BatchIdsMalformed)?;
        let ids = rows.into_iter().map(|row| match row.as_slice() {
            [("", id)] if !id.is_empty() => Ok((*id).to_owned()),
            _ => Err(Code::BatchIdsMalformed),
        });
        let instance_ids = ids.collect::<Result<Vec<_>, _>>()?;
        if instance_ids.len() > 100 {
            return Err(Code::TooManyInstanceIds.into());
        }
        let page_number = params.integer("PageNumber", 1..=u32::MAX, 1)?;
        let page_size = params.integer("PageSize", 1..=50, 10)?;
        Ok(Self { region, instance_ids, zone_id, page_number, page_size })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    page_size: u32,
    request_id: RequestId,
    page_number: u32,
    total_count: usize,
    instance_statuses: Items<InstanceStatus>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceStatus {
    status: Status,
    instance_id: InstanceId,
}

impl Item for InstanceStatus {
    const ELEMENT: &'static str = "InstanceStatus";
}

impl Reply for Output {}

impl Action for DescribeInstanceStatus {
    const NAME: &'static str = "DescribeInstanceStatus";
    type Input = Input;
    type Reply = Output;

    /// Access level list, on all resources (ecs-supporting.md 1, documented).
    fn needs(_ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![Permission::new("ecs:DescribeInstanceStatus", "*".to_owned())]
    }
}

impl Read for DescribeInstanceStatus {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let Input { region, instance_ids, zone_id, page_number, page_size } = input;
        let in_zone =
            |(_, instance): &(_, &Instance)| zone_id.as_ref().is_none_or(|zone| *instance.spec.zone_id == **zone);
        let start = input::before_page(page_number, page_size);
        let account = ctx.caller.account;
        let (shown, total_count) = if instance_ids.is_empty() {
            input::window(world.instances_in(account, region).filter(in_zone), start, page_size)
        } else {
            let named = world.instances_named(account, region, &instance_ids);
            input::window(named.into_iter().filter(in_zone), start, page_size)
        };
        let shown = shown
            .into_iter()
            .map(|(id, instance)| InstanceStatus { status: instance.spec.status, instance_id: id.clone() });
        Ok(Output {
            page_size,
            request_id: ctx.request_id,
            page_number,
            total_count,
            instance_statuses: Items(shown.collect()),
        })
    }
}
