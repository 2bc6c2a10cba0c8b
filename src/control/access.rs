//! Who may use the control API. Health, readiness, coverage and what instances read are open to whoever asks.
//!
//! A page of the web must reach nothing else: it says where it is from in `Origin`, and where it has a name of its own
//! lead here, that name is in `Host`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clap::ValueEnum;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, HOST, ORIGIN, VARY,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::description::DESCRIPTION;
use super::{Control, Refusal, RefusalCode};
use crate::world::Namespace;

/// How browsers say from where a page has a request sent.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// From where the control API can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AdminMode {
    /// From nowhere
    Off,
    /// From this machine, by an IP address or localhost
    #[default]
    Loopback,
    /// From wherever it is reached
    On,
}

/// Who may use the control API.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub mode: AdminMode,
    /// What everybody has to show, if it is set.
    pub token: Option<AdminToken>,
    /// The pages that may use it.
    pub origins: Vec<Origin>,
}

/// The token of the control API. Never printed.
#[derive(Clone)]
pub struct AdminToken(Arc<str>);

impl AdminToken {
    /// # Errors
    /// Why a text cannot be a token; without the text.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("a token is not empty".to_owned()) } else { Ok(Self(text.into())) }
    }

    /// As it was given.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What `Authorization` says.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Takes as long whatever is given.
    fn is(&self, given: &[u8]) -> bool {
        let (own, given) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(given));
        own.iter().zip(given).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(***)")
    }
}

/// Where a page is from, as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// # Errors
    /// Why a text is no origin.
    pub fn new(text: &str) -> Result<Self, String> {
        let (scheme, authority) = text.split_once("://").unwrap_or_default();
        let named = !scheme.is_empty() && authority.parse::<Authority>().is_ok() && !authority.contains(['@', '*']);
        let origin = HeaderValue::from_str(text).ok().filter(|_| named);
        origin.map(Self).ok_or_else(|| "an origin is such as http://localhost:3000, without a path".to_owned())
    }
}

/// The address at the other end of a connection, as an extension of its requests. A Unix socket has none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Lets through who may use the control API, and tells browsers which pages do.
pub(super) async fn guard(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let access = &control.access;
    let origin = match access.origin(request.headers()) {
        Ok(origin) => origin.cloned(),
        Err(refusal) => return refusal.into_response(),
    };
    let preflight = origin.is_some()
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let admitted = access.place(&request).and_then(|()| {
        // Browsers ask without the token whether they may send it.
        if preflight { Ok(()) } else { access.shown(request.headers()) }
    });
    let mut answer = match (admitted, DESCRIPTION.methods(request.extensions())) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(()), Some(methods)) if preflight => {
            let headers = [
                (ACCESS_CONTROL_ALLOW_METHODS, methods.join(", ")),
                (ACCESS_CONTROL_ALLOW_HEADERS, format!("authorization, content-type, {}", Namespace::HEADER)),
            ];
            (StatusCode::NO_CONTENT, headers).into_response()
        }
        (Ok(()), _) => next.run(request).await,
    };
    if !access.origins.is_empty() {
        answer.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    }
    if let Some(Origin(origin)) = origin {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    answer
}

impl Control {
    /// Whether a request is from a page of the web that is not listed. A picture of one has no `Origin`.
    pub(crate) fn is_page(&self, headers: &HeaderMap) -> bool {
        let is_cross_site = || headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site");
        self.access.origin(headers).map_or(true, |listed| listed.is_none() && is_cross_site())
    }
}

impl Access {
    /// The listed origin that a request is from; `None` if it is from no page.
    fn origin(&self, headers: &HeaderMap) -> Result<Option<&Origin>, Refusal> {
        let mut given = headers.get_all(ORIGIN).iter();
        let Some(first) = given.next() else { return Ok(None) };
        let listed = self.origins.iter().find(|Origin(listed)| listed == first && given.next().is_none());
        listed.map(Some).ok_or_else(|| {
            let hint =
                "call it from a program, which sends no Origin, or list the page's origin in --cors-allow-origin";
            Refusal::new(RefusalCode::OriginRefused, "a web page may not use the control API", hint)
        })
    }

