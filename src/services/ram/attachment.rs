//! Policies going on and coming off users and roles.

use serde::Serialize;

use super::holder::{HolderKind, Named};
use super::{Empty, fields, policy_model};
use crate::api::action::{Ctx, FromParams, Permission, Reply};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{AttachedPolicies, Holder, PolicyRef, PolicyType, RequestId, World, utc_seconds};

/// How many system policies a user or role can have (ram.md 3 and 4, documented). Nobody can reach it while there are
/// fewer: only the bound of custom policies has a test.
const MOST_SYSTEM: usize = 20;

/// Which policy, and of whom.
#[derive(Debug)]
pub(super) struct Input<K> {
    policy_type: PolicyType,
    policy_name: String,
    holder: Named<K>,
}

impl<K: HolderKind> FromParams for Input<K> {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let policy_type = fields::policy_type(params)?;
        let policy_name = fields::POLICY_NAME.required(params)?;
        Ok(Self { policy_type, policy_name, holder: Named::from_params(params)? })
    }
}

impl<K: HolderKind> Input<K> {
    /// On the user or role, and on the policy (ram.md 4, documented).
    pub(super) fn needs(&self, action: &'static str, ctx: &Ctx<'_>, world: &World) -> Vec<Permission> {
        let policy = policy_model::permission(action, ctx, world, self.policy_type, &self.policy_name);
        vec![K::permission(action, ctx, world, &self.holder.name), policy]
    }

    /// The user or role is looked for before the policy (inferred).
    fn find(&self, ctx: &Ctx<'_>, world: &World) -> Result<(Holder, PolicyRef), ApiError> {
        let holder = K::find(ctx, world, &self.holder.name)?;
        let policy = policy_model::find(ctx, world, self.policy_type, &self.policy_name)?;
        Ok((holder, policy.reference()))
    }

    /// # Errors
    /// That one of them is not there, that the policy is attached already, or that there are too many.
    pub(super) fn attach(&self, ctx: &Ctx<'_>, world: &mut World) -> Result<Empty, ApiError> {
        let (holder, policy) = self.find(ctx, world)?;
        let most = if self.policy_type == PolicyType::System { MOST_SYSTEM } else { K::MOST_CUSTOM };
        let attached = world.attached_to(holder);
        if attached.is_some_and(|attached| attached.since(policy).is_some()) {
            return Err(K::HAS_ALREADY.into());
        }
        if attached.is_some_and(|attached| attached.count(self.policy_type) >= most) {
            return Err(K::TOO_MANY.into());
        }
        world.attach(holder, policy, ctx.now);
        Ok(Empty::new(ctx))
    }

    /// # Errors
    /// That one of them is not there, or that the policy is not attached.
    pub(super) fn detach(&self, ctx: &Ctx<'_>, world: &mut World) -> Result<Empty, ApiError> {
        let (holder, policy) = self.find(ctx, world)?;
        if world.detach(holder, policy) { Ok(Empty::new(ctx)) } else { Err(K::HAS_NOT.into()) }
    }
}

/// The policies of a user or role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policies {
    request_id: RequestId,
    policies: Items<Attached>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    policy_name: String,
    policy_type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    default_version: String,
    attach_date: String,
}

impl Item for Attached {
    const ELEMENT: &'static str = "Policy";
}

impl Reply for Policies {}

impl<K: HolderKind> Named<K> {
    /// In the order in which they were attached (inferred).
    ///
    /// # Errors
    /// That there is nobody of this name.
    pub(super) fn policies(&self, ctx: &Ctx<'_>, world: &World) -> Result<Policies, ApiError> {
        let holder = K::find(ctx, world, &self.name)?;
        let attached = world.attached_to(holder).into_iter().flat_map(AttachedPolicies::iter);
        let policies = attached.filter_map(|attached| {
            let policy = world.attached_policy(attached.policy)?;
            Some(Attached {
                policy_name: policy.name().to_owned(),
                policy_type: policy.policy_type().name(),
                description: policy.description().to_owned(),
                default_version: policy.default_version().to_string(),
                attach_date: utc_seconds(attached.attached),
            })
        });
        Ok(Policies { request_id: ctx.request_id, policies: Items(policies.collect()) })
    }
}
