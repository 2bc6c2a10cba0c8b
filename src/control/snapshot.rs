//! `/_ecsim/snapshot`: a world as text, and back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

use super::extract::Text;
use super::namespaces::OneNamespace;
use super::scope::{InNamespace, Scope, Target};
use super::{Control, Refusal, Refused, seed};
use crate::files::beside_calls;

/// The world as text
///
/// A seed that leaves nothing out: sorted, so that two equal worlds give the same text, with the secrets of the keys.
/// Nonces, metadata tokens and the place of the generator of ids are not in it.
#[utoipa::path(get, path = "/_ecsim/snapshot", operation_id = "take_snapshot", params(InNamespace),
               responses((status = 200, body = Object, content_type = "application/json")))]
pub(super) async fn take(Scope(space): Scope) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], beside_calls(move || space.snapshot()).await)
}

/// Puts the world of a snapshot in the place of the one that is there
///
/// In a new generation, of another namespace too. A plain seed is taken as well. A newer schema, or any mistake, is refused
/// and changes nothing.
#[utoipa::path(put, path = "/_ecsim/snapshot", operation_id = "put_snapshot", params(InNamespace), request_body = Object,
               responses((status = 200, body = OneNamespace), (status = 422, body = Refused, description = "Mistakes")))]
pub(super) async fn put(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<OneNamespace>, Refusal> {
    let worlds = control.worlds.clone();
    let put = move || seed::replace(&control, &name, &seed::in_body(body)).map(|space| OneNamespace::of(&space));
    worlds.beside_calls(put).await
}
