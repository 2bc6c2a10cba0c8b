//! `UpdateAccessKey`.

use super::Empty;
use super::key_model::OneKey;
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{KeyStatus, World};

/// Says whether a key may sign.
///
/// Source: ram.md 4.
pub(super) struct UpdateAccessKey;

#[derive(Debug)]
pub(super) struct Input {
    key: OneKey,
    status: KeyStatus,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let key = OneKey::from_params(params)?;
        let status = params.optional("Status").ok_or(Code::MissingStatus)?;
        Ok(Self { key, status: KeyStatus::parse(status).ok_or(Code::StatusIncorrect)? })
    }
}

impl Action for UpdateAccessKey {
    const NAME: &'static str = "UpdateAccessKey";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.key.whose.needs("ram:UpdateAccessKey", ctx, world)
    }
}

impl Write for UpdateAccessKey {
    fn call(ctx: &Ctx<'_>, world: &mut World, input: Input) -> Result<Empty, ApiError> {
        input.key.find(ctx, world)?;
        world.set_key_status(&input.key.id, input.status);
        Ok(Empty::new(ctx))
    }
}
