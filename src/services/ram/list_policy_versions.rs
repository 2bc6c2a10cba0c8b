//! `ListPolicyVersions`.

use serde::Serialize;

use super::policy_model::{AnyName, VersionModel};
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::render::Items;
use crate::world::{RequestId, World};

/// Lists the versions of a policy with their documents, oldest first (inferred).
///
/// Source: the SDK's model; clients.md 4.4.
pub(super) struct ListPolicyVersions;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    policy_versions: Items<VersionModel>,
}

impl Reply for Output {}

impl Action for ListPolicyVersions {
    const NAME: &'static str = "ListPolicyVersions";
    type Input = AnyName;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &AnyName, world: &World) -> Vec<Permission> {
        input.needs("ram:ListPolicyVersions", ctx, world)
    }
}

impl Read for ListPolicyVersions {
    fn call(ctx: &Ctx<'_>, world: &World, input: AnyName) -> Result<Output, ApiError> {
        let policy = input.find(ctx, world)?;
        Ok(Output { request_id: ctx.request_id, policy_versions: Items(VersionModel::all_of(policy)) })
    }
}
