//! `/_ecsim/users`: the users and what they may do.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{OfAccount, Query};
use super::scope::{InNamespace, Scope};
use crate::world::{Holder, World, utc_seconds};

/// All users, by account and name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Users {
    /// The version of this form.
    schema: u32,
    users: Vec<UserView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserView {
    id: String,
    account: String,
    name: String,
    policies: Vec<PolicyView>,
    created: String,
}

/// An attached policy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyView {
    /// `System` or `Custom`
    r#type: &'static str,
    name: String,
}

/// The policies of a user or role, in the order in which RAM lists them.
pub(super) fn policies(world: &World, holder: Holder) -> Vec<PolicyView> {
    let attached = world.policies_of(holder);
    attached
        .map(|(policy, _)| PolicyView { r#type: policy.policy_type().name(), name: policy.name().to_owned() })
        .collect()
}

/// The users and their policies
#[utoipa::path(get, path = "/_ecsim/users", params(InNamespace, OfAccount), responses((status = 200, body = Users)))]
pub(super) async fn users(Query(of): Query<OfAccount>, Scope(space): Scope) -> Json<Users> {
    let users = space.store.read(|world| {
        let shown = world.all_users().filter(|user| of.has(user.account()));
        let view = shown.map(|user| UserView {
            id: user.id().to_string(),
            account: user.account().to_string(),
            name: user.name().to_owned(),
            policies: policies(world, Holder::User(user.id())),
            created: utc_seconds(user.created),
        });
        view.collect()
    });
    Json(Users { schema: 1, users })
}
