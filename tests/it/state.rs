//! The state of a world, put and taken back by the control API.

use serde_json::{Value, json};

use crate::support::{self, Answer, Server, client};

const WEB: &str = "i-bp1ecsim0000000web01";

impl Server {
    async fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = client().request(method.parse().expect("a method"), format!("{}/_ecsim/{path}", self.url()));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = Answer::of(request.body(body)).await;
        (answer.status, serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("JSON: {}", answer.text)))
    }

    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.control(method, path, &body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Code and message of a refusal.
    async fn not_done(&self, method: &str, path: &str, body: Value) -> (u16, String, String) {
        let (status, answer) = self.control(method, path, &body).await;
        let text = |name: &str| answer["error"][name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert!(!text("hint").is_empty());
        (status, text("code"), text("message"))
    }

    async fn detach_by(&self, key: &str) {
        let call = self.call("DetachInstanceRamRole").key(key, "test").param("RegionId", "cn-hangzhou");
        assert_eq!(call.param("InstanceIds", json!([WEB]).to_string()).send().await.status, 200);
    }

    /// Everything that is in the world of `default`.
    fn state(&self) -> String {
        self.world(|world| format!("{world:?}"))
    }
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

#[tokio::test]
async fn a_reset_is_the_world_of_the_start_in_a_new_generation_and_leaves_the_other_namespaces() {
    let server = support::start().await;
    let start = server.state();
    let first = server.done("GET", "namespaces", Value::Null).await;
    assert_eq!(first["namespaces"][0]["generation"], 1);
    for key in ["test", "test@gw0"] {
        server.detach_by(key).await;
    }
    server.done("POST", "clock", json!({ "advance": "1h" })).await;
    assert_ne!(server.state(), start);
    let reset = server.done("POST", "reset", Value::Null).await;
    assert_eq!((&reset["namespace"], &reset["generation"]), (&json!("default"), &json!(3)));
    assert_eq!(reset["now"], support::NOW);
    assert_eq!(server.state(), start);
    let role = |key: &str| {
        let call = server.call("DescribeInstanceRamRole").key(key, "test").param("RegionId", "cn-hangzhou");
        call.param("InstanceIds", json!([WEB]).to_string())
    };
    assert!(role("test").send().await.text.contains("web-role"));
    assert!(!role("test@gw0").send().await.text.contains("web-role"));
    let reset = server.done("POST", "reset?namespace=gw0", Value::Null).await;
    assert_eq!((&reset["namespace"], &reset["generation"]), (&json!("gw0"), &json!(4)));
    assert!(role("test@gw0").send().await.text.contains("web-role"));
}

#[tokio::test]
async fn a_reset_forgets_nonces_and_keys_and_metadata_tokens() {
    let server = support::start().await;
    let call = || server.call("DescribeRegions").param("SignatureNonce", "once");
    assert_eq!(call().send().await.status, 200);
    assert_eq!(call().send().await.code().1, "SignatureNonceUsed");
    let made = server.ram_done("CreateAccessKey", &[("UserName", "full")]).await;
    let [id, secret] = ["AccessKeyId", "AccessKeySecret"].map(|name| made["AccessKey"][name].as_str().expect("a text"));
    let web = format!("{}/_ecsim/instances/{WEB}/latest", server.url());
    let token = client().put(format!("{web}/api/token")).header("X-aliyun-ecs-metadata-token-ttl-seconds", "60");
    let token = Answer::of(token).await.text;
    let item = || client().get(format!("{web}/meta-data/instance-id")).header("X-aliyun-ecs-metadata-token", &*token);
    assert_eq!(Answer::of(item()).await.status, 200);
    server.done("POST", "reset", Value::Null).await;
    assert_eq!(call().send().await.status, 200);
    let signed = server.call("DescribeRegions").key(id, secret).send().await;
    assert_eq!(signed.code().1, "InvalidAccessKeyId.NotFound");
    assert_eq!(Answer::of(item()).await.status, 401);
}

#[tokio::test]
async fn a_reset_repeats_the_ids_of_a_seeded_generator_and_so_does_the_seed_given_later() {
    let server = support::start().await;
    let id = async || server.call("DescribeRegions").send().await.header("x-acs-request-id").to_owned();
    let first = [id().await, id().await];
    server.done("POST", "reset", Value::Null).await;
    assert_eq!([id().await, id().await], first);
    let begun = json!({ "schema": 1, "namespace": "default", "seed": 42 });
    assert_eq!(server.done("POST", "rng", json!({ "seed": 42 })).await, begun);
    let other = id().await;
    assert_ne!(other, first[0]);
    server.done("POST", "rng", json!({ "seed": 42 })).await;
    assert_eq!(id().await, other);
    for body in [json!({}), json!({ "seed": -1 }), json!({ "seed": "42" }), json!({ "seed": 1, "more": 2 })] {
        assert_eq!(server.not_done("POST", "rng", body).await.1, "InvalidRng");
    }
}

#[tokio::test]
async fn after_a_reset_the_same_seed_of_the_generator_draws_the_same_keys_and_tokens() {
    let server = support::start().await;
    let drawn = async |namespace: &str, seed: u64| {
        server.done("POST", &format!("reset?namespace={namespace}"), Value::Null).await;
        server.done("POST", &format!("rng?namespace={namespace}"), json!({ "seed": seed })).await;
        let key = |id: &str| format!("{id}@{namespace}");
        let role = format!("acs:ram::{}:role/operator", ecsim::world::AccountId::DEFAULT);
        let assume = server.call("AssumeRole").param("Version", "2015-04-01").key(&key("test-full"), "test-full");
        let assume = assume.param("RoleArn", role).param("RoleSessionName", "job-1");
        let ram = |action: &str, user: &str| server.ram(action, &[("UserName", user)]).key(&key("test"), "test");
        let web = format!("{}/_ecsim/instances/{WEB}@{namespace}", server.url());
        let token = client().put(format!("{web}/latest/api/token"));
        let answers = [
            assume.send().await,
            Answer::of(token.header("X-aliyun-ecs-metadata-token-ttl-seconds", "60")).await,
            ram("CreateUser", "new").send().await,
            ram("CreateAccessKey", "new").send().await,
            Answer::of(client().get(format!("{web}/credentials"))).await,
        ];
        answers.map(|answer| {
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.text
        })
    };
    for namespace in ["default", "gw0"] {
        let first = drawn(namespace, 42).await;
        assert_eq!(drawn(namespace, 42).await, first, "{namespace}");
        let other = drawn(namespace, 43).await;
        assert!(first.iter().zip(&other).all(|(one, other)| one != other), "{namespace}: {first:?} {other:?}");
    }
}

#[tokio::test]
async fn a_seed_adds_to_the_world_or_takes_its_place() {
    let server = support::start().await;
    let before = server.world(ecsim::world::World::counts);
    let more = json!({ "accounts": [{
        "users": [{ "name": "new", "keys": [{ "id": "new", "secret": "new" }] }],
        "roles": [{ "name": "new" }],
        "instances": [{ "id": "i-new%02d", "count": 3, "role": "new" }, { "id": "i-old-role", "role": "web-role" }],
    }] });
    let seeded = server.done("POST", "seed", more.clone()).await;
    let expected = json!({ "schema": 1, "namespace": "default", "generation": 1,
        "keys": 1, "users": 1, "roles": 1, "policies": 0, "instances": 4 });
    assert_eq!(seeded, expected);
    assert_eq!(server.role_of("i-new02").as_deref(), Some("new"));
    assert_eq!(server.role_of("i-old-role").as_deref(), Some("web-role"));
    let addresses = server.world(|world| {
        let mut addresses: Vec<_> = world.instances().map(|(_, instance)| instance.address()).collect();
        addresses.sort_unstable();
        addresses.windows(2).filter(|pair| pair[0] == pair[1]).count()
    });
    assert_eq!(addresses, 0, "no address twice");

    let replaced =
        server.done("POST", "seed?mode=replace", json!({ "accounts": [{ "instances": [{ "id": "i-1" }] }] }));
    let replaced = replaced.await;
    assert_eq!((&replaced["generation"], &replaced["instances"], &replaced["keys"]), (&json!(2), &json!(1), &json!(0)));
    let after = server.world(ecsim::world::World::counts);
    assert_eq!((after.instances, after.users, after.keys), (1, 0, 0));
    // What it began with is still what a reset returns to.
    server.done("POST", "reset", Value::Null).await;
    assert_eq!(server.world(ecsim::world::World::counts), before);
    let elsewhere = server.done("POST", "seed?namespace=gw0", more).await;
    assert_eq!(elsewhere["namespace"], "gw0");
    assert_eq!(server.world(ecsim::world::World::counts), before);
}

#[tokio::test]
async fn a_seed_with_mistakes_changes_nothing_and_each_is_reported() {
    let server = support::start().await;
    let before = server.state();
    let bad = json!({ "clock": { "mode": "real" }, "role_changes": {}, "accounts": [{
        "keys": [{ "id": "test", "secret": "again" }],
        "instances": [{ "id": "i-good" }, { "id": WEB }, { "id": "i-bad", "region": "nowhere" }],
    }] });
    for mode in ["merge", "replace"] {
        let (status, answer) = server.control("POST", &format!("seed?mode={mode}"), &bad).await;
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("InvalidSeed")));
        let mistakes = answer["error"]["mistakes"].as_array().expect("a list");
        let places: Vec<_> = mistakes.iter().map(|mistake| mistake["place"].as_str().expect("a place")).collect();
        let of_both = "$.accounts[0].instances[2].region";
        if mode == "merge" {
            assert_eq!(
                places,
                ["$.clock", "$.accounts[0].keys[0].id", "$.accounts[0].instances[1].id", of_both, "$.role_changes"]
            );
        } else {
            assert_eq!(places, [of_both]);
        }
        assert_eq!(server.state(), before);
    }
    let (status, answer) = server.control("POST", "seed", &Value::Null).await;
    assert_eq!((status, &answer["error"]["mistakes"][0]["file"]), (422, &json!("the body")));
    let refused = server.not_done("POST", "seed?mode=add", json!({})).await;
    assert_eq!((refused.0, &*refused.1), (400, "InvalidQuery"));
    assert_eq!(server.state(), before);
}

