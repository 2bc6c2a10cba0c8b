//! `GetUser`.

use super::holder::{Named, UserKind};
use super::user_model::{self, OneUser, UserModel};
use crate::api::action::{Action, Ctx, Permission, Read};
use crate::api::error::ApiError;
use crate::world::World;

/// Shows a user.
///
/// Source: ram.md 4.
pub(super) struct GetUser;

impl Action for GetUser {
    const NAME: &'static str = "GetUser";
    type Input = Named<UserKind>;
    type Reply = OneUser;

    fn needs(ctx: &Ctx<'_>, input: &Named<UserKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:GetUser", ctx, world)
    }
}

impl Read for GetUser {
    fn call(ctx: &Ctx<'_>, world: &World, input: Named<UserKind>) -> Result<OneUser, ApiError> {
        let user = user_model::find(ctx, world, &input.name)?;
        Ok(OneUser::new(ctx, UserModel::whole(user)))
    }
}
