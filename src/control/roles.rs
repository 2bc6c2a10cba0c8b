//! `/_ecsim/roles`: the roles, whom they trust and what they may do.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{OfAccount, Query};
use super::scope::{InNamespace, Scope};
use super::users::{PolicyView, policies};
use crate::world::{Holder, utc_seconds};

/// All roles, by account and name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Roles {
    /// The version of this form.
    schema: u32,
    roles: Vec<RoleView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RoleView {
    id: String,
    account: String,
    name: String,
    /// The trust policy, as it was given.
    trust: String,
    policies: Vec<PolicyView>,
    created: String,
}

/// The roles and their policies
#[utoipa::path(get, path = "/_ecsim/roles", params(InNamespace, OfAccount), responses((status = 200, body = Roles)))]
pub(super) async fn roles(Query(of): Query<OfAccount>, Scope(space): Scope) -> Json<Roles> {
    let roles = space.store.read(|world| {
        let shown = world.all_roles().filter(|role| of.has(role.account()));
        let view = shown.map(|role| RoleView {
            id: role.id().to_string(),
            account: role.account().to_string(),
            name: role.name().to_string(),
            trust: role.trust.text().to_owned(),
            policies: policies(world, Holder::Role(role.id())),
            created: utc_seconds(role.created),
        });
        view.collect()
    });
    Json(Roles { schema: 1, roles })
}
