//! `ListPoliciesForRole`.

use super::attachment::Policies;
use super::holder::{Named, RoleKind};
use crate::api::action::{Action, Ctx, Permission, Read};
use crate::api::error::ApiError;
use crate::world::World;

/// Lists the policies of a role; there are no pages.
///
/// Source: ram.md 3.
pub(super) struct ListPoliciesForRole;

impl Action for ListPoliciesForRole {
    const NAME: &'static str = "ListPoliciesForRole";
    type Input = Named<RoleKind>;
    type Reply = Policies;

    fn needs(ctx: &Ctx<'_>, input: &Named<RoleKind>, world: &World) -> Vec<Permission> {
        input.needs("ram:ListPoliciesForRole", ctx, world)
    }
}

impl Read for ListPoliciesForRole {
    fn call(ctx: &Ctx<'_>, world: &World, input: Named<RoleKind>) -> Result<Policies, ApiError> {
        input.policies(ctx, world)
    }
}
