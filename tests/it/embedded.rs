//! The library as a Rust test embeds it; examples/embedded.rs shows more.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use ecsim::Emulator;
use ecsim::emulator::StartError;
use ecsim::world::{Counts, NoSpace, RoleName, World, parse_utc};
use http::Request;
use http_body_util::BodyExt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::Service;

use crate::support::{NOW, encode, sign_v1};

const WEB: &str = "i-bp1ecsim0000000web01";

async fn embedded() -> Emulator {
    let builder = Emulator::builder().without_listeners().now(parse_utc(NOW), Some(true));
    builder.start().await.expect("it starts")
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
    let role = || emulator.world(|world| world.instance(WEB).and_then(|web| web.role()).map(ToString::to_string));
    assert_eq!(role().as_deref(), Some("web-role"));
    let call = async || {
        let request = Request::get(&target).header("host", "ecs").body(Body::empty()).expect("a request");
        let answer = emulator.service().call(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice::<Value>(&body).expect("JSON"))
    };
    let (status, answer) = call().await;
    let result = &answer["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"][0];
    assert_eq!((status, &result["InstanceId"], &result["Code"]), (200, &json!(WEB), &json!("200")), "{answer}");
    assert_eq!(role(), None);
    // Another service of the same emulator remembers the nonce.
    let (status, answer) = call().await;
    assert_eq!((status, &answer["Code"]), (400, &json!("SignatureNonceUsed")), "{answer}");
}

#[tokio::test]
async fn a_handle_looks_at_its_namespace_changes_it_and_begins_it_again() {
    let emulator = embedded().await;
    let (t1, default) = (emulator.namespace("t1").expect("a name"), emulator.namespace("default").expect("a name"));
    assert_eq!((t1.key_id("test"), default.key_id("test")), ("test@t1".to_owned(), "test".to_owned()));
    let role = |world: &World| world.instance(WEB).and_then(|web| web.role()).map(ToString::to_string);
    let now = t1.clock().expect("a clock").now();
    t1.change(|world| assert!(world.detach_role(now, WEB))).expect("a world");
    t1.change(|world| world.attach_role(now, WEB, RoleName::new("batch-role"), None)).expect("a world");
    assert_eq!(t1.world(role).expect("a world").as_deref(), Some("batch-role"));
    assert_eq!(default.world(role).expect("a world").as_deref(), Some("web-role"));

    let clock = t1.clock().expect("a clock");
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(clock.now(), parse_utc("2026-11-24T03:07:22Z").expect("a time"));
    assert_eq!(default.clock().expect("a clock").now(), parse_utc(NOW).expect("a time"));
    clock.freeze(parse_utc("2030-01-01T00:00:00Z").expect("a time"));
    t1.reset().expect("a world");
    assert_eq!(t1.world(role).expect("a world").as_deref(), Some("web-role"));
    assert_eq!(t1.clock().expect("a clock").now(), parse_utc(NOW).expect("a time"));
    assert!(emulator.namespace("a b").is_err());
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
    let clock = t1.clock().expect("a clock");
    clock.advance(SignedDuration::from_hours(1));
    let taken = t1.snapshot().expect("a world");
    t2.put("of t1", &taken).expect("a world");
    assert_eq!(t2.snapshot().expect("a world"), taken);
    assert_eq!(t2.clock().expect("a clock").now(), clock.now());
    assert!(matches!(t2.put("broken", "{"), Err(NoSpace::Seed(_))));
    assert_eq!(t2.snapshot().expect("a world"), taken, "nothing has changed");
}

#[tokio::test]
async fn an_emulator_that_is_dropped_listens_no_longer_and_breaks_off_what_it_answers() {
    let emulator = Emulator::builder().now(parse_utc(NOW), Some(true)).start().await.expect("it starts");
    let (url, service) = (emulator.url().expect("a listener"), emulator.service());
    let authority = url.trim_start_matches("http://").to_owned();
    let mut kept = TcpStream::connect(&authority).await.expect("it listens");
    kept.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("it is sent");
    assert!(kept.read(&mut [0; 1024]).await.expect("an answer") > 0);
    drop(emulator);
    let closed = async {
        while TcpStream::connect(&authority).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // A connection that was open ends too, whether it is closed or reset.
        while let Ok(1..) = kept.read(&mut [0; 1024]).await {}
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("it has stopped");
    // Whoever has kept the service goes on with its world.
    let request = Request::get("/health").header("host", "localhost").body(Body::empty()).expect("a request");
    assert_eq!(service.clone().call(request).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_state_file_where_a_snapshot_could_be_saved_starts_nothing() {
    let builder = Emulator::builder().without_listeners();
    let builder = builder.snapshot_dir(Some("no-such-folder".into()));
    let refused = builder.state_file(Some("./no-such-folder/state.json".into()), None).start().await;
    assert!(matches!(refused, Err(StartError::StateAmongSnapshots)));
}
