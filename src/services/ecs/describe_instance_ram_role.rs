//! `DescribeInstanceRamRole`.

use serde::Serialize;

use super::input;
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Instance, InstanceId, Region, RequestId, RoleName, View, World};

/// Which role is on which instance.
///
/// By ids alone, an instance without a role is listed with the empty name; classic and unknown
/// ones are left out, and if none is left the first id's error is the answer (decision 8). By
/// role, only the instances that carry it (decision 9).
/// Source: ecs-instance-ram-role.md 4 and 7 (S1 to S8; S4 for several ids, S7 and S8 inferred).
pub(super) struct DescribeInstanceRamRole;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    instance_ids: Option<Vec<InstanceId>>,
    ram_role_name: Option<String>,
    page_number: u32,
    page_size: u32,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let region = input::region(params)?;
        let instance_ids = input::role_instance_ids(params)?;
        let ram_role_name = params.optional("RamRoleName").map(str::to_owned);
        if instance_ids.is_none() && ram_role_name.is_none() {
            return Err(Code::AllFiltersEmpty.into());
        }
        let page_number = params.integer("PageNumber", 1..=u32::MAX, 1)?;
        let page_size = params.integer("PageSize", 1..=50, 10)?;
        Ok(Self { region, instance_ids, ram_role_name, page_number, page_size })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    total_count: usize,
    region_id: &'static str,
    instance_ram_role_sets: Items<Pair>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    ram_role_name: String,
    instance_id: InstanceId,
}

impl Item for Pair {
    const ELEMENT: &'static str = "InstanceRamRoleSet";
}

impl Reply for Output {}

impl Action for DescribeInstanceRamRole {
    const NAME: &'static str = "DescribeInstanceRamRole";
    type Input = Input;
    type Reply = Output;

    /// Of instances and role, those that are asked by (ecs-instance-ram-role.md 5.8, documented); by role alone no instance
    /// (inferred, against ram.md 7).
    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        let action = "ecs:DescribeInstanceRamRole";
        let ids = input.instance_ids.iter().flatten();
        let instances = ids.map(|id| Permission::on_instance(ctx, action, input.region, id));
        let role = input.ram_role_name.iter().map(|name| Permission::on_role(ctx, action, input.region, name, world));
        instances.chain(role).collect()
    }
}

impl Read for DescribeInstanceRamRole {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let (account, region) = (ctx.caller.account, input.region);
        let role = input.ram_role_name.as_deref();
        let unknown = role.is_some_and(|name| world.role(account, name).is_none());
        let start = input::before_page(input.page_number, input.page_size);
        let roles = world.roles_seen(View::Describe, ctx.describe_propagation, ctx.now);
        let is_asked =
            |attached: Option<&RoleName>| role.is_none_or(|name| attached.is_some_and(|attached| attached.is(name)));
        let seen = |(id, instance)| {
            let (id, instance): Row<'_> = (id, instance);
            let shown = roles.of(id, instance).role();
            // By role alone it is one of the instances that the change concerns.
            if input.instance_ids.is_some() || is_asked(shown) || is_asked(instance.role()) {
                roles.note_read(id);
            }
            is_asked(shown).then_some((id, shown))
        };
        let (shown, total_count) = match &input.instance_ids {
            None if unknown => return Err(Code::RoleNotFound.into()),
            Some(_) if unknown => (Vec::new(), 0),
            Some(ids) => {
                let listed = listed(ctx, world, region, ids)?;
                input::window(listed.into_iter().filter_map(seen), start, input.page_size)
            }
            None => input::window(world.instances_in(account, region).filter_map(seen), start, input.page_size),
        };
        let shown = shown.into_iter().map(|(id, role): (&InstanceId, _)| Pair {
            ram_role_name: role.map(ToString::to_string).unwrap_or_default(),
            instance_id: id.clone(),
        });
        Ok(Output {
            request_id: ctx.request_id,
            total_count,
            region_id: region.id,
            instance_ram_role_sets: Items(shown.collect()),
        })
    }
}

type Row<'w> = (&'w InstanceId, &'w Instance);

/// The listed instances that exist and are in a VPC, in the order of the list.
fn listed<'w>(
    ctx: &Ctx<'_>,
    world: &'w World,
    region: &Region,
    ids: &'w [InstanceId],
) -> Result<Vec<Row<'w>>, ApiError> {
    let find = |id: &'w InstanceId| match world.instance_in(ctx.caller.account, region, id.as_str()) {
        None => Err(Code::RoleInstanceNotFound),
        Some(instance) if instance.is_classic() => Err(Code::ClassicNetwork),
        Some(instance) => Ok((id, instance)),
    };
    let rows: Vec<_> = ids.iter().filter_map(|id| find(id).ok()).collect();
    match ids.first().map(find) {
        Some(Err(code)) if rows.is_empty() => Err(code.into()),
        _ => Ok(rows),
    }
}