#[tokio::test]
async fn namespaces_are_listed_and_forgotten() {
    let server = support::start().await;
    server.detach_by("test@gw1").await;
    server.done("GET", "clock?namespace=gw0", Value::Null).await;
    let list = server.done("GET", "namespaces", Value::Null).await;
    assert_eq!(list["most"], 1024);
    let names: Vec<_> = list["namespaces"].as_array().expect("a list").iter().map(|one| &one["namespace"]).collect();
    assert_eq!(names, ["default", "gw0", "gw1"]);
    let deleted = server.done("DELETE", "namespaces/gw1", Value::Null).await;
    assert_eq!(deleted["namespace"], "gw1");
    let gone = refusal(404, "NoNamespace", "there is no namespace gw1");
    assert_eq!(server.not_done("DELETE", "namespaces/gw1", Value::Null).await, gone);
    let stays = refusal(409, "NamespaceStays", "the namespace default always is");
    assert_eq!(server.not_done("DELETE", "namespaces/default", Value::Null).await, stays);
    for name in ["a%20b", "%FF"] {
        assert_eq!(server.not_done("DELETE", &format!("namespaces/{name}"), Value::Null).await.0, 400, "{name}");
    }
}

#[tokio::test]
async fn what_names_no_namespace_or_two_is_refused() {
    let server = support::start().await;
    let bad = refusal(400, "InvalidNamespace", "\"a b\" is no namespace");
    assert_eq!(server.not_done("POST", "reset?namespace=a+b", Value::Null).await, bad);
    assert_eq!(server.not_done("GET", "clock?namespace=", Value::Null).await.1, "InvalidNamespace");
    assert_eq!(server.not_done("GET", "clock?namespace=a&namespace=b", Value::Null).await.1, "InvalidQuery");
    let clock = |header: &str| {
        client()
            .get(format!("{}/_ecsim/clock?namespace=gw0", server.url()))
            .header("x-ecsim-namespace", header.to_owned())
    };
    assert_eq!(Answer::of(clock("gw0")).await.status, 200);
    let answer = Answer::of(clock("gw1")).await;
    assert_eq!((answer.status, answer.text.contains("InvalidNamespace")), (400, true), "{}", answer.text);
    let answer = Answer::of(clock("gw0").header("x-ecsim-namespace", "gw1")).await;
    assert_eq!((answer.status, answer.text.contains("two headers")), (400, true), "{}", answer.text);
}

