//! `/_ecsim/ready`: whether calls are welcome.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// The version of this form.
    schema: u32,
    status: Phase,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Phase {
    /// Hooks of the init folder have to run first.
    Starting,
    Ready,
    Draining,
}

/// Whether calls are welcome
///
/// They are from the first answer, or else once the ready hooks of the init folder have run, until the emulator stops.
/// The query is ignored.
#[utoipa::path(get, path = "/_ecsim/ready", responses(
    (status = 200, body = Readiness, description = "Ready"),
    (status = 503, body = Readiness, description = "Starting or stopping"),
))]
pub(super) async fn ready(State(control): State<Arc<Control>>) -> (StatusCode, Json<Readiness>) {
    let (phase, reason) = if control.draining.load(Ordering::Acquire) {
        (Phase::Draining, Some("the emulator is shutting down".to_owned()))
    } else {
        let awaited = control.init.awaited();
        (if awaited.is_some() { Phase::Starting } else { Phase::Ready }, awaited)
    };
    let status = if reason.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(Readiness { schema: 1, status: phase, reason }))
}
