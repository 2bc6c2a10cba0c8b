//! The making of the description, from what the handlers say of themselves. Only tests make it: it is the same for
//! every emulator of a version.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};

use super::{Refused, description, endpoints};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "The control API of ecsim", description = "Looks at a running emulator and changes it."),
    components(schemas(Refused))
)]
struct About;

const TOKEN: &str = "admin_token";

/// Fails where the description that is kept is not that of the endpoints, and puts the right one in its place. `beside`
/// describes those of the metadata service below `/_ecsim/`.
pub(crate) fn is_kept(beside: OpenApi) {
    let endpoints = endpoints();
    let guarded: Vec<_> = endpoints.guarded.api.paths.paths.keys().cloned().collect();
    let mut api = About::openapi();
    for part in [endpoints.alive.api, endpoints.open.api, beside, endpoints.guarded.api] {
        api.merge(part);
    }
    let text = complete(api, &guarded).to_pretty_json().expect("JSON") + "\n";
    if text != description::TEXT {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control/openapi.json"), text).expect("written");
        panic!("src/control/openapi.json was stale and has been written anew: look at it, and build again");
    }
}

/// Adds to what the handlers say of themselves what holds for all: refusals, and the token for those in `guarded`.
fn complete(mut api: OpenApi, guarded: &[String]) -> OpenApi {
    let shape = Content::new(Some(Ref::from_schema_name("Refused")));
    let refused = ResponseBuilder::new().description("Refused").content("application/json", shape).build();
    let mut ids = BTreeSet::new();
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            // The name of the module that the handler is in groups nothing.
            operation.tags = None;
            // Of a handler that takes several methods, one alone can have its name.
            if let Some(id) = operation.operation_id.as_mut().filter(|id| !ids.insert((*id).clone())) {
                *id = format!("{id}_{method}");
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
    api
}

/// Describes the one endpoint in `api` at another path as well.
pub(super) fn also_at(api: &mut OpenApi, alias: &str) {
    let mut item = api.paths.paths.values().next().expect("an endpoint").clone();
    for (_, operation) in operations(&mut item) {
        // Ids are unique.
        operation.operation_id = Some(alias.trim_start_matches('/').to_owned());
    }
    api.paths.paths.insert(alias.to_owned(), item);
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    let all = [("get", get), ("put", put), ("post", post), ("patch", patch), ("delete", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
