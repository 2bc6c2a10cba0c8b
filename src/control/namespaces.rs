//! `/_ecsim/namespaces`: the worlds that there are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::scope::TargetInPath;
use super::{Control, Refusal, RefusalCode};
use crate::world::{Space, utc_seconds};

/// The namespaces that there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Namespaces {
    /// The version of this form.
    schema: u32,
    /// How many there may be beside `default`.
    most: usize,
    /// `default` first, the others by name.
    namespaces: Vec<OfNamespace>,
}

/// One namespace.
#[derive(Debug, Serialize, ToSchema)]
struct OfNamespace {
    namespace: String,
    /// Another one after a reset.
    generation: u64,
    instances: usize,
    /// Its time, `YYYY-MM-DDThh:mm:ssZ`.
    now: String,
}

impl OfNamespace {
    fn of(space: &Space) -> Self {
        Self {
            namespace: space.namespace.to_string(),
            generation: space.generation,
            instances: space.store.read(crate::world::World::instance_count),
            now: utc_seconds(space.clock.now()),
        }
    }
}

/// One namespace by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneNamespace {
    /// The version of this form.
    schema: u32,
    #[serde(flatten)]
    of: OfNamespace,
}

impl OneNamespace {
    pub(super) fn of(space: &Space) -> Json<Self> {
        Json(Self { schema: 1, of: OfNamespace::of(space) })
    }
}

/// The namespaces that there are
#[utoipa::path(get, path = "/_ecsim/namespaces", operation_id = "list_namespaces",
               responses((status = 200, body = Namespaces)))]
pub(super) async fn list(State(control): State<Arc<Control>>) -> Json<Namespaces> {
    let namespaces = control.spaces.all().iter().map(|space| OfNamespace::of(space)).collect();
    Json(Namespaces { schema: 1, most: control.spaces.limits().most, namespaces })
}

/// Forgets a namespace
///
/// Whoever names it again gets a new one. Calls in flight finish on the old one.
#[utoipa::path(delete, path = "/_ecsim/namespaces/{name}", operation_id = "delete_namespace",
               params(("name" = String, Path, description = "The namespace")),
               responses((status = 200, body = OneNamespace, description = "What it was")))]
pub(super) async fn delete(
    State(control): State<Arc<Control>>,
    TargetInPath(name): TargetInPath,
) -> Result<Json<OneNamespace>, Refusal> {
    if name.is_default() {
        let hint = "POST /_ecsim/reset begins it again";
        return Err(Refusal::new(RefusalCode::NamespaceStays, "the namespace default always is", hint));
    }
    let removed = control.spaces.remove(&name).ok_or_else(|| {
        let message = format!("there is no namespace {name}");
        Refusal::new(RefusalCode::NoNamespace, message, "GET /_ecsim/namespaces lists them")
    })?;
    Ok(OneNamespace::of(&removed))
}
