//! `ListEntitiesForPolicy`.

use jiff::Timestamp;
use serde::Serialize;

use super::policy_model::AnyName;
use super::role_model;
use crate::api::action::{Action, Ctx, Permission, Read, Reply};
use crate::api::error::ApiError;
use crate::api::render::{Item, Items};
use crate::world::{RequestId, Role, User, World, utc_seconds};

/// Lists who has a policy, by name (inferred). There are no groups here; their list is empty.
///
/// Source: the SDK's model; clients.md 4.4.
pub(super) struct ListEntitiesForPolicy;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: RequestId,
    groups: Items<NoGroup>,
    users: Items<UserEntity>,
    roles: Items<RoleEntity>,
}

/// What the list of groups never has.
#[derive(Debug, Serialize)]
enum NoGroup {}

impl Item for NoGroup {
    const ELEMENT: &'static str = "Group";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserEntity {
    user_id: String,
    user_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    attach_date: String,
}

impl Item for UserEntity {
    const ELEMENT: &'static str = "User";
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleEntity {
    role_id: String,
    role_name: String,
    arn: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    attach_date: String,
}

impl Item for RoleEntity {
    const ELEMENT: &'static str = "Role";
}

impl Reply for Output {}

impl Action for ListEntitiesForPolicy {
    const NAME: &'static str = "ListEntitiesForPolicy";
    type Input = AnyName;
    type Reply = Output;

    fn needs(ctx: &Ctx<'_>, input: &AnyName, world: &World) -> Vec<Permission> {
        input.needs("ram:ListEntitiesForPolicy", ctx, world)
    }
}

impl Read for ListEntitiesForPolicy {
    fn call(ctx: &Ctx<'_>, world: &World, input: AnyName) -> Result<Output, ApiError> {
        let policy = input.find(ctx, world)?.reference();
        let account = ctx.caller.account;
        Ok(Output {
            request_id: ctx.request_id,
            groups: Items(Vec::new()),
            users: Items(world.users_with(account, policy).map(user_entity).collect()),
            roles: Items(world.roles_with(account, policy).map(role_entity).collect()),
        })
    }
}

fn user_entity((user, attached): (&User, Timestamp)) -> UserEntity {
    UserEntity {
        user_id: user.id().to_string(),
        user_name: user.name().to_owned(),
        display_name: user.display_name.to_string(),
        attach_date: utc_seconds(attached),
    }
}

fn role_entity((role, attached): (&Role, Timestamp)) -> RoleEntity {
    RoleEntity {
        role_id: role.id().to_string(),
        role_name: role.name().to_string(),
        arn: role_model::arn(role.account(), role.name().as_str()),
        description: role.description.to_string(),
        attach_date: utc_seconds(attached),
    }
}
