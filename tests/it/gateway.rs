//! The gateway: what it reads, what it checks in which order, and how it answers
//! (protocol.md 1 to 12, decisions 16 to 29).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use ecsim::api::render::LONG;
use ecsim::control::{Access, Origin};
use ecsim::emulator::Builder;
use ecsim::http::Limits;
use ecsim::settings::{AuthMode, GatewayCodes, Settings};
use ecsim::world::{Clock, SpaceLimits, parse_utc};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use md5::Md5;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use crate::support::{self, Answer, NOW, Server, encode, nonce, sign_v1};
use crate::transport::{RawAnswer, Wire};

const JSON: &str = "application/json;charset=utf-8";
const XML: &str = "text/xml;charset=utf-8";
const NOT_FOUND: &str = "Specified api is not found, please check your url and method.";

/// A world of two temporary keys, one expired one, one permanent and one inactive key.
fn keys() -> Value {
    let session = |id: &str, expires: &str| {
        json!({ "id": format!("STS.{id}"), "secret": id, "security_token": format!("token-{id}"), "expires": expires,
            "name": "test" })
    };
    json!({ "accounts": [
        { "id": "1000000000000001", "keys": [
            { "id": "test", "secret": "test" },
            { "id": "off", "secret": "off", "status": "inactive" },
        ], "roles": [{ "name": "any", "policies": ["AdministratorAccess"], "sessions": [
            session("a", "2026-11-24T03:00:00Z"),
            session("b", "2026-11-24T03:00:00Z"),
            session("old", NOW),
        ] }] },
        { "id": "2000000000000002", "keys": [{ "id": "other", "secret": "other" }] }
    ] })
}

fn with_keys(builder: Builder) -> Builder {
    builder.seed("keys.json", keys().to_string())
}

async fn start_set(settings: Settings) -> Server {
    support::start_with(|builder| with_keys(builder).settings(settings)).await
}

fn general() -> Settings {
    Settings { codes: GatewayCodes::General, ..Settings::default() }
}

fn auth(auth: AuthMode) -> Settings {
    Settings { auth, ..Settings::default() }
}

impl Server {
    /// The names of those that there are.
    async fn namespaces(&self) -> Vec<String> {
        let all = Answer::of(support::client().get(format!("{}/_ecsim/namespaces", self.url()))).await.text;
        let all: Value = serde_json::from_str(&all).expect("JSON");
        let name = |space: &Value| space["namespace"].as_str().expect("a name").to_owned();
        all["namespaces"].as_array().expect("a list").iter().map(name).collect()
    }
}

async fn raw(server: &Server, request: impl AsRef<[u8]>) -> RawAnswer {
    let mut wire = Wire::open(server).await;
    wire.send(request).await;
    wire.answer().await
}

async fn get(server: &Server, target: &str) -> RawAnswer {
    raw(server, format!("GET {target} HTTP/1.1\r\nHost: ecs.example\r\n\r\n")).await
}

