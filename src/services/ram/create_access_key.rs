//! `CreateAccessKey`.

use serde::Serialize;

use super::key_model::{KeyModel, Whose};
use crate::api::action::{Action, Ctx, Permission, Reply, Write};
use crate::api::error::{ApiError, Code};
use crate::world::{AccessKey, RequestId, World};

/// Makes an active key of a user, or of the caller.
///
/// Source: ram.md 4.
pub(super) struct CreateAccessKey;

/// How many keys one can have (ram.md 4, documented).
const MOST: usize = 2;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    access_key: KeyModel,
}

impl Reply for Output {}

impl Action for CreateAccessKey {
    const NAME: &'static str = "CreateAccessKey";
    type Input = Whose;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, whose: &Whose, world: &World) -> Vec<Permission> {
        whose.needs("ram:CreateAccessKey", ctx, world)
    }
}

impl Write for CreateAccessKey {
    fn call(ctx: &Ctx<'_>, world: &mut World, whose: Whose) -> Result<Output, ApiError> {
        let owner = whose.owner(ctx, world)?;
        let account = ctx.caller.account;
        if world.keys_of(account, &owner).len() >= MOST {
            return Err(Code::TooManyAccessKeys.into());
        }
        let (id, secret) = (world.new_access_key_id(ctx.ids), ctx.ids.access_key_secret());
        let key = AccessKey::new(account, owner, &secret, ctx.now);
        let access_key = KeyModel::created(&id, secret, &key);
        if !world.add_key(&id, key) {
            return Err(Code::Internal.into());
        }
        Ok(Output { request_id: ctx.request_id, access_key })
    }
}
