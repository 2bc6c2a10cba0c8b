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

macro_rules! codes {
    ($($code:ident = $status:ident,)*) => {
        /// The codes of control errors, each with its status. docs/control.md lists each, and a test sees to it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum RefusalCode {
            $($code,)*
        }

        impl RefusalCode {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$code,)*];

            fn row(self) -> (StatusCode, &'static str) {
                match self {
                    $(Self::$code => (StatusCode::$status, stringify!($code)),)*
                }
            }
        }
    };
}

codes! {
    InvalidQuery = BAD_REQUEST,
    InvalidPath = BAD_REQUEST,
    InvalidBody = BAD_REQUEST,
    InvalidNamespace = BAD_REQUEST,
    InvalidSnapshotName = BAD_REQUEST,
    InvalidClock = BAD_REQUEST,
    InvalidRng = BAD_REQUEST,
    InvalidSetting = BAD_REQUEST,
    InvalidVerification = BAD_REQUEST,
    TokenRefused = UNAUTHORIZED,
    AdminOff = FORBIDDEN,
    PeerRefused = FORBIDDEN,
    HostRefused = FORBIDDEN,
    OriginRefused = FORBIDDEN,
    NotFound = NOT_FOUND,
    NoNamespace = NOT_FOUND,
    NoSnapshot = NOT_FOUND,
    NoSuchInstance = NOT_FOUND,
    NoSuchRequest = NOT_FOUND,
    NoCredentials = NOT_FOUND,
    MethodNotAllowed = METHOD_NOT_ALLOWED,
    TooManyNamespaces = CONFLICT,
    NamespaceStays = CONFLICT,
    NoSnapshotDir = CONFLICT,
    VerificationFailed = EXPECTATION_FAILED,
    InvalidSeed = UNPROCESSABLE_ENTITY,
    InvalidFaults = UNPROCESSABLE_ENTITY,
    InvalidEffects = UNPROCESSABLE_ENTITY,
    InvalidLimits = UNPROCESSABLE_ENTITY,
    SeedsFailed = INTERNAL_SERVER_ERROR,
    SnapshotDirFailed = INTERNAL_SERVER_ERROR,
    InternalError = INTERNAL_SERVER_ERROR,
}

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
    pub(crate) fn new(code: RefusalCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (status, code) = code.row();
        Self::with(status, code.into(), message.into(), hint.into())
    }

    /// What others refuse, by codes of theirs: the transport by the vendor's, a fault by its own.
    pub(crate) fn of_others(status: StatusCode, code: &str, message: &str, hint: &str) -> Self {
        Self::with(status, code.to_owned().into(), message.to_owned(), hint.to_owned())
    }

    fn with(status: StatusCode, code: Cow<'static, str>, message: String, hint: String) -> Self {
        let error = Reason { code, message, hint, mistakes: Box::default(), misses: Box::default() };
        Self { status, body: Refused { error } }
    }

    /// The same, for what is read whole; the message is the first mistake.
    pub(super) fn mistakes(code: RefusalCode, mistakes: &[Mistake], hint: impl Into<String>) -> Self {
        let mut refusal = Self::new(code, mistakes.first().map(ToString::to_string).unwrap_or_default(), hint);
        let wrong = |Mistake { file, place, reason }: &Mistake| Wrong {
            file: file.clone(),
            place: place.clone(),
            reason: reason.clone(),
        };
        refusal.body.error.mistakes = mistakes.iter().map(wrong).collect();
        refusal
    }

    /// The same, for expectations; the message is the first miss.
    pub(super) fn misses(code: RefusalCode, misses: Vec<Miss>, hint: impl Into<String>) -> Self {
        let message = misses.first().map(|miss| miss.message.clone()).unwrap_or_default();
        let mut refusal = Self::new(code, message, hint);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Status and code of every row of the page's table of refusals.
    fn documented() -> Vec<(u16, String)> {
        let page = include_str!("../../docs/control.md");
        let (_, table) = page.split_once("| status | code | |\n|---|---|---|\n").expect("the table");
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        rows.flat_map(|row| {
            let [_, status, codes, ..] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let status = status.trim().parse().expect("a status");
            let codes = codes.split(',').map(|code| code.trim().trim_matches('`').to_owned());
            codes.map(move |code| (status, code)).collect::<Vec<_>>()
        })
        .collect()
    }

    #[test]
    fn the_page_of_the_control_api_has_every_code_with_its_status_once_and_no_other() {
        let mut documented = documented();
        let mut codes: Vec<_> = RefusalCode::ALL
            .iter()
            .map(|code| {
                let (status, name) = code.row();
                (status.as_u16(), name.to_owned())
            })
            .collect();
        documented.sort_unstable();
        codes.sort_unstable();
        assert_eq!(documented, codes);
    }
}
