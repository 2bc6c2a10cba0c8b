//! The recorded requests of `tests/vectors`: against the pure functions, and as raw bytes against
//! the running server (protocol.md 14).

use std::collections::BTreeMap;
use std::sync::Arc;

use ecsim::api::params::{self, Params};
use ecsim::gateway::signature::{acs3, rpc_v1};
use ecsim::world::{ManualClock, Secret, parse_utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;

use crate::support::{self, Server};
use crate::transport::{RawAnswer, Wire};

#[derive(Debug, Deserialize)]
struct Vector {
    name: String,
    valid: bool,
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    security_token: Option<String>,
    method: String,
    path: String,
    raw_query: String,
    headers: Vec<(String, String)>,
    body: String,
    signed_at: String,
    algorithm: String,
    string_to_sign: Option<String>,
    canonical_request: Option<String>,
    expected_signature: Option<String>,
    suggested_error_code: Option<String>,
}

const HMAC_SHA1: &str = include_str!("../vectors/v1_hmac_sha1.json");
const OTHER: &str = include_str!("../vectors/v1_other_algorithms.json");
const ACS3: &str = include_str!("../vectors/acs3.json");
const UNSIGNED: &str = include_str!("../vectors/unsigned.json");
const OFFICIAL: &str = include_str!("../vectors/official_docs.json");
const TAMPERED: &str = include_str!("../vectors/tampered.json");

fn read(text: &str) -> Vec<Vector> {
    serde_json::from_str(text).expect("vectors")
}

impl Vector {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn header_map(&self) -> HeaderMap {
        let pair = |(name, value): &(String, String)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
        };
        let mut map = HeaderMap::new();
        for (name, value) in self.headers.iter().map(pair) {
            map.append(name, value);
        }
        map
    }

    fn secret(&self) -> Secret {
        Secret::new(self.access_key_secret.as_deref().expect("a secret"))
    }

    fn is_in_headers(&self) -> bool {
        self.header("authorization").is_some()
    }

    fn query(&self) -> Vec<(params::Text<'_>, params::Text<'_>)> {
        params::decode(self.raw_query.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Query and body, merged as the server merges them.
    fn params(&self) -> Params<'_> {
        let mut pairs = self.query();
        let essence = self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        match essence {
            "application/x-www-form-urlencoded" => pairs.extend(params::decode(self.body.as_bytes()).expect("a form")),
            "application/json" => pairs.extend(params::decode_json(self.body.as_bytes()).expect("an object")),
            _ => {}
        }
        Params::new(pairs)
    }

    /// The action as the server understands it.
    fn action(&self) -> String {
        let by_header = self.is_in_headers().then(|| self.header("x-acs-action")).flatten();
        by_header.map_or_else(|| self.params().get("Action").expect("an action").to_owned(), str::to_owned)
    }

    /// Whether the body was changed without the header that announces its length.
    fn has_stale_length(&self) -> bool {
        self.header("content-length").is_some_and(|length| length != self.body.len().to_string())
    }

    /// The request as it was recorded; a body that came in chunks goes in chunks. Only a length
    /// that no longer fits is corrected: HTTP would not let the request end where it does.
    fn bytes(&self) -> Vec<u8> {
        let query = if self.raw_query.is_empty() { String::new() } else { format!("?{}", self.raw_query) };
        let mut text = format!("{} {}{query} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            let length = self.body.len().to_string();
            let stale = name.eq_ignore_ascii_case("content-length") && self.has_stale_length();
            let value = if stale { &length } else { value };
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        if self.header("transfer-encoding") == Some("chunked") {
            for chunk in self.body.as_bytes().chunks(11) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(self.body.as_bytes());
        }
        bytes
    }

    /// A server that knows the vector's key, at the time of its signing.
    async fn server(&self) -> Server {
        let id = self.access_key_id.as_deref().unwrap_or("nobody");
        // RSA and unsigned vectors have no secret; the server needs one.
        let secret = self.access_key_secret.as_deref().filter(|secret| !secret.is_empty()).unwrap_or("unused");
        let seed = match &self.security_token {
            None => json!({ "accounts": [{ "keys": [{ "id": id, "secret": secret }] }] }),
            Some(token) => {
                let session = json!({ "id": id, "secret": secret, "security_token": token,
                    "expires": "2099-01-01T00:00:00Z", "name": "vector" });
                let role = json!({ "name": "any", "policies": ["AdministratorAccess"], "sessions": [session] });
                json!({ "accounts": [{ "roles": [role] }] })
            }
        };
        let clock = Arc::new(ManualClock::at(parse_utc(&self.signed_at).expect("a time")));
        support::start_with(|builder| builder.seed("vector.json", seed.to_string()).clock(clock)).await
    }

    async fn send(&self, server: &Server) -> RawAnswer {
        let mut wire = Wire::open(server).await;
        wire.send(self.bytes()).await;
        wire.answer().await
    }
}

/// What the pure functions make of a V1 vector.
fn check_v1(vector: &Vector) {
    let name = &vector.name;
    let params = vector.params();
    let text = rpc_v1::string_to_sign(&vector.method, params.pairs());
    assert_eq!(Some(&text), vector.string_to_sign.as_ref(), "{name}");
    assert_eq!(params.get("SignatureMethod"), Some(vector.algorithm.as_str()), "{name}");
    match rpc_v1::Algorithm::parse(&vector.algorithm) {
        Some(algorithm) => {
            let verify = |signature: &str| rpc_v1::verify(&vector.secret(), algorithm, &text, signature).is_ok();
            assert_eq!(verify(params.get("Signature").expect("a signature")), vector.valid, "{name}");
            assert!(verify(vector.expected_signature.as_deref().expect("the right one")), "{name}");
        }
        None => assert_eq!(vector.algorithm, "SHA256withRSA", "{name}"),
    }
}

/// What the pure functions make of an ACS3 vector. Under RSA there is no hash of ours to compare.
fn check_acs3(vector: &Vector) {
    let name = &vector.name;
    let authorization = acs3::parse_authorization(vector.header("authorization").expect("signed"))
        .unwrap_or_else(|| panic!("{name}: an Authorization value"));
    assert_eq!(authorization.algorithm, vector.algorithm, "{name}");
    assert_eq!(Some(authorization.credential), vector.access_key_id.as_deref(), "{name}");
    let Some(algorithm) = acs3::Algorithm::parse(&vector.algorithm) else {
        assert_eq!(vector.algorithm, "ACS3-RSA-SHA256", "{name}");
        return;
    };
    let canonical = acs3::canonical_request(
        algorithm,
        &vector.method,
        &acs3::canonical_query(&vector.query()),
        &vector.header_map(),
        &authorization.signed_headers,
        vector.body.as_bytes(),
    );
    assert_eq!(std::str::from_utf8(&canonical).ok(), vector.canonical_request.as_deref(), "{name}");
    let text = acs3::string_to_sign(algorithm, &canonical);
    assert_eq!(Some(&text), vector.string_to_sign.as_ref(), "{name}");
    let verify = |signature: &str| acs3::verify(&vector.secret(), algorithm, &text, signature).is_ok();
    assert_eq!(verify(authorization.signature), vector.valid, "{name}");
    assert!(verify(vector.expected_signature.as_deref().expect("the right one")), "{name}");
}

fn check(vector: &Vector) {
    if vector.algorithm.starts_with("ACS3-") { check_acs3(vector) } else { check_v1(vector) }
}

#[test]
fn no_vector_file_has_lost_a_vector() {
    let counts = [HMAC_SHA1, OTHER, ACS3, UNSIGNED, OFFICIAL, TAMPERED].map(|file| read(file).len());
    assert_eq!(counts, [38, 3, 25, 6, 3, 15]);
    let mut algorithms = BTreeMap::new();
    for vector in [HMAC_SHA1, OTHER, ACS3, UNSIGNED].into_iter().flat_map(read) {
        assert!(vector.valid, "{}", vector.name);
        *algorithms.entry(vector.algorithm).or_insert(0) += 1;
    }
    let expected = [
        ("ACS3-HMAC-SHA256", 22),
        ("ACS3-HMAC-SM3", 2),
        ("ACS3-RSA-SHA256", 1),
        ("Anonymous", 2),
        ("BEARERTOKEN", 4),
        ("HMAC-SHA1", 38),
        ("HMAC-SHA256", 2),
        ("SHA256withRSA", 1),
    ];
    assert_eq!(algorithms, expected.map(|(name, count)| (name.to_owned(), count)).into());
    assert!(read(TAMPERED).iter().all(|vector| !vector.valid));
    let all = [HMAC_SHA1, OTHER, ACS3, UNSIGNED, TAMPERED].into_iter().flat_map(read);
    let stale: Vec<_> = all.filter(Vector::has_stale_length).map(|vector| vector.name).collect();
    assert_eq!(stale, ["bad-v1-form-body-changed", "bad-v1-body-not-signed"]);
}

#[test]
fn the_functions_reproduce_every_v1_vector() {
    for vector in [HMAC_SHA1, OTHER].into_iter().flat_map(read) {
        check_v1(&vector);
    }
}

#[test]
fn the_functions_reproduce_every_acs3_vector() {
    read(ACS3).iter().for_each(check_acs3);
}

#[test]
fn the_functions_reproduce_the_vendor_s_own_examples() {
    read(OFFICIAL).iter().for_each(check);
}

#[test]
fn the_functions_refuse_every_tampered_vector() {
    read(TAMPERED).iter().for_each(check);
}

#[test]
fn unsigned_vectors_name_no_algorithm_that_could_be_verified() {
    for vector in read(UNSIGNED) {
        assert_eq!(rpc_v1::Algorithm::parse(&vector.algorithm), None, "{}", vector.name);
        assert_eq!(acs3::Algorithm::parse(&vector.algorithm), None, "{}", vector.name);
        assert_eq!(vector.header("authorization"), None, "{}", vector.name);
        assert_eq!(vector.params().get("Signature"), None, "{}", vector.name);
    }
}

/// What the action says in a world without instances and roles (ecs-instance-ram-role.md 5.10,
/// decisions 4, 8 and 9; ecs-supporting.md 4).
fn expected(vector: &Vector) -> (u16, &'static str) {
    let params = vector.params();
    let (ids, role) = (params.optional("InstanceIds"), params.optional("RamRoleName"));
    let no_role = (404, "InvalidRamRole.NotFound");
    let no_instance = (404, "InvalidInstanceId.NotFound");
    match vector.action().as_str() {
        "DescribeInstances" if params.get("DryRun").is_some_and(|flag| flag.eq_ignore_ascii_case("true")) => {
            (400, "DryRunOperation")
        }
        "DescribeRegions" | "DescribeInstances" => (200, ""),
        "DetachInstanceRamRole" => role.map_or(no_instance, |_| no_role),
        "AttachInstanceRamRole" => no_role,
        "DescribeInstanceRamRole" => match (ids, role) {
            (Some(_), Some(_)) => (200, ""),
            (None, _) => no_role,
            (_, None) => no_instance,
        },
        other => panic!("{}: {other}", vector.name),
    }
}

async fn passes_once(vector: &Vector) {
    let server = vector.server().await;
    let first = vector.send(&server).await;
    let (status, code) = expected(vector);
    assert_eq!(first.code(), (status, code.to_owned()), "{}: {}", vector.name, first.body);
    let wants_xml = !vector.is_in_headers() && matches!(vector.params().get("Format"), None | Some("None" | "XML"));
    let content_type = if wants_xml { "text/xml;charset=utf-8" } else { "application/json;charset=utf-8" };
    assert_eq!(first.header("content-type"), Some(content_type), "{}", vector.name);
    let again = vector.send(&server).await;
    assert_eq!(again.code(), (400, "SignatureNonceUsed".to_owned()), "{}: {}", vector.name, again.body);
    assert_eq!(again.message(), "Specified signature nonce was used already.", "{}", vector.name);
}

#[tokio::test]
async fn the_server_takes_every_v1_vector_once() {
    for vector in [HMAC_SHA1, OTHER].into_iter().flat_map(read).filter(|vector| vector.algorithm != "SHA256withRSA") {
        passes_once(&vector).await;
    }
}

#[tokio::test]
async fn the_server_takes_every_acs3_vector_once() {
    for vector in read(ACS3).iter().filter(|vector| vector.algorithm != "ACS3-RSA-SHA256") {
        passes_once(vector).await;
    }
}

#[tokio::test]
async fn the_server_does_not_know_rsa_signatures() {
    let vectors: Vec<_> = [OTHER, ACS3].into_iter().flat_map(read).filter(|v| v.algorithm.contains("RSA")).collect();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let answer = vector.send(&vector.server().await).await;
        assert_eq!(answer.code(), (400, "InvalidSignatureMethod".to_owned()), "{}", vector.name);
        assert_eq!(answer.message(), "Specified signature method is not valid.", "{}", vector.name);
    }
}

#[tokio::test]
async fn the_server_refuses_every_tampered_vector() {
    for vector in read(TAMPERED) {
        let answer = vector.send(&vector.server().await).await;
        let code = vector.suggested_error_code.clone().expect("a code");
        assert_eq!(answer.code(), (400, code), "{}: {}", vector.name, answer.body);
        let text = vector.string_to_sign.as_deref().expect("a text");
        if vector.algorithm.starts_with("ACS3-") {
            let canonical = vector.canonical_request.as_deref().expect("a text");
            let message = format!(
                "Specified signature does not match our calculation. \
                 server StringToSign is [{text}] server CanonicalRequest is [{canonical}]"
            );
            assert_eq!(answer.message(), message, "{}", vector.name);
        } else {
            let message =
                format!("The request signature does not conform to Aliyun standards. server string to sign is:{text}");
            assert_eq!(answer.message(), message, "{}", vector.name);
        }
    }
}

#[tokio::test]
async fn the_server_refuses_bearer_and_anonymous_vectors() {
    for vector in read(UNSIGNED) {
        let answer = vector.send(&vector.server().await).await;
        let expected = match vector.algorithm.as_str() {
            "BEARERTOKEN" => (403, "InvalidBearerToken".to_owned()),
            _ => (400, "MissingAccessKeyId".to_owned()),
        };
        assert_eq!(answer.code(), expected, "{}: {}", vector.name, answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"), "{}", vector.name);
    }
}
