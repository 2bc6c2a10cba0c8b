//! Transport: listeners, connections, limits and shutdown. It knows bytes, not actions.

mod connection;
mod damage;
mod digests;
mod head_timer;
mod limits;
mod listener;
mod server;

pub use digests::Digests;
pub use limits::Limits;
pub use listener::{Address, BindError, Bound, Listener};
pub use server::{Door, Server};

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, RawPathParamsRejection};
use axum::extract::{DefaultBodyLimit, Path, RawPathParams, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;

use crate::control::{self, Control, Peer, Routes, routes};
use crate::gateway::Gateway;
use crate::metadata::{self, Asker, Metadata, RamCredentials};

/// What every route shares.
#[derive(Debug)]
pub struct App {
    pub gateway: Gateway,
    pub metadata: Metadata,
    pub control: Arc<Control>,
    pub limits: Limits,
    pub digests: Digests,
}

const MARKER: HeaderName = HeaderName::from_static("x-ecsim");

/// Marks an answer as the emulator's. Every answer passes here, those that no route gives among them.
fn marked(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(MARKER, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    answer
}

/// Below this, the metadata service of an instance that the path names.
const INSTANCES: &str = "/_ecsim/instances";

/// The metadata service under its versions, the control API under its prefix; every other path is the gateway's,
/// which knows only `/`.
pub fn router(app: Arc<App>) -> Router {
    let control = control::router(&app.control, of_instances().router.with_state(Arc::clone(&app)));
    // `within_limits` is the one limit.
    let control = control.layer(DefaultBodyLimit::disable()).layer(from_fn_with_state(Arc::clone(&app), within_limits));
    let control = control.layer(CatchPanicLayer::custom(|_| control::panicked()));
    let mut metadata = Router::new();
    for version in metadata::VERSIONS {
        for below in ["", "/", "/{*item}"] {
            metadata = metadata
                .route(&format!("{version}{below}"), any(metadata_of_whoever_asks))
                .route(&format!("{INSTANCES}/{{id}}{version}{below}"), any(metadata_of_named));
        }
    }
    // The gateway and the metadata service have a guard of their own.
    Router::new().fallback(call).merge(metadata).with_state(app).merge(control)
}

/// The same without a connection, for an emulator that is reached by no socket.
pub fn service(app: Arc<App>) -> Router {
    router(app).layer(from_fn(damage::without_connection))
}

/// What is the metadata service's, but an endpoint like those of the control API.
fn of_instances() -> Routes<Arc<App>> {
    Routes::default().routes(routes!(self::credentials))
}

/// The one path that the gateway knows. Its calls go to their handler past the router, which would cost as much as
/// telling who calls; so does what an instance asks of the metadata service, but for HEAD, of which the router makes an
/// answer without a body. A service without a connection has the router for everything.
const GATEWAY: &str = "/";

async fn call(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let answer = match app.limits.receive(&head, body).await {
        Ok(body) => {
            let peer = peer.map(|Extension(Peer(address))| address);
            app.gateway.answer(head, &body, peer, |headers| app.control.is_page(headers))
        }
        Err(error) => app.gateway.refuse(head, &error),
    };
    Ok(match answer.undigested() {
        None => answer.whole(),
        Some(text) => {
            let md5 = app.digests.of(text.clone()).await;
            answer.digested(md5)
        }
    })
}

/// Takes in the body of a call of the control API.
async fn within_limits(State(app): State<Arc<App>>, request: Request, next: Next) -> Response<Body> {
    let (head, body) = request.into_parts();
    match app.limits.receive(&head, body).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(error) => control::refused(&error),
    }
}

async fn metadata_of_whoever_asks(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    metadata_of(&app, &head, body, head.uri.path(), None).await
}

/// The metadata service as an instance sees it
///
/// GET answers items, PUT of `api/token` a token; `/2016-01-01/` is the same as `/latest/`. Refusals are pages.
#[utoipa::path(method(get, put), path = "/_ecsim/instances/{id}/latest/{item}", operation_id = "metadata",
    params(("id" = String, Path, description = "The instance, `INSTANCE_ID[@NAMESPACE]`"), ("item" = String, Path, description = "Such as `meta-data/instance-id`")),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn metadata_of_named(
    State(app): State<Arc<App>>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    // Behind the prefix and the id.
    let path = head.uri.path().splitn(5, '/').nth(4).map(|path| format!("/{path}")).unwrap_or_default();
    // What is not UTF-8 when it is decoded names nothing.
    let Ok(params) = params else {
        return guarded(|| app.metadata.refuse(&head, &path, asker(&app, &head, Some("")), StatusCode::NOT_FOUND));
    };
    let named = params.iter().find(|(name, _)| *name == "id").map_or("", |(_, id)| id);
    metadata_of(&app, &head, body, &path, Some(named)).await
}

async fn metadata_of(app: &App, head: &Parts, body: Body, path: &str, named: Option<&str>) -> Response<Body> {
    let received = app.limits.receive(head, body).await;
    guarded(|| {
        let asker = asker(app, head, named);
        match received {
            Ok(_) => app.metadata.answer(head, path, asker),
            Err(error) => {
                let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
                app.metadata.refuse(head, path, asker, status)
            }
        }
    })
}

/// An answer of the metadata service, or its page if it panics.
fn guarded(answer: impl FnOnce() -> Response<Body>) -> Response<Body> {
    catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| metadata::panicked())
}

fn asker<'a>(app: &App, head: &'a Parts, named: Option<&'a str>) -> Asker<'a> {
    let peer = head.extensions.get::<Peer>().map(|peer| peer.0);
    Asker { listener: head.extensions.get(), path: named, peer, makes_none: app.control.is_page(&head.headers) }
}

/// The credentials of an instance's role
///
/// What `ALIBABA_CLOUD_CREDENTIALS_URI` is for: it answers in the form that SDKs expect of it.
#[utoipa::path(get, path = "/_ecsim/instances/{id}/credentials", operation_id = "instance_credentials",
    params(("id" = String, Path, description = "The instance, `INSTANCE_ID[@NAMESPACE]`")),
    responses((status = 200, body = RamCredentials, description = "As the metadata service has them")))]
async fn credentials(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response<Body> {
    let (head, _) = request.into_parts();
    let id = id.as_ref().map(|Path(id)| &**id).map_err(PathRejection::body_text);
    app.metadata.credentials(&head, id.as_deref().map_err(|reason| &**reason), asker(&app, &head, None))
}

#[cfg(test)]
mod tests {
    use utoipa::OpenApi;

    use super::*;

    /// What has a form of its own and is described among the control API's.
    #[derive(OpenApi)]
    #[openapi(paths(metadata_of_named))]
    struct Described;

    #[test]
    fn a_panic_of_the_metadata_service_is_its_page() {
        assert_eq!(guarded(|| panic!("on purpose")).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn the_description_that_is_kept_is_what_the_endpoints_say() {
        control::openapi::is_kept(Described::openapi().merge_from(of_instances().api));
    }
}
