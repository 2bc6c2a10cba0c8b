//! `CreatePolicy`.

use serde::Serialize;

use super::fields;
use super::policy_model::PolicyModel;
use super::tags::{self, Given};
use crate::api::action::{Action, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::policy::PermissionPolicy;
use crate::world::{ManagedPolicy, Policy, RequestId, World};

/// Makes a custom policy with its version `v1`.
///
/// Source: ram.md 4. It may have the name of a system policy: the type tells them apart (inferred).
pub(super) struct CreatePolicy;

/// How many custom policies an account can have (ram.md 4, documented). Their documents are bounded one by one, not
/// together: an account that fills them all with the longest takes some tens of MB of text, and more compiled.
const MOST: usize = 1500;

#[derive(Debug)]
pub(super) struct Input {
    policy_name: String,
    document: PermissionPolicy,
    description: Option<String>,
    tags: Vec<Given>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            policy_name: fields::POLICY_NAME.required(params)?,
            document: fields::policy_document(params)?,
            description: fields::DESCRIPTION.read(params)?,
            tags: tags::read(params)?,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy: PolicyModel,
}

impl Reply for Output {}

impl Action for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![super::all("ram:CreatePolicy", ctx, "policy")]
    }
}

impl Write for CreatePolicy {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Output, ApiError> {
        let account = ctx.caller.account;
        if world.custom_policy(account, &input.policy_name).is_some() {
            return Err(Code::PolicyExists.into());
        }
        if world.custom_policies(account).count() >= MOST {
            return Err(Code::TooManyPolicies.into());
        }
        let mut policy =
            ManagedPolicy::new(world.new_ram_id(ctx.ids), account, &input.policy_name, input.document, ctx.now);
        policy.description = input.description.unwrap_or_default().into();
        tags::put(&mut policy.tags, &input.tags);
        let reply = Output { request_id: ctx.request_id, policy: PolicyModel::created(Policy::Custom(&policy)) };
        world.add_policy(policy);
        Ok(reply)
    }
}
