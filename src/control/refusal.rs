//! The one shape of control errors.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::verify::Miss;
use crate::world::seed::Mistake;

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
    /// Of seeds, faults, effects and limits, everything that is wrong with them.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<Wrong>)]
    mistakes: Box<[Wrong]>,
    /// Of a verification, every expectation that is not met.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<Miss>)]
    misses: Box<[Miss]>,
}

/// One thing that is wrong with a seed, or with what goes wrong on purpose.
#[derive(Debug, Serialize, ToSchema)]
struct Wrong {
    file: String,
    /// JSON path such as `$.accounts[0].instances[2].region`, or line and column where it is no JSON.
    place: String,
    reason: String,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let error = Reason {
            code: code.into(),
            message: message.into(),
            hint: hint.into(),
            mistakes: Box::default(),
            misses: Box::default(),
        };
        Self { status, body: Refused { error } }
    }

    /// The same, for what is read whole; the message is the first mistake.
    pub(super) fn mistakes(
        status: StatusCode,
        code: &'static str,
        mistakes: &[Mistake],
        hint: impl Into<String>,
    ) -> Self {
        let mut refusal = Self::new(status, code, mistakes.first().map(ToString::to_string).unwrap_or_default(), hint);
        let wrong = |Mistake { file, place, reason }: &Mistake| Wrong {
            file: file.clone(),
            place: place.clone(),
            reason: reason.clone(),
        };
        refusal.body.error.mistakes = mistakes.iter().map(wrong).collect();
        refusal
    }

    /// The same, for expectations; the message is the first miss.
    pub(super) fn misses(code: &'static str, misses: Vec<Miss>, hint: impl Into<String>) -> Self {
        let message = misses.first().map(|miss| miss.message.clone()).unwrap_or_default();
        let mut refusal = Self::new(StatusCode::EXPECTATION_FAILED, code, message, hint);
        refusal.body.error.misses = misses.into();
        refusal
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
