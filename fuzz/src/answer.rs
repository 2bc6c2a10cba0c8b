//! Answers: those that are rendered, and what every answer of the gateway has to be like.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use arbitrary::Arbitrary;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ecsim::api::error::{ApiError, Code};
use ecsim::api::permission::{Denial, Principal};
use ecsim::gateway::registry::PRODUCTS;
use ecsim::policy::{Decision, Layer};
use ecsim::world::{AccountId, Ids, RequestId};
use http::Response;
use http_body_util::BodyExt;

use crate::leaves::{self, Leaf};
use crate::node::Node;

pub const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// What an action answers.
#[derive(Arbitrary, Debug)]
pub struct Reply {
    action: u8,
    pub node: Node,
}

impl Reply {
    /// One of the emulated actions.
    pub fn action(&self) -> &'static str {
        let names: Vec<_> = PRODUCTS.iter().flat_map(|product| product.actions).map(|entry| entry.name).collect();
        names[usize::from(self.action) % names.len()]
    }
}

/// Why a call is refused, and to whom.
#[derive(Arbitrary, Debug)]
pub struct Refusal {
    code: u8,
    product: u8,
    request: u64,
    message: String,
    /// The resource and the one whom a policy has denied it.
    denied: Option<(String, String)>,
    pub host: String,
}

impl Refusal {
    fn code(&self) -> Code {
        Code::ALL[usize::from(self.code) % Code::ALL.len()]
    }

    pub fn error(&self) -> ApiError {
        let denial = self.denied.clone().map(|(resource, display_name)| {
            let display_name = display_name.into();
            let principal = Principal { kind: "SubUser", account: AccountId::DEFAULT, display_name };
            let decision = Decision::ImplicitDeny(Layer::Session);
            Box::new(Denial { action: "ecs:DescribeRegions", resource, principal, decision })
        });
        let mut error = self.code().with(self.message.clone());
        error.denial = denial;
        error
    }

    pub fn product(&self) -> &'static str {
        PRODUCTS[usize::from(self.product) % PRODUCTS.len()].name
    }

    pub fn request_id(&self) -> RequestId {
        Ids::seeded(self.request).call().0
    }

    /// The leaves that every rendering has to carry (protocol.md 10.1 and 10.2).
    pub fn leaves(&self) -> Vec<Leaf> {
        let (wire, request_id) = (self.code().row().wire, self.request_id());
        let recommend = format!(
            "https://api.aliyun.com/troubleshoot?q={}&product={}&requestId={request_id}",
            wire.replace(' ', "+"),
            self.product(),
        );
        let message = BASE64_STANDARD.encode(format!("\u{1}\u{1}\0{request_id}"));
        let mut leaves = vec![
            ("/RequestId", request_id.as_str()),
            ("/HostId", &self.host),
            ("/Code", wire),
            ("/Message", &self.message),
            ("/Recommend", &recommend),
        ];
        if let Some((_, display_name)) = &self.denied {
            leaves.extend([
                ("/AccessDeniedDetail/AuthAction", "ecs:DescribeRegions"),
                ("/AccessDeniedDetail/AuthPrincipalType", "SubUser"),
                ("/AccessDeniedDetail/AuthPrincipalOwnerId", "1000000000000001"),
                ("/AccessDeniedDetail/AuthPrincipalDisplayName", display_name),
                ("/AccessDeniedDetail/NoPermissionType", "ImplicitDeny"),
                ("/AccessDeniedDetail/PolicyType", "SessionPolicy"),
                ("/AccessDeniedDetail/EncodedDiagnosticMessage", &message),
            ]);
        }
        leaves.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
    }
}

/// What the gateway has answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The code of a refusal.
    pub code: Option<String>,
    pub body: String,
}

impl Answer {
    /// Takes an answer apart and checks what has to hold for every one (protocol.md 9 and 10).
    pub fn of(response: Response<axum::body::Body>) -> Self {
        let (head, body) = response.into_parts();
        let Poll::Ready(body) = pin!(body.collect()).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("a body that is not there at once")
        };
        let body = body.expect("a body").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let status = head.status.as_u16();

        let leaves = match header("content-type") {
            "application/json;charset=utf-8" => leaves::of_json(&body),
            "text/xml;charset=utf-8" => {
                let (root, leaves) = leaves::of_xml(&body);
                assert!(body.starts_with(&format!("{DECLARATION}<{root}")), "{body:?}");
                let names = PRODUCTS.iter().flat_map(|product| product.actions).map(|entry| entry.name);
                let fits = |name: &str| root.strip_suffix("Response") == Some(name);
                assert!(if status == 200 { names.into_iter().any(fits) } else { root == "Error" }, "{body:?}");
                leaves
            }
            other => panic!("an answer of type {other:?}"),
        };
        let leaf = |path: &str| leaves.iter().find(|(other, _)| other == path).map(|(_, text)| text.as_str());
        let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        assert_eq!(leaf("/RequestId"), Some(header("x-acs-request-id")), "{body:?}");
        assert!(header("x-acs-trace-id").len() == 32 && is_hex(header("x-acs-trace-id")));
        assert_eq!(header("etag").len(), 24);
        if status == 200 {
            return Self { status, code: None, body };
        }
        let names: Vec<_> = leaves.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names[..5], ["/RequestId", "/HostId", "/Code", "/Message", "/Recommend"], "{body:?}");
        assert!(names[5..].iter().all(|name| name.starts_with("/AccessDeniedDetail/")), "{body:?}");
        let code = leaf("/Code").unwrap_or_default().to_owned();
        let fits = |row: &Code| row.row().wire == code && row.row().status == status;
        assert!(Code::ALL.iter().any(fits), "{code} with status {status}");
        assert_ne!(status, 500, "{body:?}");
        Self { status, code: Some(code), body }
    }
}
