//! Users as RAM's answers show them.

use serde::Serialize;

use crate::api::action::{Ctx, Reply};
use crate::api::error::{ApiError, Code};
use crate::api::render::Item;
use crate::world::{RequestId, User, World, utc_seconds};

/// # Errors
/// `EntityNotExist.User`.
pub(super) fn find<'w>(ctx: &Ctx<'_>, world: &'w World, name: &str) -> Result<&'w User, ApiError> {
    world.user(ctx.caller.account, name).ok_or_else(|| Code::UserNotFound.into())
}

/// A user; what nobody has filled in is left out (ram.md 4, inferred). Nobody can log in here, so there is no
/// `LastLoginDate`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserModel {
    user_id: String,
    user_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    mobile_phone: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    comments: String,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
}

impl Item for UserModel {
    const ELEMENT: &'static str = "User";
}

impl UserModel {
    /// What CreateUser answers.
    pub(super) fn created(user: &User) -> Self {
        Self {
            user_id: user.id().to_string(),
            user_name: user.name().to_owned(),
            display_name: user.display_name.to_string(),
            mobile_phone: user.mobile_phone.to_string(),
            email: user.email.to_string(),
            comments: user.comments.to_string(),
            create_date: utc_seconds(user.created),
            update_date: None,
        }
    }

    /// What GetUser and ListUsers answer.
    pub(super) fn whole(user: &User) -> Self {
        Self { update_date: Some(utc_seconds(user.updated)), ..Self::created(user) }
    }
}

/// An answer that is one user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneUser {
    request_id: RequestId,
    user: UserModel,
}

impl OneUser {
    pub(super) fn new(ctx: &Ctx<'_>, user: UserModel) -> Self {
        Self { request_id: ctx.request_id, user }
    }
}

impl Reply for OneUser {}
