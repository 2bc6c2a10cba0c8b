//! `UpdateRole`.

use super::fields;
use super::holder::{HolderKind, RoleKind};
use super::role_model::{self, OneRole, RoleModel};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::policy::TrustPolicy;
use crate::world::World;

/// Changes of a role what the call names; the rest stays as it is (ram.md 3, inferred).
///
/// Source: ram.md 3.
pub(super) struct UpdateRole;

#[derive(Debug)]
pub(super) struct Input {
    role_name: String,
    trust: Option<TrustPolicy>,
    description: Option<String>,
    max_session_duration: Option<u32>,
    allow_console_login: Option<bool>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let role_name = fields::ROLE_NAME.required(params)?;
        let too_long = Code::NewAssumeRolePolicyDocumentLength;
        let incorrect = Code::NewMaxSessionDurationIncorrect;
        Ok(Self {
            role_name,
            trust: fields::trust_document(params, "NewAssumeRolePolicyDocument", too_long)?,
            description: fields::NEW_DESCRIPTION.read(params)?,
            max_session_duration: fields::session_seconds(params, "NewMaxSessionDuration", incorrect)?,
            allow_console_login: fields::flag(params, "NewAllowConsoleLogin", Code::NewAllowConsoleLoginIncorrect)?,
        })
    }
}

impl Action for UpdateRole {
    const NAME: &'static str = "UpdateRole";
    type Input = Input;
    type Reply = OneRole;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        vec![RoleKind::permission("ram:UpdateRole", ctx, world, &input.role_name)]
    }
}

impl Write for UpdateRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<OneRole, ApiError> {
        role_model::find(ctx, world, &input.role_name)?;
        if let Some(trust) = &input.trust {
            role_model::names_exist(ctx, world, trust)?;
        }
        let role = world.role_mut(ctx.caller.account, &input.role_name);
        let role = role.ok_or_else(|| Code::RamRoleNotFound.about(&input.role_name))?;
        if let Some(trust) = input.trust {
            role.trust = trust;
        }
        if let Some(description) = input.description {
            role.description = description.into();
        }
        role.max_session_duration = input.max_session_duration.unwrap_or(role.max_session_duration);
        role.allow_console_login = input.allow_console_login.unwrap_or(role.allow_console_login);
        role.updated = ctx.now;
        Ok(OneRole::new(ctx, RoleModel::updated(role)))
    }
}
