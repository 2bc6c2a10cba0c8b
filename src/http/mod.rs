//! Transport: listeners, connections, limits and shutdown. It knows bytes, not actions.

mod connection;
mod head_timer;
mod limits;
mod listener;
mod server;

pub use limits::Limits;
pub use listener::{Address, BindError, Bound, Listener};
pub use server::Server;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Extension, Router};
use http::{HeaderName, HeaderValue};
use tower_http::catch_panic::CatchPanicLayer;

use crate::control::{self, Control};
use crate::gateway::Gateway;

/// What every route shares.
#[derive(Debug)]
pub struct App {
    pub gateway: Gateway,
    pub control: Arc<Control>,
    pub limits: Limits,
}

const MARKER: HeaderName = HeaderName::from_static("x-ecsim");

/// Marks an answer as the emulator's. Every answer passes here, those that no route gives among them.
fn marked(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(MARKER, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    answer
}

/// The control API under its prefix; every other path is the gateway's, which knows only `/`.
pub fn router(app: Arc<App>) -> Router {
    let control = control::router(Arc::clone(&app.control));
    let guard = CatchPanicLayer::custom(|_| control::panicked());
    // The gateway has a guard of its own, which knows the asked format.
    Router::new().fallback(call).with_state(app).merge(control.layer(guard))
}

/// The one path that the gateway knows. Its calls go to their handler past the router, which would cost as much as
/// telling who calls.
const GATEWAY: &str = "/";

/// The address at the other end of a connection, as an extension of its requests.
#[derive(Clone, Copy, Debug)]
struct Peer(IpAddr);

async fn call(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    Ok(match app.limits.receive(&head, body).await {
        Ok(body) => app.gateway.answer(&head, &body, peer.map(|Extension(Peer(address))| address)),
        Err(error) => app.gateway.refuse(&head, &error),
    })
}
