//! `DeletePolicyVersion`.

use super::policy_model::{CustomName, VersionOf};
use super::{Empty, policy_model};
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::world::{VersionStays, World};

/// Deletes a version of a custom policy that is not the default one.
///
/// Source: the SDK's model; clients.md 4.4; the vendor's page of errors.
pub(super) struct DeletePolicyVersion;

impl Action for DeletePolicyVersion {
    const NAME: &'static str = "DeletePolicyVersion";
    type Input = VersionOf<CustomName>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Self::Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:DeletePolicyVersion", ctx, world)
    }
}

impl Write for DeletePolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Self::Input) -> Result<Empty, ApiError> {
        let policy = policy_model::custom_mut(ctx, world, &input.policy.0)?;
        match policy.remove_version(input.id, ctx.now) {
            Ok(()) => Ok(Empty::new(ctx)),
            Err(VersionStays::Unknown) => Err(Code::PolicyVersionNotFound.into()),
            Err(VersionStays::IsDefault) => Err(Code::PolicyVersionIsDefault.into()),
        }
    }
}