    /// Whether the control API can be used from where a request comes.
    fn place(&self, request: &Request) -> Result<(), Refusal> {
        let refuse = |code, message: &str, hint: &str| Err(Refusal::new(code, message, hint));
        match self.mode {
            AdminMode::On => Ok(()),
            AdminMode::Off => {
                let hint = "start ecsim with --admin loopback or --admin on";
                refuse(RefusalCode::AdminOff, "the control API is turned off", hint)
            }
            AdminMode::Loopback => {
                let peer = request.extensions().get::<Peer>();
                if peer.is_some_and(|Peer(address)| !address.to_canonical().is_loopback()) {
                    let hint = "call it on the machine that ecsim runs on, or start ecsim with --admin on";
                    return refuse(RefusalCode::PeerRefused, "the control API is only for this machine", hint);
                }
                let mut hosts = request.headers().get_all(HOST).iter();
                let only = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
                let header = only.and_then(|host| host.parse::<Authority>().ok());
                // A target in absolute form has a name of its own, which comes before the header's.
                let target = request.uri().authority();
                if header.as_ref().is_some_and(is_local) && target.is_none_or(is_local) {
                    return Ok(());
                }
                let hint = "call it by an IP address or localhost, or start ecsim with --admin on";
                refuse(RefusalCode::HostRefused, "the control API is not there by this name", hint)
            }
        }
    }

    /// Whether a request shows the token, if there is one.
    fn shown(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else { return Ok(()) };
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let only = given.next().filter(|_| given.next().is_none()).map(HeaderValue::as_bytes);
        let bearer = only.and_then(|text| text.split_at_checked("Bearer ".len()));
        match bearer {
            Some((scheme, shown)) if scheme.eq_ignore_ascii_case(b"Bearer ") && token.is(shown) => Ok(()),
            _ => {
                let hint =
                    "send --admin-token as `Authorization: Bearer TOKEN`; sub-commands take it from ECSIM_ADMIN_TOKEN";
                let message = "the control API wants its token";
                Err(Refusal::new(RefusalCode::TokenRefused, message, hint))
            }
        }
    }
}

/// Whether an authority is an address, or the one name that no page can have lead elsewhere.
fn is_local(authority: &Authority) -> bool {
    let host = authority.host();
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = v6.map_or_else(|| host.parse::<Ipv4Addr>().is_ok(), |host| host.parse::<Ipv6Addr>().is_ok());
    !authority.as_str().contains('@') && (is_address || host.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_localhost_are_local_whatever_the_port() {
        let is = |text: &str| text.parse::<Authority>().as_ref().is_ok_and(is_local);
        for local in ["127.0.0.1", "127.0.0.1:4580", "[::1]:4580", "[::1]", "localhost", "LOCALHOST:1", "10.1.2.3:80"] {
            assert!(is(local), "{local}");
        }
        let others = "e localhost.example.com 127.0.0.1.example.com a@127.0.0.1 127.1 0x7f000001 [::1 ::1 localhost.";
        for other in others.split(' ').chain([""]) {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn on_loopback_another_machine_is_refused() {
        let access = Access::default();
        let from = |peer: &str| {
            let mut request = Request::new(axum::body::Body::empty());
            request.headers_mut().insert(HOST, HeaderValue::from_static("10.0.0.1:4580"));
            request.extensions_mut().insert(Peer(peer.parse().expect("an address")));
            access.place(&request).is_ok()
        };
        for (peer, passes) in
            [("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false)]
        {
            assert_eq!(from(peer), passes, "{peer}");
        }
        assert!(!from("::ffff:10.0.0.1") && !from("fe80::1"));
    }

    #[test]
    fn an_origin_is_a_scheme_and_an_authority() {
        for text in ["http://localhost:3000", "https://a.example.com", "chrome-extension://abcdef"] {
            assert!(Origin::new(text).is_ok(), "{text}");
        }
        for text in
            ["", "*", "null", "localhost", "http://", "http://a/", "http://a/b", "http://*", "http://u@a", "://a"]
        {
            assert!(Origin::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_is_only_itself_and_not_printed() {
        let token = AdminToken::new("s3cret").expect("a token");
        assert!(token.is(b"s3cret") && !token.is(b"s3cre") && !token.is(b"S3cret") && !token.is(b""));
        assert!(!format!("{token:?}").contains("s3cret"));
        assert!(AdminToken::new("").is_err());
    }
}
