//! `SetDefaultPolicyVersion`.

use super::policy_model::CustomName;
use super::{Empty, fields, policy_model};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{VersionId, World};

/// Makes a version of a custom policy the one that counts.
///
/// Source: the SDK's model; clients.md 4.4; the vendor's page of errors.
pub(super) struct SetDefaultPolicyVersion;

#[derive(Debug)]
pub(super) struct Input {
    policy: CustomName,
    version_id: VersionId,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { policy: CustomName::from_params(params)?, version_id: fields::version_id(params)? })
    }
}

impl Action for SetDefaultPolicyVersion {
    const NAME: &'static str = "SetDefaultPolicyVersion";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:SetDefaultPolicyVersion", ctx, world)
    }
}

impl Write for SetDefaultPolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Empty, ApiError> {
        let known = policy_model::custom_mut(ctx, world, &input.policy.0)?.set_default(input.version_id, ctx.now);
        if known { Ok(Empty::new(ctx)) } else { Err(Code::PolicyVersionNotFound.into()) }
    }
}
