//! `AttachPolicyToRole`.

use super::Empty;
use super::attachment::Input;
use super::holder::RoleKind;
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::ApiError;
use crate::world::World;

/// Gives a role a policy.
///
/// Source: ram.md 3.
pub(super) struct AttachPolicyToRole;

impl Action for AttachPolicyToRole {
    const NAME: &'static str = "AttachPolicyToRole";
    type Input = Input<RoleKind>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input<RoleKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:AttachPolicyToRole", ctx, world)
    }
}

impl Write for AttachPolicyToRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input<RoleKind>) -> Result<Empty, ApiError> {
        input.attach(ctx, world)
    }
}
