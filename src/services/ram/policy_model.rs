//! Policies as RAM's answers show them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::fields;
use super::tags::{self, Shown};
use crate::api::action::{Ctx, FromParams, Permission};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{ManagedPolicy, Policy, PolicyRef, PolicyType, PolicyVersion, VersionId, World, utc_seconds};

/// # Errors
/// `EntityNotExist.Policy`.
pub(super) fn find<'w>(
    ctx: &Ctx<'_>,
    world: &'w World,
    policy_type: PolicyType,
    name: &str,
) -> Result<Policy<'w>, ApiError> {
    world.policy(ctx.caller.account, policy_type, name).ok_or_else(|| Code::PolicyNotFound.into())
}

/// A policy that can be changed: a system policy's name is nobody's here (ram.md 4, inferred).
///
/// # Errors
/// `EntityNotExist.Policy`.
pub(super) fn custom<'w>(ctx: &Ctx<'_>, world: &'w World, name: &str) -> Result<&'w ManagedPolicy, ApiError> {
    world.custom_policy(ctx.caller.account, name).ok_or_else(|| Code::PolicyNotFound.into())
}

/// The same, to change it.
///
/// # Errors
/// `EntityNotExist.Policy`.
pub(super) fn custom_mut<'w>(
    ctx: &Ctx<'_>,
    world: &'w mut World,
    name: &str,
) -> Result<&'w mut ManagedPolicy, ApiError> {
    world.custom_policy_mut(ctx.caller.account, name).ok_or_else(|| Code::PolicyNotFound.into())
}

/// The action on `acs:ram:*:<account or system>:policy/<name>` (ram.md 2, documented).
pub(super) fn permission(
    action: &'static str,
    ctx: &Ctx<'_>,
    world: &World,
    policy_type: PolicyType,
    name: &str,
) -> Permission {
    let account = ctx.caller.account;
    match policy_type {
        PolicyType::System => Permission::new(action, format!("acs:ram:*:system:policy/{name}")),
        PolicyType::Custom => {
            let policy = world.custom_policy(account, name);
            super::one(action, ctx, "policy", policy.map_or(name, |policy| policy.name()))
        }
    }
}

/// An input that is the name of a custom policy.
#[derive(Debug)]
pub(super) struct CustomName(pub(super) String);

impl FromParams for CustomName {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        fields::POLICY_NAME.required(params).map(Self)
    }
}

impl CustomName {
    pub(super) fn needs(&self, action: &'static str, ctx: &Ctx<'_>, world: &World) -> Vec<Permission> {
        vec![permission(action, ctx, world, PolicyType::Custom, &self.0)]
    }
}

/// An input that is a version of a policy.
#[derive(Debug)]
pub(super) struct VersionOf<P> {
    pub(super) policy: P,
    pub(super) id: VersionId,
}

impl<P: FromParams> FromParams for VersionOf<P> {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { policy: P::from_params(params)?, id: fields::version_id(params)? })
    }
}

/// An input that is the name of a policy of either type.
#[derive(Debug)]
pub(super) struct AnyName {
    policy_type: PolicyType,
    name: String,
}

impl FromParams for AnyName {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { policy_type: fields::policy_type(params)?, name: fields::POLICY_NAME.required(params)? })
    }
}

impl AnyName {
    pub(super) fn needs(&self, action: &'static str, ctx: &Ctx<'_>, world: &World) -> Vec<Permission> {
        vec![permission(action, ctx, world, self.policy_type, &self.name)]
    }

    /// # Errors
    /// `EntityNotExist.Policy`.
    pub(super) fn find<'w>(&self, ctx: &Ctx<'_>, world: &'w World) -> Result<Policy<'w>, ApiError> {
        find(ctx, world, self.policy_type, &self.name)
    }
}

/// A policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyModel {
    policy_name: String,
    policy_type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    default_version: String,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Items<Shown>>,
}

