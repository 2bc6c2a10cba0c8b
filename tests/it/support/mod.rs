//! What the tests share: an emulator of their own, and a client that signs by the vendor's rules
//! with code of its own, so that a mistake in the server cannot hide in the client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ecsim::emulator::{Builder, Emulator};
use ecsim::world::{ManualClock, World, parse_utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The trust policy of a role that instances can carry.
pub(crate) const TRUST: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}"#;

/// The time of every test's world, and of every signature unless a test says otherwise.
pub(crate) const NOW: &str = "2026-11-24T02:07:22Z";

/// An emulator on a free port with the default seed, a clock that stands still, and repeatable ids.
pub(crate) async fn start() -> Server {
    start_with(|builder| builder).await
}

/// The same, with a seed in place of the default one.
pub(crate) async fn start_seeded(seed: Value) -> Server {
    start_with(|builder| builder.seed("test.json", seed.to_string())).await
}

/// The same, with anything else set.
pub(crate) async fn start_with(set: impl FnOnce(Builder) -> Builder) -> Server {
    let clock = Arc::new(ManualClock::at(parse_utc(NOW).expect("a time")));
    let builder = set(Emulator::builder().clock(Arc::clone(&clock) as _).rng_seed(1));
    Server { emulator: builder.start().await.expect("the emulator starts"), clock }
}

/// A running emulator and the clock that it lives by.
pub(crate) struct Server {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Arc<ManualClock>,
}

impl Server {
    pub(crate) fn url(&self) -> String {
        self.emulator.url().expect("a TCP listener")
    }

    pub(crate) fn authority(&self) -> String {
        self.url().trim_start_matches("http://").to_owned()
    }

    /// Looks at the world.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.emulator.world(look).expect("it is there")
    }

    /// The role on an instance, as the world has it.
    pub(crate) fn role_of(&self, instance: &str) -> Option<String> {
        self.world(|world| world.instance(instance)?.role().map(ToString::to_string))
    }

    /// Moves the world's clock.
    pub(crate) fn advance(&self, by: &str) {
        self.emulator.clock().advance(by.parse().expect("a duration")).expect("it is there");
    }

    /// A V1 call of RAM by the default owner, GET, JSON.
    pub(crate) fn ram(&self, action: &str, params: &[(&str, &str)]) -> Call {
        let call = self.call(action).param("Version", "2015-05-01");
        params.iter().fold(call, |call, (name, value)| call.param(name, *value))
    }

    /// The answer of a RAM call that succeeds.
    pub(crate) async fn ram_done(&self, action: &str, params: &[(&str, &str)]) -> Value {
        let answer = self.ram(action, params).send().await;
        assert_eq!(answer.status, 200, "{action} {params:?}: {}", answer.text);
        answer.json()
    }

    /// Status, code and text of a RAM call that is refused, which must leave everything as it was.
    pub(crate) async fn ram_refused(&self, action: &str, params: &[(&str, &str)]) -> (u16, String, String) {
        // Another call first, so that the key has been used before.
        self.ram_done("ListUsers", &[]).await;
        let state = || self.world(|world| format!("{world:?}"));
        let before = state();
        let answer = self.ram(action, params).send().await;
        assert!(state() == before, "{action} {params:?} was refused and changed something");
        answer.refusal()
    }

    /// A V1 call of the default owner, GET, JSON.
    pub(crate) fn call(&self, action: &str) -> Call {
        Call::new(self.url(), action)
    }

    /// Sends bytes as they are and reads what comes back until the server closes or falls silent.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.authority()).await.expect("connects");
        stream.write_all(request.as_ref()).await.expect("sends");
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Percent-encodes by the vendor's strict table (protocol.md 4.1), byte by byte.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn hmac<M: Mac + KeyInit>(key: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The signature of V1 (protocol.md 4.2 to 4.4).
pub(crate) fn sign_v1(method: &str, params: &BTreeMap<String, String>, secret: &str) -> String {
    let query: Vec<_> = params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let text = format!("{method}&%2F&{}", encode(&query.join("&")));
    BASE64_STANDARD.encode(hmac::<Hmac<Sha1>>(&format!("{secret}&"), &text))
}

/// A nonce that no other call has.
pub(crate) fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test-nonce-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A call being put together. Without more said: V1, GET, JSON, key `test`.
pub(crate) struct Call {
    url: String,
    method: &'static str,
    secret: String,
    params: BTreeMap<String, String>,
    body: BTreeMap<String, String>,
    unsigned: BTreeMap<String, String>,
}

