//! What endpoints take in, refused in the control API's own form.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::Refusal;

/// A query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = head.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Self).map_err(|error| {
            let hint = "GET /_ecsim/openapi.json describes what it takes, each once";
            Refusal::new(StatusCode::BAD_REQUEST, "InvalidQuery", format!("the query: {error}"), hint)
        })
    }
}

/// The part of the path that is a name.
#[derive(Debug)]
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(name) = Path::from_request_parts(head, state).await.map_err(|error| {
            Refusal::new(StatusCode::BAD_REQUEST, "InvalidPath", error.body_text(), "write the name percent-encoded")
        })?;
        Ok(Self(name))
    }
}

/// A body, as JSON whatever its type is said to be.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// What can be a body.
pub(super) trait FromBody: DeserializeOwned {
    /// Of the refusal of a body that is something else.
    const CODE: &'static str;
    /// An example.
    const HINT: &'static str;
}

impl<S: Send + Sync, T: FromBody> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let refuse =
            |reason: String| Refusal::new(StatusCode::BAD_REQUEST, T::CODE, format!("the body: {reason}"), T::HINT);
        // The transport has taken it in already.
        let body = Bytes::from_request(request, state).await.map_err(|error| refuse(error.body_text()))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| refuse(error.to_string()))
    }
}
