//! Policies going on and coming off users and roles.

use serde::Serialize;

use super::holder::{HolderKind, Named};
use super::{Empty, fields, policy_model};
use crate::api::action::{Ctx, FromParams, Permission, Reply};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::api::render::{Item, Items};
use crate::world::{AttachedPolicies, Holder, PolicyRef, PolicyType, RequestId, World, utc_seconds};

/// How many system policies a user or role can have (ram.md 3 and 4, documented). No call can reach it while there are
/// fewer.
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

#[cfg(test)]
mod tests {
    use super::super::holder::{RoleKind, UserKind};
    use super::*;
    use crate::api::action::by_owner;
    use crate::api::error::Code;
    use crate::api::params;
    use crate::policy::{PermissionPolicy, SystemPolicy, Use};
    use crate::world::{Ids, parse_utc, seed};

    /// Policies such as the vendor's, under names that none of them has.
    fn system_policies(count: usize) -> Vec<PolicyRef> {
        let document = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let policy = PermissionPolicy::parse(document, Use::Identity).expect("a policy");
        let named = |number: usize| SystemPolicy {
            name: Box::leak(format!("Aliyun{number}").into_boxed_str()),
            description: "",
            policy: policy.clone(),
        };
        let policies: Vec<SystemPolicy> = (0..count).map(named).collect();
        policies.leak().iter().map(PolicyRef::System).collect()
    }

    fn at_most_twenty<K: HolderKind>(query: &str, too_many: Code) {
        let now = parse_utc("2026-11-24T02:07:22Z").expect("a time");
        let query = format!("PolicyType=System&PolicyName=ReadOnlyAccess&{query}");
        let pairs = params::decode(query.as_bytes()).expect("well encoded");
        let input = Input::<K>::from_params(&Params::new(pairs)).expect("an input");
        for (others, expected) in [(MOST_SYSTEM - 1, None), (MOST_SYSTEM, Some(too_many))] {
            let files = [("default".to_owned(), seed::DEFAULT.to_owned())];
            let mut world = seed::build(&files, &Ids::seeded(1), now).expect("a good seed");
            by_owner(None, |ctx| {
                let (holder, _) = input.find(ctx, &world).expect("both are there");
                let before = world.attached_to(holder).map_or(0, |attached| attached.count(PolicyType::System));
                for policy in system_policies(others - before) {
                    assert!(world.attach(holder, policy, now));
                }
                let refused = input.attach(ctx, &mut world).err().map(|error| error.code);
                assert_eq!(refused, expected, "beside {others}");
                let attached = world.attached_to(holder).expect("the holder").count(PolicyType::System);
                assert_eq!(attached, MOST_SYSTEM);
            });
        }
    }

    #[test]
    fn a_user_or_role_has_at_most_twenty_system_policies() {
        at_most_twenty::<UserKind>("UserName=disabled", Code::TooManyUserPolicies);
        at_most_twenty::<RoleKind>("RoleName=web-role", Code::TooManyRolePolicies);
    }
}
