//! Namespaces: worlds of their own in one emulator (docs/control.md).

use std::net::SocketAddr;
use std::time::Duration;

use ecsim::world::{NamedInstance, SpaceLimits};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{self, Answer, Call, Server, client};

const WEB: &str = "i-bp1ecsim0000000web01";
const OTHER: [&str; 2] = ["default", "gw1"];

impl Server {
    /// A call by key `test` of a namespace.
    fn call_in(&self, namespace: &str, action: &str) -> Call {
        self.call(action).key(&format!("test@{namespace}"), "test").param("RegionId", "cn-hangzhou")
    }

    async fn role_in(&self, namespace: &str) -> String {
        let call = self.call_in(namespace, "DescribeInstanceRamRole").param("InstanceIds", json!([WEB]).to_string());
        let body = call.send().await.json();
        body["InstanceRamRoleSets"]["InstanceRamRoleSet"][0]["RamRoleName"].as_str().expect("a text").to_owned()
    }

    async fn detach_in(&self, namespace: &str) {
        let call = self.call_in(namespace, "DetachInstanceRamRole").param("InstanceIds", json!([WEB]).to_string());
        assert_eq!(call.send().await.status, 200);
    }

    async fn get(&self, path: &str, header: Option<&str>) -> (u16, String) {
        let request = client().get(format!("{}{path}", self.url()));
        let request = header.iter().fold(request, |request, name| request.header("x-ecsim-namespace", *name));
        let answer = Answer::of(request).await;
        (answer.status, answer.text)
    }
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn what_happens_in_a_namespace_is_seen_there_alone() {
    let server = support::start().await;
    server.detach_in("gw0").await;
    assert_eq!(server.role_in("gw0").await, "");
    for namespace in OTHER {
        assert_eq!(server.role_in(namespace).await, "web-role");
    }
    assert_eq!(server.role_of(WEB).as_deref(), Some("web-role"));
}

#[tokio::test]
async fn the_header_says_what_the_end_of_a_key_says_and_must_not_contradict_it() {
    let server = support::start().await;
    server.detach_in("gw0").await;
    let role = async |key: &str, header: Option<&str>| {
        let mut call = server.acs3("DescribeInstanceRamRole").key(key, "test");
        if let Some(header) = header {
            call = call.header("x-ecsim-namespace", header);
        }
        let ids = json!([WEB]).to_string();
        let answer = call.param("RegionId", "cn-hangzhou").param("InstanceIds", &ids).send().await;
        if answer.status == 200 { Ok(answer.text.contains("web-role")) } else { Err(answer.code()) }
    };
    for (key, header, has_role) in [
        ("test", None, true),
        ("test@default", None, true),
        ("test@default", Some("default"), true),
        ("test", Some("gw0"), false),
        ("test@gw0", None, false),
        ("test@gw0", Some("gw0"), false),
    ] {
        assert_eq!(role(key, header).await, Ok(has_role), "{key} {header:?}");
    }
    let mismatch = Err(code(400, "InvalidNamespace.Mismatch"));
    for (key, header) in [("test@gw0", "gw1"), ("test@gw0", "default"), ("test@default", "gw0")] {
        assert_eq!(role(key, Some(header)).await, mismatch, "{key} {header}");
    }
    assert_eq!(role("test", Some("a b")).await, Err(code(400, "InvalidNamespace.Malformed")));
    for (second, expected) in [("gw0", 200), ("gw1", 400)] {
        let head = format!("host: h\r\nx-ecsim-namespace: gw0\r\nx-ecsim-namespace: {second}\r\nconnection: close");
        let query = server.call("DescribeRegions").query();
        let answer = server.raw(format!("GET /?{query} HTTP/1.1\r\n{head}\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{answer}");
        assert_eq!(answer.contains("InvalidNamespace.Mismatch"), expected == 400, "{answer}");
    }
    let no_text = [&b"GET / HTTP/1.1\r\nhost: h\r\nx-ecsim-namespace: \xff\r\nconnection: close\r\n\r\n"[..]].concat();
    assert!(server.raw(no_text).await.contains("InvalidNamespace.Malformed"));
    // What can be no name is part of a key that does not exist.
    assert_eq!(role("test@a b", None).await, Err(code(404, "InvalidAccessKeyId.NotFound")));
    assert_eq!(role("@gw0", None).await, Err(code(404, "InvalidAccessKeyId.NotFound")));
}

#[tokio::test]
async fn keys_of_a_namespace_end_in_its_name_and_work_nowhere_else() {
    let server = support::start().await;
    let ram = |namespace: &str, action: &str| server.call_in(namespace, action).param("Version", "2015-05-01");
    let made = ram("gw0", "CreateAccessKey").param("UserName", "full").send().await.json();
    let text = |name: &str| made["AccessKey"][name].as_str().expect("a text").to_owned();
    let (id, secret) = (text("AccessKeyId"), text("AccessKeySecret"));
    assert!(id.starts_with("LTAI") && id.ends_with("@gw0"), "{id}");
    let listed = ram("gw0", "ListAccessKeys").param("UserName", "full").send().await.json();
    let listed: Vec<_> = listed["AccessKeys"]["AccessKey"].as_array().expect("a list").iter().collect();
    let ids: Vec<_> = listed.iter().map(|key| key["AccessKeyId"].as_str().expect("a text")).collect();
    assert!(ids.contains(&&*id) && ids.contains(&"test-full@gw0"), "{ids:?}");

    let identity = async |id: &str| {
        let call = server.call("GetCallerIdentity").param("Version", "2015-04-01").key(id, &secret);
        let answer = call.send().await;
        if answer.status == 200 { answer.json()["Arn"].as_str().expect("a text").to_owned() } else { answer.code().1 }
    };
    assert_eq!(identity(&id).await, "acs:ram::1000000000000001:user/full");
    let bare = id.trim_end_matches("@gw0");
    for elsewhere in [bare.to_owned(), format!("{bare}@gw1"), format!("{bare}@default"), format!("{id}@default")] {
        assert_eq!(identity(&elsewhere).await, "InvalidAccessKeyId.NotFound", "{elsewhere}");
    }
    let in_header = server.acs3("GetCallerIdentity").header("x-acs-version", "2015-04-01").key(bare, &secret);
    assert_eq!(in_header.header("x-ecsim-namespace", "gw0").send().await.status, 200);
    // Deleted by the id as it was answered.
    let deleted = ram("gw0", "DeleteAccessKey").param("UserName", "full").param("UserAccessKeyId", &*id).send().await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert_eq!(identity(&id).await, "InvalidAccessKeyId.NotFound");
}

#[tokio::test]
async fn temporary_credentials_stay_in_their_namespace() {
    let server = support::start().await;
    let (status, text) = server.get(&format!("/_ecsim/instances/{WEB}@gw0/credentials"), None).await;
    assert_eq!(status, 200, "{text}");
    let triple: Value = serde_json::from_str(&text).expect("JSON");
    let member = |name: &str| triple[name].as_str().expect("a text").to_owned();
    let (id, secret, token) = (member("AccessKeyId"), member("AccessKeySecret"), member("SecurityToken"));
    assert!(id.starts_with("STS.") && id.ends_with("@gw0"), "{id}");
    let call = |id: &str| {
        let call = server.call("GetCallerIdentity").param("Version", "2015-04-01").key(id, &secret);
        call.param("SecurityToken", &*token)
    };
    assert_eq!(call(&id).send().await.status, 200);
    let moved = id.replace("@gw0", "@gw1");
    assert_eq!(call(&moved).send().await.code(), code(404, "InvalidAccessKeyId.NotFound"));
}

#[tokio::test]
async fn the_metadata_service_takes_the_namespace_from_listener_path_header_and_default() {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let named = |text: &str| NamedInstance::parse(text).expect("an id");
    let settings =
        ecsim::metadata::Settings { default_instance: Some(named(&format!("{WEB}@gw0"))), ..Default::default() };
    let server = support::start_with(|builder| {
        let builder = builder.metadata(settings).listen_as(any, named(&format!("{WEB}@gw0")));
        builder.listen_as(any, named(WEB))
    })
    .await;
    server.detach_in("gw0").await;
    let role = async |path: &str, header: Option<&str>| {
        let path = format!("{path}/latest/meta-data/ram/security-credentials/");
        let (status, text) = server.get(&path, header).await;
        if status == 200 { text } else { status.to_string() }
    };
    let [in_gw0, in_default] = server.emulator.instance_addresses() else { panic!("two listeners") };
    let at_in = async |address: SocketAddr, path: &str, header: &str| {
        let url = format!("http://{address}{path}/latest/meta-data/ram/security-credentials/");
        Answer::of(client().get(url).header("x-ecsim-namespace", header.to_owned())).await.status
    };
    let at = async |address: SocketAddr, path: &str| {
        let url = format!("http://{address}{path}/latest/meta-data/ram/security-credentials/");
        Answer::of(client().get(url)).await.status
    };
    // No header leads out of the namespace of a listener.
    assert_eq!((at_in(in_default.0, "", "default").await, at_in(in_default.0, "", "gw0").await), (200, 400));
    assert_eq!((at_in(in_gw0.0, "", "gw0").await, at_in(in_gw0.0, "", "default").await), (404, 400));
    assert_eq!((at(in_gw0.0, "").await, at(in_default.0, "").await), (404, 200));
    let [path, of_gw0, of_default] = ["", "@gw0", "@default"].map(|end| format!("/_ecsim/instances/{WEB}{end}"));
    // A listener of an instance of one namespace is not for the instance of another.
    assert_eq!((at(in_gw0.0, &of_gw0).await, at(in_gw0.0, &path).await), (404, 403));
    for (path, header, seen) in [
        (&*path, None, "web-role"),
        (&path, Some("gw1"), "web-role"),
        (&path, Some("gw0"), "404"),
        (&of_gw0, None, "404"),
        (&of_gw0, Some("gw0"), "404"),
        (&of_gw0, Some("gw1"), "400"),
        (&of_default, None, "web-role"),
        (&of_default, Some("default"), "web-role"),
        (&of_default, Some("gw0"), "400"),
        ("", None, "404"),
        ("", Some("gw1"), "400"),
        ("", Some("a b"), "400"),
    ] {
        assert_eq!(role(path, header).await, seen, "{path} {header:?}");
    }
    let credentials = async |id: &str| server.get(&format!("/_ecsim/instances/{id}/credentials"), None).await;
    assert_eq!(credentials(&format!("{WEB}@gw1")).await.0, 200);
    let (status, text) = credentials(&format!("{WEB}@gw0")).await;
    assert_eq!((status, text.contains("no role is attached")), (404, true), "{text}");
}

#[tokio::test]
async fn beyond_the_cap_a_new_namespace_is_refused_in_the_envelope_and_an_idle_one_makes_room() {
    let limits = SpaceLimits { most: 2, idle: SignedDuration::from_mins(10) };
    let server = support::start_with(|builder| builder.space_limits(limits)).await;
    server.detach_in("gw0").await;
    server.detach_in("gw1").await;
    let refused = server.call_in("gw2", "DescribeRegions").send().await;
    assert_eq!(refused.code(), code(400, "QuotaExceeded.Namespace"));
    let page = server.get(&format!("/_ecsim/instances/{WEB}@gw2/latest/meta-data/"), None).await;
    assert_eq!((page.0, page.1.contains("There are 2 namespaces already.")), (403, true), "{}", page.1);
    // The two are there still, and so is the default one.
    assert_eq!([server.role_in("gw0").await, server.role_in("gw1").await], ["", ""]);
    assert_eq!(server.role_in("default").await, "web-role");

    server.emulator.forget_idle();
    server.clock.advance(SignedDuration::from_mins(9));
    let call = server.call_in("gw1", "DescribeRegions");
    assert_eq!(call.param("Timestamp", "2026-11-24T02:16:22Z").send().await.status, 200);
    server.emulator.forget_idle();
    server.clock.advance(SignedDuration::from_mins(2));
    server.emulator.forget_idle();
    let now = "2026-11-24T02:18:22Z";
    let role = async |namespace: &str| {
        let call = server.call_in(namespace, "DescribeInstanceRamRole").param("Timestamp", now);
        let answer = call.param("InstanceIds", json!([WEB]).to_string()).send().await;
        (answer.status, answer.text.contains("web-role"))
    };
    assert_eq!(role("gw1").await, (200, false), "it was used");
    assert_eq!(role("gw0").await, (200, true), "it was forgotten and made again");
}

#[tokio::test]
async fn with_a_seed_of_the_generator_each_namespace_repeats_whatever_the_others_do() {
    let run = async |with_others: bool| {
        let server = support::start().await;
        let mut seen = Vec::new();
        for _ in 0..3 {
            if with_others {
                server.call_in("gw1", "DescribeRegions").send().await;
            }
            let call = server.call_in("gw0", "CreateAccessKey").param("Version", "2015-05-01");
            let answer = call.param("UserName", "no-pass").send().await;
            seen.push((answer.header("x-acs-request-id").to_owned(), answer.status, answer.text));
        }
        seen
    };
    assert_eq!(run(false).await, run(true).await);
}

/// What a namespace is asked, by chance of its number alone, so that it can be asked the same again.
struct Traffic {
    namespace: String,
    /// As it is now (SplitMix64).
    random: u64,
    step: usize,
}

impl Traffic {
    const STEPS: usize = 24;

    fn of(number: usize) -> Self {
        Self { namespace: format!("ns{number}"), random: number as u64, step: 0 }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// All of it, and every answer.
    async fn run(mut self, server: &Server) -> Vec<(u16, String)> {
        let mut answers = Vec::new();
        while self.step < Self::STEPS {
            let answer = self.next(server).await;
            // Some are refused, such as a second attach: the world is what it is.
            assert!(answer.status < 500, "{}", answer.text);
            answers.push((answer.status, answer.text));
            self.step += 1;
        }
        answers
    }

    async fn next(&mut self, server: &Server) -> Answer {
        let what = self.below(16);
        let (ids, user) = (json!([WEB]).to_string(), format!("u-{}-{}", self.namespace, self.step));
        let (ecs, ram, sts) = ("2014-05-26", "2015-05-01", "2015-04-01");
        // Every namespace uses the same nonces.
        let nonce = format!("step-{}", self.step);
        let call = |action: &str, version: &str| {
            let call = server.call_in(&self.namespace, action).param("Version", version);
            call.param("SignatureNonce", nonce.clone())
        };
        let control = |path: &str, body: Value| {
            let url = format!("{}/_ecsim/{path}?namespace={}", server.url(), self.namespace);
            Answer::of(client().post(url).body(body.to_string()))
        };
        let web = format!("{}/_ecsim/instances/{WEB}@{}", server.url(), self.namespace);
        match what {
            0 => call("CreateUser", ram).param("UserName", user).send().await,
            1 => call("CreateAccessKey", ram).param("UserName", "full").send().await,
            2 | 3 => call("DetachInstanceRamRole", ecs).param("InstanceIds", &ids).send().await,
            4 | 5 => {
                let call = call("AttachInstanceRamRole", ecs).param("RamRoleName", "batch-role");
                call.param("InstanceIds", &ids).send().await
            }
            6 => {
                let call = call("CreateRole", ram).param("RoleName", user);
                call.param("AssumeRolePolicyDocument", support::TRUST).send().await
            }
            7 => Answer::of(client().get(format!("{web}/credentials"))).await,
            8 => {
                let call = call("AssumeRole", sts).key(&format!("test-full@{}", self.namespace), "test-full");
                let role = format!("acs:ram::{}:role/operator", ecsim::world::AccountId::DEFAULT);
                call.param("RoleArn", role).param("RoleSessionName", user).send().await
            }
            9 => {
                let lifetime = "X-aliyun-ecs-metadata-token-ttl-seconds";
                Answer::of(client().put(format!("{web}/latest/api/token")).header(lifetime, "60")).await
            }
            10 => {
                let times = 1 + self.step % 3;
                control(
                    "chaos/faults",
                    json!([{ "operation": "Detach*", "times": times, "probability": 0.5,
                    "error": { "statusCode": 409, "code": format!("Fault.Of.{}", self.namespace) } }]),
                )
                .await
            }
            11 => {
                let burst = 1 + self.step % 2;
                control("chaos/limits", json!({ "ram:*": { "qps": 0.001, "burst": burst } })).await
            }
            12 => control("clock", json!({ "advance": format!("{}m", 1 + self.step) })).await,
            _ => call("DescribeRegions", ecs).send().await,
        }
    }
}

/// What there is in a namespace, of its world and beside it.
async fn contents(server: &Server, namespace: &str) -> Vec<String> {
    let handle = server.emulator.namespace(namespace).expect("a name");
    let mut contents = vec![handle.snapshot().expect("a world")];
    for view in ["clock", "chaos/faults", "chaos/limits"] {
        let (status, text) = server.get(&format!("/_ecsim/{view}?namespace={namespace}"), None).await;
        assert_eq!(status, 200, "{text}");
        contents.push(text);
    }
    contents.extend(handle.requests().expect("a journal").into_iter().map(|mut record| {
        record.duration = Duration::ZERO;
        format!("{record:?}")
    }));
    contents
}

/// A snapshot without when its keys were used, which every call changes.
fn but_for_use(snapshot: &str) -> String {
    snapshot.lines().filter(|line| !line.contains("last_used")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_namespaces_at_once_are_each_what_they_are_alone() {
    const NAMESPACES: usize = 64;
    let together = std::sync::Arc::new(support::start().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..NAMESPACES {
        let together = std::sync::Arc::clone(&together);
        tasks.spawn(async move { (number, Traffic::of(number).run(&together).await) });
    }
    let mut answers = vec![Vec::new(); NAMESPACES];
    while let Some(done) = tasks.join_next().await {
        let (number, its) = done.expect("no task fails");
        answers[number] = its;
    }
    let untouched = support::start().await;
    let mut changed = 0;
    for (number, answers) in answers.iter().enumerate() {
        let namespace = format!("ns{number}");
        let alone = support::start().await;
        assert_eq!(*answers, Traffic::of(number).run(&alone).await, "{namespace}");
        let its = contents(&alone, &namespace).await;
        assert_eq!(contents(&together, &namespace).await, its, "{namespace}");
        let at_first = contents(&untouched, &namespace).await;
        changed += usize::from(but_for_use(&its[0]) != but_for_use(&at_first[0]));
    }
    assert!(changed > NAMESPACES / 2, "of most the world was changed: {changed}");
    assert_eq!(contents(&together, "default").await, contents(&untouched, "default").await, "and default is as it was");
}

/// What the metadata service answers to who shows a token there.
async fn with_token(server: &Server, instance: &str, token: &str) -> u16 {
    let url = format!("{}/_ecsim/instances/{instance}/latest/meta-data/instance-id", server.url());
    Answer::of(client().get(url).header("X-aliyun-ecs-metadata-token", token)).await.status
}

#[tokio::test]
async fn a_metadata_token_of_a_namespace_is_refused_for_the_same_instance_in_another() {
    let server = support::start().await;
    for (own, others) in [("@gw0", ["", "@gw1"]), ("", ["@gw0", "@gw1"])] {
        let url = format!("{}/_ecsim/instances/{WEB}{own}/latest/api/token", server.url());
        let token = Answer::of(client().put(url).header("X-aliyun-ecs-metadata-token-ttl-seconds", "60")).await.text;
        assert_eq!(with_token(&server, &format!("{WEB}{own}"), &token).await, 200);
        for other in others {
            assert_eq!(with_token(&server, &format!("{WEB}{other}"), &token).await, 401, "of {own:?} in {other:?}");
        }
    }
}

#[tokio::test]
async fn a_nonce_that_was_used_in_a_namespace_is_free_in_another() {
    let server = support::start().await;
    for namespace in ["gw0", "default", "gw1"] {
        let call = || server.call_in(namespace, "DescribeRegions").param("SignatureNonce", "once").send();
        assert_eq!(call().await.status, 200, "{namespace}");
        assert_eq!(call().await.code(), code(400, "SignatureNonceUsed"), "{namespace}");
        // The same key, as ACS3 and the header name it.
        let key = server.acs3("DescribeRegions").header("x-ecsim-namespace", namespace);
        let again = key.header("x-acs-signature-nonce", "once").send().await;
        assert_eq!(again.code(), code(400, "SignatureNonceUsed"), "{namespace}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_empty_in_a_namespace_is_full_in_another() {
    let server = support::start().await;
    for namespace in ["gw0", "default", "gw1"] {
        let url = format!("{}/_ecsim/chaos/limits?namespace={namespace}", server.url());
        let limits = json!({ "DescribeRegions": { "qps": 1, "burst": 2 } }).to_string();
        assert_eq!(Answer::of(client().put(url).body(limits)).await.status, 200);
    }
    for namespace in ["gw0", "default", "gw1"] {
        let call = || server.call_in(namespace, "DescribeRegions").send();
        assert_eq!([call().await.status, call().await.status], [200, 200], "{namespace}");
        assert_eq!(call().await.code(), code(400, "Throttling.User"), "{namespace}");
    }
    let unlimited = async || server.call_in("gw2", "DescribeRegions").send().await.status;
    assert_eq!([unlimited().await, unlimited().await, unlimited().await], [200; 3]);
}

#[tokio::test]
async fn what_the_transport_refuses_is_refused_for_that_and_not_for_its_namespace() {
    let limits = ecsim::http::Limits { max_body_size: 1 << 10, ..Default::default() };
    let server = support::start_with(|builder| builder.limits(limits)).await;
    let request = client().post(format!("{}/?Format=JSON", server.url())).header("x-ecsim-namespace", "a b");
    assert_eq!(Answer::of(request.body(vec![b'x'; 2 << 10])).await.code(), code(413, "RequestEntityTooLarge"));
}
