//! `GetAccessKeyLastUsed`.

use serde::Serialize;

use super::key_model::OneKey;
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::world::{RequestId, World, utc_seconds};

/// Says when a key last signed a call, of any product, allowed or not (inferred).
///
/// Source: the SDK's model; that the date of a key that was never used is left out is inferred.
pub(super) struct GetAccessKeyLastUsed;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    access_key_last_used: LastUsed,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
}

impl Reply for Output {}

impl Action for GetAccessKeyLastUsed {
    const NAME: &'static str = "GetAccessKeyLastUsed";
    type Input = OneKey;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, key: &OneKey, world: &World) -> Vec<Permission> {
        key.whose.needs("ram:GetAccessKeyLastUsed", ctx, world)
    }
}

impl Read for GetAccessKeyLastUsed {
    fn call(ctx: &Ctx<'_>, world: &World, key: OneKey) -> Result<Output, ApiError> {
        let last_used_date = key.find(ctx, world)?.last_used().map(utc_seconds);
        Ok(Output { request_id: ctx.request_id, access_key_last_used: LastUsed { last_used_date } })
    }
}
