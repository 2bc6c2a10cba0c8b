//! `GetCallerIdentity`.

use serde::Serialize;

use crate::api::action::{Action, Ctx, FromParams, Identity, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{AccountId, Arn, RamId, RequestId, World};

/// Who calls. It needs no permission.
///
/// Source: sts.md 3.
pub(super) struct GetCallerIdentity;

#[derive(Debug)]
pub(super) struct Input;

impl FromParams for Input {
    fn from_params(_params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    identity_type: &'static str,
    account_id: AccountId,
    request_id: RequestId,
    principal_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_id: Option<RamId>,
    arn: String,
}

impl Reply for Output {}

impl Action for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    type Input = Input;
    type Reply = Output;

    fn needs(_ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        Vec::new()
    }
}

impl Read for GetCallerIdentity {
    fn call(ctx: &Ctx<'_>, world: &World, _input: Input) -> Result<Output, ApiError> {
        let account = ctx.caller.account;
        let (identity_type, arn, principal_id, user_id, role_id) = match &ctx.caller.identity {
            Identity::Owner => ("Account", Arn::Root(account), account.to_string(), Some(account.to_string()), None),
            Identity::User(id) => {
                // A user who has a key stays.
                let user = world.user_by_id(*id).ok_or(Code::AccessKeyNotFound)?;
                ("RAMUser", Arn::User(account, user.name()), id.to_string(), Some(id.to_string()), None)
            }
            Identity::RoleSession(session) => {
                let arn = Arn::AssumedRole(account, session.role_name.as_str(), &session.name);
                ("AssumedRoleUser", arn, session.principal_id(), None, Some(session.role))
            }
        };
        Ok(Output {
            identity_type,
            account_id: account,
            request_id: ctx.request_id,
            principal_id,
            user_id,
            role_id,
            arn: arn.to_string(),
        })
    }
}
