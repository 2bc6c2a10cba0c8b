//! What endpoints take in, refused in the control API's own form.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::Refusal;

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
