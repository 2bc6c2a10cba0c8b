//! `DetachPolicyFromUser`.

use super::Empty;
use super::attachment::Input;
use super::holder::UserKind;
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::ApiError;
use crate::world::World;

/// Takes a policy off a user.
///
/// Source: ram.md 4.
pub(super) struct DetachPolicyFromUser;

impl Action for DetachPolicyFromUser {
    const NAME: &'static str = "DetachPolicyFromUser";
    type Input = Input<UserKind>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input<UserKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:DetachPolicyFromUser", ctx, world)
    }
}

impl Write for DetachPolicyFromUser {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input<UserKind>) -> Result<Empty, ApiError> {
        input.detach(ctx, world)
    }
}
