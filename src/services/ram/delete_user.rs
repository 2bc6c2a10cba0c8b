//! `DeleteUser`.

use super::holder::{Named, UserKind};
use super::{Empty, user_model};
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::world::{UserStays, World};

/// Deletes a user who has no keys and no policies. Groups, login profiles and MFA devices do not exist here.
///
/// Source: ram.md 4.
pub(super) struct DeleteUser;

impl Action for DeleteUser {
    const NAME: &'static str = "DeleteUser";
    type Input = Named<UserKind>;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Named<UserKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:DeleteUser", ctx, world)
    }
}

impl Write for DeleteUser {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Named<UserKind>) -> Result<Empty, ApiError> {
        let id = user_model::find(ctx, world, &input.name)?.id();
        match world.remove_user(id) {
            Ok(_) => Ok(Empty::new(ctx)),
            Err(UserStays::Unknown) => Err(Code::UserNotFound.into()),
            Err(UserStays::HasAccessKeys) => Err(Code::UserKeepsAccessKey.into()),
            Err(UserStays::HasPolicies) => Err(Code::UserKeepsPolicy.into()),
        }
    }
}
