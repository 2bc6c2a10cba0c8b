//! The control API: its description, its refusals, and what it shows.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use ecsim::control::{Access, AdminMode, AdminToken, Origin};
use ecsim::world::{Clock, parse_utc};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::command_line::Folder;
use super::support::{self, Answer, Server, client};

/// A request of the control API and its answer.
async fn ask(server: &Server, method: &str, path: &str, body: &str) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
    let answer = Answer::of(client().request(method, server.url() + path).body(body.to_owned())).await;
    let body = if answer.text.is_empty() { "null" } else { &answer.text };
    (answer.status, serde_json::from_str(body).unwrap_or_else(|_| json!(answer.text)))
}

async fn get(server: &Server, path: &str) -> (u16, Value) {
    ask(server, "GET", path, "").await
}

async fn description(server: &Server) -> Value {
    let (status, api) = get(server, "/_ecsim/openapi.json").await;
    assert_eq!(status, 200);
    api
}

/// Path and method of every endpoint that is described.
fn described(api: &Value) -> BTreeSet<(String, String)> {
    let paths = api["paths"].as_object().expect("paths");
    let methods = |item: &Value| item.as_object().expect("an item").keys().cloned().collect::<Vec<_>>();
    paths.iter().flat_map(|(path, item)| methods(item).into_iter().map(|m| (path.clone(), m.to_uppercase()))).collect()
}

