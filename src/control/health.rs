//! `/_ecsim/health`: whether the process answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::api::action::Product;
use crate::world::chaos::METADATA;

/// Members and values stay as they are, since scripts look for them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`
    status: &'static str,
    version: &'static str,
    /// `running`, by the name of the service.
    services: BTreeMap<String, &'static str>,
    /// Milliseconds since the start.
    uptime_ms: u64,
}

/// Whether the process answers
///
/// It does as long as it lives. The query is ignored.
#[utoipa::path(get, path = "/_ecsim/health", responses((status = 200, body = Health)))]
pub(super) async fn health(State(control): State<Arc<Control>>) -> Json<Health> {
    let emulated = |product: &&Product| !product.actions.is_empty();
    let names = control.products.iter().filter(emulated).map(|product| product.name.to_lowercase());
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        services: names.chain([METADATA.to_owned()]).map(|name| (name, "running")).collect(),
        uptime_ms: u64::try_from(control.started.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}
