//! The one shape of control errors.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Why an endpoint does not do what it is asked.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Refused,
}

/// What is answered in place of what was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refused {
    error: Reason,
}

#[derive(Debug, Serialize, ToSchema)]
struct Reason {
    /// For programs; it stays the same.
    code: Cow<'static, str>,
    /// For people.
    message: String,
    /// What to do about it.
    hint: String,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let error = Reason { code: code.into(), message: message.into(), hint: hint.into() };
        Self { status, body: Refused { error } }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}
