//! `UntagResources`.

use super::tags::{self, Resources};
use super::{Empty, fields};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::World;

/// Takes tags off roles or policies: those of the named keys, or with `All` and no keys every one. A key that is not
/// there is no mistake (inferred).
///
/// Source: the SDK's model; clients.md 4.1.
pub(super) struct UntagResources;

#[derive(Debug)]
pub(super) struct Input {
    resources: Resources,
    /// Empty for all.
    keys: Vec<String>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let (resources, keys) = (Resources::required(params)?, tags::keys(params)?);
        let all = fields::flag(params, "All", Code::AllIncorrect)?.unwrap_or_default();
        if keys.is_empty() && !all { Err(Code::MissingTagKeys.into()) } else { Ok(Self { resources, keys }) }
    }
}

impl Action for UntagResources {
    const NAME: &'static str = "UntagResources";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.resources.needs("ram:UntagResources", ctx, world)
    }
}

impl Write for UntagResources {
    fn call(ctx: &Ctx<'_>, world: &mut World, Input { resources, keys }: Input) -> Result<Empty, ApiError> {
        resources.exist(ctx, world)?;
        resources.change(ctx, world, |tags| {
            tags.retain(|key, _| !keys.is_empty() && !keys.iter().any(|named| **named == **key));
        });
        Ok(Empty::new(ctx))
    }
}
