//! `GetRole`.

use super::holder::{Named, RoleKind};
use super::role_model::{self, OneRole, RoleModel};
use crate::api::action::{Action, Ctx, Permission, Read};
use crate::api::error::ApiError;
use crate::world::World;

/// Shows a role.
///
/// Source: ram.md 3.
pub(super) struct GetRole;

impl Action for GetRole {
    const NAME: &'static str = "GetRole";
    type Input = Named<RoleKind>;
    type Reply = OneRole;

    fn needs(ctx: &Ctx<'_>, input: &Named<RoleKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:GetRole", ctx, world)
    }
}

impl Read for GetRole {
    fn call(ctx: &Ctx<'_>, world: &World, input: Named<RoleKind>) -> Result<OneRole, ApiError> {
        let role = role_model::find(ctx, world, &input.name)?;
        Ok(OneRole::new(ctx, RoleModel::whole(role)))
    }
}
