//! `ListPoliciesForUser`.

use super::attachment::Policies;
use super::holder::{Named, UserKind};
use crate::api::action::{Action, Ctx, Permission, Read};
use crate::api::error::ApiError;
use crate::world::World;

/// Lists the policies of a user; there are no pages.
///
/// Source: ram.md 4.
pub(super) struct ListPoliciesForUser;

impl Action for ListPoliciesForUser {
    const NAME: &'static str = "ListPoliciesForUser";
    type Input = Named<UserKind>;
    type Reply = Policies;

    fn needs(ctx: &Ctx<'_>, input: &Named<UserKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:ListPoliciesForUser", ctx, world)
    }
}

impl Read for ListPoliciesForUser {
    fn call(ctx: &Ctx<'_>, world: &World, input: Named<UserKind>) -> Result<Policies, ApiError> {
        input.policies(ctx, world)
    }
}
