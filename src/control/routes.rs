//! Routes of endpoints that say of themselves what they take and answer.
//!
//! The path and the methods of an endpoint are what `utoipa::path` says over its handler. The rest of what is said makes
//! the description; that never changes, so tests make it and keep it, and the program has the text and not its makers.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::Path;
use utoipa::openapi::HttpMethod;
#[cfg(test)]
use utoipa::openapi::OpenApi;

/// Endpoints, each under its paths.
pub(crate) struct Routes<S> {
    pub(crate) router: Router<S>,
    #[cfg(test)]
    pub(crate) api: OpenApi,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            #[cfg(test)]
            api: OpenApi::default(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(crate) fn routes(mut self, endpoint: Endpoint<S>) -> Self {
        for path in endpoint.paths {
            self.router = self.router.route(&path, endpoint.methods.clone());
        }
        #[cfg(test)]
        self.api.merge(endpoint.api);
        self
    }
}

/// The handlers of one path, by [`routes!`].
pub(crate) struct Endpoint<S> {
    paths: Vec<String>,
    methods: MethodRouter<S>,
    #[cfg(test)]
    pub(super) api: OpenApi,
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// No handler yet; `api` is what those that will be there say.
    pub(crate) fn new(#[cfg(test)] api: OpenApi) -> Self {
        Self {
            paths: Vec::new(),
            methods: MethodRouter::new(),
            #[cfg(test)]
            api,
        }
    }

    /// Gives what `P` describes to its handler. All handlers have one path.
    pub(crate) fn on<P: Path, T: 'static>(mut self, handler: &impl Handler<T, S>) -> Self {
        for method in P::methods() {
            self.methods = self.methods.on(filter(&method), handler.clone());
        }
        debug_assert!(self.paths.is_empty() || self.paths == [P::path()], "{:?} and {}", self.paths, P::path());
        self.paths = vec![P::path()];
        self
    }

    /// Gives the endpoint other paths as well.
    pub(super) fn also_at(mut self, aliases: &[&str]) -> Self {
        for alias in aliases {
            #[cfg(test)]
            super::openapi::also_at(&mut self.api, alias);
            self.paths.push((*alias).to_owned());
        }
        self
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// The [`Endpoint`] of handlers, `module::handler`, that have one path.
macro_rules! routes {
    ($($($part:ident)::+),+) => {
        $crate::control::Endpoint::new(
            #[cfg(test)]
            {
                #[derive(utoipa::OpenApi)]
                #[openapi(paths($($($part)::+),+))]
                struct Said;
                <Said as utoipa::OpenApi>::openapi()
            },
        )
        $(.on::<$crate::control::said_of!([] $($part)::+), _>(&$($part)::+))+
    };
}
pub(crate) use routes;

/// The type that `utoipa::path` makes beside a handler.
macro_rules! said_of {
    ([$($module:ident)*] $handler:ident) => {
        pastey::paste! { $($module::)* [<__path_ $handler>] }
    };
    ([$($module:ident)*] $next:ident :: $($rest:ident)::+) => {
        $crate::control::said_of!([$($module)* $next] $($rest)::+)
    };
}
pub(crate) use said_of;
