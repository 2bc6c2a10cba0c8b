//! `/_ecsim/openapi.json`: the one table of endpoints, which the refusals are made from too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::MatchedPath;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderName, Method};
use serde::Deserialize;

/// As OpenAPI 3.1; a test keeps it as the endpoints are.
pub(super) const TEXT: &str = include_str!("openapi.json");

/// Read at the first need.
pub(super) static DESCRIPTION: LazyLock<Description> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("a test reads it"));

/// What there is under `/_ecsim/`, and its short names: of the description, what refusals are made of.
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    paths: BTreeMap<String, Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    get: Option<Operation>,
    put: Option<Operation>,
    post: Option<Operation>,
    patch: Option<Operation>,
    delete: Option<Operation>,
}

#[derive(Debug, Deserialize)]
struct Operation {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: String,
    r#in: String,
}

/// This description, as OpenAPI 3.1
#[utoipa::path(get, path = "/_ecsim/openapi.json", responses((status = 200, body = Object)))]
pub(super) async fn openapi() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], TEXT)
}

impl Description {
    /// The paths of all endpoints, sorted.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    fn item(&self, matched: &Extensions) -> Option<&Item> {
        self.paths.get(matched.get::<MatchedPath>()?.as_str())
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
        let in_query = operation.parameters.iter().filter(|parameter| parameter.r#in == "query");
        Some(in_query.map(|parameter| parameter.name.as_str()).collect())
    }

    /// The endpoint that somebody may have meant. Nobody means a path that is longer than any, and to compare costs the
    /// product of the lengths.
    fn nearest(&self, path: &str) -> Option<String> {
        const LONGEST: usize = 256;
        let path = Some(path.trim_end_matches('/')).filter(|path| path.len() <= LONGEST)?;
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

fn operations(item: &Item) -> impl Iterator<Item = (&'static str, &Operation)> {
    let Item { get, put, post, patch, delete } = item;
    let all = [("GET", get), ("PUT", put), ("POST", post), ("PATCH", patch), ("DELETE", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}
