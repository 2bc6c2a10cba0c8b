//! `AttachPolicyToUser`.

use super::Empty;
use super::attachment::Input;
use super::holder::UserKind;
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::ApiError;
use crate::world::World;

/// Gives a user a policy.
///
/// Source: ram.md 4.
pub(super) struct AttachPolicyToUser;

impl Action for AttachPolicyToUser {
    const NAME: &'static str = "AttachPolicyToUser";
    type Input = Input<UserKind>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input<UserKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:AttachPolicyToUser", ctx, world)
    }
}

impl Write for AttachPolicyToUser {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input<UserKind>) -> Result<Empty, ApiError> {
        input.attach(ctx, world)
    }
}
