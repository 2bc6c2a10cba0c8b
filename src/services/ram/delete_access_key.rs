//! `DeleteAccessKey`.

use super::Empty;
use super::key_model::OneKey;
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::world::World;

/// Deletes a key, be it active or not.
///
/// Source: ram.md 4.
pub(super) struct DeleteAccessKey;

#[derive(Debug)]
pub(super) struct Input(OneKey);

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        OneKey::from_params(params).map(Self)
    }
}

impl Action for DeleteAccessKey {
    const NAME: &'static str = "DeleteAccessKey";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, Input(key): &Input, world: &World) -> Vec<Permission> {
        key.whose.needs("ram:DeleteAccessKey", ctx, world)
    }
}

impl Write for DeleteAccessKey {
    fn call(ctx: &Ctx<'_>, world: &mut World, Input(key): Input) -> Result<Empty, ApiError> {
        key.find(ctx, world)?;
        world.remove_key(&key.id);
        Ok(Empty::new(ctx))
    }
}
