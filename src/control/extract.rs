//! What endpoints take in, refused in the control API's own form.

use std::ffi::OsStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use clap::builder::{BoolishValueParser, TypedValueParser};
use http::request::Parts;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::{Refusal, RefusalCode};
use crate::world::AccountId;

/// A body, as JSON whatever its type is said to be.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// A body as text, which whoever takes it reads further.
#[derive(Debug)]
pub(super) struct Text(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        String::from_request(request, state)
            .await
            .map(Self)
            .map_err(|error| Refusal::new(RefusalCode::InvalidBody, error.body_text(), "send JSON, which is UTF-8"))
    }
}

/// What can be a body.
pub(super) trait FromBody: DeserializeOwned {
    /// Of the refusal of a body that is something else.
    const CODE: RefusalCode;
    /// An example.
    const HINT: &'static str;
}

impl<S: Send + Sync, T: FromBody> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let refuse = |reason: String| Refusal::new(T::CODE, format!("the body: {reason}"), T::HINT);
        // The transport has taken it in already.
        let body = Bytes::from_request(request, state).await.map_err(|error| refuse(error.body_text()))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| refuse(error.to_string()))
    }
}

/// The parameters of a query. That there are no others is checked for all endpoints alike, by their description.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Refusal> {
        serde_urlencoded::from_str(head.uri.query().unwrap_or_default()).map(Self).map_err(|error| {
            let hint = "GET /_ecsim/openapi.json describes the parameters";
            Refusal::new(RefusalCode::InvalidQuery, format!("the query: {error}"), hint)
        })
    }
}

/// Which of what there is a view shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfAccount {
    /// Only those of this account: 16 digits
    #[serde(default, deserialize_with = "account")]
    #[param(value_type = Option<String>)]
    pub(super) account: Option<AccountId>,
}

impl OfAccount {
    pub(super) fn has(&self, account: AccountId) -> bool {
        self.account.is_none_or(|only| only == account)
    }
}

fn account<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AccountId>, D::Error> {
    let text = String::deserialize(from)?;
    AccountId::parse(&text).map(Some).ok_or_else(|| D::Error::custom(format!("account: {text:?} is not 16 digits")))
}

/// As flags are read: `1`, `true`, `yes` and `on`, and what they are not.
pub(super) fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let text = String::deserialize(from)?;
    let read = BoolishValueParser::new().parse_ref(&clap::Command::default(), None, OsStr::new(&text));
    read.map_err(|_| D::Error::custom(format!("{text:?} is neither true nor false")))
}

/// The one variable segment of a path, decoded.
#[derive(Debug)]
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Path::from_request_parts(head, state).await.map(|Path(name)| Self(name)).map_err(|error| {
            let hint = "percent-encode what is not ASCII as UTF-8";
            Refusal::new(RefusalCode::InvalidPath, error.body_text(), hint)
        })
    }
}
