//! `AssumeRole`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::api::action::{Action, Ctx, FromParams, Identity, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::policy::{Fault, Layer, PermissionPolicy, Use};
use crate::world::{AccountId, Arn, RequestId, RoleName, RoleSession, World, utc_seconds};

/// Hands out temporary credentials for a role, to a user or another role's session.
///
/// Source: sts.md 4. Empty parameters count as absent, as for every product.
pub(super) struct AssumeRole;

#[derive(Debug)]
pub(super) struct Input {
    account: AccountId,
    role: String,
    session_name: Box<str>,
    /// Seconds.
    duration: i64,
    policy: Option<PermissionPolicy>,
    external_id: Option<String>,
    source_identity: Option<String>,
}

impl FromParams for Input {
    /// First what is required, then the syntax in the order of the page (inferred).
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let arn = params.optional("RoleArn").ok_or(Code::MissingRoleArn)?;
        let session_name = params.optional("RoleSessionName").ok_or(Code::MissingRoleSessionName)?;
        let (account, role) = parse_arn(arn).ok_or(Code::RoleArnInvalid)?;
        if !RoleSession::is_name(session_name) {
            return Err(Code::RoleSessionNameInvalid.into());
        }
        let duration = params.optional("DurationSeconds").map_or(Ok(DEFAULT_SECONDS), duration)?;
        let policy = params.optional("Policy").map(policy).transpose()?;
        Ok(Self {
            account,
            role: role.to_owned(),
            session_name: session_name.into(),
            duration,
            policy,
            external_id: checked(params, "ExternalId", is_external_id, Code::ExternalIdInvalid)?,
            source_identity: checked(params, "SourceIdentity", RoleSession::is_name, Code::SourceIdentityInvalid)?,
        })
    }
}

const DEFAULT_SECONDS: i64 = 3600;
const LEAST_SECONDS: i64 = 900;

/// `acs:ram::<account>:role/<name>` (documented). Text that no role can be named is wrongly formed too (inferred).
fn parse_arn(arn: &str) -> Option<(AccountId, &str)> {
    match Arn::parse(arn)? {
        Arn::Role(account, role) if RoleName::is_well_formed(role) => Some((account, role)),
        _ => None,
    }
}

/// At least a quarter of an hour; at most what the role says, which is known later.
fn duration(text: &str) -> Result<i64, ApiError> {
    text.parse().ok().filter(|seconds| *seconds >= LEAST_SECONDS).ok_or_else(|| Code::DurationSecondsInvalid.into())
}

fn policy(text: &str) -> Result<PermissionPolicy, ApiError> {
    PermissionPolicy::parse(text, Use::Session).map_err(|error| match error.fault {
        Fault::Length => Code::PolicySizeInvalid.into(),
        Fault::Grammar => {
            tracing::debug!(%error, "a session policy is malformed");
            Code::PolicyGrammarInvalid.into()
        }
    })
}

/// 2 to 1224 characters of `[\w+=,.@:\/-]` (documented).
fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b))
}

fn checked(params: &Params<'_>, name: &str, is_good: fn(&str) -> bool, code: Code) -> Result<Option<String>, ApiError> {
    match params.optional(name) {
        Some(text) if !is_good(text) => Err(code.into()),
        text => Ok(text.map(str::to_owned)),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
    expiration: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

impl Reply for Output {}

impl Action for AssumeRole {
    const NAME: &'static str = "AssumeRole";
    type Input = Input;
    type Reply = Output;

    /// Nothing by itself: the caller's policies are asked together with the role's, in `call`.
    fn needs(_ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        Vec::new()
    }
}

impl Write for AssumeRole {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Output, ApiError> {
        if matches!(ctx.caller.identity, Identity::Owner) {
            return Err(Code::OwnerAssumesRole.into());
        }
        let role = world.role(input.account, &input.role);
        // Spelled as the role is, so that another case does not slip past a policy.
        let name = role.map_or(&*input.role, |role| role.name().as_str());
        let arn = Arn::Role(input.account, name).to_string();
        ctx.may_assume(world, arn.clone(), role, input.external_id.as_deref())?;
        let role = role.ok_or_else(|| Code::AssumedRoleNotFound.about(&arn))?;
        if input.duration > i64::from(role.max_session_duration) {
            return Err(Code::DurationSecondsInvalid.into());
        }
        let session = RoleSession {
            role: role.id(),
            role_name: role.name().clone(),
            name: input.session_name,
            instance: None,
            policy: input.policy.map(|policy| (Layer::Session, policy)),
        };
        let assumed_role_user = AssumedRoleUser {
            // The form of the 2021 page; GetCallerIdentity has another (sts.md 4).
            arn: format!("{arn}/{}", session.name),
            assumed_role_id: session.principal_id(),
        };
        let expires = ctx.now.saturating_add(SignedDuration::from_secs(input.duration)).unwrap_or(Timestamp::MAX);
        let opened = world.open_session(ctx.ids, ctx.now, input.account, session, expires);
        Ok(Output {
            request_id: ctx.request_id,
            credentials: Credentials {
                access_key_id: opened.access_key_id,
                access_key_secret: opened.access_key_secret,
                security_token: opened.security_token,
                expiration: utc_seconds(expires),
            },
            assumed_role_user,
            source_identity: input.source_identity,
        })
    }
}