impl Call {
    pub(crate) fn new(url: String, action: &str) -> Self {
        let common = [
            ("Action", action),
            ("Version", "2014-05-26"),
            ("Format", "JSON"),
            ("AccessKeyId", "test"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", NOW),
        ];
        let mut params: BTreeMap<_, _> = common.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        params.insert("SignatureNonce".to_owned(), nonce());
        Self { url, method: "GET", secret: "test".to_owned(), params, body: BTreeMap::new(), unsigned: BTreeMap::new() }
    }

    /// A signed parameter in the query; one of the common ones is replaced.
    pub(crate) fn param(mut self, name: &str, value: impl Into<String>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves out a common parameter.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.params.remove(name);
        self
    }

    /// A signed parameter in a form body; the call becomes a POST.
    pub(crate) fn form(mut self, name: &str, value: impl Into<String>) -> Self {
        self.method = "POST";
        self.body.insert(name.to_owned(), value.into());
        self
    }

    /// A parameter that is sent but not signed.
    pub(crate) fn unsigned(mut self, name: &str, value: impl Into<String>) -> Self {
        self.unsigned.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn key(self, id: &str, secret: &str) -> Self {
        let mut call = self.param("AccessKeyId", id);
        secret.clone_into(&mut call.secret);
        call
    }

    pub(crate) fn post(mut self) -> Self {
        self.method = "POST";
        self
    }

    pub(crate) fn xml(self) -> Self {
        self.param("Format", "XML")
    }

    /// The signed query string, `Signature` last.
    pub(crate) fn query(&self) -> String {
        let mut signed = self.params.clone();
        signed.extend(self.body.clone());
        let signature = sign_v1(self.method, &signed, &self.secret);
        let mut pairs: Vec<_> = self.params.iter().chain(&self.unsigned).collect();
        let name = "Signature".to_owned();
        if !self.unsigned.contains_key("Signature") {
            pairs.push((&name, &signature));
        }
        pairs.into_iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect::<Vec<_>>().join("&")
    }

    /// Sends it and reads the answer.
    pub(crate) async fn send(self) -> Answer {
        let url = format!("{}/?{}", self.url, self.query());
        let client = client();
        let request = match self.method {
            "POST" if !self.body.is_empty() => {
                let form: Vec<_> = self.body.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
                client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.join("&"))
            }
            "POST" => client.post(url),
            _ => client.get(url),
        };
        Answer::of(request).await
    }
}

/// An ACS3 call: action and version in headers, parameters in the query, POST.
pub(crate) struct Acs3Call {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) key: (String, String),
    url: String,
}

impl Server {
    /// An ACS3 call of the default owner.
    pub(crate) fn acs3(&self, action: &str) -> Acs3Call {
        Acs3Call::new(self.url(), action)
    }
}

impl Acs3Call {
    pub(crate) fn new(url: String, action: &str) -> Self {
        let headers = [
            ("host", url.trim_start_matches("http://").to_owned()),
            ("x-acs-action", action.to_owned()),
            ("x-acs-version", "2014-05-26".to_owned()),
            ("x-acs-date", NOW.to_owned()),
            ("x-acs-signature-nonce", nonce()),
            ("accept", "application/json".to_owned()),
        ];
        Self {
            headers: headers.map(|(n, v)| (n.to_owned(), v)).into(),
            query: BTreeMap::new(),
            body: String::new(),
            key: ("test".to_owned(), "test".to_owned()),
            url,
        }
    }

    pub(crate) fn param(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn key(mut self, id: &str, secret: &str) -> Self {
        self.key = (id.to_owned(), secret.to_owned());
        self
    }

    /// Signs every header that is set and sends it.
    pub(crate) async fn send(mut self) -> Answer {
        self.headers.insert("x-acs-content-sha256".to_owned(), hex::encode(Sha256::digest(&self.body)));
        let names: Vec<_> = self.headers.keys().cloned().collect();
        self.send_signing(&names).await
    }

    /// Signs the named headers only.
    pub(crate) async fn send_signing(mut self, names: &[String]) -> Answer {
        let hash = hex::encode(Sha256::digest(&self.body));
        self.headers.entry("x-acs-content-sha256".to_owned()).or_insert_with(|| hash.clone());
        let query: Vec<_> = self.query.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        let query = query.join("&");
        let headers: Vec<_> = names.iter().map(|name| format!("{name}:{}\n", self.headers[name].trim())).collect();
        let headers = headers.concat();
        let signed = names.join(";");
        let canonical = format!("POST\n/\n{query}\n{headers}\n{signed}\n{hash}");
        let text = format!("ACS3-HMAC-SHA256\n{}", hex::encode(Sha256::digest(canonical)));
        let signature = hex::encode(hmac::<Hmac<Sha256>>(&self.key.1, &text));
        let authorization =
            format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={signed},Signature={signature}", self.key.0);
        let mut request = client().post(format!("{}/?{query}", self.url)).body(self.body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Answer::of(request.header("authorization", authorization)).await
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// An answer, read whole. Reading it checks what has to hold for every answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a text");
        assert!(headers.contains_key("x-ecsim"), "every answer bears the marker");
        Self { status, headers, text }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, which has to be a JSON object with the id that the header names.
    pub(crate) fn json(&self) -> Value {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {}", self.text));
        assert_eq!(body["RequestId"], self.header("x-acs-request-id"), "{}", self.text);
        body
    }

    /// Status, code and message of a refusal, whose envelope has to be whole.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{name} in {body}")).to_owned();
        let (code, id) = (text("Code"), text("RequestId"));
        let recommend = text("Recommend");
        assert!(recommend.contains(&format!("?q={}&", code.replace(' ', "+"))), "{recommend}");
        assert!(recommend.ends_with(&format!("&requestId={id}")), "{recommend}");
        assert!(!text("HostId").is_empty());
        (self.status, code, text("Message"))
    }

    /// What of a refusal most tests look at.
    pub(crate) fn code(&self) -> (u16, String) {
        let (status, code, _) = self.refusal();
        (status, code)
    }
}
