//! Access keys as RAM's actions name and show them.

use serde::Serialize;

use super::fields;
use super::holder::{HolderKind, UserKind};
use super::user_model;
use crate::api::action::{Ctx, FromParams, Identity, Permission};
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;
use crate::api::render::Item;
use crate::world::{AccessKey, KeyOwner, User, World, utc_seconds};

/// An input that is whose keys an action is about: those of the named user, or the caller's own (ram.md 4, documented; of the account,
/// its own: inferred).
#[derive(Debug)]
pub(super) struct Whose(Option<String>);

impl FromParams for Whose {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        fields::USER_NAME.text.read(params).map(Self)
    }
}

impl Whose {
    /// On the user; on all of them for a caller who is none.
    pub(super) fn needs(&self, action: &'static str, ctx: &Ctx<'_>, world: &World) -> Vec<Permission> {
        let own = || match ctx.caller.identity {
            Identity::User(id) => world.user_by_id(id).map(User::name),
            Identity::Owner | Identity::RoleSession(_) => None,
        };
        let name = self.0.as_deref().or_else(own);
        vec![
            name.map_or_else(|| super::all(action, ctx, "user"), |name| UserKind::permission(action, ctx, world, name)),
        ]
    }

    /// # Errors
    /// `EntityNotExist.User`.
    pub(super) fn owner(&self, ctx: &Ctx<'_>, world: &World) -> Result<KeyOwner, ApiError> {
        match (&self.0, &ctx.caller.identity) {
            (Some(name), _) => user_model::find(ctx, world, name).map(|user| KeyOwner::User(user.id())),
            (None, Identity::Owner) => Ok(KeyOwner::Account),
            (None, Identity::User(id)) => Ok(KeyOwner::User(*id)),
            // A role has no keys (inferred).
            (None, Identity::RoleSession(_)) => Err(Code::UserNotFound.into()),
        }
    }
}

/// An input that is a key, and whose it is to be.
#[derive(Debug)]
pub(super) struct OneKey {
    pub(super) whose: Whose,
    pub(super) id: String,
}

impl FromParams for OneKey {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        let id = params.optional("UserAccessKeyId").ok_or(Code::MissingUserAccessKeyId)?;
        Ok(Self { whose: Whose::from_params(params)?, id: id.to_owned() })
    }
}

impl OneKey {
    /// # Errors
    /// `EntityNotExist.User`, and `EntityNotExist.User.AccessKey` for the key of anybody else.
    pub(super) fn find<'w>(&self, ctx: &Ctx<'_>, world: &'w World) -> Result<&'w AccessKey, ApiError> {
        let owner = self.whose.owner(ctx, world)?;
        let theirs = |key: &AccessKey| key.account == ctx.caller.account && key.owner == owner && key.token.is_none();
        let key = world.key(&self.id).filter(|key| theirs(key));
        key.map(|key| &**key).ok_or_else(|| Code::UserAccessKeyNotFound.into())
    }
}

/// A key; the secret is shown once, where it is made (ram.md 4, documented), and so it has no `Debug`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyModel {
    access_key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_secret: Option<String>,
    status: &'static str,
    create_date: String,
}

impl Item for KeyModel {
    const ELEMENT: &'static str = "AccessKey";
}

impl KeyModel {
    pub(super) fn listed(id: &str, key: &AccessKey) -> Self {
        Self {
            access_key_id: id.to_owned(),
            access_key_secret: None,
            status: key.status.name(),
            create_date: utc_seconds(key.created),
        }
    }

    pub(super) fn created(id: &str, secret: String, key: &AccessKey) -> Self {
        Self { access_key_secret: Some(secret), ..Self::listed(id, key) }
    }
}
