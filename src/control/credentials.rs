//! `/_ecsim/credentials`: the keys that calls can be signed with.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{OfAccount, Query, boolean};
use super::scope::{InNamespace, Scope};
use crate::world::{AccessKey, KeyOwner, World, utc_seconds};

/// All keys, by id.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Keys {
    /// The version of this form.
    schema: u32,
    credentials: Vec<KeyView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct KeyView {
    id: String,
    account: String,
    owner: OwnerKind,
    /// The user's; of a session `role/session`; an account has none.
    owner_name: Option<String>,
    /// `Active` or `Inactive`
    status: &'static str,
    /// Of a temporary key: when it ends. One that has ended is known for another hour.
    expires: Option<String>,
    /// When it last signed a call.
    last_used: Option<String>,
    /// With `secrets=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Of a temporary key, with `secrets=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    security_token: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OwnerKind {
    Account,
    User,
    Session,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Secrets {
    /// Whether secrets and tokens are shown too
    #[serde(default, deserialize_with = "boolean")]
    secrets: bool,
}

impl KeyView {
    fn of(world: &World, id: &str, key: &AccessKey, secrets: bool) -> Self {
        let (owner, owner_name) = match &key.owner {
            KeyOwner::Account => (OwnerKind::Account, None),
            KeyOwner::User(user) => (OwnerKind::User, world.user_by_id(*user).map(|user| user.name().to_owned())),
            KeyOwner::Session(session) => (OwnerKind::Session, Some(format!("{}/{}", session.role_name, session.name))),
        };
        Self {
            id: id.to_owned(),
            account: key.account.to_string(),
            owner,
            owner_name,
            status: key.status.name(),
            expires: key.token.as_ref().map(|token| utc_seconds(token.expires)),
            last_used: key.last_used().map(utc_seconds),
            secret: secrets.then(|| key.secret.expose().to_owned()),
            security_token: key.token.as_ref().filter(|_| secrets).map(|token| token.value.to_string()),
        }
    }
}

/// The keys, whose they are, and until when
#[utoipa::path(get, path = "/_ecsim/credentials", params(InNamespace, OfAccount, Secrets), responses((status = 200, body = Keys)))]
pub(super) async fn credentials(
    Query(of): Query<OfAccount>,
    Query(Secrets { secrets }): Query<Secrets>,
    Scope(space): Scope,
) -> Json<Keys> {
    let credentials = space.store.read(|world| {
        let shown = world.keys().filter(|(_, key)| of.has(key.account));
        shown.map(|(id, key)| KeyView::of(world, id, key, secrets)).collect()
    });
    Json(Keys { schema: 1, credentials })
}
