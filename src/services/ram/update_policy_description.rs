//! `UpdatePolicyDescription`.

use serde::Serialize;

use super::policy_model::{CustomName, PolicyModel};
use super::{fields, policy_model};
use crate::api::action::{Action, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{Policy, RequestId, World};

/// Changes the text about a custom policy.
///
/// Source: the SDK's model; clients.md 4.4.
pub(super) struct UpdatePolicyDescription;

#[derive(Debug)]
pub(super) struct Input {
    policy: CustomName,
    description: String,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let policy = CustomName::from_params(params)?;
        let description = fields::NEW_DESCRIPTION.read(params)?.ok_or(Code::MissingNewDescription)?;
        Ok(Self { policy, description })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy: PolicyModel,
}

impl Reply for Output {}

impl Action for UpdatePolicyDescription {
    const NAME: &'static str = "UpdatePolicyDescription";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:UpdatePolicyDescription", ctx, world)
    }
}

impl Write for UpdatePolicyDescription {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Output, ApiError> {
        let policy = policy_model::custom_mut(ctx, world, &input.policy.0)?;
        policy.description = input.description.into();
        policy.updated = ctx.now;
        Ok(Output { request_id: ctx.request_id, policy: PolicyModel::updated(Policy::Custom(policy)) })
    }
}
