//! `ListRoles`.

use serde::Serialize;

use super::page::{Page, Paging};
use super::role_model::RoleModel;
use super::tags::{self, Given};
use crate::api::action::{Action, Ctx, FromParams, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::api::render::Items;
use crate::world::{RequestId, World};

/// Lists the roles, by name (inferred).
///
/// Source: ram.md 3; `Tag` asks for roles that have all of the tags (inferred).
pub(super) struct ListRoles;

#[derive(Debug)]
pub(super) struct Input {
    paging: Paging,
    tags: Vec<Given>,
}

impl FromParams for Input {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Ok(Self { paging: Paging::from_params(params)?, tags: tags::read(params)? })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    roles: Items<RoleModel>,
}

impl Reply for Output {}

impl Action for ListRoles {
    const NAME: &'static str = "ListRoles";
    type Input = Input;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, _input: &Input, _world: &World) -> Vec<Permission> {
        vec![super::all("ram:ListRoles", ctx, "role")]
    }
}

impl Read for ListRoles {
    fn call(ctx: &Ctx<'_>, world: &World, input: Input) -> Result<Output, ApiError> {
        let roles = world.roles(ctx.caller.account).filter(|role| tags::matches(&role.tags, &input.tags));
        let Page { items, marker } = input.paging.cut(roles, |role| role.name().as_str().to_ascii_lowercase());
        Ok(Output {
            request_id: ctx.request_id,
            is_truncated: marker.is_some(),
            marker,
            roles: Items(items.into_iter().map(RoleModel::listed).collect()),
        })
    }
}
