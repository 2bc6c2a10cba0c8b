//! `AttachInstanceRamRole`.

use std::borrow::Cow;

use serde::Serialize;

use super::batch::{Failure, injected, whole_call_error};
use super::input;
use crate::api::action::{Action, Batch, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{Attachment, ECS_SERVICE, InstanceId, Region, RequestId, RoleName, World};

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
    attach_instance_ram_role_results: Items<Outcome>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    instance_id: InstanceId,
    success: bool,
}

impl Item for Outcome {
    const ELEMENT: &'static str = "AttachInstanceRamRoleResult";
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
        let checked: Vec<_> = instance_ids
            .into_iter()
            .enumerate()
            .map(|(position, id)| {
                let result = injected(ctx, position, &id).and_then(|()| can_take(ctx, world, region, &id, &role));
                (id, result)
            })
            .collect();
        whole_call_error(&checked)?;
        for (id, result) in &checked {
            if result.is_ok() {
                world.attach_role(ctx.now, id.as_str(), role.clone(), policy.clone());
            }
        }
        let outcomes: Vec<_> = checked.into_iter().map(|(id, result)| outcome(id, result)).collect();
        Ok(Output {
            ram_role_name: role,
            request_id: ctx.request_id,
            total_count: outcomes.len(),
            fail_count: outcomes.iter().filter(|outcome| !outcome.success).count(),
            attach_instance_ram_role_results: Items(outcomes),
        })
    }
}

fn can_take(ctx: &Ctx<'_>, world: &World, region: &Region, id: &InstanceId, role: &RoleName) -> Result<(), Failure> {
    let instance = world.instance_in(ctx.caller.account, region, id.as_str()).ok_or(Code::RoleInstanceNotFound)?;
    if instance.is_classic() {
        return Err(Code::ClassicNetwork.into());
    }
    match instance.role() {
        Some(attached) if !attached.is(role.as_str()) => Err(Code::OtherRoleAttached.into()),
        _ => Ok(()),
    }
}

fn outcome(instance_id: InstanceId, result: Result<(), Failure>) -> Outcome {
    match result {
        Ok(()) => Outcome { code: Cow::Borrowed("200"), message: Cow::Borrowed("success"), instance_id, success: true },
        Err(Failure { error, .. }) => {
            let (code, message) = error.into_texts();
            Outcome { code, message, instance_id, success: false }
        }
    }
}
