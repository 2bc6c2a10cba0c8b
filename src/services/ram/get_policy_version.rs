//! `GetPolicyVersion`.

use serde::Serialize;

use super::policy_model::{AnyName, VersionModel, VersionOf};
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::world::{RequestId, World};

/// Shows a version of a policy.
///
/// Source: the SDK's model.
pub(super) struct GetPolicyVersion;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy_version: VersionModel,
}

impl Reply for Output {}

impl Action for GetPolicyVersion {
    const NAME: &'static str = "GetPolicyVersion";
    type Input = VersionOf<AnyName>;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &Self::Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:GetPolicyVersion", ctx, world)
    }
}

impl Read for GetPolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &World, input: Self::Input) -> Result<Output, ApiError> {
        let policy_version = VersionModel::find(input.policy.find(ctx, world)?, input.id)?;
        Ok(Output { request_id: ctx.request_id, policy_version })
    }
}
