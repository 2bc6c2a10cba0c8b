//! `GetCallerIdentity`.

use serde::Serialize;

use crate::api::action::{Action, Ctx, FromParams, Identity, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{AccountId, RamId, RequestId, World};

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
            Identity::Owner => {
                ("Account", format!("acs:ram::{account}:root"), account.to_string(), Some(account.to_string()), None)
            }
            Identity::User(id) => {
                // Gone since the call was authenticated: so is the key.
                let user = world.user_by_id(*id).ok_or(Code::AccessKeyNotFound)?;
                let arn = format!("acs:ram::{account}:user/{}", user.name());
                ("RAMUser", arn, id.to_string(), Some(id.to_string()), None)
            }
            Identity::RoleSession(session) => {
                let arn = format!("acs:ram::{account}:assumed-role/{}/{}", session.role_name, session.name);
                ("AssumedRoleUser", arn, session.principal_id(), None, Some(session.role))
            }
        };
        let request_id = ctx.request_id;
        Ok(Output { identity_type, account_id: account, request_id, principal_id, user_id, role_id, arn })
    }
}
