//! How large and how slow a request may be (decision 24).

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::api::error::{ApiError, Code};
use crate::control;

/// The limits of the transport.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub max_body_size: usize,
    /// Bytes of a request's first line and headers.
    pub max_header_size: usize,
    /// Connections served at once; more wait to be accepted.
    pub max_connections: u32,
    /// For the head of a request to arrive, and for an idle connection to be used again.
    pub header_timeout: Duration,
    /// For the body of a request to arrive.
    pub body_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_size: 1 << 20,
            max_header_size: 64 << 10,
            max_connections: 1024,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// As `/_ecsim/info` shows them; the most parameters are the gateway's.
impl From<&Limits> for control::Limits {
    fn from(limits: &Limits) -> Self {
        let millis = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Self {
            max_body_size: limits.max_body_size,
            max_header_size: limits.max_header_size,
            max_params: 0,
            max_connections: limits.max_connections,
            header_timeout_ms: millis(limits.header_timeout),
            body_timeout_ms: millis(limits.body_timeout),
        }
    }
}

impl Limits {
    /// Takes in the body of a request whose head has arrived.
    ///
    /// # Errors
    /// 431, 413 or 408, each in its turn; 400 for a body that breaks off or breaks its framing (inferred).
    pub(super) async fn receive(&self, head: &Parts, body: Body) -> Result<Bytes, ApiError> {
        if head_size(head) > self.max_header_size {
            return Err(Code::HeadersTooLarge.about(self.max_header_size));
        }
        // Most calls end here: all is in the query.
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let too_large = || Code::BodyTooLarge.about(self.max_body_size);
        let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.max_body_size as u64) {
            return Err(too_large());
        }
        match tokio::time::timeout(self.body_timeout, Limited::new(body, self.max_body_size).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a request body could not be read");
                Err(Code::MalformedEncoding.into())
            }
            Err(_) => Err(Code::TooSlow.into()),
        }
    }
}

/// About what the head took on the wire: exact but for optional white space.
fn head_size(head: &Parts) -> usize {
    let query = head.uri.query().map_or(0, |query| query.len() + 1);
    let first_line = head.method.as_str().len() + head.uri.path().len() + query + " HTTP/1.1\r\n".len() + 1;
    let headers: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    first_line + headers
}
