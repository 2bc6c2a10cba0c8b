//! One envelope for replies and refusals: status, headers and body (protocol.md 9 and 10).

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bytes::{Bytes, BytesMut};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::Disturbance;
use crate::api::error::ApiError;
use crate::api::permission::Denial;
use crate::api::render::{self, Format, Rendered};
use crate::world::chaos::{FaultId, Treatment};
use crate::world::{RequestId, TraceId};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-acs-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-acs-trace-id");
const WOULD_DENY: HeaderName = HeaderName::from_static("x-ecsim-would-deny");
const FAULT: HeaderName = HeaderName::from_static(FaultId::HEADER);
/// After how many milliseconds to try again; clients take an answer that has it for throttling (clients.md R7).
const RETRY_AFTER: HeaderName = HeaderName::from_static("x-acs-retry-after");

/// What an answer needs to know beside its body.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) format: Format,
    pub(super) product: &'static str,
    pub(super) request_id: RequestId,
    pub(super) trace_id: TraceId,
    /// What policies do not allow and `--ram soft` let pass.
    pub(super) waived: &'a [Denial],
    /// What somebody has asked to go wrong with the call.
    pub(super) disturbance: Option<&'a Disturbance>,
}

impl Envelope<'_> {
    /// `host_id`: the host that the client called.
    pub(super) fn failure(&self, error: &ApiError, host_id: &str) -> (StatusCode, Rendered) {
        let body = render::failure(self.format, error, self.request_id, host_id, self.product);
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, body)
    }

    /// `headers`: empty, where the answer's come in.
    pub(super) fn respond(&self, status: StatusCode, body: Rendered, mut headers: HeaderMap) -> Answer {
        // One buffer, of which each value keeps a part.
        let mut values = BytesMut::with_capacity(36 + 32 + 24);
        values.extend_from_slice(self.request_id.as_str().as_bytes());
        let request_id = values.split().freeze();
        values.extend_from_slice(&self.trace_id.to_hex());
        let trace_id = values.split().freeze();
        // Of a long one a place, so that headers always stand in this order.
        values.extend_from_slice(&etag(body.md5.unwrap_or_default(), body.text.len()));
        let etag = values.freeze();

        headers.reserve(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.format.content_type()));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        for (name, value) in [(REQUEST_ID, request_id), (TRACE_ID, trace_id), (ETAG, etag)] {
            // Hex, base64 and digits are always a header value.
            if let Ok(value) = HeaderValue::from_maybe_shared(value) {
                headers.insert(name, value);
            }
        }
        if !self.waived.is_empty() {
            headers.insert(WOULD_DENY, would_deny(self.waived));
        }
        if let Some(Disturbance { fault, retry_after }) = self.disturbance {
            // Ids of faults and names of actions are visible ASCII.
            if let Ok(fault) = HeaderValue::from_str(fault) {
                headers.insert(FAULT, fault);
            }
            if let Some(millis) = retry_after {
                headers.insert(RETRY_AFTER, HeaderValue::from(*millis));
            }
        }
        let text = Bytes::from(body.text);
        let undigested = body.md5.is_none().then(|| text.clone());
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Answer { response, undigested }
    }
}

/// An answer to a call. A long one has no ETag yet.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    response: Response<Body>,
    undigested: Option<Bytes>,
}

impl Answer {
    /// Has the transport do what somebody has asked to happen to the answer.
    pub(super) fn treat(&mut self, treatment: Treatment) {
        self.response.extensions_mut().insert(treatment);
    }

    /// The text of a long answer, whose MD5 somebody has to take.
    pub fn undigested(&self) -> Option<&Bytes> {
        self.undigested.as_ref()
    }

    /// The response, with the MD5 of [`Answer::undigested`].
    pub fn digested(mut self, md5: [u8; 16]) -> Response<Body> {
        if let Some(text) = self.undigested {
            // Digits are always a header value.
            if let Ok(etag) = HeaderValue::from_bytes(&etag(md5, text.len())) {
                self.response.headers_mut().insert(ETAG, etag);
            }
        }
        self.response
    }

    /// The response, of whoever has one alone.
    pub fn whole(self) -> Response<Body> {
        match &self.undigested {
            None => self.response,
            Some(text) => {
                let md5 = md5_many::md5(text);
                self.digested(md5)
            }
        }
    }
}

/// Action and resource of each denial. Resources hold what callers wrote: what no header can hold is escaped, and
/// what is longer than any real one is cut.
fn would_deny(denials: &[Denial]) -> HeaderValue {
    const LONGEST: usize = 256;
    let one = |denial: &Denial| {
        let resource: String = denial.resource.escape_default().take(LONGEST).collect();
        format!("{} {resource}", denial.action)
    };
    let text = denials.iter().map(one).collect::<Vec<_>>().join(", ");
    // Escaped text is visible ASCII.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// First digit of the length, MD5 in base64 without padding, last digit of the length
/// (protocol.md 9.3; reproduced from two recordings).
fn etag(md5: [u8; 16], length: usize) -> [u8; 24] {
    let mut tag = [0; 24];
    let encoded = BASE64_STANDARD_NO_PAD.encode_slice(md5, &mut tag[1..23]);
    debug_assert_eq!(encoded, Ok(22), "16 bytes are 22 digits");
    let first = length / 10_usize.pow(length.checked_ilog10().unwrap_or_default());
    tag[0] = b'0' + first as u8;
    tag[23] = b'0' + (length % 10) as u8;
    tag
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};

    use super::*;

    #[test]
    fn an_etag_is_the_body_s_md5_between_two_digits_of_its_length() {
        let etag = |text: &[u8]| etag(Md5::digest(text).into(), text.len());
        // MD5 of the empty text is d41d8cd98f00b204e9800998ecf8427e.
        assert_eq!(&etag(b""), b"01B2M2Y8AsgTpgAmY7PhCfg0");
        // MD5 of "abc" is 900150983cd24fb0d6963f7d28e17f72.
        assert_eq!(&etag(b"abc"), b"3kAFQmDzST7DWlj99KOF/cg3");
        for (length, first, last) in [(9, b'9', b'9'), (10, b'1', b'0'), (99, b'9', b'9'), (377, b'3', b'7')] {
            let tag = etag(&vec![b'a'; length]);
            assert_eq!((tag[0], tag[23]), (first, last), "{length}");
        }
    }
}
