//! `DeleteRole`.

use super::holder::{Named, RoleKind};
use super::{Empty, role_model};
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::world::{RoleStays, World};

/// Deletes a role that has no policies; an instance may still carry it.
///
/// Source: ram.md 3.
pub(super) struct DeleteRole;

impl Action for DeleteRole {
    const NAME: &'static str = "DeleteRole";
    type Input = Named<RoleKind>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Named<RoleKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:DeleteRole", ctx, world)
    }
}

impl Write for DeleteRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Named<RoleKind>) -> Result<Empty, ApiError> {
        let id = role_model::find(ctx, world, &input.name)?.id();
        match world.remove_role(id) {
            Ok(_) => Ok(Empty::new(ctx)),
            Err(RoleStays::Unknown) => Err(Code::RamRoleNotFound.about(input.name)),
            Err(RoleStays::HasPolicies) => Err(Code::RoleKeepsPolicy.into()),
        }
    }
}