impl Item for PolicyModel {
    const ELEMENT: &'static str = "Policy";
}

impl PolicyModel {
    /// What CreatePolicy answers.
    pub(super) fn created(policy: Policy<'_>) -> Self {
        Self {
            policy_name: policy.name().to_owned(),
            policy_type: policy.policy_type().name(),
            description: policy.description().to_owned(),
            default_version: policy.default_version().to_string(),
            create_date: utc_seconds(dates(policy).0),
            update_date: None,
            attachment_count: None,
            tags: None,
        }
    }

    /// What UpdatePolicyDescription answers.
    pub(super) fn updated(policy: Policy<'_>) -> Self {
        Self { update_date: Some(utc_seconds(dates(policy).1)), ..Self::created(policy) }
    }

    /// What GetPolicy answers; `counts` are the world's.
    pub(super) fn whole(counts: &BTreeMap<PolicyRef, usize>, policy: Policy<'_>) -> Self {
        let count = counts.get(&policy.reference()).copied().unwrap_or_default();
        Self { attachment_count: Some(count), ..Self::updated(policy) }
    }

    /// What ListPolicies answers.
    pub(super) fn listed(counts: &BTreeMap<PolicyRef, usize>, policy: Policy<'_>) -> Self {
        let tags = match policy {
            Policy::System(_) => Items(Vec::new()),
            Policy::Custom(policy) => tags::shown(&policy.tags),
        };
        Self { tags: Some(tags), ..Self::whole(counts, policy) }
    }
}

/// 2015-05-01T00:00:00Z, the day of the API's version: no dates of system policies are known (inferred).
const SYSTEM: Timestamp = Timestamp::constant(1_430_438_400, 0);

/// When it was made and changed.
fn dates(policy: Policy<'_>) -> (Timestamp, Timestamp) {
    match policy {
        Policy::System(_) => (SYSTEM, SYSTEM),
        Policy::Custom(policy) => (policy.created, policy.updated),
    }
}

/// A version of a policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionModel {
    version_id: String,
    is_default_version: bool,
    create_date: String,
    policy_document: String,
}

impl Item for VersionModel {
    const ELEMENT: &'static str = "PolicyVersion";
}

impl VersionModel {
    pub(super) fn new(policy: &ManagedPolicy, version: &PolicyVersion) -> Self {
        Self {
            version_id: version.id.to_string(),
            is_default_version: policy.is_default(version.id),
            create_date: utc_seconds(version.created),
            policy_document: version.policy.text().to_owned(),
        }
    }

    pub(super) fn newest(policy: &ManagedPolicy) -> Self {
        Self::new(policy, policy.newest())
    }

    /// The version that counts in decisions.
    pub(super) fn default_of(policy: Policy<'_>) -> Self {
        match policy {
            Policy::Custom(policy) => Self::new(policy, policy.default_version()),
            Policy::System(_) => Self {
                version_id: policy.default_version().to_string(),
                is_default_version: true,
                create_date: utc_seconds(dates(policy).0),
                policy_document: policy.document().text().to_owned(),
            },
        }
    }

    /// All versions, oldest first (inferred). A system policy has one.
    pub(super) fn all_of(policy: Policy<'_>) -> Vec<Self> {
        match policy {
            Policy::Custom(policy) => policy.versions().iter().map(|version| Self::new(policy, version)).collect(),
            Policy::System(_) => vec![Self::default_of(policy)],
        }
    }

    /// # Errors
    /// `EntityNotExist.Policy.Version`.
    pub(super) fn find(policy: Policy<'_>, id: VersionId) -> Result<Self, ApiError> {
        let version = match policy {
            Policy::Custom(policy) => policy.version(id).map(|version| Self::new(policy, version)),
            Policy::System(_) => (id == policy.default_version()).then(|| Self::default_of(policy)),
        };
        version.ok_or_else(|| Code::PolicyVersionNotFound.into())
    }
}
