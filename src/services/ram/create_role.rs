//! `CreateRole`.

use super::fields;
use super::role_model::{self, OneRole, RoleModel};
use super::tags::{self, Given};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::policy::TrustPolicy;
use crate::world::{Role, RoleName, World};

/// Makes a role.
///
/// Source: ram.md 3. That a role can be taken on in the console unless the call says otherwise is inferred.
pub(super) struct CreateRole;

/// How many roles an account can have (ram.md 3, documented).
const MOST: usize = 1000;

#[derive(Debug)]
pub(super) struct Input {
    role_name: String,
    trust: TrustPolicy,
    description: Option<String>,
    max_session_duration: Option<u32>,
    allow_console_login: Option<bool>,
    tags: Vec<Given>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let role_name = fields::NEW_ROLE_NAME.required(params)?;
        let too_long = Code::AssumeRolePolicyDocumentLength;
        let trust = fields::trust_document(params, "AssumeRolePolicyDocument", too_long)?;
        let incorrect = Code::MaxSessionDurationIncorrect;
        Ok(Self {
            role_name,
            trust: trust.ok_or(Code::MissingAssumeRolePolicyDocument)?,
            description: fields::DESCRIPTION.read(params)?,
            max_session_duration: fields::session_seconds(params, "MaxSessionDuration", incorrect)?,
            allow_console_login: fields::flag(params, "AllowConsoleLogin", Code::AllowConsoleLoginIncorrect)?,
            tags: tags::read(params)?,
        })
    }
}

impl Action for CreateRole {
    const NAME: &'static str = "CreateRole";
    type Input = Input;
    type Reply = OneRole;

    fn needs(ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![super::all("ram:CreateRole", ctx, "role")]
    }
}

impl Write for CreateRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<OneRole, ApiError> {
        role_model::names_exist(ctx, world, &input.trust)?;
        let account = ctx.caller.account;
        if world.role(account, &input.role_name).is_some() {
            return Err(Code::RoleExists.into());
        }
        if world.roles(account).count() >= MOST {
            return Err(Code::TooManyRoles.into());
        }
        let mut role =
            Role::new(world.new_ram_id(ctx.ids), account, RoleName::new(&input.role_name), input.trust, ctx.now);
        role.description = input.description.unwrap_or_default().into();
        role.max_session_duration = input.max_session_duration.unwrap_or(role.max_session_duration);
        role.allow_console_login = input.allow_console_login.unwrap_or(role.allow_console_login);
        tags::put(&mut role.tags, &input.tags);
        let reply = OneRole::new(ctx, RoleModel::created(&role));
        world.add_role(role);
        Ok(reply)
    }
}