#[tokio::test]
async fn the_clock_of_a_namespace_is_its_own() {
    let server = support::start().await;
    let advanced = server.done("POST", "clock?namespace=gw0", json!({ "advance": "1h" })).await;
    assert_eq!(advanced["ahead_seconds"], 3600);
    assert_eq!(server.done("GET", "clock", Value::Null).await["ahead_seconds"], 0);
    assert_eq!(server.done("GET", "clock?namespace=gw0", Value::Null).await["ahead_seconds"], 3600);
}

#[tokio::test]
async fn a_snapshot_brings_back_the_world_and_can_be_put_into_another_namespace() {
    let server = support::start().await;
    let (status, credentials) = server.control("GET", &format!("instances/{WEB}/credentials"), &Value::Null).await;
    assert_eq!(status, 200);
    server.ram_done("CreateAccessKey", &[("UserName", "full")]).await;
    let taken = server.done("GET", "snapshot", Value::Null).await;
    server.detach_by("test").await;
    server.done("POST", "clock", json!({ "advance": "1h" })).await;
    assert_ne!(server.done("GET", "snapshot", Value::Null).await, taken);
    let put = server.done("PUT", "snapshot", taken.clone()).await;
    assert_eq!((&put["generation"], &put["now"]), (&json!(2), &json!(support::NOW)));
    assert_eq!(server.done("GET", "snapshot", Value::Null).await, taken);
    // What was handed out before signs again.
    let text = |name: &str| credentials[name].as_str().expect("a text").to_owned();
    let signed = async |id: &str| {
        let call = server.call("GetCallerIdentity").param("Version", "2015-04-01").key(id, &text("AccessKeySecret"));
        call.param("SecurityToken", text("SecurityToken")).send().await.status
    };
    assert_eq!(signed(&text("AccessKeyId")).await, 200);

    server.done("PUT", "snapshot?namespace=gw0", taken.clone()).await;
    assert_eq!(server.done("GET", "snapshot?namespace=gw0", Value::Null).await, taken);
    assert_eq!(signed(&format!("{}@gw0", text("AccessKeyId"))).await, 200);
    assert_eq!(signed(&format!("{}@gw1", text("AccessKeyId"))).await, 404);
    let again = server.control("GET", &format!("instances/{WEB}@gw0/credentials"), &Value::Null).await;
    assert_eq!(again.1["AccessKeyId"], format!("{}@gw0", text("AccessKeyId")), "it goes on with what it has");
}

