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
    status: Phase,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Ready,
    Draining,
}

/// Whether calls are welcome
///
/// They are from the first answer until the emulator stops. The query is ignored.
#[utoipa::path(get, path = "/_ecsim/ready", responses(
    (status = 200, body = Readiness, description = "Ready"),
    (status = 503, body = Readiness, description = "Stopping"),
))]
pub(super) async fn ready(State(control): State<Arc<Control>>) -> (StatusCode, Json<Readiness>) {
    if control.draining.load(Ordering::Acquire) {
        let reason = Some("the emulator is shutting down");
        (StatusCode::SERVICE_UNAVAILABLE, Json(Readiness { status: Phase::Draining, reason }))
    } else {
        (StatusCode::OK, Json(Readiness { status: Phase::Ready, reason: None }))
    }
}
