//! The test's remote control under `/_ecsim/`. It has its own error shape, not the vendor's.

mod clock;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::ORIGIN;
use http::{Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::json;

use crate::api::action::Product;
use crate::api::error::ApiError;
use crate::world::Spaces;

/// What the control endpoints show.
#[derive(Debug)]
pub struct Control {
    products: &'static [Product],
    spaces: Arc<Spaces>,
    started: Instant,
    draining: AtomicBool,
}

impl Control {
    pub fn new(products: &'static [Product], spaces: Arc<Spaces>) -> Self {
        Self { products, spaces, started: Instant::now(), draining: AtomicBool::new(false) }
    }

    /// From now on `ready` answers 503.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// The endpoints: paths as they are on the wire, and the methods that each takes. Those of instances are the
/// metadata service's.
const ENDPOINTS: [(&str, &str); 6] = [
    ("/_ecsim/clock", "GET, PUT or POST"),
    ("/_ecsim/coverage", "GET"),
    ("/_ecsim/health", "GET"),
    ("/_ecsim/instances/{id}/credentials", "GET"),
    ("/_ecsim/instances/{id}/latest/", "GET"),
    ("/_ecsim/ready", "GET"),
];

/// The routes of the control API.
pub(crate) fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/_ecsim/clock", get(clock::show).put(clock::change).post(clock::change))
        .route("/_ecsim/coverage", get(coverage))
        .route("/_ecsim/health", get(health))
        .route("/_ecsim/ready", get(ready))
        .route("/_ecsim", axum::routing::any(unknown))
        .route("/_ecsim/", axum::routing::any(unknown))
        .route("/_ecsim/{*path}", axum::routing::any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .with_state(control)
        .layer(from_fn(no_web_page))
}

/// Browsers say where a page that changes something is from: no page of the web may change the emulator.
async fn no_web_page(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && request.headers().contains_key(ORIGIN) {
        let hint = "call it from a program, which sends no Origin";
        return error(StatusCode::FORBIDDEN, "OriginRefused", "a web page may not change the emulator", hint);
    }
    next.run(request).await
}

/// Alive: the process answers. Values of `status` and `services` are frozen.
async fn health(State(control): State<Arc<Control>>) -> Json<serde_json::Value> {
    let emulated = control.products.iter().filter(|product| !product.actions.is_empty());
    let names = emulated.map(|product| product.name.to_lowercase()).chain(["imds".to_owned()]);
    let services: serde_json::Map<_, _> = names.map(|name| (name, json!("running"))).collect();
    let uptime = u64::try_from(control.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "services": services,
        "uptime_ms": uptime,
    }))
}

/// Ready for calls; 503 while draining.
async fn ready(State(control): State<Arc<Control>>) -> Response {
    if control.draining.load(Ordering::Acquire) {
        let body = Json(json!({ "status": "draining", "reason": "the emulator is shutting down" }));
        (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
    } else {
        Json(json!({ "status": "ready" })).into_response()
    }
}

async fn coverage(State(control): State<Arc<Control>>) -> Json<Coverage> {
    Json(Coverage::of(control.products))
}

/// What is emulated and what not, made from the dispatch tables.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    schema: u32,
    products: Vec<ProductCoverage>,
}

#[derive(Debug, Serialize)]
struct ProductCoverage {
    product: &'static str,
    version: &'static str,
    emulated: Vec<ActionCoverage>,
    not_emulated: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct ActionCoverage {
    action: &'static str,
    access: &'static str,
}

impl Coverage {
    pub(crate) fn of(products: &'static [Product]) -> Self {
        let action =
            |entry: &crate::api::action::Entry| ActionCoverage { action: entry.name, access: entry.access.name() };
        let product = |product: &Product| ProductCoverage {
            product: product.name,
            version: product.version,
            emulated: product.actions.iter().map(action).collect(),
            not_emulated: product.not_emulated().collect(),
        };
        Self { schema: 1, products: products.iter().map(product).collect() }
    }
}

async fn unknown(uri: Uri) -> Response {
    let hint = format!("there are {}", ENDPOINTS.map(|(path, _)| path).join(", "));
    error(StatusCode::NOT_FOUND, "NotFound", &format!("no control endpoint {}", uri.path()), &hint)
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    let methods = ENDPOINTS.iter().find(|(path, _)| *path == uri.path()).map_or("GET", |(_, methods)| methods);
    error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", &message, &format!("use {methods}"))
}

/// The one shape of control errors.
pub(crate) fn error(status: StatusCode, code: &str, message: &str, hint: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message, "hint": hint } }))).into_response()
}

/// The answer to what the transport refuses.
pub(crate) fn refused(refusal: &ApiError) -> Response {
    let row = refusal.code.row();
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    error(status, row.wire, &refusal.message, "the limits are flags of `ecsim serve`")
}

/// The answer when a control endpoint panics.
pub(crate) fn panicked() -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "the control endpoint failed", "the log says why")
}
