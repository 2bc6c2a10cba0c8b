//! `DeleteAccessKey`.

use super::Empty;
use super::key_model::OneKey;
use crate::api::action::{Action, Ctx, Permission, Write};
use crate::api::error::ApiError;
use crate::world::World;

/// Deletes a key, be it active or not.
///
/// Source: ram.md 4.
pub(super) struct DeleteAccessKey;

impl Action for DeleteAccessKey {
    const NAME: &'static str = "DeleteAccessKey";
    type Input = OneKey;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, key: &OneKey, world: &World) -> Vec<Permission> {
        key.whose.needs("ram:DeleteAccessKey", ctx, world)
    }
}

impl Write for DeleteAccessKey {
    fn call(ctx: &Ctx<'_>, world: &mut World, key: OneKey) -> Result<Empty, ApiError> {
        key.find(ctx, world)?;
        world.remove_key(&key.id);
        Ok(Empty::new(ctx))
    }
}
