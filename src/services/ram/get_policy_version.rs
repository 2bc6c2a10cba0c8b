//! `GetPolicyVersion`.

use serde::Serialize;

use super::fields;
use super::policy_model::{AnyName, VersionModel};
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::world::{RequestId, VersionId, World};

/// Shows a version of a policy.
///
/// Source: the SDK's model.
pub(super) struct GetPolicyVersion;

#[derive(Debug)]
pub(super) struct Input {
    policy: AnyName,
    version_id: VersionId,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { policy: AnyName::from_params(params)?, version_id: fields::version_id(params)? })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy_version: VersionModel,
}

impl Reply for Output {}

impl Action for GetPolicyVersion {
    const NAME: &'static str = "GetPolicyVersion";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:GetPolicyVersion", ctx, world)
    }
}

impl Read for GetPolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let policy_version = VersionModel::find(input.policy.find(ctx, world)?, input.version_id)?;
        Ok(Output { request_id: ctx.request_id, policy_version })
    }
}
