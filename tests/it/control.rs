//! The control API: its description, its refusals, and what it shows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

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
    ("GET", "/_ecsim/clock", "/_ecsim/clock", ""),
    ("PUT", "/_ecsim/clock", "/_ecsim/clock", r#"{"advance":"1s"}"#),
    ("POST", "/_ecsim/clock", "/_ecsim/clock", r#"{"mode":"frozen","now":"2026-01-05T08:00:00Z"}"#),
    ("GET", "/_ecsim/coverage", "/_ecsim/coverage", ""),
    ("GET", "/_ecsim/health", "/_ecsim/health", ""),
    ("GET", "/_ecsim/instances/{id}/credentials", "/_ecsim/instances/i-bp1ecsim0000000web01/credentials", ""),
    (
        "GET",
        "/_ecsim/instances/{id}/latest/{item}",
        "/_ecsim/instances/i-bp1ecsim0000000web01/latest/meta-data/instance-id",
        "",
    ),
    ("PUT", "/_ecsim/instances/{id}/latest/{item}", "/_ecsim/instances/i-bp1ecsim0000000web01/latest/api/token", ""),
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

#[tokio::test]
async fn every_endpoint_is_described_and_answers_as_its_description_says() {
    let server = support::start().await;
    let api = description(&server).await;
    let tried: BTreeSet<_> =
        REQUESTS.iter().map(|(method, path, ..)| ((*path).to_owned(), (*method).to_owned())).collect();
    assert_eq!(tried, described(&api));
    for (method, described, path, body) in REQUESTS {
        let mut request = client().request(method.parse().expect("a method"), server.url() + path).body(*body);
        if path.ends_with("/token") {
            request = request.header("X-aliyun-ecs-metadata-token-ttl-seconds", "60");
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        let body = serde_json::from_str(&answer.text).unwrap_or_else(|_| json!(answer.text));
        is_as_described(&api, method, described, 200, &body);
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
    for (_, described, path, _) in REQUESTS.iter().filter(|(_, _, path, _)| !path.contains("/latest/")) {
        let taken = |method: &str| endpoints.contains(&((*described).to_owned(), method.to_owned()));
        let order = ["GET", "PUT", "POST", "PATCH", "DELETE"];
        for method in order.into_iter().filter(|method| !taken(method)) {
            let (status, answer) = ask(&server, method, path, "").await;
            assert_eq!((status, &answer["error"]["code"]), (405, &json!("MethodNotAllowed")), "{method} {path}");
            is_as_described(&api, "GET", described, status, &answer);
            let hint = answer["error"]["hint"].as_str().expect("a hint");
            let named: Vec<_> = hint.split([' ', ',']).filter(|word| order.contains(word)).collect();
            assert_eq!(named, order.into_iter().filter(|method| taken(method)).collect::<Vec<_>>(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_query_parameter_that_is_not_described_is_refused() {
    let server = support::start().await;
    let (status, answer) = ask(&server, "POST", "/_ecsim/clock?mode=real", r#"{"advance":"1h"}"#).await;
    let message = "/_ecsim/clock has no query parameter \"mode\"";
    let error = json!({ "code": "InvalidQuery", "message": message, "hint": "it takes none" });
    assert_eq!((status, answer), (400, json!({ "error": error })));
    let (_, clock) = get(&server, "/_ecsim/clock").await;
    assert_eq!(clock["now"], support::NOW, "nothing has changed");
    for open in ["/_ecsim/health?x=1", "/healthz?x=1", "/readyz?x=1"] {
        assert_eq!(get(&server, open).await.0, 200, "{open}");
    }
}
