//! `DeletePolicy`.

use super::policy_model::CustomName;
use super::{Empty, fields, policy_model};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{PolicyStays, World};

/// Deletes a custom policy that nobody has.
///
/// `CascadingDelete` takes its other versions along; that users and roles still hold it back is inferred, as are the
/// order of the reasons: users, roles, versions.
/// Source: ram.md 4.
pub(super) struct DeletePolicy;

#[derive(Debug)]
pub(super) struct Input {
    policy: CustomName,
    cascading_delete: bool,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let policy = CustomName::from_params(params)?;
        let cascading = fields::flag(params, "CascadingDelete", Code::CascadingDeleteIncorrect)?;
        Ok(Self { policy, cascading_delete: cascading.unwrap_or_default() })
    }
}

impl Action for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:DeletePolicy", ctx, world)
    }
}

impl Write for DeletePolicy {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Empty, ApiError> {
        let id = policy_model::custom(ctx, world, &input.policy.0)?.id();
        match world.remove_policy(id, input.cascading_delete) {
            Ok(_) => Ok(Empty::new(ctx)),
            Err(PolicyStays::Unknown) => Err(Code::PolicyNotFound.into()),
            Err(PolicyStays::OnUsers) => Err(Code::PolicyOnUser.into()),
            Err(PolicyStays::OnRoles) => Err(Code::PolicyOnRole.into()),
            Err(PolicyStays::HasVersions) => Err(Code::PolicyKeepsVersion.into()),
        }
    }
}
