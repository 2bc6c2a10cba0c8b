//! `ListPolicies`.

use serde::Serialize;

use super::fields;
use super::page::{Page, Paging};
use super::policy_model::PolicyModel;
use super::tags::{self, Given};
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::api::render::Items;
use crate::world::{Policy, PolicyType, RequestId, World};

/// Lists the system's policies and the account's, or those of one type, by name (inferred).
///
/// Source: ram.md 4; `Tag` asks for policies that have all of the tags (inferred).
pub(super) struct ListPolicies;

#[derive(Debug)]
pub(super) struct Input {
    policy_type: Option<PolicyType>,
    paging: Paging,
    tags: Vec<Given>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let policy_type = fields::optional_policy_type(params)?;
        Ok(Self { policy_type, paging: Paging::from_params(params)?, tags: tags::read(params)? })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    policies: Items<PolicyModel>,
}

impl Reply for Output {}

impl Action for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![super::all("ram:ListPolicies", ctx, "policy")]
    }
}

impl Read for ListPolicies {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let asked = |policy: &Policy<'_>| {
            let has_tags = match policy {
                Policy::System(_) => input.tags.is_empty(),
                Policy::Custom(policy) => tags::matches(&policy.tags, &input.tags),
            };
            has_tags && input.policy_type.is_none_or(|asked| asked == policy.policy_type())
        };
        let policies = world.policies(ctx.caller.account).filter(asked);
        let Page { items, marker } = input.paging.cut(policies, key);
        let counts = world.attachment_counts(ctx.caller.account);
        Ok(Output {
            request_id: ctx.request_id,
            is_truncated: marker.is_some(),
            marker,
            policies: Items(items.into_iter().map(|policy| PolicyModel::listed(&counts, policy)).collect()),
        })
    }
}

/// What the list is ordered by: the system's policies first.
fn key(policy: &Policy<'_>) -> String {
    match policy {
        Policy::System(policy) => format!("0{}", policy.name),
        Policy::Custom(policy) => format!("1{}", policy.name().to_ascii_lowercase()),
    }
}
