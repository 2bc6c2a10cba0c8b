//! `/_ecsim/openapi.json`: the one table of endpoints, which the refusals are made from too.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{MatchedPath, State};
use http::{Extensions, Method};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::UtoipaMethodRouter;

use super::Control;

/// What there is under `/_ecsim/`, and its short names.
#[derive(Clone)]
pub(super) struct Description(OpenApi);

impl std::fmt::Debug for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.paths()).finish()
    }
}

/// This description, as OpenAPI 3.1
#[utoipa::path(get, path = "/_ecsim/openapi.json", responses((status = 200, body = Object)))]
pub(super) async fn openapi(State(control): State<Arc<Control>>) -> Json<OpenApi> {
    Json(control.description().0.clone())
}

const TOKEN: &str = "admin_token";

impl Description {
    /// Adds to what the handlers say of themselves what holds for all: refusals, and the token for those in `guarded`.
    pub(super) fn new(mut api: OpenApi, guarded: &[String]) -> Self {
        let shape = Content::new(Some(Ref::from_schema_name("Refused")));
        let refused = ResponseBuilder::new().description("Refused").content("application/json", shape).build();
        let mut ids = BTreeSet::new();
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in operations_mut(item) {
                // Of a handler that takes several methods, one alone can have its name.
                if let Some(id) = operation.operation_id.as_mut().filter(|id| !ids.insert((*id).clone())) {
                    *id = format!("{id}_{}", method.to_lowercase());
                }
                operation.responses.responses.insert("default".to_owned(), RefOr::T(refused.clone()));
                if guarded.contains(path) {
                    // With a token, or, if none is set, with none.
                    let with = SecurityRequirement::new(TOKEN, [""; 0]);
                    operation.security = Some(vec![with, SecurityRequirement::default()]);
                }
            }
        }
        let components = api.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("That of --admin-token"));
        components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer.build()));
        Self(api)
    }

    /// The paths of all endpoints, sorted.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.paths.paths.keys().map(String::as_str)
    }

    fn item(&self, matched: &Extensions) -> Option<&PathItem> {
        self.0.paths.paths.get(matched.get::<MatchedPath>()?.as_str())
    }

    /// The methods of the endpoint that a request has come to; `None` if it has come to none.
    pub(super) fn methods(&self, matched: &Extensions) -> Option<Vec<&'static str>> {
        Some(operations(self.item(matched)?).map(|(method, _)| method).collect())
    }

    /// The paths below the one of the endpoint that a request has come to.
    pub(super) fn below(&self, matched: &Extensions) -> Vec<&str> {
        let Some(own) = matched.get::<MatchedPath>() else { return Vec::new() };
        let is_below = |path: &&str| path.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/'));
        self.paths().filter(is_below).collect()
    }

    /// The parameters in the query of the endpoint that a request has come to.
    pub(super) fn query(&self, method: &Method, matched: &Extensions) -> Option<Vec<&str>> {
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        let (_, operation) = operations(self.item(matched)?).find(|(known, _)| *known == method)?;
        let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        });
        let in_query = parameters.filter(|parameter| parameter.parameter_in == ParameterIn::Query);
        Some(in_query.map(|parameter| parameter.name.as_str()).collect())
    }

    /// The endpoint that somebody may have meant.
    fn nearest(&self, path: &str) -> Option<String> {
        let path = path.trim_end_matches('/');
        let near = self.paths().filter_map(|known| {
            let known = filled(known, path);
            // A third of the part that differs between endpoints.
            let far = known.trim_start_matches("/_ecsim/").len() / 3;
            let distance = strsim::damerau_levenshtein(&known, path);
            (distance <= far).then_some((distance, known))
        });
        near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
    }

    /// What there is in place of a path that is none.
    pub(super) fn hint(&self, path: &str) -> String {
        let mut hint = String::new();
        if let Some(nearest) = self.nearest(path) {
            let _ = write!(hint, "did you mean {nearest}? ");
        }
        hint + "there are " + &self.paths().collect::<Vec<_>>().join(", ")
    }
}

/// A known path with what another has in the places of its variables.
fn filled(known: &str, path: &str) -> String {
    let mut given = path.split('/');
    let segments = known.split('/').map(|segment| match given.next() {
        Some(text) if segment.starts_with('{') && !text.is_empty() => text,
        _ => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    let all = [("GET", get), ("PUT", put), ("POST", post), ("PATCH", patch), ("DELETE", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    let all = [("GET", get), ("PUT", put), ("POST", post), ("PATCH", patch), ("DELETE", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Gives an endpoint other paths as well.
pub(super) fn also_at<S>(
    (schemas, mut paths, methods): UtoipaMethodRouter<S>,
    aliases: &[&str],
) -> UtoipaMethodRouter<S> {
    for alias in aliases {
        let Some(mut item) = paths.paths.values().next().cloned() else { continue };
        for (_, operation) in operations_mut(&mut item) {
            // Ids are unique.
            operation.operation_id = Some(alias.trim_start_matches('/').to_owned());
        }
        paths.paths.insert((*alias).to_owned(), item);
    }
    (schemas, paths, methods)
}
