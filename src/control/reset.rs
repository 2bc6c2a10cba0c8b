//! `/_ecsim/reset`: the world as at the start.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::namespaces::OneNamespace;
use super::scope::{InNamespace, Target};
use super::{Control, Refusal};

/// Begins a namespace again
///
/// World, clock, ids, nonces and metadata tokens are as at the start, without faults, in a new generation; other namespaces stay. Calls in
/// flight finish on the old world.
#[utoipa::path(post, path = "/_ecsim/reset", params(InNamespace), responses((status = 200, body = OneNamespace)))]
pub(super) async fn reset(
    State(control): State<Arc<Control>>,
    Target(name): Target,
) -> Result<Json<OneNamespace>, Refusal> {
    let space = control.spaces.replace(&name, None)?;
    Ok(OneNamespace::of(&space))
}