#[tokio::test]
async fn a_snapshot_that_is_newer_or_broken_changes_nothing() {
    let server = support::start().await;
    let before = server.state();
    for body in [json!({ "schema_version": 2 }), json!({ "accounts": [{ "keys": [{}] }] }), Value::Null] {
        let (status, answer) = server.control("PUT", "snapshot", &body).await;
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("InvalidSeed")), "{answer}");
        assert_eq!(server.state(), before);
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_is_refused_in_the_form_of_the_control_api() {
    let server = support::start().await;
    for (method, path) in [("POST", "seed"), ("PUT", "snapshot"), ("POST", "rng"), ("POST", "clock")] {
        let request = client().request(method.parse().expect("a method"), format!("{}/_ecsim/{path}", server.url()));
        let answer = Answer::of(request.body(vec![b'{', 0xFF])).await;
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{path}: {}", answer.text));
        assert_eq!(answer.status, 400, "{path}");
        assert!(body["error"]["hint"].is_string(), "{path}: {body}");
    }
}

#[tokio::test]
async fn the_flag_is_the_one_limit_of_a_snapshot() {
    let limits = ecsim::http::Limits { max_body_size: 4 << 20, ..Default::default() };
    let server = support::start_with(|builder| builder.limits(limits)).await;
    let put = async |size: usize| {
        let url = format!("{}/_ecsim/snapshot?namespace=gw0", server.url());
        let answer = Answer::of(client().put(url).body(format!("{{{}}}", " ".repeat(size)))).await;
        let body: Value = serde_json::from_str(&answer.text).expect("JSON");
        (answer.status, body["error"]["code"].as_str().map(str::to_owned))
    };
    assert_eq!(put(3 << 20).await, (200, None));
    assert_eq!(put(5 << 20).await, (413, Some("RequestEntityTooLarge".to_owned())));
}

#[tokio::test]
async fn what_takes_the_namespace_in_the_id_does_not_pass_over_one_in_the_query() {
    let server = support::start().await;
    let path = format!("instances/{WEB}/credentials?namespace=gw0");
    assert_eq!(server.not_done("GET", &path, Value::Null).await.1, "InvalidQuery");
    assert_eq!(server.not_done("GET", "coverage?namespace=gw0", Value::Null).await.1, "InvalidQuery");
    assert_eq!(server.control("GET", "info?namespace=gw0", &Value::Null).await.0, 200);
}
