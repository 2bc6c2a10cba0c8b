//! The test's remote control under `/_ecsim/`. It has its own error shape, not the vendor's.
//!
//! Each endpoint says in its own file what it takes and answers; [`endpoints`] is the one list of them, and what it
//! collects from them is the description, which the 404 and the 405 are made of.

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
#[cfg(test)]
pub(crate) mod openapi;
mod ready;
mod refusal;
mod requests;
mod reset;
mod rng;
mod roles;
mod routes;
mod scope;
mod seed;
mod snapshot;
mod snapshots;
mod users;
mod verify;
mod version;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{StatusCode, Uri};

use crate::api::action::Product;
use crate::api::error::{ApiError, Code};
use crate::files::{OneByOne, SnapshotDir};
use crate::world::Spaces;
pub(crate) use access::Peer;
pub use access::{Access, AdminMode, AdminToken, Origin};
pub(crate) use chaos::faults::set_faults;
pub use config::{Configuration, Listed, Setting, Source, Value};
pub(crate) use coverage::Coverage;
use description::DESCRIPTION;
pub use info::Limits;
pub use init::{Init, Stage, State as HookState};
pub(crate) use refusal::{Refusal, RefusalCode, Refused};
pub(crate) use routes::{Endpoint, Routes, routes, said_of};
pub(crate) use version::Version;

/// What the control endpoints show and change.
#[derive(Debug)]
pub struct Control {
    products: &'static [Product],
    spaces: Arc<Spaces>,
    /// Where named snapshots are, if there are any.
    snapshots: Option<SnapshotDir>,
    /// Worlds that are being made.
    worlds: OneByOne,
    access: Access,
    pub configuration: Configuration,
    limits: Limits,
    pub init: Init,
    started: Instant,
    draining: AtomicBool,
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
            worlds: OneByOne::default(),
            access,
            configuration,
            limits,
            init,
            started: Instant::now(),
            draining: AtomicBool::new(false),
        }
    }

    /// From now on `ready` answers 503.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// The endpoints, by who may ask.
struct Endpoints {
    /// Whoever asks, with whatever query.
    alive: Routes<Arc<Control>>,
    /// Whoever asks.
    open: Routes<Arc<Control>>,
    /// Whom [`access::guard`] lets pass.
    guarded: Routes<Arc<Control>>,
}

fn endpoints() -> Endpoints {
    let alive = Routes::default()
        .routes(routes!(health::health).also_at(&["/health", "/healthz"]))
        .routes(routes!(ready::ready).also_at(&["/readyz"]));
    let open = Routes::default().routes(routes!(coverage::coverage));
    let guarded = Routes::default()
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
        .routes(routes!(instances::role_history))
        .routes(routes!(roles::roles))
        .routes(routes!(users::users));
    Endpoints { alive, open, guarded }
}

/// The routes of the control API; `beside` are those of the metadata service below `/_ecsim/`.
pub(crate) fn router(control: &Arc<Control>, beside: Router) -> Router {
    let Endpoints { alive, open, guarded } = endpoints();
    let alive = alive.router.with_state(Arc::clone(control));
    let open = open.router.with_state(Arc::clone(control)).merge(beside);
    let guarded = guarded
        .router
        .route("/_ecsim", any(unknown))
        .route("/_ecsim/", any(unknown))
        .route("/_ecsim/{*path}", any(unknown))
        .with_state(Arc::clone(control));
    guarded
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(known_query))
        .layer(from_fn_with_state(Arc::clone(control), access::guard))
        .merge(open.method_not_allowed_fallback(wrong_method).layer(from_fn(known_query)))
        .merge(alive.method_not_allowed_fallback(wrong_method))
}

/// A parameter that an endpoint does not describe is a mistake, and not without effect.
async fn known_query(request: Request, next: Next) -> Response {
    if let Some(known) = DESCRIPTION.query(request.method(), request.extensions()) {
        let given: Vec<(String, String)> =
            serde_urlencoded::from_str(request.uri().query().unwrap_or_default()).unwrap_or_default();
        if let Some((name, _)) = given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            let message = format!("{} has no query parameter {name:?}", request.uri().path());
            let hint = match known.as_slice() {
                [] => "it takes none".to_owned(),
                known => format!("it takes {}", known.join(", ")),
            };
            return Refusal::new(RefusalCode::InvalidQuery, message, hint).into_response();
        }
    }
    next.run(request).await
}

async fn unknown(uri: Uri) -> Refusal {
    let (path, hint) = (uri.path(), DESCRIPTION.hint(uri.path()));
    Refusal::new(RefusalCode::NotFound, format!("no control endpoint {path}"), hint)
}

async fn wrong_method(request: Request) -> Refusal {
    let message = format!("{} does not take {}", request.uri().path(), request.method());
    let methods = DESCRIPTION.methods(request.extensions()).unwrap_or_default();
    let mut hint = match methods.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("use {} or {last}", first.join(", ")),
        one => format!("use {}", one.concat()),
    };
    let below = DESCRIPTION.below(request.extensions());
    if !below.is_empty() {
        let _ = write!(hint, ", or a path below it: {}", below.join(", "));
    }
    Refusal::new(RefusalCode::MethodNotAllowed, message, hint)
}

/// The answer to what the transport refuses.
pub(crate) fn refused(refusal: &ApiError) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let hint = match refusal.code {
        Code::BodyTooLarge => {
            "start ecsim with a larger --max-body-size; what --seed and --snapshot-dir read and write may be of any size"
        }
        _ => "the limits are flags of `ecsim serve`",
    };
    Refusal::of_others(status, refusal.wire(), &refusal.message, hint).into_response()
}

/// The answer when a control endpoint panics.
pub(crate) fn panicked() -> Response {
    let message = "the control endpoint failed";
    Refusal::new(RefusalCode::InternalError, message, "the log says why").into_response()
}