/// A request of each endpoint that it answers with what is asked for: method, path as it is described, path, body.
const REQUESTS: &[(&str, &str, &str, &str)] = &[
    ("GET", "/_ecsim/requests", "/_ecsim/requests?action=DescribeRegions&status=200&limit=1", ""),
    ("GET", "/_ecsim/requests/{request_id}", "/_ecsim/requests/REQUEST_ID", ""),
    ("GET", "/_ecsim/requests/{request_id}/explain", "/_ecsim/requests/REQUEST_ID/explain", ""),
    ("POST", "/_ecsim/verify", "/_ecsim/verify", r#"{"calls":[{"action":"DescribeRegions","times":1}]}"#),
    ("DELETE", "/_ecsim/requests", "/_ecsim/requests?namespace=gw0", ""),
    (
        "POST",
        "/_ecsim/chaos/faults",
        "/_ecsim/chaos/faults?namespace=gw2",
        r#"[{"operation":"DescribeRegions","times":1}]"#,
    ),
    ("PATCH", "/_ecsim/chaos/faults", "/_ecsim/chaos/faults?namespace=gw2", r#"[{"service":"imds","delay_ms":1}]"#),
    ("GET", "/_ecsim/chaos/faults", "/_ecsim/chaos/faults?namespace=gw2", ""),
    ("DELETE", "/_ecsim/chaos/faults", "/_ecsim/chaos/faults?namespace=gw2", ""),
    (
        "POST",
        "/_ecsim/chaos/effects",
        "/_ecsim/chaos/effects?namespace=gw2",
        r#"{"latency":{"type":"uniform","lower":1,"upper":2}}"#,
    ),
    ("PUT", "/_ecsim/chaos/effects", "/_ecsim/chaos/effects?namespace=gw2", r#"{"latency":1}"#),
    ("GET", "/_ecsim/chaos/effects", "/_ecsim/chaos/effects?namespace=gw2", ""),
    ("DELETE", "/_ecsim/chaos/effects", "/_ecsim/chaos/effects?namespace=gw2", ""),
    ("POST", "/_ecsim/chaos/limits", "/_ecsim/chaos/limits?namespace=gw2", r#"{"*":{"qps":0.5}}"#),
    ("PUT", "/_ecsim/chaos/limits", "/_ecsim/chaos/limits?namespace=gw2", r#"{"sts:*":{"qps":1,"retry_after_ms":5}}"#),
    ("PATCH", "/_ecsim/chaos/limits", "/_ecsim/chaos/limits?namespace=gw2", r#"{"AssumeRole":{"qps":10,"burst":20}}"#),
    ("GET", "/_ecsim/chaos/limits", "/_ecsim/chaos/limits?namespace=gw2", ""),
    ("DELETE", "/_ecsim/chaos/limits", "/_ecsim/chaos/limits?namespace=gw2", ""),
    ("GET", "/_ecsim/clock", "/_ecsim/clock", ""),
    ("PUT", "/_ecsim/clock", "/_ecsim/clock", r#"{"advance":"1s"}"#),
    ("POST", "/_ecsim/clock", "/_ecsim/clock", r#"{"mode":"frozen","now":"2026-01-05T08:00:00Z"}"#),
    ("GET", "/_ecsim/config", "/_ecsim/config", ""),
    ("PATCH", "/_ecsim/config", "/_ecsim/config", r#"{"ram":"soft","max-params":50}"#),
    ("GET", "/_ecsim/coverage", "/_ecsim/coverage", ""),
    ("GET", "/_ecsim/credentials", "/_ecsim/credentials?account=1000000000000001&secrets=true", ""),
    ("GET", "/_ecsim/health", "/_ecsim/health", ""),
    ("GET", "/_ecsim/instances/{id}/credentials", "/_ecsim/instances/i-bp1ecsim0000000web01/credentials", ""),
    (
        "GET",
        "/_ecsim/instances/{id}/latest/{item}",
        "/_ecsim/instances/i-bp1ecsim0000000web01/latest/meta-data/instance-id",
        "",
    ),
    ("PUT", "/_ecsim/instances/{id}/latest/{item}", "/_ecsim/instances/i-bp1ecsim0000000web01/latest/api/token", ""),
    ("GET", "/_ecsim/namespaces", "/_ecsim/namespaces", ""),
    ("POST", "/_ecsim/reset", "/_ecsim/reset?namespace=gw0", ""),
    ("DELETE", "/_ecsim/namespaces/{name}", "/_ecsim/namespaces/gw0", ""),
    ("POST", "/_ecsim/rng", "/_ecsim/rng", r#"{"seed":42}"#),
    ("GET", "/_ecsim/snapshot", "/_ecsim/snapshot", ""),
    ("PUT", "/_ecsim/snapshot", "/_ecsim/snapshot?namespace=gw1", r#"{"schema_version":1}"#),
    ("POST", "/_ecsim/snapshots/{name}/save", "/_ecsim/snapshots/a.1/save", ""),
    ("GET", "/_ecsim/snapshots", "/_ecsim/snapshots", ""),
    ("GET", "/_ecsim/snapshots/{name}", "/_ecsim/snapshots/a.1", ""),
    ("POST", "/_ecsim/snapshots/{name}/load", "/_ecsim/snapshots/a.1/load", ""),
    ("DELETE", "/_ecsim/snapshots/{name}", "/_ecsim/snapshots/a.1", ""),
    ("POST", "/_ecsim/seed", "/_ecsim/seed?mode=replace&namespace=gw1", "{}"),
    ("GET", "/_ecsim/info", "/_ecsim/info", ""),
    ("GET", "/_ecsim/init", "/_ecsim/init", ""),
    ("GET", "/_ecsim/instances", "/_ecsim/instances", ""),
    ("GET", "/_ecsim/instances/{id}", "/_ecsim/instances/i-bp1ecsim0000000web01", ""),
    ("GET", "/_ecsim/instances/{id}/role-history", "/_ecsim/instances/i-bp1ecsim0000000web01@gw0/role-history", ""),
    ("GET", "/_ecsim/roles", "/_ecsim/roles", ""),
    ("GET", "/_ecsim/users", "/_ecsim/users", ""),
    ("GET", "/_ecsim/openapi.json", "/_ecsim/openapi.json", ""),
    ("GET", "/_ecsim/ready", "/_ecsim/ready", ""),
    ("GET", "/health", "/health", ""),
    ("GET", "/healthz", "/healthz", ""),
    ("GET", "/readyz", "/readyz", ""),
];

/// Whether an answer is what the description says of it.
fn is_as_described(api: &Value, method: &str, path: &str, status: u16, answer: &Value) {
    let responses = &api["paths"][path][method.to_lowercase()]["responses"];
    let response = responses.get(status.to_string()).unwrap_or(&responses["default"]);
    let content = response["content"].as_object().expect("content");
    let schema = &content.values().next().expect("a type")["schema"];
    let whole = json!({ "components": api["components"], "allOf": [schema] });
    let validator = jsonschema::validator_for(&whole).expect("a schema");
    if let Err(error) = validator.validate(answer) {
        panic!("{method} {path} {status}: {error} in {answer}");
    }
}

/// What is said elsewhere, or stays as it is: health, descriptions, worlds, and what SDKs and instances read.
fn has_another_form(path: &str) -> bool {
    let health = ["/_ecsim/health", "/health", "/healthz"];
    let others = ["/_ecsim/openapi.json", "/_ecsim/snapshot", "/_ecsim/snapshots/{name}"];
    let of_instances = ["/_ecsim/instances/{id}/credentials", "/_ecsim/instances/{id}/latest/{item}"];
    health.into_iter().chain(others).chain(of_instances).any(|other| other == path)
}

#[tokio::test]
async fn every_endpoint_is_described_and_answers_as_its_description_says() {
    let folder = Folder::new("control-snapshots");
    let server = support::start_with(|builder| builder.snapshot_dir(Some(folder.0.join("kept")))).await;
    let api = description(&server).await;
    let tried: BTreeSet<_> =
        REQUESTS.iter().map(|(method, path, ..)| ((*path).to_owned(), (*method).to_owned())).collect();
    assert_eq!(tried, described(&api));
    let request_id = server.call("DescribeRegions").send().await.header("x-acs-request-id").to_owned();
    for (method, described, path, body) in REQUESTS {
        let path = &path.replace("REQUEST_ID", &request_id);
        let mut request = client().request(method.parse().expect("a method"), server.url() + path).body(*body);
        if path.ends_with("/token") {
            request = request.header("X-aliyun-ecs-metadata-token-ttl-seconds", "60");
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        let body = serde_json::from_str(&answer.text).unwrap_or_else(|_| json!(answer.text));
        is_as_described(&api, method, described, 200, &body);
        assert!(body["schema"] == 1 || has_another_form(described), "{method} {path}: {body}");
        if *method == "GET" {
            let head = Answer::of(client().head(server.url() + path)).await;
            let is_json = head.header("content-type").starts_with("application/json");
            assert_eq!((head.status, &*head.text), if is_json { (200, "") } else { (head.status, "") }, "{path}");
        }
    }
}

#[tokio::test]
async fn the_description_names_what_no_two_endpoints_share_and_refers_to_what_there_is() {
    let api = description(&support::start().await).await;
    assert!(api["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", api["openapi"]);
    let mut ids = BTreeSet::new();
    for (path, method) in described(&api) {
        let operation = &api["paths"][&path][method.to_lowercase()];
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().expect("an id").to_owned()), "{method} {path}");
    }
    let text = api.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a pointer");
        assert!(api.pointer(pointer).is_some(), "{pointer}");
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_told_all_and_the_nearest() {
    let server = support::start().await;
    let api = description(&server).await;
    let all: Vec<_> = api["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
    let all = format!("there are {}", all.join(", "));
    for (path, nearest) in [
        ("/_ecsim/helth", "/_ecsim/health"),
        ("/_ecsim/health/", "/_ecsim/health"),
        ("/_ecsim/covergae", "/_ecsim/coverage"),
        ("/_ecsim/instances/i-1/credential", "/_ecsim/instances/i-1/credentials"),
        ("/_ecsim/nothing-like-it", ""),
        ("/_ecsim", ""),
    ] {
        let (status, answer) = get(&server, path).await;
        let hint = if nearest.is_empty() { all.clone() } else { format!("did you mean {nearest}? {all}") };
        let message = format!("no control endpoint {path}");
        assert_eq!(
            (status, answer),
            (404, json!({ "error": { "code": "NotFound", "message": message, "hint": hint } }))
        );
    }
}

#[tokio::test]
async fn a_method_that_an_endpoint_does_not_take_is_told_those_that_it_takes() {
    let server = support::start().await;
    let api = description(&server).await;
    let endpoints = described(&api);
    for (its_own, described, path, _) in REQUESTS.iter().filter(|(_, _, path, _)| !path.contains("/latest/")) {
        let taken = |method: &str| endpoints.contains(&((*described).to_owned(), method.to_owned()));
        let order = ["GET", "PUT", "POST", "PATCH", "DELETE"];
        for method in order.into_iter().filter(|method| !taken(method)) {
            let (status, answer) = ask(&server, method, path, "").await;
            assert_eq!((status, &answer["error"]["code"]), (405, &json!("MethodNotAllowed")), "{method} {path}");
            is_as_described(&api, its_own, described, status, &answer);
            let hint = answer["error"]["hint"].as_str().expect("a hint");
            let named: Vec<_> = hint.split([' ', ',']).filter(|word| order.contains(word)).collect();
            assert_eq!(named, order.into_iter().filter(|method| taken(method)).collect::<Vec<_>>(), "{path}");
        }
    }
}

#[tokio::test]
async fn what_changes_something_for_all_namespaces_is_refused_to_whoever_names_one() {
    let folder = Folder::new("control-for-all");
    let server = support::start_with(|builder| builder.snapshot_dir(Some(folder.0.join("kept")))).await;
    let api = description(&server).await;
    let (_, before) = get(&server, "/_ecsim/config").await;
    assert_eq!(ask(&server, "POST", "/_ecsim/snapshots/a/save", "").await.0, 200);
    let in_gw9 = async |method: &str, path: &str, body: &'static str, header: &str| {
        let request = client().request(method.parse().expect("a method"), server.url() + path).body(body);
        let answer = Answer::of(request.header("x-ecsim-namespace", header)).await;
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        (answer.status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = || (400, "InvalidNamespace".to_owned());
    let mut tried = Vec::new();
    for (method, described, path, body) in
        REQUESTS.iter().filter(|(method, path, ..)| *method != "GET" && !path.contains("/latest/"))
    {
        let parameters = api["paths"][described][method.to_lowercase()]["parameters"].as_array();
        if !parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "namespace")) {
            assert_eq!(in_gw9(method, path, body, "gw9").await, refused(), "{method} {path}");
            tried.push(*described);
        }
    }
    assert_eq!(tried, ["/_ecsim/config", "/_ecsim/namespaces/{name}", "/_ecsim/snapshots/{name}"]);
    assert_eq!(get(&server, "/_ecsim/config").await.1, before);
    assert_eq!(in_gw9("PATCH", "/_ecsim/config", r#"{"ram":"soft"}"#, "default").await.0, 200);
    assert_eq!(in_gw9("DELETE", "/_ecsim/snapshots/a", "", "default").await.0, 200);
    // Its namespace is in the path, and the header may say the same.
    assert_eq!(get(&server, "/_ecsim/clock?namespace=gw9").await.0, 200);
    assert_eq!(in_gw9("DELETE", "/_ecsim/namespaces/gw9", "", "gw9").await.0, 200);
}

#[tokio::test]
async fn a_reset_is_as_the_seeds_have_it_and_of_a_whole_world() {
    let server = support::start().await;
    let reset = async |query: &str| {
        let (status, answer) = ask(&server, "POST", &format!("/_ecsim/reset{query}"), "").await;
        (status, answer["instances"].as_u64(), answer["error"]["hint"].as_str().unwrap_or_default().to_owned())
    };
    let empty = "POST /_ecsim/seed?mode=replace with the body {} makes an empty world";
    for query in ["?seed=0", "?seed=false", "?namespace=gw0&seed=off"] {
        assert_eq!(reset(query).await, (400, None, empty.to_owned()), "{query}");
    }
    for query in ["?seed=", "?namespace=gw0&seed=2"] {
        let hint = "GET /_ecsim/openapi.json describes the parameters".to_owned();
        assert_eq!(reset(query).await, (400, None, hint), "{query}");
    }
    assert_eq!(reset("?account=1000000000000001").await, (400, None, "it takes namespace, seed".to_owned()));
    assert_eq!(get(&server, "/_ecsim/clock").await.0, 200);
    assert_eq!(get(&server, "/_ecsim/namespaces").await.1["namespaces"].as_array().map(Vec::len), Some(1));
    let (status, empty) = ask(&server, "POST", "/_ecsim/seed?mode=replace", "{}").await;
    assert_eq!((status, &empty["instances"], &empty["keys"]), (200, &json!(0), &json!(0)));
    for query in ["?seed=1", "?seed=true", "?seed=yes", "?seed=on"] {
        assert_eq!(reset(query).await, (200, Some(7), String::new()), "{query}");
    }
}

/// A clock that holds up whoever reads it next, until the test lets them on or they give up.
#[derive(Debug)]
struct Gate {
    time: Timestamp,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum GateState {
    Open,
    Closed,
    Waiting,
    GaveUp,
}

impl Gate {
    fn state(&self) -> GateState {
        *self.state.lock().expect("no test panics with it")
    }

    fn set(&self, state: GateState) {
        *self.state.lock().expect("no test panics with it") = state;
        self.changed.notify_all();
    }
}

impl Clock for Gate {
    fn now(&self) -> Timestamp {
        let mut state = self.state.lock().expect("no test panics with it");
        if *state == GateState::Closed {
            *state = GateState::Waiting;
            let is_waiting = |state: &mut GateState| *state == GateState::Waiting;
            let waited = self.changed.wait_timeout_while(state, Duration::from_secs(10), is_waiting);
            let (mut state, timeout) = waited.expect("no test panics with it");
            if timeout.timed_out() {
                *state = GateState::GaveUp;
            }
        }
        self.time
    }

    fn wall(&self) -> Timestamp {
        self.time
    }
}

/// The test has one thread: where a world were made on it, nobody else would be answered until that gives up.
#[tokio::test]
async fn others_are_answered_while_a_world_is_made() {
    let time = parse_utc(support::NOW).expect("a time");
    let gate = Arc::new(Gate { time, state: Mutex::new(GateState::Open), changed: Condvar::new() });
    let folder = Folder::new("control-gate");
    let dir = Some(folder.0.join("kept"));
    let server = support::start_with(|builder| builder.clock(Arc::clone(&gate) as _).snapshot_dir(dir)).await;
    let more = json!({ "accounts": [{ "instances": [{ "id": "i-more" }] }] }).to_string();
    assert_eq!(ask(&server, "POST", "/_ecsim/snapshots/kept/save", "").await.0, 200);
    for (method, path, body) in [
        ("POST", "reset", ""),
        ("POST", "seed", &*more),
        ("POST", "seed?mode=replace", &more),
        ("PUT", "snapshot", &more),
        ("POST", "snapshots/kept/load", ""),
    ] {
        gate.set(GateState::Closed);
        let others = async {
            while gate.state() == GateState::Closed {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(gate.state(), GateState::Waiting, "{method} {path}");
            assert_eq!(get(&server, "/_ecsim/health").await.0, 200);
            gate.set(GateState::Open);
        };
        let path = format!("/_ecsim/{path}");
        let both = async { tokio::join!(ask(&server, method, &path, body), others) };
        // What reads no clock would be waited for without end.
        let done = tokio::time::timeout(Duration::from_secs(20), both).await;
        let ((status, _), ()) = done.unwrap_or_else(|_| panic!("{method} {path} reads no clock"));
        assert_eq!(status, 200, "{method} {path}");
    }
}

#[tokio::test]
async fn a_query_parameter_that_is_not_described_is_refused() {
    let server = support::start().await;
    let (status, answer) = ask(&server, "POST", "/_ecsim/clock?mode=real", r#"{"advance":"1h"}"#).await;
    let message = "/_ecsim/clock has no query parameter \"mode\"";
    let error = json!({ "code": "InvalidQuery", "message": message, "hint": "it takes namespace" });
    assert_eq!((status, answer), (400, json!({ "error": error })));
    let (_, clock) = get(&server, "/_ecsim/clock").await;
    assert_eq!(clock["now"], support::NOW, "nothing has changed");
    for open in ["/_ecsim/health?x=1", "/healthz?x=1", "/readyz?x=1"] {
        assert_eq!(get(&server, open).await.0, 200, "{open}");
    }
}

/// A GET, byte by byte.
struct Raw {
    target: &'static str,
    headers: &'static str,
}

const ADDRESS: &str = "Host: 127.0.0.1:4580\r\n";

const OPEN: [&str; 7] = [
    "/_ecsim/health",
    "/_ecsim/ready",
    "/_ecsim/coverage",
    "/_ecsim/instances/i-bp1ecsim0000000web01/credentials",
    "/_ecsim/instances/i-bp1ecsim0000000web01/latest/meta-data/instance-id",
    "/healthz",
    "/readyz",
];

fn access(mode: AdminMode, token: Option<&str>) -> Access {
    let token = token.map(|text| AdminToken::new(text).expect("a token"));
    Access { mode, token, origins: vec![Origin::new(PAGE).expect("an origin")] }
}

const PAGE: &str = "http://localhost:3000";

/// Status and code of what is answered.
async fn outcome(server: &Server, raw: &Raw) -> (u16, String) {
    let answer = server.raw(format!("GET {} HTTP/1.1\r\n{}Connection: close\r\n\r\n", raw.target, raw.headers)).await;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let code = answer.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    (status, code.to_owned())
}

#[tokio::test]
async fn who_may_use_the_control_api_depends_on_the_mode_the_host_the_origin_and_the_token() {
    use AdminMode::{Loopback, Off, On};
    for (mode, token, target, headers, expected) in [
        (Off, None, "/_ecsim/clock", ADDRESS, (403, "AdminOff")),
        (Off, None, "/_ecsim/nothing", ADDRESS, (403, "AdminOff")),
        (Off, Some("t"), "/_ecsim/clock", "Host: localhost\r\nAuthorization: Bearer t\r\n", (403, "AdminOff")),
        (Loopback, None, "/_ecsim/clock", ADDRESS, (200, "")),
        (Loopback, None, "/_ecsim/clock", "Host: LOCALHOST\r\n", (200, "")),
        (Loopback, None, "/_ecsim/clock", "Host: [::1]:4580\r\n", (200, "")),
        (Loopback, None, "/_ecsim/clock", "Host: 192.168.1.7\r\n", (200, "")),
        (Loopback, None, "/_ecsim/clock", "Host: rebound.example.com:4580\r\n", (403, "HostRefused")),
        (Loopback, None, "/_ecsim/clock", "Host: localhost.example.com\r\n", (403, "HostRefused")),
        (Loopback, None, "/_ecsim/clock", "Host: 127.0.0.1@example.com\r\n", (403, "HostRefused")),
        (Loopback, None, "/_ecsim/clock", "", (403, "HostRefused")),
        (Loopback, None, "/_ecsim/clock", "Host:\r\n", (403, "HostRefused")),
        (Loopback, None, "/_ecsim/clock", "Host: localhost\r\nHost: localhost\r\n", (403, "HostRefused")),
        (Loopback, None, "/_ecsim/clock", "Host: localhost\r\nHost: example.com\r\n", (403, "HostRefused")),
        (Loopback, None, "http://localhost/_ecsim/clock", "Host: localhost\r\n", (200, "")),
        (Loopback, None, "http://example.com/_ecsim/clock", "Host: localhost\r\n", (403, "HostRefused")),
        (Loopback, None, "http://localhost/_ecsim/clock", "Host: example.com\r\n", (403, "HostRefused")),
        (On, None, "/_ecsim/clock", "Host: ecsim.example.com\r\n", (200, "")),
        (On, None, "/_ecsim/clock", "", (200, "")),
        (On, None, "/_ecsim/clock", "Host: e\r\nOrigin: http://example.com\r\n", (403, "OriginRefused")),
        (On, None, "/_ecsim/nothing", "Host: e\r\nOrigin: http://example.com\r\n", (403, "OriginRefused")),
        (On, None, "/_ecsim/clock", "Host: e\r\nOrigin: null\r\n", (403, "OriginRefused")),
        (On, None, "/_ecsim/clock", "Host: e\r\nOrigin:\r\n", (403, "OriginRefused")),
        (On, None, "/_ecsim/clock", "Host: e\r\nOrigin: http://localhost:3000\r\n", (200, "")),
        (
            On,
            None,
            "/_ecsim/clock",
            "Host: e\r\nOrigin: http://localhost:3000\r\nOrigin: http://localhost:3000\r\n",
            (403, "OriginRefused"),
        ),
        (Loopback, None, "/_ecsim/clock", "Host: localhost\r\nOrigin: http://localhost\r\n", (403, "OriginRefused")),
        (Loopback, None, "/_ecsim/clock", "Host: e\r\nOrigin: http://localhost:3000\r\n", (403, "HostRefused")),
        (On, Some("t"), "/_ecsim/clock", "Host: e\r\n", (401, "TokenRefused")),
        (On, Some("t"), "/_ecsim/clock", "Host: e\r\nAuthorization: Bearer T\r\n", (401, "TokenRefused")),
        (On, Some("t"), "/_ecsim/clock", "Host: e\r\nAuthorization: t\r\n", (401, "TokenRefused")),
        (On, Some("t"), "/_ecsim/clock", "Host: e\r\nAuthorization: Basic dDp0\r\n", (401, "TokenRefused")),
        (
            On,
            Some("t"),
            "/_ecsim/clock",
            "Host: e\r\nAuthorization: Bearer t\r\nAuthorization: Bearer t\r\n",
            (401, "TokenRefused"),
        ),
        (On, Some("t"), "/_ecsim/clock", "Host: e\r\nAuthorization: bearer t\r\n", (200, "")),
        (Loopback, Some("t"), "/_ecsim/clock", ADDRESS, (401, "TokenRefused")),
        (Loopback, Some("t"), "/_ecsim/clock", "Host: e\r\nAuthorization: Bearer t\r\n", (403, "HostRefused")),
        (Loopback, Some("t"), "/_ecsim/clock", "Host: [::1]\r\nAuthorization: Bearer t\r\n", (200, "")),
    ] {
        let server = support::start_with(|builder| builder.access(access(mode, token))).await;
        let (status, code) = outcome(&server, &Raw { target, headers }).await;
        assert_eq!((status, &*code), expected, "{mode:?} {token:?} {target} {headers:?}");
    }
    for mode in [Off, Loopback, On] {
        let server = support::start_with(|builder| builder.access(access(mode, Some("t")))).await;
        for target in OPEN {
            for headers in ["", ADDRESS, "Host: e\r\n", "Host: e\r\nOrigin: http://example.com\r\n"] {
                let (status, code) = outcome(&server, &Raw { target, headers }).await;
                assert_eq!((status, &*code), (200, ""), "{mode:?} {target} {headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_endpoint_that_is_not_open_is_closed_to_whoever_may_not_use_it() {
    use AdminMode::{Loopback, Off, On};
    let of_instances = ["/_ecsim/instances/{id}/credentials", "/_ecsim/instances/{id}/latest/{item}"];
    let is_open = |described: &str| !described.starts_with("/_ecsim/") || of_instances.contains(&described);
    let open = ["/_ecsim/health", "/_ecsim/ready", "/_ecsim/coverage"];
    let closed: Vec<_> =
        REQUESTS.iter().filter(|(_, described, ..)| !is_open(described) && !open.contains(described)).collect();
    assert!(closed.len() > 20, "{closed:?}");
    for (mode, token, headers, expected) in [
        (Off, None, ADDRESS, (403, "AdminOff")),
        (Loopback, None, "Host: rebound.example.com\r\n", (403, "HostRefused")),
        (On, None, "Host: e\r\nOrigin: http://example.com\r\n", (403, "OriginRefused")),
        (On, Some("t"), ADDRESS, (401, "TokenRefused")),
    ] {
        let server = support::start_with(|builder| builder.access(access(mode, token))).await;
        for (method, _, target, body) in &closed {
            let length = body.len();
            let request = format!(
                "{method} {target} HTTP/1.1\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let answer = server.raw(request).await;
            let is_refused = answer.starts_with(&format!("HTTP/1.1 {} ", expected.0));
            assert!(is_refused && answer.contains(expected.1), "{mode:?} {method} {target}: {answer}");
        }
    }
}

#[tokio::test]
async fn info_has_every_setting_that_can_change() {
    let server = support::start().await;
    let (_, info) = get(&server, "/_ecsim/info").await;
    for (name, _) in ecsim::settings::Settings::default().texts() {
        let member = name.replace('-', "_");
        assert!(info["modes"].get(&member).is_some() || info["limits"].get(&member).is_some(), "{name} in {info}");
    }
}

#[tokio::test]
async fn a_path_that_is_longer_than_any_is_taken_for_no_other() {
    let server = support::start().await;
    let (status, answer) = get(&server, &format!("/_ecsim/{}", "x/".repeat(20_000))).await;
    let hint = answer["error"]["hint"].as_str().expect("a hint");
    assert!(status == 404 && hint.starts_with("there are /_ecsim/"), "{status} {hint}");
    let (_, answer) = get(&server, "/_ecsim/instances/i-1/role").await;
    assert!(answer["error"]["hint"].is_string(), "{answer}");
}

#[tokio::test]
async fn what_is_refused_makes_no_namespace() {
    let folder = Folder::new("control-refused");
    // What can be no folder.
    let kept = folder.file("kept", "");
    let server = support::start_with(|builder| builder.snapshot_dir(Some(kept.into()))).await;
    for (method, path, body, status) in [
        ("POST", "/_ecsim/seed", r#"{"accounts":[{"users":[{"name":"a b"}]}]}"#, 422),
        ("POST", "/_ecsim/seed", "{", 422),
        ("PUT", "/_ecsim/clock", "{", 400),
        ("PUT", "/_ecsim/clock", r#"{"advance":"-1s"}"#, 400),
        ("POST", "/_ecsim/rng", r#"{"seed":-1}"#, 400),
        ("PUT", "/_ecsim/snapshot", "{", 422),
        ("POST", "/_ecsim/chaos/faults", "{", 422),
        ("PATCH", "/_ecsim/chaos/faults", r#"[{"id":"a"},{"id":"a"}]"#, 422),
        ("DELETE", "/_ecsim/chaos/faults", "{", 422),
        ("PUT", "/_ecsim/chaos/effects", r#"{"latency":-1}"#, 422),
        ("PUT", "/_ecsim/chaos/limits", r#"{"Detach":{"qps":1}}"#, 422),
        ("PATCH", "/_ecsim/chaos/limits", "{", 422),
        ("POST", "/_ecsim/verify", "{", 400),
        ("POST", "/_ecsim/verify", r#"{"calls":[]}"#, 400),
        ("POST", "/_ecsim/verify", r#"{"calls":[{"action":"DescribeRegions"}]}"#, 417),
        ("GET", "/_ecsim/requests/none", "", 404),
        ("GET", "/_ecsim/requests/none/explain", "", 404),
        ("GET", "/_ecsim/instances/i-none", "", 404),
        ("POST", "/_ecsim/snapshots/a/save", "", 500),
        ("POST", "/_ecsim/snapshots/a/load", "", 500),
    ] {
        let (answered, answer) = ask(&server, method, &format!("{path}?namespace=typo"), body).await;
        assert_eq!(answered, status, "{method} {path}: {answer}");
        let (_, list) = get(&server, "/_ecsim/namespaces").await;
        assert_eq!(list["namespaces"].as_array().map(Vec::len), Some(1), "{method} {path}: {list}");
    }
    for (path, query) in [
        ("requests", "limit=many"),
        ("instances", "account=1"),
        ("users", "account=1"),
        ("roles", "x=1"),
        ("credentials", "secrets=perhaps"),
    ] {
        assert_eq!(get(&server, &format!("/_ecsim/{path}?namespace=typo&{query}")).await.0, 400, "{path}");
        let (_, list) = get(&server, "/_ecsim/namespaces").await;
        assert_eq!(list["namespaces"].as_array().map(Vec::len), Some(1), "{path}: {list}");
    }
    let handle = server.emulator.namespace("typo").expect("a name");
    assert_eq!(ask(&server, "DELETE", "/_ecsim/namespaces/typo", "").await.0, 200);
    assert!(handle.seed("broken", "{").is_err());
    assert!(handle.set_faults("{").is_err());
    let (_, list) = get(&server, "/_ecsim/namespaces").await;
    assert_eq!(list["namespaces"].as_array().map(Vec::len), Some(1), "of Rust neither: {list}");
    let (_, answer) = ask(&server, "PUT", "/_ecsim/clock?namespace=t1", r#"{"mode":"frozen"}"#).await;
    assert_eq!(answer["mode"], "frozen");
    let (_, answer) = get(&server, "/_ecsim/clock?namespace=t1").await;
    assert_eq!(answer["mode"], "frozen", "in the namespace that it made");
}

#[tokio::test]
async fn seeds_that_are_good_for_default_alone_are_a_failure_elsewhere_with_every_mistake() {
    // In gw0 both are a@gw0.
    let keys = json!([{ "id": "a", "secret": "a" }, { "id": "a@gw0", "secret": "a" }]);
    let server = support::start_seeded(json!({ "accounts": [{ "id": "1000000000000001", "keys": keys }] })).await;
    for (method, path, body) in [("GET", "clock", ""), ("PUT", "clock", r#"{"advance":"1s"}"#), ("POST", "reset", "")] {
        let (status, answer) = ask(&server, method, &format!("/_ecsim/{path}?namespace=gw0"), body).await;
        assert_eq!((status, &answer["error"]["code"]), (500, &json!("SeedsFailed")), "{method} {path}: {answer}");
        assert_eq!(answer["error"]["mistakes"][0]["place"], "$.accounts[0].keys[1].id", "{answer}");
        assert_eq!(ask(&server, method, &format!("/_ecsim/{path}?namespace=gw1"), body).await.0, 200);
    }
}

#[tokio::test]
async fn on_loopback_a_unix_socket_is_of_this_machine() {
    let path = std::env::temp_dir().join(format!("ecsim-control-{}.sock", std::process::id()));
    let server = support::start_with(|builder| builder.unix(&path)).await;
    let client = reqwest::Client::builder().no_proxy().unix_socket(path.as_path()).build().expect("a client");
    let answer = Answer::of(client.get("http://localhost/_ecsim/clock")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = Answer::of(client.get("http://example.com/_ecsim/clock")).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    drop(server);
}

#[tokio::test]
async fn a_listed_page_gets_what_browsers_ask_for_and_no_other_does() {
    let server = support::start_with(|builder| builder.access(access(AdminMode::Loopback, Some("t")))).await;
    let send = async |method: &str, path: &str, origin: &str, token: &str| {
        let request = client().request(method.parse().expect("a method"), server.url() + path).header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "PUT");
        Answer::of(if token.is_empty() { request } else { request.header("Authorization", token) }).await
    };
    let preflight = send("OPTIONS", "/_ecsim/clock", PAGE, "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, PAGE));
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, PUT, POST");
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization, content-type, x-ecsim-namespace");
    assert_eq!(preflight.header("vary"), "origin");
    let refused = send("GET", "/_ecsim/clock", PAGE, "").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(refused.header("access-control-allow-origin"), PAGE, "so that the page can read why");
    let shown = send("GET", "/_ecsim/clock", PAGE, "Bearer t").await;
    assert_eq!((shown.status, shown.header("access-control-allow-origin")), (200, PAGE));
    for method in ["OPTIONS", "GET", "PUT"] {
        let other = send(method, "/_ecsim/clock", "http://example.com", "Bearer t").await;
        assert_eq!((other.status, other.header("access-control-allow-origin")), (403, ""), "{method}");
    }
    let open = send("GET", "/_ecsim/health", PAGE, "").await;
    assert_eq!((open.status, open.header("access-control-allow-origin")), (200, ""), "open, but not to pages");
}

#[tokio::test]
async fn info_tells_version_modes_and_limits() {
    let server = support::start_with(|builder| builder.access(access(AdminMode::On, None))).await;
    let (status, mut info) = get(&server, "/_ecsim/info").await;
    assert_eq!((status, &info["version"]), (200, &json!(env!("CARGO_PKG_VERSION"))));
    assert!(info["commit"].is_string() && info["spec_date"].is_string(), "{info}");
    let modes = json!({
        "auth": "strict", "ram": "strict", "gateway_codes": "ecs", "detach_pass_role": true, "detach_revokes": false,
        "metadata_propagation": "0s", "describe_propagation": "0s", "clock_skew": "15m", "clock": "real", "admin": "on", "admin_token": false,
    });
    assert_eq!(info["modes"].take(), modes);
    let limits = json!({
        "max_body_size": 1 << 20, "max_header_size": 64 << 10, "max_params": 1000, "max_connections": 1024,
        "header_timeout_ms": 30_000, "body_timeout_ms": 30_000, "max_namespaces": 1024, "namespace_ttl_ms": 86_400_000,
        "journal_max": 1000, "nonce_max": 1 << 18,
    });
    assert_eq!(info["limits"].take(), limits);
}

#[tokio::test]
async fn a_setting_that_is_changed_acts_at_once_and_is_shown_as_changed_by_control() {
    let server = support::start().await;
    let unsigned =
        async || server.call("DescribeRegions").param("Signature", "x").key("nobody", "x").send().await.status;
    assert_eq!(unsigned().await, 404);
    let (_, before) = get(&server, "/_ecsim/config").await;
    assert_eq!(before["settings"]["auth"], json!({ "value": "strict", "source": "program" }));
    let (status, after) = ask(&server, "PATCH", "/_ecsim/config", r#"{"auth":"off","detach-revokes":true}"#).await;
    assert_eq!((status, &after["settings"]["auth"]), (200, &json!({ "value": "off", "source": "control" })));
    assert_eq!(after["settings"]["detach-revokes"], json!({ "value": "on", "source": "control" }));
    assert_eq!(after["settings"]["ram"], before["settings"]["ram"]);
    assert_eq!(get(&server, "/_ecsim/config").await.1, after);
    assert_eq!(get(&server, "/_ecsim/info").await.1["modes"]["auth"], "off");
    assert_eq!(unsigned().await, 200);
}

#[tokio::test]
async fn a_change_of_which_one_part_is_wrong_changes_nothing() {
    let server = support::start().await;
    let (_, before) = get(&server, "/_ecsim/config").await;
    let names = "there are auth, clock-skew, gateway-codes, ram, detach-pass-role, detach-revokes, metadata-propagation, describe-propagation, max-params";
    let example = r#"a body is such as {"auth":"lenient","max-params":50}"#;
    for (body, message, hint) in [
        (r#"{"auth":"off","ram":"of"}"#, "invalid value 'of' for '--ram <MODE>'", "did you mean `off`?"),
        (r#"{"auth":"off","listen":"127.0.0.1:1"}"#, "`listen` is no setting that can change while ecsim runs", names),
        (r#"{"auth":"off","colour":"red"}"#, "`colour` is no setting that can change while ecsim runs", names),
        (r#"{"auth":"off","help":"x"}"#, "`help` is no setting that can change while ecsim runs", names),
        (r#"{"auth":null}"#, "the body: a value is a text, a number, true or false at line 1 column 13", example),
        ("", "the body: EOF while parsing a value at line 1 column 0", example),
    ] {
        let (status, answer) = ask(&server, "PATCH", "/_ecsim/config", body).await;
        let error = json!({ "code": "InvalidSetting", "message": message, "hint": hint });
        assert_eq!((status, answer), (400, json!({ "error": error })), "{body}");
    }
    for body in [
        r#"{"clock-skew":"-1s"}"#,
        r#"{"max-params":"many"}"#,
        r#"{"detach-revokes":"perhaps"}"#,
        r#"{"metadata-propagation":"soon"}"#,
        "[]",
    ] {
        let (status, _) = ask(&server, "PATCH", "/_ecsim/config", body).await;
        assert_eq!(status, 400, "{body}");
    }
    assert_eq!(get(&server, "/_ecsim/config").await.1, before);
}

/// Two accounts, an instance of each.
async fn two_accounts() -> Server {
    let trust: Value = serde_json::from_str(support::TRUST).expect("JSON");
    support::start_seeded(json!({ "accounts": [
        {
            "id": "1000000000000001",
            "keys": [{ "id": "test", "secret": "test" }],
            "users": [{ "name": "ann", "policies": ["ReadOnlyAccess"], "keys": [{ "id": "ann", "secret": "ann-secret" }] }],
            "roles": [{ "name": "web", "trust": trust, "policies": ["ReadOnlyAccess"] }],
            "instances": [{ "id": "i-2", "role": "web" }, { "id": "i-1", "network": "classic", "status": "Stopped" }],
        },
        { "id": "1000000000000002", "roles": [{ "name": "a", "trust": trust }], "instances": [{ "id": "i-0" }] },
    ] }))
    .await
}

#[tokio::test]
async fn instances_are_shown_by_id_with_their_roles_and_what_they_were_handed_out() {
    let server = two_accounts().await;
    let web = json!({
        "id": "i-2", "account": "1000000000000001", "region": "cn-hangzhou", "status": "Running", "network": "vpc",
        "role": "web", "policy": null,
    });
    let old = json!({
        "id": "i-1", "account": "1000000000000001", "region": "cn-hangzhou", "status": "Stopped", "network": "classic",
        "role": null, "policy": null,
    });
    let (_, all) = get(&server, "/_ecsim/instances").await;
    let ids: Vec<_> = all["instances"].as_array().expect("a list").iter().map(|instance| &instance["id"]).collect();
    assert_eq!(ids, ["i-0", "i-1", "i-2"]);
    let (_, own) = get(&server, "/_ecsim/instances?account=1000000000000001").await;
    assert_eq!(own, json!({ "schema": 1, "instances": [old, web] }));

    let details = async || get(&server, "/_ecsim/instances/i-2").await.1;
    assert_eq!((&details().await["role"], &details().await["credentials"]), (&json!("web"), &json!([])));
    let (_, credentials) = get(&server, "/_ecsim/instances/i-2/credentials").await;
    assert_eq!(details().await["credentials"], json!([credentials["AccessKeyId"]]));
    let done = server.call("DetachInstanceRamRole").param("RegionId", "cn-hangzhou").param("InstanceIds", r#"["i-2"]"#);
    assert_eq!(done.send().await.status, 200);
    let after = details().await;
    assert_eq!((&after["role"], &after["credentials"]), (&json!(null), &json!([credentials["AccessKeyId"]])));

    // The id says which namespace it is in, as query and header do.
    let in_gw0 = async |path: &str, header: &str| {
        let request = client().get(format!("{}/_ecsim/instances/{path}", server.url()));
        let request = if header.is_empty() { request } else { request.header("x-ecsim-namespace", header) };
        let answer: Value = serde_json::from_str(&Answer::of(request).await.text).expect("JSON");
        answer["error"]["code"].as_str().or(answer["role"].as_str()).expect("a role").to_owned()
    };
    for (path, header, seen) in [
        ("i-2@gw0", "", "web"),
        ("i-2@gw0?namespace=gw0", "gw0", "web"),
        ("i-2?namespace=gw0", "", "web"),
        ("i-2@gw0?namespace=gw1", "", "InvalidNamespace"),
        ("i-2@gw0", "gw1", "InvalidNamespace"),
        ("i-2@gw0?namespace=default", "", "InvalidNamespace"),
        ("i-none@gw0", "", "NoSuchInstance"),
        ("@gw0", "", "NoSuchInstance"),
        ("i-2@..", "", "InvalidNamespace"),
        ("i-2@", "", "InvalidNamespace"),
        ("i-2@a%20b?namespace=gw0", "gw0", "InvalidNamespace"),
    ] {
        assert_eq!(in_gw0(path, header).await, seen, "{path} {header}");
    }
    let (_, list) = get(&server, "/_ecsim/namespaces").await;
    assert_eq!(list["namespaces"].as_array().map(Vec::len), Some(2), "{list}");

    let (status, history) = get(&server, "/_ecsim/instances/i-2/role-history").await;
    let change = json!({ "at": support::NOW, "before": { "role": "web", "policy": null }, "after": null });
    let expected = json!({ "schema": 1, "id": "i-2", "role_history": [change], "role_changes_dropped": 0 });
    assert_eq!((status, &history), (200, &expected));
    assert_eq!(details().await["role_history"], history["role_history"]);
    assert_eq!(get(&server, "/_ecsim/instances/i-2@gw0/role-history").await.1["role_history"], json!([]));
    assert_eq!(get(&server, "/_ecsim/instances/i-none/role-history").await.0, 404);

    let (status, answer) = get(&server, "/_ecsim/instances/i-none").await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("NoSuchInstance")));
    let (status, answer) = get(&server, "/_ecsim/instances/%FF").await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("InvalidPath")));
}

#[tokio::test]
async fn users_and_roles_are_shown_with_their_policies() {
    let server = two_accounts().await;
    let policies = json!([{ "type": "System", "name": "ReadOnlyAccess" }]);
    let (_, users) = get(&server, "/_ecsim/users").await;
    assert_eq!((&users["users"][0]["name"], &users["users"][0]["policies"]), (&json!("ann"), &policies));
    let (_, roles) = get(&server, "/_ecsim/roles").await;
    let names = [&roles["roles"][0]["name"], &roles["roles"][1]["name"]];
    assert_eq!(names, ["web", "a"], "by account, then by name");
    assert_eq!(roles["roles"][0]["policies"], policies);
    let trust: Value = serde_json::from_str(roles["roles"][0]["trust"].as_str().expect("a text")).expect("JSON");
    assert_eq!(trust, serde_json::from_str::<Value>(support::TRUST).expect("JSON"));
    let (_, others) = get(&server, "/_ecsim/roles?account=1000000000000002").await;
    assert_eq!(others["roles"].as_array().map(Vec::len), Some(1));
    assert_eq!(get(&server, "/_ecsim/users?account=1000000000000002").await.1["users"], json!([]));
}

#[tokio::test]
async fn keys_are_shown_without_their_secrets_unless_they_are_asked_for() {
    let server = two_accounts().await;
    let (_, temporary) = get(&server, "/_ecsim/instances/i-2/credentials").await;
    assert_eq!(server.call("DescribeRegions").key("ann", "ann-secret").send().await.status, 200);
    let (_, keys) = get(&server, "/_ecsim/credentials").await;
    let key = |id: &Value| {
        let list = keys["credentials"].as_array().expect("a list");
        list.iter().find(|key| key["id"] == *id).cloned().expect("the key")
    };
    let ann = json!({
        "id": "ann", "account": "1000000000000001", "owner": "user", "owner_name": "ann", "status": "Active",
        "expires": null, "last_used": support::NOW,
    });
    assert_eq!(key(&json!("ann")), ann);
    assert_eq!(key(&json!("test"))["last_used"], json!(null));
    let session = key(&temporary["AccessKeyId"]);
    assert_eq!((&session["owner"], &session["owner_name"]), (&json!("session"), &json!("web/vm-ram-i-2")));
    assert_eq!(session["expires"], temporary["Expiration"]);
    let text = keys.to_string();
    for secret in [&temporary["AccessKeySecret"], &temporary["SecurityToken"], &json!("ann-secret")] {
        assert!(!text.contains(secret.as_str().expect("a text")), "{text}");
    }
    let (_, keys) = get(&server, "/_ecsim/credentials?secrets=true").await;
    let list = keys["credentials"].as_array().expect("a list");
    let session = list.iter().find(|key| key["id"] == temporary["AccessKeyId"]).expect("the session's");
    assert_eq!(
        (&session["secret"], &session["security_token"]),
        (&temporary["AccessKeySecret"], &temporary["SecurityToken"])
    );
    assert_eq!(get(&server, "/_ecsim/credentials?account=1000000000000002").await.1["credentials"], json!([]));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let server = support::start().await;
    for query in
        ["account=1", "account=", "account=1000000000000001&account=1000000000000001", "secrets=perhaps", "x=1"]
    {
        let (status, answer) = get(&server, &format!("/_ecsim/credentials?{query}")).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("InvalidQuery")), "{query}: {answer}");
    }
    let (_, answer) = get(&server, "/_ecsim/credentials?secret=true").await;
    assert_eq!(answer["error"]["hint"], "it takes namespace, account, secrets");
}

#[tokio::test]
async fn the_page_of_the_control_api_names_every_endpoint() {
    let page = include_str!("../../docs/control.md");
    for (path, _) in described(&description(&support::start().await).await) {
        let named = path.split("/latest/").next().expect("a part");
        assert!(page.contains(named.trim_end_matches("/{id}")), "{path}");
    }
}
