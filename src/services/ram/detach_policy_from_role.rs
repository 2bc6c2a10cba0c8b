//! `DetachPolicyFromRole`.

use super::Empty;
use super::attachment::Input;
use super::holder::RoleKind;
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::ApiError;
use crate::world::World;

/// Takes a policy off a role.
///
/// Source: ram.md 3.
pub(super) struct DetachPolicyFromRole;

impl Action for DetachPolicyFromRole {
    const NAME: &'static str = "DetachPolicyFromRole";
    type Input = Input<RoleKind>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input<RoleKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:DetachPolicyFromRole", ctx, world)
    }
}

impl Write for DetachPolicyFromRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input<RoleKind>) -> Result<Empty, ApiError> {
        input.detach(ctx, world)
    }
}
