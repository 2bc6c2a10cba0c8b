//! `/_ecsim/reset`: the world as at the start.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::{Query, boolean};
use super::namespaces::OneNamespace;
use super::scope::{InNamespace, Target};
use super::{Control, Refusal, RefusalCode};

/// What of the start there is again.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct What {
    /// Whether the seeds are there again: `true`, which may be left out, since a reset always does that
    #[serde(default = "always", deserialize_with = "boolean")]
    seed: bool,
}

fn always() -> bool {
    true
}

/// Begins a namespace again
///
/// World, clock, ids, nonces and metadata tokens are as at the start, without faults, in a new generation; other namespaces stay. Calls in
/// flight finish on the old world.
#[utoipa::path(post, path = "/_ecsim/reset", params(InNamespace, What), responses((status = 200, body = OneNamespace)))]
pub(super) async fn reset(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Query(What { seed }): Query<What>,
) -> Result<Json<OneNamespace>, Refusal> {
    if !seed {
        let message = "the query: seed is false, and a reset always begins as the seeds have it";
        let hint = "POST /_ecsim/seed?mode=replace with the body {} makes an empty world";
        return Err(Refusal::new(RefusalCode::InvalidQuery, message, hint));
    }
    let worlds = control.worlds.clone();
    let reset = worlds.beside_calls(move || control.spaces.replace(&name, None).map(|space| OneNamespace::of(&space)));
    Ok(reset.await?)
}
