//! `SetDefaultPolicyVersion`.

use super::policy_model::{CustomName, VersionOf};
use super::{Empty, policy_model};
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::world::World;

/// Makes a version of a custom policy the one that counts.
///
/// Source: the SDK's model; clients.md 4.4; the vendor's page of errors.
pub(super) struct SetDefaultPolicyVersion;

impl Action for SetDefaultPolicyVersion {
    const NAME: &'static str = "SetDefaultPolicyVersion";
    type Input = VersionOf<CustomName>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Self::Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:SetDefaultPolicyVersion", ctx, world)
    }
}

impl Write for SetDefaultPolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Self::Input) -> Result<Empty, ApiError> {
        let known = policy_model::custom_mut(ctx, world, &input.policy.0)?.set_default(input.id, ctx.now);
        if known { Ok(Empty::new(ctx)) } else { Err(Code::PolicyVersionNotFound.into()) }
    }
}
