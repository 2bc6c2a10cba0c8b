//! What the service answers instead of an item: a page of its own, not the gateway's envelope (imds.md 4, recorded).

use axum::body::Body;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

/// Why there is no item.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// Why, where the real service could not be asked at all, or so.
    reason: Option<String>,
}

impl Refusal {
    /// A token that cannot be made as asked (imds.md 2, documented).
    pub(super) const INVALID: Self = Self::of(StatusCode::BAD_REQUEST);
    /// A token that is wrong or has expired (imds.md 2, documented).
    pub(super) const UNAUTHORIZED: Self = Self::of(StatusCode::UNAUTHORIZED);
    /// No token where one is needed, one asked for by a proxy (imds.md 2, documented), or a disabled service (inferred).
    pub(super) const FORBIDDEN: Self = Self::of(StatusCode::FORBIDDEN);
    /// Nothing of that path, or nothing that this instance has (imds.md 3 and 4).
    pub(super) const NOT_FOUND: Self = Self::of(StatusCode::NOT_FOUND);
    /// Anything but GET, or but PUT for a token (imds.md 2, recorded for GET).
    pub(super) const METHOD_NOT_ALLOWED: Self = Self::of(StatusCode::METHOD_NOT_ALLOWED);
    /// The service itself fails.
    pub(super) const INTERNAL: Self = Self::of(StatusCode::INTERNAL_SERVER_ERROR);

    const fn of(status: StatusCode) -> Self {
        Self { status, reason: None }
    }

    /// A request of which it cannot be told what instance it is from. The real service is not reached from elsewhere.
    pub(super) fn unknown_asker(reason: &str) -> Self {
        Self { status: StatusCode::FORBIDDEN, reason: Some(reason.to_owned()) }
    }

    /// A request that says two things of the namespace, or names none.
    pub(super) fn namespace(reason: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason: Some(reason.to_owned()) }
    }

    /// What a fault has it be.
    pub(super) fn injected(status: u16) -> Self {
        Self::of(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE))
    }

    /// What is wrong, in words.
    pub(super) fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_else(|| self.status.canonical_reason().unwrap_or_default())
    }

    pub(super) fn page(&self) -> Response<Body> {
        let reason = match self.status {
            StatusCode::BAD_REQUEST => "Missing or Invalid Parameters",
            status => status.canonical_reason().unwrap_or_default(),
        };
        let title = format!("{} - {reason}", self.status.as_u16());
        let ways = "Say which instance asks: --metadata ADDRESS=INSTANCE[@NAMESPACE] for a listener of its own, \
                    /_ecsim/instances/INSTANCE/latest/ in place of /latest/, who asks' address as private_ip of one \
                    instance in the seed, or --metadata-default INSTANCE.";
        let ways = if self.status == StatusCode::FORBIDDEN { ways } else { "" };
        let paragraph = |reason| format!("  <p>{}</p>\n", escaped(format!("{reason} {ways}").trim_end()));
        let hint = self.reason.as_deref().map_or_else(String::new, paragraph);
        let page = PAGE.replace("{title}", &title).replace("{hint}", &hint);
        (self.status, [(CONTENT_TYPE, HeaderValue::from_static("text/html"))], page).into_response()
    }
}

/// The page for what the transport refuses.
pub(super) fn refused(status: StatusCode) -> Response<Body> {
    Refusal::of(status).page()
}

/// The page when the service itself fails.
pub(crate) fn panicked() -> Response<Body> {
    Refusal::INTERNAL.page()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const PAGE: &str = r#"<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
         "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>{title}</title>
 </head>
 <body>
  <h1>{title}</h1>
{hint} </body>
</html>
"#;
