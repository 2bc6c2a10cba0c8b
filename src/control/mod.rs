//! The test's remote control under `/_ecsim/`. It has its own error shape, not the vendor's.
//!
//! Each endpoint says in its own file what it takes and answers; [`router`] is the one list of them, and what it
//! collects from them is the description, the 404 and the 405.

mod access;
mod chaos;
mod clock;
mod config;
mod coverage;
mod credentials;
mod description;
mod extract;
mod health;
mod info;
mod init;
mod instances;
mod matching;
mod namespaces;
mod ready;
mod refusal;
mod requests;
mod reset;
mod rng;
mod roles;
mod scope;
mod seed;
mod snapshot;
mod snapshots;
mod users;
mod verify;
mod version;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{StatusCode, Uri};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::action::Product;
use crate::api::error::ApiError;
use crate::files::SnapshotDir;
use crate::world::Spaces;
pub(crate) use access::Peer;
pub use access::{Access, AdminMode, AdminToken, Origin};
pub(crate) use chaos::METADATA;
pub use config::{Configuration, Listed, Setting, Source, Value};
pub(crate) use coverage::Coverage;
use description::{Description, also_at};
pub use info::Limits;
pub use init::{Init, Stage, State as HookState};
pub(crate) use refusal::{Refusal, Refused};
pub(crate) use version::Version;

/// What the control endpoints show and change.
#[derive(Debug)]
pub struct Control {
    products: &'static [Product],
    spaces: Arc<Spaces>,
    /// Where named snapshots are, if there are any.
    snapshots: Option<SnapshotDir>,
    access: Access,
    pub configuration: Configuration,
    limits: Limits,
    pub init: Init,
    started: Instant,
    draining: AtomicBool,
    /// Known once all routes are.
    description: OnceLock<Description>,
}

impl Control {
    pub fn new(
        products: &'static [Product],
        spaces: Arc<Spaces>,
        snapshots: Option<SnapshotDir>,
        access: Access,
        configuration: Configuration,
        limits: Limits,
        init: Init,
    ) -> Self {
        Self {
            products,
            spaces,
            snapshots,
            access,
            configuration,
            limits,
            init,
            started: Instant::now(),
            draining: AtomicBool::new(false),
            description: OnceLock::new(),
        }
    }

    /// From now on `ready` answers 503.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    fn description(&self) -> &Description {
        self.description.get_or_init(|| Description::new(About::openapi(), &[]))
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "The control API of ecsim", description = "Looks at a running emulator and changes it."),
    components(schemas(Refused))
)]
struct About;

/// The routes of the control API; `beside` are those of the metadata service below `/_ecsim/`.
pub(crate) fn router(control: &Arc<Control>, beside: OpenApiRouter) -> Router {
    // For whoever asks, with whatever query.
    let alive = OpenApiRouter::with_openapi(About::openapi())
        .routes(also_at(routes!(health::health), &["/health", "/healthz"]))
        .routes(also_at(routes!(ready::ready), &["/readyz"]))
        .with_state(Arc::clone(control));
    // For whoever asks.
    let open =
        OpenApiRouter::default().routes(routes!(coverage::coverage)).with_state(Arc::clone(control)).merge(beside);
    let guarded = OpenApiRouter::default()
        .routes(routes!(chaos::faults::list, chaos::faults::set, chaos::faults::add, chaos::faults::remove))
        .routes(routes!(chaos::effects::show, chaos::effects::set, chaos::effects::clear))
        .routes(routes!(chaos::limits::list, chaos::limits::set, chaos::limits::add, chaos::limits::clear))
        .routes(routes!(clock::show, clock::change))
        .routes(routes!(namespaces::list))
        .routes(routes!(namespaces::delete))
        .routes(routes!(requests::list, requests::clear))
        .routes(routes!(requests::show))
        .routes(routes!(requests::explain))
        .routes(routes!(verify::verify))
        .routes(routes!(reset::reset))
        .routes(routes!(rng::begin_again))
        .routes(routes!(seed::seed))
        .routes(routes!(snapshot::take, snapshot::put))
        .routes(routes!(snapshots::list))
        .routes(routes!(snapshots::show, snapshots::delete))
        .routes(routes!(snapshots::save))
        .routes(routes!(snapshots::load))
        .routes(routes!(config::show, config::change))
        .routes(routes!(description::openapi))
        .routes(routes!(info::info))
        .routes(routes!(init::init))
        .routes(routes!(credentials::credentials))
        .routes(routes!(instances::instances))
        .routes(routes!(instances::instance))
        .routes(routes!(roles::roles))
        .routes(routes!(users::users));
    let (guarded, its_api) = guarded.split_for_parts();
    let (open, open_api) = open.split_for_parts();
    let (alive, mut api) = alive.split_for_parts();
    api.merge(open_api);
    let paths: Vec<_> = its_api.paths.paths.keys().cloned().collect();
    api.merge(its_api);
    let _ = control.description.set(Description::new(api, &paths));
    let guarded = guarded
        .route("/_ecsim", any(unknown))
        .route("/_ecsim/", any(unknown))
        .route("/_ecsim/{*path}", any(unknown))
        .with_state(Arc::clone(control));
    let wrong_method = {
        let control = Arc::clone(control);
        move |request: Request| async move { wrong_method(&control, &request) }
    };
    guarded
        .method_not_allowed_fallback(wrong_method.clone())
        .layer(from_fn_with_state(Arc::clone(control), known_query))
        .layer(from_fn_with_state(Arc::clone(control), access::guard))
        .merge(
            open.method_not_allowed_fallback(wrong_method.clone())
                .layer(from_fn_with_state(Arc::clone(control), known_query)),
        )
        .merge(alive.method_not_allowed_fallback(wrong_method))
}

/// A parameter that an endpoint does not describe is a mistake, and not without effect.
async fn known_query(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    if let Some(known) = control.description().query(request.method(), request.extensions()) {
        let given: Vec<(String, String)> =
            serde_urlencoded::from_str(request.uri().query().unwrap_or_default()).unwrap_or_default();
        if let Some((name, _)) = given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            let message = format!("{} has no query parameter {name:?}", request.uri().path());
            let hint = match known.as_slice() {
                [] => "it takes none".to_owned(),
                known => format!("it takes {}", known.join(", ")),
            };
            return Refusal::new(StatusCode::BAD_REQUEST, "InvalidQuery", message, hint).into_response();
        }
    }
    next.run(request).await
}

async fn unknown(State(control): State<Arc<Control>>, uri: Uri) -> Refusal {
    let (path, hint) = (uri.path(), control.description().hint(uri.path()));
    Refusal::new(StatusCode::NOT_FOUND, "NotFound", format!("no control endpoint {path}"), hint)
}

fn wrong_method(control: &Control, request: &Request) -> Refusal {
    let message = format!("{} does not take {}", request.uri().path(), request.method());
    let methods = control.description().methods(request.extensions()).unwrap_or_default();
    let mut hint = match methods.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("use {} or {last}", first.join(", ")),
        one => format!("use {}", one.concat()),
    };
    let below = control.description().below(request.extensions());
    if !below.is_empty() {
        let _ = write!(hint, ", or a path below it: {}", below.join(", "));
    }
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message, hint)
}

/// The answer to what the transport refuses.
pub(crate) fn refused(refusal: &ApiError) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    Refusal::new(status, refusal.wire().to_owned(), &*refusal.message, "the limits are flags of `ecsim serve`")
        .into_response()
}

/// The answer when a control endpoint panics.
pub(crate) fn panicked() -> Response {
    let message = "the control endpoint failed";
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message, "the log says why").into_response()
}
