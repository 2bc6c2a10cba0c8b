//! `TagResources`.

use super::Empty;
use super::tags::{self, Given, Resources};
use crate::api::action::{Action, Ctx, FromParams, Permission, Write};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::World;

/// Puts tags on roles or policies; a key that is there gets the new value.
///
/// Source: the SDK's model; clients.md 4.1. If one of them is not there or would have too many tags, none is changed
/// (inferred).
pub(super) struct TagResources;

#[derive(Debug)]
pub(super) struct Input {
    resources: Resources,
    tags: Vec<Given>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let (resources, tags) = (Resources::required(params)?, tags::read(params)?);
        if tags.is_empty() { Err(Code::MissingTag.into()) } else { Ok(Self { resources, tags }) }
    }
}

impl Action for TagResources {
    const NAME: &'static str = "TagResources";
    type Input = Input;
    type Reply = Empty;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.resources.needs("ram:TagResources", ctx, world)
    }
}

impl Write for TagResources {
    fn call(ctx: &Ctx<'_>, world: &mut World, Input { resources, tags: given }: Input) -> Result<Empty, ApiError> {
        for name in &resources.names {
            let (_, tags) = resources.tags(ctx, world, name)?;
            if tags::count_with(tags, &given) > tags::MOST {
                return Err(Code::TooManyTags.into());
            }
        }
        resources.change(ctx, world, |tags| tags::put(tags, &given));
        Ok(Empty::new(ctx))
    }
}
