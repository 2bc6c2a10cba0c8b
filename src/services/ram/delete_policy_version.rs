//! `DeletePolicyVersion`.

use super::policy_model::CustomName;
use super::{Empty, fields, policy_model};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{VersionId, VersionStays, World};

/// Deletes a version of a custom policy that is not the default one.
///
/// Source: the SDK's model; clients.md 4.4; the vendor's page of errors.
pub(super) struct DeletePolicyVersion;

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

impl Action for DeletePolicyVersion {
    const NAME: &'static str = "DeletePolicyVersion";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:DeletePolicyVersion", ctx, world)
    }
}

impl Write for DeletePolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Empty, ApiError> {
        let policy = policy_model::custom_mut(ctx, world, &input.policy.0)?;
        match policy.remove_version(input.version_id, ctx.now) {
            Ok(()) => Ok(Empty::new(ctx)),
            Err(VersionStays::Unknown) => Err(Code::PolicyVersionNotFound.into()),
            Err(VersionStays::IsDefault) => Err(Code::PolicyVersionIsDefault.into()),
        }
    }
}
