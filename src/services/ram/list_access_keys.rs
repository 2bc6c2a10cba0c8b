//! `ListAccessKeys`.

use serde::Serialize;

use super::key_model::{KeyModel, Whose};
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::render::Items;
use crate::world::{RequestId, World};

/// Lists the keys of a user, or of the caller, oldest first (inferred); there are no pages.
///
/// Source: ram.md 4.
pub(super) struct ListAccessKeys;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    access_keys: Items<KeyModel>,
}

impl Reply for Output {}

impl Action for ListAccessKeys {
    const NAME: &'static str = "ListAccessKeys";
    type Input = Whose;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, whose: &Whose, world: &World) -> Vec<Permission> {
        whose.needs("ram:ListAccessKeys", ctx, world)
    }
}

impl Read for ListAccessKeys {
    fn call(ctx: &Ctx<'_>, world: &World, whose: Whose) -> Result<Output, ApiError> {
        let keys = world.keys_of(ctx.caller.account, &whose.owner(ctx, world)?);
        let access_keys = keys.into_iter().map(|(id, key)| KeyModel::listed(id, key)).collect();
        Ok(Output { request_id: ctx.request_id, access_keys: Items(access_keys) })
    }
}
