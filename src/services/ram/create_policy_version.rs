//! `CreatePolicyVersion`.

use serde::Serialize;

use super::fields;
use super::policy_model::{CustomName, VersionModel, custom_mut};
use crate::api::action::{Action, Ctx, FromParams, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::policy::PermissionPolicy;
use crate::world::{RequestId, World};

/// Adds a version to a custom policy, and makes it the default one if the call says so.
///
/// Source: the SDK's model; clients.md 4.4; the limit: ram.md 4.
pub(super) struct CreatePolicyVersion;

/// How many versions a policy can have (ram.md 4, documented).
const MOST: usize = 5;

#[derive(Debug)]
pub(super) struct Input {
    policy: CustomName,
    document: PermissionPolicy,
    set_as_default: bool,
    /// Whether the oldest version that is not the default one makes room (documented by the SDK's model).
    rotates: bool,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let policy = CustomName::from_params(params)?;
        let document = fields::policy_document(params)?;
        let set_as_default = fields::flag(params, "SetAsDefault", Code::SetAsDefaultIncorrect)?.unwrap_or_default();
        let rotates = match params.optional("RotateStrategy") {
            None | Some("None") => false,
            Some("DeleteOldestNonDefaultVersionWhenLimitExceeded") => true,
            Some(_) => return Err(Code::RotateStrategyIncorrect.into()),
        };
        Ok(Self { policy, document, set_as_default, rotates })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy_version: VersionModel,
}

impl Reply for Output {}

impl Action for CreatePolicyVersion {
    const NAME: &'static str = "CreatePolicyVersion";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.policy.needs("ram:CreatePolicyVersion", ctx, world)
    }
}

impl Write for CreatePolicyVersion {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Output, ApiError> {
        let policy = custom_mut(ctx, world, &input.policy.0)?;
        if policy.versions().len() >= MOST {
            if !input.rotates {
                return Err(Code::TooManyPolicyVersions.into());
            }
            policy.remove_oldest(ctx.now);
        }
        let id = policy.add_version(input.document, ctx.now).id;
        if input.set_as_default {
            policy.set_default(id, ctx.now);
        }
        Ok(Output { request_id: ctx.request_id, policy_version: VersionModel::newest(policy) })
    }
}
