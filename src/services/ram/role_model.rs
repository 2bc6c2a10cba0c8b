//! Roles as RAM's answers show them.

use serde::Serialize;

use super::tags::{self, Shown};
use crate::api::action::{Ctx, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::render::{Item, Items};
use crate::policy::TrustPolicy;
use crate::world::{AccountId, RequestId, Role, World, utc_seconds};

/// # Errors
/// `EntityNotExist.Role`.
pub(super) fn find<'w>(ctx: &Ctx<'_>, world: &'w World, name: &str) -> Result<&'w Role, ApiError> {
    world.role(ctx.caller.account, name).ok_or_else(|| Code::RamRoleNotFound.about(name))
}

/// Whom a trust policy names has to exist when it is saved (ram.md 5, documented of users; of roles, and that only the
/// caller's account is looked at: inferred).
///
/// # Errors
/// `MalformedPolicyDocument`.
pub(super) fn names_exist(ctx: &Ctx<'_>, world: &World, trust: &TrustPolicy) -> Result<(), ApiError> {
    let account = ctx.caller.account;
    let prefix = format!("acs:ram::{account}:");
    let exists = |arn: &str| match arn.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) {
        Some(("user", name)) => world.user(account, name).is_some(),
        Some(("role", name)) => world.role(account, name).is_some(),
        _ => true,
    };
    match trust.named_identities().find(|arn| !exists(arn)) {
        None => Ok(()),
        Some(arn) => Err(Code::MalformedPolicyDocument.about(format_args!("{arn} does not exist"))),
    }
}

/// A role. Members in the order of the samples, those without one after them (ram.md 3).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleModel {
    role_id: String,
    role_name: String,
    arn: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    max_session_duration: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    assume_role_policy_document: Option<String>,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
    allow_console_login: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_principal_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_service_linked_role: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Items<Shown>>,
}

impl Item for RoleModel {
    const ELEMENT: &'static str = "Role";
}

impl RoleModel {
    /// What CreateRole answers.
    pub(super) fn created(role: &Role) -> Self {
        Self {
            role_id: role.id().to_string(),
            role_name: role.name().to_string(),
            arn: arn(role.account(), role.name().as_str()),
            description: role.description.to_string(),
            max_session_duration: role.max_session_duration,
            assume_role_policy_document: Some(role.trust.text().to_owned()),
            create_date: utc_seconds(role.created),
            update_date: None,
            allow_console_login: role.allow_console_login,
            role_principal_name: None,
            is_service_linked_role: None,
            tags: None,
        }
    }

    /// What UpdateRole answers.
    pub(super) fn updated(role: &Role) -> Self {
        Self { update_date: Some(utc_seconds(role.updated)), ..Self::created(role) }
    }

    /// What GetRole answers.
    pub(super) fn whole(role: &Role) -> Self {
        let principal = format!("{}@role.{}.onaliyunservice.com", role.name(), role.account());
        Self { role_principal_name: Some(principal), is_service_linked_role: Some(false), ..Self::updated(role) }
    }

    /// What ListRoles answers: no document.
    pub(super) fn listed(role: &Role) -> Self {
        let tags = Some(tags::shown(&role.tags));
        Self { assume_role_policy_document: None, tags, ..Self::updated(role) }
    }
}

pub(super) fn arn(account: AccountId, name: &str) -> String {
    format!("acs:ram::{account}:role/{name}")
}

/// An answer that is one role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneRole {
    request_id: RequestId,
    role: RoleModel,
}

impl OneRole {
    pub(super) fn new(ctx: &Ctx<'_>, role: RoleModel) -> Self {
        Self { request_id: ctx.request_id, role }
    }
}

impl Reply for OneRole {}
