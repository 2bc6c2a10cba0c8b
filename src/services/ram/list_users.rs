//! `ListUsers`.

use serde::Serialize;

use super::page::{Page, Paging};
use super::user_model::UserModel;
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::render::Items;
use crate::world::{RequestId, World};

/// Lists the users, by name (inferred).
///
/// Source: ram.md 4; order of the members: ram.md 3, documented.
pub(super) struct ListUsers;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    users: Items<UserModel>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Reply for Output {}

impl Action for ListUsers {
    const NAME: &'static str = "ListUsers";
    type Input = Paging;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, _paging: &Paging, _world: &World) -> Vec<Permission> {
        vec![super::all("ram:ListUsers", ctx, "user")]
    }
}

impl Read for ListUsers {
    fn call(ctx: &Ctx<'_>, world: &World, paging: Paging) -> Result<Output, ApiError> {
        let users = world.users(ctx.caller.account);
        let Page { items, marker } = paging.cut(users, |user| user.name().to_ascii_lowercase());
        Ok(Output {
            request_id: ctx.request_id,
            users: Items(items.into_iter().map(UserModel::whole).collect()),
            is_truncated: marker.is_some(),
            marker,
        })
    }
}