fn refused(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

fn missing(name: &str) -> (u16, String, String) {
    let text = format!("The input parameter \"{name}\" that is mandatory for processing this request is not supplied.");
    refused(400, "MissingParameter", &text)
}

/// The server's V1 string to sign, by the vendor's steps.
fn string_to_sign(method: &str, params: &BTreeMap<String, String>) -> String {
    let query: Vec<_> = params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    format!("{method}&%2F&{}", encode(&query.join("&")))
}

fn form(params: &BTreeMap<String, String>) -> String {
    params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

/// A V1 request in which every part can be spoilt.
struct V1 {
    method: &'static str,
    path: &'static str,
    params: BTreeMap<String, String>,
    secret: &'static str,
    signature: Option<&'static str>,
    signed: bool,
    tail: &'static str,
}

impl V1 {
    /// A right call of the temporary key `STS.a`.
    fn new(action: &str) -> Self {
        let nonce = nonce();
        let params = [
            ("Action", action),
            ("Version", "2014-05-26"),
            ("Format", "JSON"),
            ("AccessKeyId", "STS.a"),
            ("SecurityToken", "token-a"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", nonce.as_str()),
            ("Timestamp", NOW),
            ("RegionId", "cn-hangzhou"),
            ("InstanceIds", "[\"i-1\"]"),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { method: "GET", path: "/", params, secret: "a", signature: None, signed: true, tail: "" }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.params.insert(name.to_owned(), value.to_owned());
    }

    fn drop(&mut self, name: &str) {
        self.params.remove(name);
    }

    fn key(&mut self, id: &str, secret: &'static str) {
        self.set("AccessKeyId", id);
        self.secret = secret;
    }

    fn request(&self) -> String {
        let mut query = form(&self.params);
        if self.signed {
            let right = sign_v1(self.method, &self.params, self.secret);
            query = format!("{query}&Signature={}", encode(self.signature.unwrap_or(&right)));
        }
        format!("{} {}?{query}{} HTTP/1.1\r\nHost: ecs.example\r\n\r\n", self.method, self.path, self.tail)
    }

    async fn send(&self, server: &Server) -> RawAnswer {
        raw(server, self.request()).await
    }
}

/// One mistake: the part that it spoils, how, and the code that it alone gets.
type Mistake<T> = (&'static str, fn(&mut T), (u16, &'static str));

/// Every mistake that a V1 call of ECS can make, in the order of protocol.md 12.
const V1_MISTAKES: &[Mistake<V1>] = &[
    ("encoding", |c| c.tail = "&x=%zz", (400, "RequestParameterMalformed")),
    ("method", |c| c.method = "PUT", (403, "UnsupportedHTTPMethod")),
    ("path", |c| c.path = "/v1", (404, "InvalidAction.NotFound")),
    ("Format", |c| c.set("Format", "yaml"), (400, "InvalidParameter.Format")),
    ("Action", |c| c.drop("Action"), (404, "InvalidAction.NotFound")),
    ("Version", |c| c.drop("Version"), (400, "MissingParameter")),
    ("Version", |c| c.set("Version", "2014-05-27"), (400, "InvalidVersion")),
    ("Action", |c| c.set("Action", "Nothing"), (404, "InvalidAction.NotFound")),
    ("AccessKeyId", |c| c.drop("AccessKeyId"), (400, "MissingParameter")),
    ("Signature", |c| c.signed = false, (400, "MissingParameter")),
    ("SignatureMethod", |c| c.drop("SignatureMethod"), (400, "MissingParameter")),
    ("SignatureVersion", |c| c.drop("SignatureVersion"), (400, "MissingParameter")),
    ("SignatureNonce", |c| c.drop("SignatureNonce"), (400, "MissingParameter")),
    ("Timestamp", |c| c.drop("Timestamp"), (400, "MissingParameter")),
    ("AccessKeyId", |c| c.key("nobody", "x"), (404, "InvalidAccessKeyId.NotFound")),
    ("AccessKeyId", |c| c.key("off", "off"), (400, "InvalidAccessKeyId.Inactive")),
    ("Timestamp", |c| c.set("Timestamp", "today"), (400, "InvalidTimeStamp.Format")),
    ("Timestamp", |c| c.set("Timestamp", "2026-11-24T03:07:22Z"), (400, "IllegalTimestamp")),
    ("SignatureMethod", |c| c.set("SignatureMethod", "HMAC-MD5"), (400, "InvalidSignatureMethod")),
    ("SignatureVersion", |c| c.set("SignatureVersion", "2.0"), (400, "InvalidParameter")),
    ("Signature", |c| c.signature = Some("AAAA"), (400, "IncompleteSignature")),
    ("SignatureNonce", |c| c.set("SignatureNonce", "spent"), (400, "SignatureNonceUsed")),
    ("SecurityToken", |c| c.drop("SecurityToken"), (400, "MissingParameter")),
    ("SecurityToken", |c| c.set("SecurityToken", "nonsense"), (400, "InvalidParameter")),
    ("SecurityToken", |c| c.set("SecurityToken", "token-b"), (400, "InvalidParameter")),
    ("RegionId", |c| c.drop("RegionId"), (400, "MissingParameter")),
];

/// A parameter that is missing is named in the message: the codes alone would not tell two apart.
fn v1_detail(part: &str, code: &str) -> Option<String> {
    (code == "MissingParameter").then(|| missing(part).2)
}

#[tokio::test]
async fn each_mistake_of_a_v1_call_alone_gets_its_code() {
    let server = support::start_with(with_keys).await;
    let mut first = V1::new("DescribeRegions");
    first.set("SignatureNonce", "spent");
    assert_eq!(first.send(&server).await.status, 200);
    for (part, spoil, (status, code)) in V1_MISTAKES {
        let mut call = V1::new("DetachInstanceRamRole");
        spoil(&mut call);
        let answer = call.send(&server).await;
        assert_eq!(answer.code(), (*status, (*code).to_owned()), "{part}: {}", answer.body);
        if let Some(message) = v1_detail(part, code) {
            assert_eq!(answer.message(), message);
        }
    }
}

#[tokio::test]
async fn of_any_two_mistakes_of_a_v1_call_the_earlier_check_answers() {
    let server = support::start_with(with_keys).await;
    let mut first = V1::new("DescribeRegions");
    first.set("SignatureNonce", "spent");
    assert_eq!(first.send(&server).await.status, 200);
    let mut pairs = 0;
    for (at, (part, spoil, (status, code))) in V1_MISTAKES.iter().enumerate() {
        for (other, spoil_too, _) in &V1_MISTAKES[at + 1..] {
            if part == other {
                continue;
            }
            let mut call = V1::new("DetachInstanceRamRole");
            spoil(&mut call);
            spoil_too(&mut call);
            let answer = call.send(&server).await;
            assert_eq!(answer.code(), (*status, (*code).to_owned()), "{part} and {other}: {}", answer.body);
            if let Some(message) = v1_detail(part, code) {
                assert_eq!(answer.message(), message, "{part} and {other}");
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, 310);
}

/// An ACS3 request in which every part can be spoilt.
struct Acs3 {
    headers: BTreeMap<&'static str, String>,
    /// Headers that are sent but not signed.
    bare: Vec<&'static str>,
    query: BTreeMap<String, String>,
    id: &'static str,
    secret: &'static str,
    algorithm: &'static str,
    authorization: Option<&'static str>,
    signature: Option<&'static str>,
    method: &'static str,
}

impl Acs3 {
    /// A right call of the temporary key `STS.a`.
    fn new(action: &str) -> Self {
        let headers = [
            ("host", "ecs.example".to_owned()),
            ("x-acs-action", action.to_owned()),
            ("x-acs-version", "2014-05-26".to_owned()),
            ("x-acs-date", NOW.to_owned()),
            ("x-acs-signature-nonce", nonce()),
            ("x-acs-security-token", "token-a".to_owned()),
            ("x-acs-content-sha256", hex::encode(Sha256::digest(""))),
        ];
        let query = [("RegionId", "cn-hangzhou"), ("InstanceIds", "[\"i-1\"]")];
        Self {
            headers: headers.into(),
            bare: Vec::new(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            id: "STS.a",
            secret: "a",
            algorithm: "ACS3-HMAC-SHA256",
            authorization: None,
            signature: None,
            method: "POST",
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(name, value.to_owned());
    }

    fn permanent(mut self) -> Self {
        self.headers.remove("x-acs-security-token");
        (self.id, self.secret) = ("test", "test");
        self
    }

    fn canonical(&self) -> String {
        let signed: Vec<_> = self.headers.iter().filter(|(name, _)| !self.bare.contains(name)).collect();
        let lines: String = signed.iter().flat_map(|(name, value)| [**name, ":", value.as_str(), "\n"]).collect();
        let names: Vec<_> = signed.iter().map(|(name, _)| **name).collect();
        let hash = hex::encode(Sha256::digest(""));
        format!("{}\n/\n{}\n{lines}\n{}\n{hash}", self.method, form(&self.query), names.join(";"))
    }

    fn string_to_sign(&self) -> String {
        format!("{}\n{}", self.algorithm, hex::encode(Sha256::digest(self.canonical())))
    }

    fn request(&self) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("any length");
        mac.update(self.string_to_sign().as_bytes());
        let right = hex::encode(mac.finalize().into_bytes());
        let signature = self.signature.unwrap_or(&right);
        let names: Vec<_> = self.headers.keys().copied().filter(|name| !self.bare.contains(name)).collect();
        let authorization = format!(
            "{} Credential={},SignedHeaders={},Signature={signature}",
            self.algorithm,
            self.id,
            names.join(";")
        );
        let authorization = self.authorization.unwrap_or(&authorization);
        let headers: String =
            self.headers.iter().flat_map(|(name, value)| [*name, ": ", value.as_str(), "\r\n"]).collect();
        format!(
            "{} /?{} HTTP/1.1\r\n{headers}Authorization: {authorization}\r\nContent-Length: 0\r\n\r\n",
            self.method,
            form(&self.query)
        )
    }

    async fn send(&self, server: &Server) -> RawAnswer {
        raw(server, self.request()).await
    }
}

/// Every mistake that an ACS3 call can make, in the order of protocol.md 12.
const ACS3_MISTAKES: &[Mistake<Acs3>] = &[
    ("method", |c| c.method = "DELETE", (403, "UnsupportedHTTPMethod")),
    ("accept", |c| c.set("accept", "image/png"), (400, "InvalidParameter.Accept")),
    ("action", |c| drop(c.headers.remove("x-acs-action")), (404, "InvalidAction.NotFound")),
    ("version", |c| drop(c.headers.remove("x-acs-version")), (400, "MissingVersion")),
    ("version", |c| c.set("x-acs-version", "1999-01-01"), (400, "InvalidVersion")),
    ("action", |c| c.set("x-acs-action", "Nothing"), (404, "InvalidAction.NotFound")),
    ("authorization", |c| c.authorization = Some("ACS3-HMAC-SHA256 nonsense"), (400, "IncompleteSignature")),
    ("date", |c| drop(c.headers.remove("x-acs-date")), (400, "MissingTimestamp")),
    ("key", |c| c.id = "nobody", (404, "InvalidAccessKeyId.NotFound")),
    ("key", |c| (c.id, c.secret) = ("off", "off"), (400, "InvalidAccessKeyId.Inactive")),
    ("date", |c| c.set("x-acs-date", "today"), (400, "InvalidTimeStamp.Format")),
    ("date", |c| c.set("x-acs-date", "2026-11-24T01:07:22Z"), (400, "InvalidTimeStamp.Expired")),
    ("algorithm", |c| c.algorithm = "ACS3-HMAC-MD5", (400, "InvalidSignatureMethod")),
    ("signature", |c| c.signature = Some("00ff"), (400, "SignatureDoesNotMatch")),
    ("nonce", |c| c.set("x-acs-signature-nonce", "spent"), (400, "SignatureNonceUsed")),
    ("token", |c| drop(c.headers.remove("x-acs-security-token")), (400, "MissingSecurityToken")),
    ("token", |c| c.set("x-acs-security-token", "nonsense"), (400, "InvalidSecurityToken.Malformed")),
    ("token", |c| c.set("x-acs-security-token", "token-b"), (400, "InvalidSecurityToken.MismatchWithAccessKey")),
    ("region", |c| drop(c.query.remove("RegionId")), (400, "MissingParameter")),
];

#[tokio::test]
async fn of_any_mistakes_of_an_acs3_call_the_earlier_check_answers() {
    let server = support::start_with(with_keys).await;
    let first = Acs3::new("DescribeRegions").header("x-acs-signature-nonce", "spent");
    assert_eq!(first.send(&server).await.status, 200);
    for (at, (part, spoil, (status, code))) in ACS3_MISTAKES.iter().enumerate() {
        let expected = (*status, (*code).to_owned());
        let mut call = Acs3::new("DetachInstanceRamRole");
        spoil(&mut call);
        assert_eq!(call.send(&server).await.code(), expected, "{part} alone");
        for (other, spoil_too, _) in ACS3_MISTAKES[at + 1..].iter().filter(|(other, _, _)| other != part) {
            let mut call = Acs3::new("DetachInstanceRamRole");
            spoil(&mut call);
            spoil_too(&mut call);
            let answer = call.send(&server).await;
            assert_eq!(answer.code(), expected, "{part} and {other}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_bad_v1_signature_is_refused_in_the_words_of_ecs_and_ends_with_the_string_to_sign() {
    let server = support::start_with(with_keys).await;
    let mut call = V1::new("DescribeRegions");
    call.set("Extra", "a b*~/北");
    call.signature = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let answer = call.send(&server).await;
    let text = string_to_sign("GET", &call.params);
    let expected =
        format!("The request signature does not conform to Aliyun standards. server string to sign is:{text}");
    assert_eq!(answer.code(), (400, "IncompleteSignature".to_owned()));
    assert_eq!(answer.message(), expected);
}

#[tokio::test]
async fn every_other_row_of_the_ecs_table_has_its_text() {
    let server = support::start_with(with_keys).await;
    let off = "The input parameter \"Timestamp\" that is mandatory for processing this request is not supplied.";
    let late = server.call("DescribeRegions").param("Timestamp", "2026-11-24T05:00:00Z").send().await;
    assert_eq!(late.refusal(), refused(400, "IllegalTimestamp", off));
    for name in ["Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "Version"] {
        let call = server.call("DescribeRegions").without(name);
        let answer = if name == "Signature" { call.unsigned(name, "") } else { call }.send().await;
        assert_eq!(answer.refusal(), missing(name), "{name} absent");
        let call = server.call("DescribeRegions");
        let answer = if name == "Signature" { call.unsigned(name, "") } else { call.param(name, "") }.send().await;
        assert_eq!(answer.refusal(), missing(name), "{name} empty");
    }
    assert_eq!(server.call("DescribeRegions").without("AccessKeyId").send().await.refusal(), missing("AccessKeyId"));
    let sts = || server.call("DescribeRegions").key("STS.a", "a");
    assert_eq!(sts().send().await.refusal(), missing("SecurityToken"));
    assert_eq!(sts().param("SecurityToken", "").send().await.refusal(), missing("SecurityToken"));
    for (token, what) in [("nonsense", "Malformed"), ("token-b", "MismatchWithAccessKey")] {
        let text = format!("The specified parameter \"SecurityToken.{what}\" is not valid.");
        let answer = sts().param("SecurityToken", token).send().await;
        assert_eq!(answer.refusal(), refused(400, "InvalidParameter", &text));
    }
    let expired = server.call("DescribeRegions").key("STS.old", "old").param("SecurityToken", "token-old");
    let text = "The specified parameter \"SecurityToken.Expired\" is not valid.";
    assert_eq!(expired.send().await.refusal(), refused(400, "InvalidParameter", text));
    assert_eq!(sts().param("SecurityToken", "token-a").send().await.status, 200);
}

#[tokio::test]
async fn with_general_codes_ecs_answers_v1_calls_like_every_product() {
    let server = start_set(general()).await;
    let late = server.call("DescribeRegions").param("Timestamp", "2026-11-24T05:00:00Z").send().await;
    let text = "Specified time stamp or date value is expired.";
    assert_eq!(late.refusal(), refused(400, "InvalidTimeStamp.Expired", text));
    for name in ["AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "Version"] {
        let answer = server.call("DescribeRegions").without(name).send().await;
        let text = format!("{name} is mandatory for this action.");
        assert_eq!(answer.refusal(), refused(400, &format!("Missing{name}"), &text));
    }
    let unsigned = server.call("DescribeRegions").unsigned("Signature", "").send().await;
    let text = "Signature is mandatory for this action.";
    assert_eq!(unsigned.refusal(), refused(400, "MissingSignature", text));
    let mut call = V1::new("DescribeRegions");
    call.signature = Some("AAAA");
    let answer = call.send(&server).await;
    let text = string_to_sign("GET", &call.params);
    let text = format!("Specified signature is not matched with our calculation. server string to sign is:{text}");
    assert_eq!((answer.code().1.as_str(), answer.message()), ("SignatureDoesNotMatch", text));
    let sts = || server.call("DescribeRegions").key("STS.a", "a");
    let text = "SecurityToken is mandatory for this action.";
    assert_eq!(sts().send().await.refusal(), refused(400, "MissingSecurityToken", text));
    let answer = sts().param("SecurityToken", "nonsense").send().await;
    let text = "Specified SecurityToken is malformed.";
    assert_eq!(answer.refusal(), refused(400, "InvalidSecurityToken.Malformed", text));
    let answer = sts().param("SecurityToken", "token-b").send().await;
    let text = "Specified SecurityToken mismatch with the AccessKey.";
    assert_eq!(answer.refusal(), refused(400, "InvalidSecurityToken.MismatchWithAccessKey", text));
    let answer = server.call("DescribeRegions").key("STS.old", "old").param("SecurityToken", "token-old").send().await;
    let text = "Specified SecurityToken is expired.";
    assert_eq!(answer.refusal(), refused(400, "InvalidSecurityToken.Expired", text));
}

#[tokio::test]
async fn the_rows_that_both_families_share_have_their_text() {
    for settings in [Settings::default(), general()] {
        let server = start_set(settings).await;
        let call = || server.call("DescribeRegions");
        for (answer, status, code, message) in [
            (call().key("nobody", "x"), 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."),
            (call().key("off", "off"), 400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."),
            (
                call().param("Timestamp", "now"),
                400,
                "InvalidTimeStamp.Format",
                "Specified time stamp or date value is not well formatted.",
            ),
            (
                call().param("SignatureMethod", "SHA256withRSA"),
                400,
                "InvalidSignatureMethod",
                "Specified signature method is not valid.",
            ),
            (
                call().param("SignatureVersion", "1.1"),
                400,
                "InvalidParameter",
                "The specified parameter \"SignatureVersion\" is not valid.",
            ),
            (call().param("Version", "2014-05-27"), 400, "InvalidVersion", "Specified parameter Version is not valid."),
            (server.call("Nothing"), 404, "InvalidAction.NotFound", NOT_FOUND),
            (call().without("Action"), 404, "InvalidAction.NotFound", NOT_FOUND),
            (call().param("Action", ""), 404, "InvalidAction.NotFound", NOT_FOUND),
            (
                server.call("RunInstances"),
                400,
                "UnsupportedOperation.NotEmulated",
                "The vendor has the action RunInstances, ecsim does not. GET /_ecsim/coverage lists what it has.",
            ),
        ] {
            assert_eq!(answer.send().await.refusal(), refused(status, code, message));
        }
        let once = call().param("SignatureNonce", "again").send().await;
        assert_eq!(once.status, 200);
        let twice = call().param("SignatureNonce", "again").send().await;
        let text = "Specified signature nonce was used already.";
        assert_eq!(twice.refusal(), refused(400, "SignatureNonceUsed", text));
    }
}

#[tokio::test]
async fn acs3_refusals_have_the_general_texts_on_ecs_too() {
    let server = support::start_with(with_keys).await;
    let check = async |call: Acs3, status: u16, code: &str, message: &str| {
        let answer = call.send(&server).await;
        assert_eq!(answer.code(), (status, code.to_owned()), "{}", answer.body);
        assert_eq!(answer.message(), message);
        assert_eq!(answer.header("content-type"), Some(JSON));
    };
    let call = || Acs3::new("DescribeRegions");
    let mut bad = call();
    bad.signature = Some("00ff");
    let text = format!(
        "Specified signature does not match our calculation. \
         server StringToSign is [{}] server CanonicalRequest is [{}]",
        bad.string_to_sign(),
        bad.canonical()
    );
    check(bad, 400, "SignatureDoesNotMatch", &text).await;
    let incomplete = "The request signature does not conform to Aliyun standards.";
    for value in ["ACS3-HMAC-SHA256", "ACS3-HMAC-SHA256 Credential=STS.a,Signature=00", "ACS3-HMAC-SHA256 x"] {
        let mut broken = call();
        broken.authorization = Some(value);
        check(broken, 400, "IncompleteSignature", incomplete).await;
    }
    let expired = "Specified time stamp or date value is expired.";
    check(call().header("x-acs-date", "2020-01-01T00:00:00Z"), 400, "InvalidTimeStamp.Expired", expired).await;
    let mut undated = call();
    undated.headers.remove("x-acs-date");
    check(undated, 400, "MissingTimestamp", "Timestamp is mandatory for this action.").await;
    let mut bare = call();
    bare.headers.remove("x-acs-security-token");
    check(bare, 400, "MissingSecurityToken", "SecurityToken is mandatory for this action.").await;
    let token = |token| call().header("x-acs-security-token", token);
    let text = "Specified SecurityToken is malformed.";
    check(token("nonsense"), 400, "InvalidSecurityToken.Malformed", text).await;
    let text = "Specified SecurityToken mismatch with the AccessKey.";
    check(token("token-b"), 400, "InvalidSecurityToken.MismatchWithAccessKey", text).await;
    let mut old = token("token-old");
    (old.id, old.secret) = ("STS.old", "old");
    check(old, 400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.").await;
    let accept = "Specified parameter accept is not valid.";
    check(call().header("accept", "image/png"), 400, "InvalidParameter.Accept", accept).await;
}

#[tokio::test]
async fn acs3_signs_action_version_date_and_hash_but_may_leave_out_the_host() {
    let server = support::start_with(with_keys).await;
    for name in ["x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256"] {
        let mut call = Acs3::new("DescribeRegions");
        call.bare.push(name);
        let answer = call.send(&server).await;
        assert_eq!(answer.code(), (400, "IncompleteSignature".to_owned()), "{name}");
        assert_eq!(answer.message(), "The request signature does not conform to Aliyun standards.", "{name}");
    }
    for name in ["host", "x-acs-signature-nonce"] {
        let mut call = Acs3::new("DescribeRegions");
        call.bare.push(name);
        assert_eq!(call.send(&server).await.status, 200, "{name}");
    }
    let mut hashless = Acs3::new("DescribeRegions");
    hashless.headers.remove("x-acs-content-sha256");
    assert_eq!(hashless.send(&server).await.code(), (400, "IncompleteSignature".to_owned()));
    let mut nonceless = Acs3::new("DescribeRegions");
    nonceless.headers.remove("x-acs-signature-nonce");
    assert_eq!(nonceless.send(&server).await.status, 200, "the nonce is checked where it is sent");
}

#[tokio::test]
async fn acs3_falls_back_to_parameters_but_v1_never_looks_at_headers() {
    let server = support::start_with(with_keys).await;
    let mut call = Acs3::new("DescribeRegions");
    call.headers.remove("x-acs-action");
    call.headers.remove("x-acs-version");
    call.query.insert("Action".to_owned(), "DescribeRegions".to_owned());
    call.query.insert("Version".to_owned(), "2014-05-26".to_owned());
    assert_eq!(call.send(&server).await.status, 200);
    let mut call = V1::new("DescribeRegions");
    call.drop("Action");
    let request = call.request().replace("\r\n\r\n", "\r\nx-acs-action: DescribeRegions\r\n\r\n");
    assert_eq!(raw(&server, request).await.code(), (404, "InvalidAction.NotFound".to_owned()));
}

#[tokio::test]
async fn acs3_headers_of_one_name_are_joined_and_the_scheme_in_host_is_signed_as_sent() {
    let server = support::start_with(with_keys).await;
    let call = Acs3::new("DescribeRegions").header("host", "http://127.0.0.1:18080/");
    assert_eq!(call.send(&server).await.status, 200);
    let joined = Acs3::new("DescribeRegions").header("x-acs-many", "a,b");
    let request = joined.request().replace("x-acs-many: a,b\r\n", "x-acs-many:  b \r\nX-Acs-Many: a\r\n");
    assert_eq!(raw(&server, request).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_does_not_match() {
    let server = support::start().await;
    let mut call = server.acs3("DescribeRegions");
    call.body = "RegionId=cn-hangzhou".to_owned();
    let call = call.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(call.send().await.status, 200);
    let call = Acs3::new("DescribeRegions").permanent();
    let request = call.request().replace("Content-Length: 0\r\n\r\n", "Content-Length: 3\r\n\r\na=b");
    assert_eq!(raw(&server, request).await.code(), (400, "SignatureDoesNotMatch".to_owned()));
}

#[tokio::test]
async fn a_signature_lives_900_seconds_either_way_of_the_world_s_clock() {
    let server = support::start().await;
    for (time, passes) in [
        ("2026-11-24T01:52:22Z", true),
        ("2026-11-24T01:52:21Z", false),
        ("2026-11-24T02:22:22Z", true),
        ("2026-11-24T02:22:23Z", false),
    ] {
        let expected = if passes { 200 } else { 400 };
        let answer = server.call("DescribeRegions").param("Timestamp", time).send().await;
        assert_eq!(answer.status, expected, "V1 {time}");
        let answer = server.acs3("DescribeRegions").header("x-acs-date", time).send().await;
        assert_eq!(answer.status, expected, "ACS3 {time}");
    }
    server.clock.advance(SignedDuration::from_secs(901));
    assert_eq!(server.call("DescribeRegions").send().await.code(), (400, "IllegalTimestamp".to_owned()));
    let later = server.call("DescribeRegions").param("Timestamp", "2026-11-24T02:22:23Z").send().await;
    assert_eq!(later.status, 200);
}

/// A world that is years ahead of the machine's clock.
#[derive(Debug)]
struct MovedClock;

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        parse_utc("2031-01-01T00:00:00Z").expect("a time")
    }

    fn wall(&self) -> Timestamp {
        parse_utc(NOW).expect("a time")
    }
}

#[tokio::test]
async fn a_signature_by_the_machine_s_clock_passes_in_a_world_whose_clock_was_moved() {
    let server = support::start_with(|builder| builder.clock(Arc::new(MovedClock))).await;
    for (time, status) in [(NOW, 200), ("2031-01-01T00:00:00Z", 200), ("2028-06-01T00:00:00Z", 400)] {
        let answer = server.call("DescribeRegions").param("Timestamp", time).send().await;
        assert_eq!(answer.status, status, "{time}");
    }
}

#[tokio::test]
async fn the_allowed_skew_can_be_set() {
    let server = start_set(Settings { clock_skew: SignedDuration::from_secs(5), ..Settings::default() }).await;
    let at = |time: &str| server.call("DescribeRegions").param("Timestamp", time).send();
    assert_eq!(at("2026-11-24T02:07:27Z").await.status, 200);
    assert_eq!(at("2026-11-24T02:07:28Z").await.code(), (400, "IllegalTimestamp".to_owned()));
}

#[tokio::test]
async fn only_whole_seconds_in_utc_are_a_time() {
    let server = support::start().await;
    for bad in [
        "2026-11-24T02:07:22.973Z",
        "2026-11-24T02:07:22+00:00",
        "2026-11-24 02:07:22Z",
        "2026-11-24T02:07:22",
        "2026-11-24T02:07Z",
        "2026-02-30T00:00:00Z",
        "Tue, 24 Nov 2026 02:07:22 GMT",
        "1795485600",
    ] {
        let expected =
            refused(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.");
        assert_eq!(server.call("DescribeRegions").param("Timestamp", bad).send().await.refusal(), expected, "{bad}");
        assert_eq!(server.acs3("DescribeRegions").header("x-acs-date", bad).send().await.refusal(), expected, "{bad}");
    }
}

#[tokio::test]
async fn a_nonce_is_remembered_for_half_an_hour_and_per_key() {
    let server = support::start_with(with_keys).await;
    let call = |id: &str, secret: &str, time: &str| {
        let call = server.call("DescribeRegions").key(id, secret);
        call.param("SignatureNonce", "n").param("Timestamp", time).send()
    };
    assert_eq!(call("test", "test", NOW).await.status, 200);
    assert_eq!(call("other", "other", NOW).await.status, 200, "another key has nonces of its own");
    assert_eq!(call("test", "test", NOW).await.code(), (400, "SignatureNonceUsed".to_owned()));
    server.clock.advance(SignedDuration::from_mins(29));
    assert_eq!(call("test", "test", "2026-11-24T02:36:22Z").await.code(), (400, "SignatureNonceUsed".to_owned()));
    server.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(call("test", "test", "2026-11-24T02:38:22Z").await.status, 200);
}

#[tokio::test]
async fn v1_and_acs3_share_the_nonces_of_a_key_and_a_bad_signature_spends_none() {
    let server = support::start().await;
    let forged = server.call("DescribeRegions").key("test", "guess").param("SignatureNonce", "n").send().await;
    assert_eq!(forged.code(), (400, "IncompleteSignature".to_owned()));
    assert_eq!(server.call("DescribeRegions").param("SignatureNonce", "n").send().await.status, 200);
    let again = server.acs3("DescribeRegions").header("x-acs-signature-nonce", "n").send().await;
    assert_eq!(again.code(), (400, "SignatureNonceUsed".to_owned()));
}

#[tokio::test]
async fn a_token_expires_by_the_world_s_clock_and_one_beside_a_permanent_key_is_ignored() {
    let server = support::start_with(with_keys).await;
    let sts = |time: &str| {
        let call = server.call("DescribeRegions").key("STS.a", "a").param("SecurityToken", "token-a");
        call.param("Timestamp", time).send()
    };
    assert_eq!(sts(NOW).await.status, 200);
    assert_eq!(server.call("DescribeRegions").param("SecurityToken", "token-a").send().await.status, 200);
    assert_eq!(server.acs3("DescribeRegions").header("x-acs-security-token", "x").send().await.status, 200);
    server.clock.advance(SignedDuration::from_secs(52 * 60 + 37));
    assert_eq!(sts("2026-11-24T02:59:59Z").await.status, 200);
    server.clock.advance(SignedDuration::from_secs(1));
    let text = "The specified parameter \"SecurityToken.Expired\" is not valid.";
    assert_eq!(sts("2026-11-24T03:00:00Z").await.refusal(), refused(400, "InvalidParameter", text));
}

#[tokio::test]
async fn lenient_looks_neither_at_the_time_nor_at_the_nonce_but_at_all_else() {
    let server = start_set(auth(AuthMode::Lenient)).await;
    for _ in 0..2 {
        let call =
            server.call("DescribeRegions").param("Timestamp", "2001-01-01T00:00:00Z").param("SignatureNonce", "n");
        assert_eq!(call.send().await.status, 200);
    }
    let code = async |call: support::Call| call.send().await.code();
    let call = || server.call("DescribeRegions");
    assert_eq!(code(call().param("Timestamp", "now")).await, (400, "InvalidTimeStamp.Format".to_owned()));
    assert_eq!(code(call().key("test", "guess")).await, (400, "IncompleteSignature".to_owned()));
    assert_eq!(code(call().key("nobody", "x")).await, (404, "InvalidAccessKeyId.NotFound".to_owned()));
    assert_eq!(code(call().key("STS.a", "a")).await, (400, "MissingParameter".to_owned()));
    assert_eq!(code(call().without("SignatureNonce")).await, (400, "MissingParameter".to_owned()));
}

/// How many instances a caller sees in a world where each account has another number of them.
async fn instances_seen(server: &Server, key: &str) -> Value {
    let query =
        format!("Action=DescribeInstances&Version=2014-05-26&Format=JSON&RegionId=cn-hangzhou&AccessKeyId={key}");
    let answer = get(server, &format!("/?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str::<Value>(&answer.body).expect("JSON")["TotalCount"].clone()
}

#[tokio::test]
async fn with_auth_off_a_key_of_16_digits_is_the_account_and_any_other_the_default_owner() {
    let seed = json!({ "accounts": [
        { "id": "1000000000000001", "instances": [{ "id": "i-one", "region": "cn-hangzhou" }] },
        { "id": "2000000000000002", "keys": [{ "id": "LTAIseeded", "secret": "x" }], "instances": [
            { "id": "i-two", "region": "cn-hangzhou" }, { "id": "i-three", "region": "cn-hangzhou" }
        ] }
    ] });
    let server =
        support::start_with(|builder| builder.seed("two.json", seed.to_string()).settings(auth(AuthMode::Off))).await;
    assert_eq!(instances_seen(&server, "2000000000000002").await, 2);
    assert_eq!(instances_seen(&server, "1000000000000001").await, 1);
    assert_eq!(instances_seen(&server, "3000000000000003").await, 0);
    for other in ["anything", "", "200000000000000", "20000000000000022", "２０００００００００００００００2"]
    {
        assert_eq!(instances_seen(&server, &encode(other)).await, 1, "{other:?}");
    }
    let target = "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON&AccessKeyId=LTAI5tReal";
    let live = get(&server, target).await;
    assert_eq!(live.code(), (404, "InvalidAccessKeyId.NotFound".to_owned()));
    assert_eq!(live.message(), "Specified access key is not found.");
    assert_eq!(instances_seen(&server, "LTAIseeded").await, 1, "a seeded key is no live one");
    let anonymous = get(&server, "/?Action=DescribeRegions&Version=2014-05-26").await;
    assert_eq!(anonymous.status, 200);
    let bearer = get(&server, "/?Action=DescribeRegions&Version=2014-05-26&SignatureType=BEARERTOKEN").await;
    assert_eq!(bearer.status, 200);
}

#[tokio::test]
async fn with_auth_off_a_broken_acs3_signature_passes_and_the_earlier_checks_stay() {
    let server = start_set(auth(AuthMode::Off)).await;
    let mut call = Acs3::new("DescribeRegions");
    call.signature = Some("00");
    call.set("x-acs-date", "yesterday");
    assert_eq!(call.send(&server).await.status, 200);
    let answer = get(&server, "/?Action=Nothing&Version=2014-05-26").await;
    assert_eq!(answer.code(), (404, "InvalidAction.NotFound".to_owned()));
    assert_eq!(get(&server, "/?Action=DescribeRegions").await.code(), (400, "MissingParameter".to_owned()));
}

#[tokio::test]
async fn anonymous_calls_miss_a_key_each_in_the_family_of_its_style() {
    let server = support::start().await;
    let answer = get(&server, "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON").await;
    assert_eq!((answer.code(), answer.message()), ((400, "MissingParameter".to_owned()), missing("AccessKeyId").2));
    let answer = raw(
        &server,
        "POST / HTTP/1.1\r\nHost: e\r\nx-acs-action: DescribeRegions\r\nx-acs-version: 2014-05-26\r\n\
         Content-Length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(answer.code(), (400, "MissingAccessKeyId".to_owned()));
    assert_eq!(answer.message(), "AccessKeyId is mandatory for this action.");
}

#[tokio::test]
async fn bearer_tokens_acs4_and_roa_are_recognised_and_refused() {
    let server = support::start().await;
    let query = "Action=DescribeRegions&Version=2014-05-26&Format=JSON";
    let answer = get(&server, &format!("/?{query}&SignatureType=BEARERTOKEN&BearerToken=t")).await;
    assert_eq!(answer.code(), (403, "InvalidBearerToken".to_owned()));
    assert_eq!(answer.message(), "Specified bearer token is not valid. ecsim does not take bearer tokens.");
    let with = async |header: &str| {
        let named = "x-acs-action: DescribeRegions\r\nx-acs-version: 2014-05-26";
        raw(&server, format!("GET /?{query} HTTP/1.1\r\nHost: e\r\n{named}\r\n{header}\r\n\r\n")).await
    };
    assert_eq!(with("x-acs-bearer-token: t").await.code(), (403, "InvalidBearerToken".to_owned()));
    let acs4 = with("Authorization: ACS4-HMAC-SHA256 Credential=test,SignedHeaders=host,Signature=00").await;
    assert_eq!(acs4.code(), (400, "InvalidSignatureMethod".to_owned()));
    let roa = with("Authorization: acs test:c2lnbmF0dXJl").await;
    assert_eq!((roa.code(), roa.message()), ((404, "InvalidAction.NotFound".to_owned()), NOT_FOUND.to_owned()));
}

#[tokio::test]
async fn the_wanted_format_of_a_v1_call_follows_its_parameter() {
    let server = support::start().await;
    for (format, content_type) in [
        (Some("JSON"), JSON),
        (Some("json"), JSON),
        (Some("XML"), XML),
        (Some("xml"), XML),
        (None, XML),
        (Some("None"), XML),
        (Some(""), XML),
    ] {
        let call = |action: &str| match format {
            Some(format) => server.call(action).param("Format", format),
            None => server.call(action).without("Format"),
        };
        let answer = call("DescribeRegions").send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{format:?}");
        let start = if content_type == JSON {
            "{\""
        } else {
            "<?xml version='1.0' encoding='UTF-8'?><DescribeRegionsResponse>"
        };
        assert!(answer.text.starts_with(start), "{}", answer.text);
        let refusal = call("Nothing").send().await;
        assert_eq!((refusal.status, refusal.header("content-type")), (404, content_type), "{format:?}");
    }
    for format in ["yaml", "Raw", "JSON ", "none"] {
        let answer = get(&server, &format!("/?Action=DescribeRegions&Format={}", encode(format))).await;
        assert_eq!(answer.code(), (400, "InvalidParameter.Format".to_owned()), "{format:?}");
        assert_eq!(answer.message(), "Specified parameter format is not valid.");
        assert_eq!(answer.header("content-type"), Some(XML));
    }
}

#[tokio::test]
async fn the_wanted_format_of_an_acs3_call_follows_accept_unless_a_parameter_says_else() {
    let server = support::start().await;
    for (accept, format, content_type) in [
        (Some("application/json"), None, JSON),
        (Some("*/*"), None, JSON),
        (Some("text/html, application/JSON;q=0.9"), None, JSON),
        (None, None, JSON),
        (Some("application/xml"), None, XML),
        (Some("text/xml"), None, XML),
        (Some("application/json"), Some("XML"), XML),
        (Some("text/xml"), Some("json"), JSON),
        (Some("image/png"), Some("json"), JSON),
    ] {
        let mut call = Acs3::new("DescribeRegions").permanent();
        if let Some(accept) = accept {
            call.set("accept", accept);
        }
        if let Some(format) = format {
            call.query.insert("Format".to_owned(), format.to_owned());
        }
        let answer = call.send(&server).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{accept:?} {format:?}");
    }
    let mut call = Acs3::new("DescribeRegions").permanent();
    call.query.insert("Format".to_owned(), "yaml".to_owned());
    let answer = call.send(&server).await;
    assert_eq!(answer.code(), (400, "InvalidParameter.Format".to_owned()));
    assert_eq!(answer.header("content-type"), Some(JSON));
}

#[tokio::test]
async fn a_bare_get_is_answered_with_the_recorded_xml_error() {
    let server = support::start().await;
    let answer = raw(&server, "GET / HTTP/1.1\r\nHost: ecs.aliyuncs.com\r\n\r\n").await;
    let id = answer.header("x-acs-request-id").expect("an id").to_owned();
    assert_eq!((answer.status, answer.header("content-type")), (404, Some(XML)));
    assert_eq!(
        answer.body,
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>{id}</RequestId><HostId>ecs.aliyuncs.com</HostId>\
             <Code>InvalidAction.NotFound</Code><Message>{NOT_FOUND}</Message><Recommend>\
             <![CDATA[https://api.aliyun.com/troubleshoot?q=InvalidAction.NotFound&product=Ecs&requestId={id}]]>\
             </Recommend></Error>"
        )
    );
}

#[tokio::test]
async fn a_json_error_has_its_members_in_order_and_the_called_product() {
    let server = support::start().await;
    for (version, product) in [
        ("2014-05-26", "Ecs"),
        ("2015-05-01", "Ram"),
        ("2015-04-01", "Sts"),
        ("2015-06-12", "Location"),
        ("2016-04-28", "Vpc"),
        ("2017-12-14", "BssOpenApi"),
    ] {
        let target = format!("/?Action=Nothing&Format=JSON&Version={version}");
        let answer = raw(&server, format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n")).await;
        let id = answer.header("x-acs-request-id").expect("an id").to_owned();
        assert_eq!((answer.status, answer.header("content-type")), (404, Some(JSON)));
        assert_eq!(
            answer.body,
            format!(
                "{{\"RequestId\":\"{id}\",\"HostId\":\"127.0.0.1\",\"Code\":\"InvalidAction.NotFound\",\
                 \"Message\":\"{NOT_FOUND}\",\"Recommend\":\"https://api.aliyun.com/troubleshoot?\
                 q=InvalidAction.NotFound&product={product}&requestId={id}\"}}"
            )
        );
    }
}

#[tokio::test]
async fn an_xml_error_escapes_what_it_echoes() {
    let server = support::start().await;
    let answer = server.call("DescribeRegions").xml().param("X", "<&>").key("test", "guess").send().await;
    assert_eq!(answer.status, 400);
    let start = "<Message>The request signature does not conform to Aliyun standards. \
                 server string to sign is:GET&amp;%2F&amp;";
    assert!(answer.text.contains(start), "{}", answer.text);
    assert!(answer.text.contains("X%3D%253C%2526%253E</Message>"), "{}", answer.text);
}

#[tokio::test]
async fn the_host_id_is_the_called_host_without_scheme_port_and_slash() {
    let server = support::start().await;
    for (host, id) in [
        ("ecs-cn-hangzhou.aliyuncs.com", "ecs-cn-hangzhou.aliyuncs.com"),
        ("localhost:18080", "localhost"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://127.0.0.1:8080/", "127.0.0.1"),
        ("https://ecs.aliyuncs.com/", "ecs.aliyuncs.com"),
        ("[::1]:8080", "[::1]"),
    ] {
        let answer = raw(&server, format!("GET /?Format=JSON HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["HostId"], id, "{host}");
    }
}

fn etag(body: &str) -> String {
    let length = body.len().to_string();
    let hash = BASE64_STANDARD_NO_PAD.encode(Md5::digest(body));
    format!("{}{hash}{}", &length[..1], &length[length.len() - 1..])
}

fn check_headers(answer: &Answer) {
    assert_eq!(answer.header("etag"), etag(&answer.text));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-expose-headers"), "*");
    assert_eq!(answer.header("content-length"), answer.text.len().to_string());
    assert!(!answer.headers.contains_key("x-acs-retry-after"));
    let id = answer.header("x-acs-request-id");
    assert!(answer.text.contains(id) && id == id.to_uppercase(), "{id}");
    assert_eq!(uuid::Uuid::parse_str(id).expect("a UUID").get_version_num(), 5);
    let trace = answer.header("x-acs-trace-id");
    assert_eq!(trace.len(), 32);
    assert!(trace.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{trace}");
}

#[tokio::test]
async fn every_answer_has_the_recorded_headers() {
    let server = support::start().await;
    let mut ids = Vec::new();
    for answer in [
        server.call("DescribeRegions").send().await,
        server.call("DescribeRegions").xml().send().await,
        server.acs3("DescribeRegions").send().await,
        server.call("Nothing").send().await,
        server.call("Nothing").xml().send().await,
        server.call("DescribeRegions").key("test", "guess").send().await,
    ] {
        check_headers(&answer);
        ids.push(answer.header("x-acs-request-id").to_owned());
        ids.push(answer.header("x-acs-trace-id").to_owned());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "every id is new");
}

#[tokio::test]
async fn long_answers_that_are_made_at_once_have_each_an_etag_of_its_own() {
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "instances": [{ "id": "i-%03d", "count": 60 }],
    }] }))
    .await;
    let page = |size: usize| {
        server.call("DescribeInstances").param("RegionId", "cn-hangzhou").param("PageSize", size.to_string())
    };
    for _ in 0..20 {
        let answers = tokio::join!(
            page(60).send(),
            page(60).xml().send(),
            page(20).send(),
            page(1).send(),
            server.call("DescribeInstances").key("test", "guess").param("InstanceIds", "x".repeat(5000)).send(),
            page(40).send(),
        );
        let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
        let lengths: Vec<_> = answers.iter().map(|answer| answer.text.len()).collect();
        assert_eq!(lengths.iter().filter(|length| **length >= LONG).count(), 5, "{lengths:?}");
        answers.iter().for_each(check_headers);
    }
}

#[test]
fn the_etag_rule_reproduces_what_was_recorded_of_an_empty_body() {
    assert_eq!(etag(""), "01B2M2Y8AsgTpgAmY7PhCfg0");
}

/// A POST with any query and body.
async fn post(server: &Server, query: &str, content_type: &str, body: &str) -> RawAnswer {
    let length = body.len();
    let head =
        format!("POST /?{query} HTTP/1.1\r\nHost: e\r\nContent-Type: {content_type}\r\nContent-Length: {length}");
    raw(server, format!("{head}\r\n\r\n{body}")).await
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a right V1 call of the default owner, with `more`, and their signature.
fn signed(method: &str, action: &str, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut call = V1::new(action);
    call.key("test", "test");
    call.drop("SecurityToken");
    call.drop("RegionId");
    call.drop("InstanceIds");
    for (name, value) in more {
        call.set(name, value);
    }
    let signature = sign_v1(method, &call.params, "test");
    call.set("Signature", &signature);
    call.params
}

#[tokio::test]
async fn parameters_may_stand_in_the_query_in_a_form_or_in_both() {
    let server = support::start().await;
    let more = [("RegionId", "cn-beijing")];
    let all = form(&signed("POST", "DescribeInstances", &more));
    let check = |answer: &RawAnswer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["Instances"]["Instance"][0]["RegionId"], "cn-beijing");
    };
    check(&post(&server, &all, FORM, "").await);
    let all = form(&signed("POST", "DescribeInstances", &more));
    check(&post(&server, "", FORM, &all).await);
    let all = form(&signed("POST", "DescribeInstances", &more));
    check(&post(&server, "", "Application/X-WWW-Form-Urlencoded; charset=UTF-8", &all).await);
    let mut query = signed("POST", "DescribeInstances", &more);
    query.remove("RegionId");
    check(&post(&server, &form(&query), FORM, "RegionId=cn-beijing").await);
    let all = form(&signed("GET", "DescribeInstances", &more));
    check(&get(&server, &format!("/?{all}")).await);
}

#[tokio::test]
async fn of_a_repeated_name_the_body_s_last_value_is_signed_and_used() {
    let server = support::start().await;
    let all = form(&signed("POST", "DescribeInstances", &[("RegionId", "cn-beijing")]));
    let check = |answer: &RawAnswer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["Instances"]["Instance"][0]["RegionId"], "cn-beijing");
    };
    let query = all.replace("cn-beijing", "cn-hangzhou");
    check(&post(&server, &query, FORM, "RegionId=cn-shanghai&RegionId=cn-beijing").await);
    let all = form(&signed("GET", "DescribeInstances", &[("RegionId", "cn-beijing")]));
    check(&get(&server, &format!("/?RegionId=cn-hangzhou&{all}")).await);
}

#[tokio::test]
async fn a_json_body_s_members_are_parameters() {
    let server = support::start().await;
    for content_type in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"] {
        let mut query = signed("POST", "DescribeInstances", &[("RegionId", "cn-beijing")]);
        query.remove("RegionId");
        let answer = post(&server, &form(&query), content_type, "{\"RegionId\":\"cn-beijing\"}").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    for body in ["{", "[]", "1", "{\"a\":1"] {
        let query = form(&signed("POST", "DescribeRegions", &[]));
        let answer = post(&server, &query, "application/json", body).await;
        assert_eq!(answer.code(), (400, "RequestParameterMalformed".to_owned()), "{body}");
    }
    let query = form(&signed("POST", "DescribeRegions", &[]));
    let answer = post(&server, &query, "application/octet-stream", "%zz{").await;
    assert_eq!(answer.status, 200, "a body of another type holds no parameters");
}

#[tokio::test]
async fn plus_is_a_space_escapes_take_either_case_and_empty_pieces_are_skipped() {
    let server = support::start().await;
    let all = form(&signed("GET", "DescribeRegions", &[("Extra", "a b/*~"), ("Flag", "")]));
    let wire = all.replace("Extra=a%20b%2F%2A~", "&&Extra=a+b%2f*%7e&").replace("Flag=", "Flag");
    assert!(wire.contains("&&&Extra=a+b%2f*%7e&&"), "{wire}");
    assert_eq!(get(&server, &format!("/?{wire}")).await.status, 200);
}

#[tokio::test]
async fn a_malformed_escape_or_text_that_is_no_utf_8_is_refused_in_the_asked_format() {
    let server = support::start().await;
    for bad in ["%", "%4", "%zz", "%4g", "%ff", "%C3", "%ED%A0%80", "%C0%AF"] {
        let answer = get(&server, &format!("/?Action=DescribeRegions&Format=JSON&X={bad}")).await;
        assert_eq!(answer.code(), (400, "RequestParameterMalformed".to_owned()), "value {bad}");
        assert_eq!(answer.message(), "Request parameters has malformed encoded characters.");
        assert_eq!(answer.header("content-type"), Some(JSON), "{bad}");
        let answer = get(&server, &format!("/?Action=DescribeRegions&{bad}=1")).await;
        assert_eq!(answer.code(), (400, "RequestParameterMalformed".to_owned()), "name {bad}");
        assert_eq!(answer.header("content-type"), Some(XML), "{bad}");
        let answer = post(&server, "Format=JSON", FORM, &format!("X={bad}")).await;
        assert_eq!(answer.code(), (400, "RequestParameterMalformed".to_owned()), "form {bad}");
    }
}

#[tokio::test]
async fn an_action_s_name_may_be_written_in_any_case_and_the_answer_has_the_vendor_s() {
    let server = support::start().await;
    for name in ["describeregions", "DESCRIBEREGIONS", "DescribeREGIONS"] {
        let answer = server.call(name).xml().send().await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.text.contains("<DescribeRegionsResponse>"), "{}", answer.text);
        assert_eq!(server.acs3(name).send().await.status, 200, "{name}");
    }
    let answer = server.call("RUNinstances").send().await;
    let text = "The vendor has the action RunInstances, ecsim does not. GET /_ecsim/coverage lists what it has.";
    assert_eq!(answer.refusal(), refused(400, "UnsupportedOperation.NotEmulated", text));
    assert_eq!(server.call("DescribeRegions ").send().await.code(), (404, "InvalidAction.NotFound".to_owned()));
}

#[tokio::test]
async fn parameter_names_keep_their_case() {
    let server = support::start().await;
    let answer = server.call("DescribeRegions").without("Action").param("action", "DescribeRegions").send().await;
    assert_eq!(answer.code(), (404, "InvalidAction.NotFound".to_owned()));
}

#[tokio::test]
async fn only_get_and_post_are_methods() {
    let server = support::start().await;
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "BREW"] {
        let answer = raw(&server, format!("{method} /?Format=JSON HTTP/1.1\r\nHost: e\r\n\r\n")).await;
        assert_eq!(answer.code(), (403, "UnsupportedHTTPMethod".to_owned()), "{method}");
        assert_eq!(answer.message(), "This http method is not supported.", "{method}");
    }
    let mut wire = Wire::open(&server).await;
    wire.send("HEAD /?Format=JSON HTTP/1.1\r\nHost: e\r\n\r\n").await;
    let head = wire.next(false).await.expect("an answer");
    assert_eq!((head.status, head.header("content-type")), (403, Some(JSON)));
    wire.send("GET /?Format=JSON HTTP/1.1\r\nHost: e\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 404, "the connection is still in step");
}

#[tokio::test]
async fn the_method_is_part_of_what_is_signed() {
    let server = support::start().await;
    let all = form(&signed("GET", "DescribeRegions", &[]));
    assert_eq!(post(&server, &all, FORM, "").await.code(), (400, "IncompleteSignature".to_owned()));
    assert_eq!(server.call("DescribeRegions").post().send().await.status, 200);
}

#[tokio::test]
async fn another_path_is_no_action() {
    let server = support::start().await;
    let all = form(&signed("GET", "DescribeRegions", &[]));
    for path in ["/v1", "//", "/clusters/c1", "/index.html", "/_ecs", "/%2F", "/latest-meta-data/", "/2016-01-02/"] {
        let answer = get(&server, &format!("{path}?{all}")).await;
        assert_eq!(
            (answer.code(), answer.message()),
            ((404, "InvalidAction.NotFound".to_owned()), NOT_FOUND.to_owned())
        );
        assert_eq!(answer.header("content-type"), Some(JSON));
    }
}

#[tokio::test]
async fn unknown_parameters_are_signed_and_otherwise_ignored() {
    let server = support::start().await;
    let call = || server.call("DescribeRegions").param("OwnerId", "1").param("SourceIp", "10.0.0.1");
    assert_eq!(call().param("Whatever.1.Else", "x").param("SignatureType", "").send().await.status, 200);
    let added = call().unsigned("Whatever", "x").send().await;
    assert_eq!(added.code(), (400, "IncompleteSignature".to_owned()));
}

#[tokio::test]
async fn hmac_sha256_is_taken_for_v1_too() {
    let server = support::start().await;
    let mut params = signed("GET", "DescribeRegions", &[("SignatureMethod", "HMAC-SHA256")]);
    params.remove("Signature");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"test&").expect("any length");
    mac.update(string_to_sign("GET", &params).as_bytes());
    params.insert("Signature".to_owned(), BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(get(&server, &format!("/?{}", form(&params))).await.status, 200);
}

#[tokio::test]
async fn the_same_seed_of_the_generator_repeats_the_request_ids() {
    let ids = async |seed: u64| {
        let server = support::start_with(|builder| builder.rng_seed(seed)).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            let answer = server.call("DescribeRegions").send().await;
            ids.push((answer.header("x-acs-request-id").to_owned(), answer.header("x-acs-trace-id").to_owned()));
        }
        ids
    };
    let first = ids(7).await;
    assert_eq!(first, ids(7).await);
    assert_ne!(first, ids(8).await);
}

#[tokio::test]
async fn what_is_no_call_of_a_space_and_a_seed_with_mistakes_draw_none_of_its_ids_and_do_not_wait() {
    let start = || {
        let limits = Limits { max_body_size: 200, ..Limits::default() };
        support::start_with(move |builder| {
            builder.limits(limits).space_limits(SpaceLimits { most: 0, ..Default::default() })
        })
    };
    let (server, alone) = (start().await, start().await);
    let control = async |method: reqwest::Method, path: &str, body: Value| {
        let url = format!("{}/_ecsim/{path}", server.url());
        Answer::of(support::client().request(method, url).body(body.to_string())).await.status
    };
    let id = async |server: &Server| server.call("DescribeRegions").send().await.header("x-acs-request-id").to_owned();
    assert_eq!(control(reqwest::Method::PUT, "chaos/effects", json!({ "latency": 600_000 })).await, 200);
    let head = |header: &str| format!("GET /?Format=JSON&AccessKeyId=test HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n");
    let mut ids = Vec::new();
    for (request, code) in [
        (head("x-ecsim-namespace: a b"), "InvalidNamespace.Malformed"),
        (head("x-ecsim-namespace: a\r\nx-ecsim-namespace: b"), "InvalidNamespace.Mismatch"),
        (head("x-ecsim-namespace: a"), "QuotaExceeded.Namespace"),
        (head("Content-Length: 201"), "RequestEntityTooLarge"),
    ] {
        let answer = raw(&server, request).await;
        assert_eq!(answer.code().1, code, "{answer:?}");
        ids.push(answer.header("x-acs-request-id").expect("an id").to_owned());
    }
    assert_eq!(control(reqwest::Method::DELETE, "chaos/effects", Value::Null).await, 200);
    let seed = json!({ "accounts": [{ "users": [{ "name": "a" }, {}] }] });
    assert_eq!(control(reqwest::Method::POST, "seed", seed).await, 422);
    for _ in 0..2 {
        ids.push(id(&alone).await);
        assert_eq!(id(&server).await, ids[ids.len() - 1]);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each is its own");
}

#[tokio::test]
async fn a_call_that_the_transport_refuses_makes_no_namespace_and_is_recorded_in_one_that_is_there() {
    let limits = Limits { max_body_size: 10, max_header_size: 1000, ..Limits::default() };
    let server = support::start_with(|builder| builder.limits(limits)).await;
    let large = |name: &str| support::client().post(format!("{}/?AccessKeyId=test@{name}", server.url()));
    assert_eq!(Answer::of(large("typo").body("x".repeat(11))).await.status, 413);
    assert_eq!(Answer::of(large("typo").header("x-long", "a".repeat(1000))).await.status, 431);
    assert_eq!(server.namespaces().await, ["default"]);
    assert_eq!(server.call("DescribeRegions").key("test@gw0", "test").send().await.status, 200);
    assert_eq!(Answer::of(large("gw0").body("x".repeat(11))).await.status, 413);
    let journals = ["default", "gw0"].map(|name| {
        let records = server.emulator.namespace(name).expect("a name").requests().expect("it is there");
        records.iter().map(|record| record.status).collect::<Vec<_>>()
    });
    assert_eq!(journals, [vec![413, 431], vec![200, 413]]);
}

#[tokio::test]
async fn a_page_of_the_web_makes_no_namespace_by_a_call() {
    let listed = "http://localhost:3000";
    let access = Access { origins: vec![Origin::new(listed).expect("an origin")], ..Access::default() };
    let server = support::start_with(|builder| builder.access(access)).await;
    let (of_page, picture) = (("origin", "http://page.example"), ("sec-fetch-site", "cross-site"));
    let ask = async |name: &str, headers: &[(&str, &str)]| {
        let query = server.call("DescribeRegions").key(&format!("test@{name}"), "test").query();
        let request = support::client().get(format!("{}/?{query}", server.url()));
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    for header in [of_page, picture, ("origin", "null")] {
        let expected =
            refused(404, "InvalidNamespace.NotFound", "There is no namespace t1, and a web page makes none.");
        assert_eq!(ask("t1", &[header]).await.refusal(), expected, "{header:?}");
        assert_eq!(ask("default", &[header]).await.status, 200, "{header:?}");
    }
    assert_eq!(server.namespaces().await, ["default"]);
    for (place, headers) in
        [&[][..], &[("sec-fetch-site", "same-origin")], &[("origin", listed), picture]].iter().enumerate()
    {
        assert_eq!(ask(&format!("n{place}"), headers).await.status, 200, "{headers:?}");
    }
    assert_eq!(server.namespaces().await, ["default", "n0", "n1", "n2"]);
    assert_eq!(ask("n0", &[of_page]).await.status, 200, "one that is there");
}

#[tokio::test]
async fn what_does_not_arrive_in_time_draws_no_id_of_a_space_and_does_not_wait() {
    let alone = support::start().await;
    // All else goes past the socket, where nothing has to arrive in time.
    let limits = Limits { header_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = support::start_with(|builder| builder.limits(limits)).await;
    let send = async |request: http::request::Builder, body: &str| {
        let request = request.header("host", "127.0.0.1").body(axum::body::Body::from(body.to_owned()));
        server.emulator.service().oneshot(request.expect("a request")).await.expect("an answer")
    };
    let latency = json!({ "latency": 600_000 }).to_string();
    assert_eq!(send(http::Request::put("/_ecsim/chaos/effects"), &latency).await.status(), 200);
    let answer = raw(&server, "GET /?Format=JSON HTTP/1.1\r\nHos").await;
    assert_eq!(answer.code().1, "RequestTimeout", "{answer:?}");
    assert_eq!(send(http::Request::delete("/_ecsim/chaos/effects"), "").await.status(), 200);
    let next = send(http::Request::get(format!("/?{}", server.call("DescribeRegions").query())), "").await;
    let id = alone.call("DescribeRegions").send().await.header("x-acs-request-id").to_owned();
    assert_eq!(next.headers()["x-acs-request-id"], id);
    assert_ne!(answer.header("x-acs-request-id"), Some(&*id));
}

#[tokio::test]
async fn a_unix_socket_gives_the_same_answers_as_tcp() {
    let path = std::env::temp_dir().join(format!("ecsim-gateway-{}.sock", std::process::id()));
    let both = support::start_with(|builder| builder.listen(([127, 0, 0, 1], 0).into()).unix(&path)).await;
    let alone = support::start().await;
    let mut wire = Wire::over(tokio::net::UnixStream::connect(&path).await.expect("connects"));
    let nonce = nonce();
    let all = form(&signed("GET", "DescribeInstances", &[("RegionId", "cn-hangzhou"), ("SignatureNonce", &nonce)]));
    for target in [format!("/?{all}"), format!("/?{all}"), "/".to_owned(), "/?Action=Nothing&Format=JSON".to_owned()] {
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: ecs.example\r\n\r\n")).await;
        let (here, there) = (wire.answer().await, get(&alone, &target).await);
        assert_eq!((here.status, &here.body), (there.status, &there.body));
        let without_date =
            |answer: &RawAnswer| answer.headers.iter().filter(|(name, _)| name != "date").cloned().collect::<Vec<_>>();
        assert_eq!(without_date(&here), without_date(&there));
    }
    assert_eq!(both.call("DescribeRegions").send().await.status, 200, "and TCP beside it");
    assert!(both.emulator.stop(std::time::Duration::from_secs(5)).await.drained);
    assert!(!path.exists(), "the socket's file goes with its listener");
}
