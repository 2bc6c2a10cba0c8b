//! `GetPolicy`.

use serde::Serialize;

use super::policy_model::{AnyName, PolicyModel, VersionModel};
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::world::{RequestId, World};

/// Shows a policy and its default version.
///
/// Source: ram.md 4; clients.md 4.4.
pub(super) struct GetPolicy;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy: PolicyModel,
    default_policy_version: VersionModel,
}

impl Reply for Output {}

impl Action for GetPolicy {
    const NAME: &'static str = "GetPolicy";
    type Input = AnyName;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &AnyName, world: &World) -> Vec<Permission> {
        input.needs("ram:GetPolicy", ctx, world)
    }
}

impl Read for GetPolicy {
    fn call(ctx: &Ctx<'_>, world: &World, input: AnyName) -> Result<Output, ApiError> {
        let policy = input.find(ctx, world)?;
        Ok(Output {
            request_id: ctx.request_id,
            policy: PolicyModel::whole(&world.attachment_counts(ctx.caller.account), policy),
            default_policy_version: VersionModel::default_of(policy),
        })
    }
}
