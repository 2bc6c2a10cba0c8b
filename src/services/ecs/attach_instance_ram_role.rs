//! `AttachInstanceRamRole`.

use serde::{Serialize, Serializer};

use super::batch::{Checked, Failure, check, fail_count};
use super::input;
use crate::api::action::{Action, Batch, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Attachment, ECS_SERVICE, InstanceId, InstanceIndex, Region, RequestId, RoleName, World};

/// Puts a role on each listed instance.
///
/// The same role again succeeds and a new `Policy` replaces the old one; over another role it
/// fails (decision 7; ecs-instance-ram-role.md 5.5).
/// Source: ecs-instance-ram-role.md 3, 5 and 7 (A1 to A11).
pub(super) struct AttachInstanceRamRole;

#[derive(Debug)]
pub(super) struct Input {
    region: &'static Region,
    ram_role_name: String,
    instance_ids: Vec<InstanceId>,
    policy: Option<Box<str>>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        params.required("RegionId")?;
        let ram_role_name = params.required("RamRoleName")?.to_owned();
        params.required("InstanceIds")?;
        Ok(Self {
            region: input::region(params)?,
            ram_role_name,
            instance_ids: input::role_instance_ids(params)?.unwrap_or_default(),
            policy: params.get("Policy").map(policy).transpose()?,
        })
    }
}

fn policy(text: &str) -> Result<Box<str>, ApiError> {
    if Attachment::is_policy(text) { Ok(text.into()) } else { Err(Code::InvalidParameter.about("Policy")) }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    ram_role_name: RoleName,
    request_id: RequestId,
    total_count: usize,
    fail_count: usize,
    attach_instance_ram_role_results: Items<Checked<InstanceIndex>>,
}

impl Item for Checked<InstanceIndex> {
    const ELEMENT: &'static str = "AttachInstanceRamRoleResult";
}

impl Serialize for Checked<InstanceIndex> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry<'a> {
            code: &'a str,
            message: &'a str,
            instance_id: &'a InstanceId,
            success: bool,
        }
        let (code, message) = self.texts("success");
        Entry { code, message, instance_id: &self.id, success: self.result.is_ok() }.serialize(serializer)
    }
}

impl Reply for Output {
    fn batch(&self) -> Option<Batch> {
        Some(Batch { total: self.total_count, fail: self.fail_count })
    }
}

impl Action for AttachInstanceRamRole {
    const NAME: &'static str = "AttachInstanceRamRole";
    const IS_BATCH: bool = true;
    type Input = Input;
    type Reply = Output;

    /// Instances and role, both required (ecs-instance-ram-role.md 5.8, documented).
    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        let action = "ecs:AttachInstanceRamRole";
        let instances = input.instance_ids.iter().map(|id| Permission::on_instance(ctx, action, input.region, id));
        instances.chain([Permission::on_role(ctx, action, input.region, &input.ram_role_name, world)]).collect()
    }
}

impl Write for AttachInstanceRamRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Output, ApiError> {
        let Input { region, ram_role_name, instance_ids, policy } = input;
        let role = world.role(ctx.caller.account, &ram_role_name).ok_or(Code::RoleNotFound)?;
        if !role.is_for_ecs(ctx.now) {
            return Err(Code::RoleNotForEcs.into());
        }
        let role = role.name().clone();
        ctx.may_pass(world, region, &role, ECS_SERVICE)?;
        let checked = check(ctx, instance_ids, |id| can_take(ctx, world, region, id, &role))?;
        for index in checked.iter().filter_map(|one| one.result.as_ref().ok()) {
            world.attach_role_at(ctx.now, *index, role.clone(), policy.clone());
        }
        Ok(Output {
            ram_role_name: role,
            request_id: ctx.request_id,
            total_count: checked.len(),
            fail_count: fail_count(&checked),
            attach_instance_ram_role_results: Items(checked),
        })
    }
}

/// The instance, if it can carry the role.
fn can_take(
    ctx: &Ctx<'_>,
    world: &World,
    region: &Region,
    id: &InstanceId,
    role: &RoleName,
) -> Result<InstanceIndex, Failure> {
    let found = world.instance_index_in(ctx.caller.account, region, id.as_str());
    let (index, instance) = found.ok_or(Code::RoleInstanceNotFound)?;
    if instance.is_classic() {
        return Err(Code::ClassicNetwork.into());
    }
    match instance.role() {
        Some(attached) if !attached.is(role.as_str()) => Err(Code::OtherRoleAttached.into()),
        _ => Ok(index),
    }
}
