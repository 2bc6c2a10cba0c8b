//! `ListTagResources`.

use serde::Serialize;

use super::page::{Page, Paging};
use super::tags::{self, Given, Resources};
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::world::{RequestId, Tags, World};

/// Lists the tags of roles or policies, by name and key (inferred): of the named ones, or of all. `Tag` asks for the
/// tags themselves (inferred).
///
/// Source: the SDK's model; clients.md 4.1.
pub(super) struct ListTagResources;

/// Documented by the SDK's model; that it is also the size of a page if none is asked for is inferred.
const LARGEST_PAGE: u32 = 100;

#[derive(Debug)]
pub(super) struct Input {
    resources: Resources,
    tags: Vec<Given>,
    paging: Paging,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let (token, size) =
            (("NextToken", Code::NextTokenIncorrect), ("PageSize", LARGEST_PAGE, Code::PageSizeIncorrect));
        Ok(Self {
            resources: Resources::read(params)?,
            tags: tags::read(params)?,
            paging: Paging::read(params, token, size)?,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    /// Unlike all other lists a plain array (clients.md 4.1, client).
    tag_resources: Vec<TagResource>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    resource_name: String,
    resource_type: &'static str,
    tag_key: String,
    tag_value: String,
}

impl Reply for Output {}

impl Action for ListTagResources {
    const NAME: &'static str = "ListTagResources";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &Input, world: &World) -> Vec<Permission> {
        input.resources.needs("ram:ListTagResources", ctx, world)
    }
}

impl Read for ListTagResources {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let resource_type = input.resources.kind.name();
        let mut tagged = input.resources.tagged(ctx, world)?;
        tagged.sort_by_key(|(name, _)| name.to_ascii_lowercase());
        // A resource that is named in two cases is one.
        tagged.dedup_by_key(|(name, _)| *name);
        let rows =
            tagged.iter().flat_map(|(name, tags)| rows(name, tags)).filter(|(_, tag)| tags::is_among(tag, &input.tags));
        let Page { items, marker } =
            input.paging.cut(rows, |(name, (key, _))| format!("{}\0{key}", name.to_ascii_lowercase()));
        let shown = |(name, (key, value)): (&str, (&str, &str))| TagResource {
            resource_name: name.to_owned(),
            resource_type,
            tag_key: key.to_owned(),
            tag_value: value.to_owned(),
        };
        Ok(Output {
            request_id: ctx.request_id,
            next_token: marker,
            tag_resources: items.into_iter().map(shown).collect(),
        })
    }
}

fn rows<'w>(name: &'w str, tags: &'w Tags) -> impl Iterator<Item = (&'w str, (&'w str, &'w str))> {
    tags.iter().map(move |(key, value)| (name, (&**key, &**value)))
}
