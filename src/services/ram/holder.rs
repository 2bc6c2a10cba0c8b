//! Users and roles as what actions name, and what policies are attached to.

use std::marker::PhantomData;

use super::{fields, role_model, user_model};
use crate::api::action::{Ctx, FromParams, Permission};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{Holder, World};

/// What differs between users and roles.
pub(super) trait HolderKind {
    /// How many custom policies one can have (ram.md 3 and 4, documented).
    const MOST_CUSTOM: usize;
    const TOO_MANY: Code;
    const HAS_ALREADY: Code;
    const HAS_NOT: Code;

    fn name(params: &Params<'_>) -> Result<String, ApiError>;

    /// # Errors
    /// That there is none of this name.
    fn find(ctx: &Ctx<'_>, world: &World, name: &str) -> Result<Holder, ApiError>;

    /// The action on the one of this name.
    fn permission(action: &'static str, ctx: &Ctx<'_>, world: &World, name: &str) -> Permission;
}

pub(super) struct RoleKind;

impl HolderKind for RoleKind {
    const MOST_CUSTOM: usize = 5;
    const TOO_MANY: Code = Code::TooManyRolePolicies;
    const HAS_ALREADY: Code = Code::RoleHasPolicy;
    const HAS_NOT: Code = Code::RolePolicyNotFound;

    fn name(params: &Params<'_>) -> Result<String, ApiError> {
        fields::ROLE_NAME.required(params)
    }

    fn find(ctx: &Ctx<'_>, world: &World, name: &str) -> Result<Holder, ApiError> {
        role_model::find(ctx, world, name).map(|role| Holder::Role(role.id()))
    }

    fn permission(action: &'static str, ctx: &Ctx<'_>, world: &World, name: &str) -> Permission {
        let role = world.role(ctx.caller.account, name);
        super::one(action, ctx, "role", role.map_or(name, |role| role.name().as_str()))
    }
}

pub(super) struct UserKind;

impl HolderKind for UserKind {
    const MOST_CUSTOM: usize = 10;
    const TOO_MANY: Code = Code::TooManyUserPolicies;
    const HAS_ALREADY: Code = Code::UserHasPolicy;
    const HAS_NOT: Code = Code::UserPolicyNotFound;

    fn name(params: &Params<'_>) -> Result<String, ApiError> {
        fields::USER_NAME.required(params)
    }

    fn find(ctx: &Ctx<'_>, world: &World, name: &str) -> Result<Holder, ApiError> {
        user_model::find(ctx, world, name).map(|user| Holder::User(user.id()))
    }

    fn permission(action: &'static str, ctx: &Ctx<'_>, world: &World, name: &str) -> Permission {
        let user = world.user(ctx.caller.account, name);
        super::one(action, ctx, "user", user.map_or(name, |user| user.name()))
    }
}

/// An input that is nothing but a name.
#[derive(Debug)]
pub(super) struct Named<K> {
    pub(super) name: String,
    kind: PhantomData<K>,
}

impl<K: HolderKind> FromParams for Named<K> {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { name: K::name(params)?, kind: PhantomData })
    }
}

impl<K: HolderKind> Named<K> {
    pub(super) fn needs(&self, action: &'static str, ctx: &Ctx<'_>, world: &World) -> Vec<Permission> {
        vec![K::permission(action, ctx, world, &self.name)]
    }
}
