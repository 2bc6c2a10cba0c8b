//! The library as a Rust test embeds it; examples/embedded.rs shows more.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use ecsim::emulator::{Builder, Emulator, StartError};
use ecsim::settings::{AuthMode, Settings};
use ecsim::world::{Counts, NoSpace, RoleName, World, parse_utc};
use http::Request;
use http_body_util::BodyExt;
use jiff::SignedDuration;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::Service;

use super::transport::is_refused;
use crate::support::{self, NOW, encode, sign_v1};

const WEB: &str = "i-bp1ecsim0000000web01";

async fn embedded() -> Emulator {
    embedded_with(|builder| builder).await
}

async fn embedded_with(set: impl FnOnce(Builder) -> Builder) -> Emulator {
    let builder = set(Emulator::builder().without_listeners().now(parse_utc(NOW), Some(true)));
    builder.start().await.expect("it starts")
}

async fn connected(authority: &str) -> TcpStream {
    TcpStream::connect(authority).await.expect("connects")
}

fn role(world: &World) -> Option<String> {
    world.instance(WEB)?.role().map(ToString::to_string)
}

/// Status and JSON of the answer to a GET.
async fn get(service: &mut Router, target: &str) -> (u16, Value) {
    let request = Request::get(target).header("host", "localhost").body(Body::empty()).expect("a request");
    let answer = service.call(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn without_listeners_it_answers_as_a_service() {
    let emulator = embedded().await;
    assert_eq!((emulator.url(), emulator.addresses().len()), (None, 0));
    for (path, status, quote) in [
        ("/_ecsim/health", 200, "\"status\":\"ok\""),
        ("/?Action=DescribeRegions&Version=2014-05-26&Format=JSON", 400, "\"Code\":\"MissingParameter\""),
        ("/latest/meta-data/", 403, "No instance has the address of who asks"),
    ] {
        let request = Request::get(path).header("host", "localhost").body(Body::empty()).expect("a request");
        let answer = emulator.service().call(request).await.expect("an answer");
        assert_eq!(answer.status(), status, "{path}");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(quote), "{path}: {body:?}");
    }
}

#[tokio::test]
async fn a_long_answer_of_a_service_has_its_etag() {
    let emulator = embedded_with(|builder| builder.auth(AuthMode::Off)).await;
    let path = "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON&AccessKeyId=test";
    let request = Request::get(path).header("host", "localhost").body(Body::empty()).expect("a request");
    let answer = emulator.service().call(request).await.expect("an answer");
    let etag = answer.headers()["etag"].to_str().expect("ASCII").to_owned();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert!(body.len() >= 4096, "{}", body.len());
    assert_eq!(etag[1..23], BASE64_STANDARD_NO_PAD.encode(Md5::digest(&body)));
}

#[tokio::test]
async fn dropping_an_emulator_closes_its_sockets_and_its_services_go_on() {
    let server = support::start().await;
    let (authority, mut service) = (server.authority(), server.emulator.service());
    let (mut half, mut idle) = (connected(&authority).await, connected(&authority).await);
    let head = b"GET /_ecsim/health HTTP/1.1\r\nhost: localhost\r\n";
    half.write_all(head).await.expect("sends");
    idle.write_all(&[head, &b"\r\n"[..]].concat()).await.expect("sends");
    assert!(idle.read(&mut [0; 4096]).await.expect("an answer") > 0, "it has been accepted, and the one before it");
    drop(server);
    assert!(is_refused(&authority).await);
    for connection in [&mut idle, &mut half] {
        let end = tokio::time::timeout(Duration::from_secs(10), connection.read(&mut [0; 4096])).await;
        assert!(matches!(end.expect("it is closed"), Ok(0) | Err(_)));
    }
    assert_eq!(get(&mut service, "/_ecsim/health").await.0, 200);
}

#[tokio::test]
async fn a_signed_detach_by_the_service_alone_acts_once() {
    let emulator = embedded().await;
    let params: BTreeMap<_, _> = [
        ("Action", "DetachInstanceRamRole"),
        ("Version", "2014-05-26"),
        ("Format", "JSON"),
        ("RegionId", "cn-hangzhou"),
        ("InstanceIds", &*format!("[\"{WEB}\"]")),
        ("RamRoleName", "web-role"),
        ("AccessKeyId", "test"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", "once"),
        ("Timestamp", NOW),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let query: Vec<_> = params.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let target = format!("/?{}&Signature={}", query.join("&"), encode(&sign_v1("GET", &params, "test")));
    let role = || emulator.world(role).expect("it is there");
    assert_eq!(role().as_deref(), Some("web-role"));
    let (status, answer) = get(&mut emulator.service(), &target).await;
    let result = &answer["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"][0];
    assert_eq!((status, &result["InstanceId"], &result["Code"]), (200, &json!(WEB), &json!("200")), "{answer}");
    assert_eq!(role(), None);
    // Another service of the same emulator remembers the nonce.
    let (status, answer) = get(&mut emulator.service(), &target).await;
    assert_eq!((status, &answer["Code"]), (400, &json!("SignatureNonceUsed")), "{answer}");
}

#[tokio::test]
async fn a_handle_looks_at_its_namespace_changes_it_and_begins_it_again() {
    let emulator = embedded().await;
    let (t1, default) = (emulator.namespace("t1").expect("a name"), emulator.namespace("default").expect("a name"));
    assert_eq!((t1.key_id("test"), default.key_id("test")), ("test@t1".to_owned(), "test".to_owned()));
    let clock = t1.clock();
    let now = clock.now().expect("a time");
    t1.change(|world| assert!(world.detach_role(now, WEB))).expect("a world");
    t1.change(|world| world.attach_role(now, WEB, RoleName::new("batch-role"), None)).expect("a world");
    assert_eq!(t1.world(role).expect("a world").as_deref(), Some("batch-role"));
    assert_eq!(default.world(role).expect("a world").as_deref(), Some("web-role"));

    let time = |text| parse_utc(text).expect("a time");
    clock.advance(SignedDuration::from_hours(1)).expect("a clock");
    assert_eq!(clock.now(), Ok(time("2026-11-24T03:07:22Z")));
    assert_eq!(default.clock().now(), Ok(time(NOW)));
    clock.freeze(time("2030-01-01T00:00:00Z")).expect("a clock");
    t1.reset().expect("a world");
    assert_eq!(t1.world(role).expect("a world").as_deref(), Some("web-role"));
    assert_eq!(clock.now(), Ok(time(NOW)), "it is the clock of the world that is there now");
    clock.advance(SignedDuration::from_mins(1)).expect("a clock");
    assert_eq!(t1.clock().now(), Ok(time("2026-11-24T02:08:22Z")));
    assert!(emulator.namespace("a b").is_err());
}

#[tokio::test]
async fn an_emulator_is_the_handle_of_its_default_namespace() {
    let emulator = embedded().await;
    let (default, t1) = (emulator.namespace("default").expect("a name"), emulator.namespace("t1").expect("a name"));
    assert_eq!((emulator.name(), emulator.key_id("test")), (default.name(), "test".to_owned()));
    let now = emulator.clock().now().expect("a time");
    emulator.change(|world| assert!(world.detach_role(now, WEB))).expect("a world");
    emulator.clock().advance(SignedDuration::from_hours(1)).expect("a clock");
    assert_eq!(default.world(role), Ok(None));
    assert_eq!(default.clock().now(), Ok(now + SignedDuration::from_hours(1)));
    assert_eq!((t1.world(role), t1.clock().now()), (Ok(Some("web-role".to_owned())), Ok(now)));
    emulator.reset().expect("a world");
    assert_eq!((default.world(role), default.clock().now()), (Ok(Some("web-role".to_owned())), Ok(now)));
}

#[tokio::test]
async fn how_much_of_a_signature_is_checked_can_be_said_alone() {
    let regions = "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON&AccessKeyId=nobody";
    let unsigned = embedded_with(|builder| builder.auth(AuthMode::Off)).await;
    assert_eq!(get(&mut unsigned.service(), regions).await.0, 200);
    // What is said last counts.
    let strict = embedded_with(|builder| builder.auth(AuthMode::Off).settings(Settings::default())).await;
    let (status, answer) = get(&mut strict.service(), regions).await;
    assert_eq!((status, &answer["Code"]), (400, &json!("MissingParameter")), "{answer}");
}

#[tokio::test]
async fn a_handle_seeds_its_namespace_and_puts_the_world_of_another_in_its_place() {
    let emulator = embedded().await;
    let [t1, t2] = ["t1", "t2"].map(|name| emulator.namespace(name).expect("a name"));
    let more = r#"{ "accounts": [{ "instances": [{ "id": "i-1", "role": "web-role" }, { "id": "i-2" }] }] }"#;
    let before = t2.snapshot().expect("a world");
    assert_eq!(t1.seed("more", more), Ok(Counts { instances: 2, ..Counts::default() }));
    let Err(NoSpace::Seed(mistakes)) = t1.seed("again", more) else { panic!("it is there already") };
    let places: Vec<_> = mistakes.iter().map(|mistake| (&*mistake.file, &*mistake.place)).collect();
    let place = |number: usize| format!("$.accounts[0].instances[{number}].id");
    assert_eq!(places, [("again", &*place(0)), ("again", &*place(1))]);
    assert_eq!(t2.snapshot().expect("a world"), before);
    let clock = t1.clock();
    clock.advance(SignedDuration::from_hours(1)).expect("a clock");
    let taken = t1.snapshot().expect("a world");
    t2.put("of t1", &taken).expect("a world");
    assert_eq!(t2.snapshot().expect("a world"), taken);
    assert_eq!(t2.clock().now(), clock.now());
    assert!(matches!(t2.put("broken", "{"), Err(NoSpace::Seed(_))));
    assert_eq!(t2.snapshot().expect("a world"), taken, "nothing has changed");
}

#[tokio::test]
async fn a_state_file_where_a_snapshot_could_be_saved_starts_nothing() {
    let builder = Emulator::builder().without_listeners();
    let builder = builder.snapshot_dir(Some("no-such-folder".into()));
    let refused = builder.state_file(Some("./no-such-folder/state.json".into()), None).start().await;
    assert!(matches!(refused, Err(StartError::StateAmongSnapshots)));
}
