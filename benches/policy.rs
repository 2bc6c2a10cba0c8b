//! How long a decision takes over 50 statements, by what it is that most of them do not fit in; and what a signed
//! detach takes in all, by who calls it.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ecsim::gateway::Gateway;
use ecsim::gateway::registry::PRODUCTS;
use ecsim::gateway::signature::rpc_v1;
use ecsim::policy::{Context, Layer, PermissionPolicy, Request, Resource, Use, decide};
use ecsim::settings::{AuthMode, Settings, SettingsCell};
use ecsim::world::{Origin, RoleName, SpaceLimits, Spaces};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

const INSTANCE: &str = "acs:ecs:cn-hangzhou:1000000000000001:instance/i-bp1ecsim0000000web01";

/// As many as are detached in turn before their roles are put on again.
const INSTANCES: u64 = 1000;

/// Where the calls come from, which policies may ask for.
const PEER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

/// Ten policies of five statements: as many as the service lets a user have of its own (ram.md 4).
fn policies(statement: impl Fn(usize) -> Value) -> Vec<PermissionPolicy> {
    let document = |first: usize| {
        let statements: Vec<_> = (first..first + 5).map(&statement).collect();
        let text = json!({ "Version": "1", "Statement": statements }).to_string();
        PermissionPolicy::parse(&text, Use::Identity).expect("a policy")
    };
    (0..10).map(|policy| document(policy * 5)).collect()
}

fn decisions(criterion: &mut Criterion) {
    let context = Context::default()
        .with("acs:CurrentTime", "2026-01-05T08:00:00Z".parse::<jiff::Timestamp>().expect("a time"))
        .with("acs:SourceIp", "203.0.113.7".parse::<std::net::IpAddr>().expect("an address"))
        .with("acs:SecureTransport", false)
        .with("acs:MFAPresent", true);
    let resource = Resource::new(INSTANCE);
    let request = Request { action: "ecs:DetachInstanceRamRole", resource: &resource, context: &context };

    let other_actions = policies(|index| {
        json!({ "Effect": if index % 2 == 0 { "Allow" } else { "Deny" },
            "Action": [format!("ecs:Describe{index}*"), "ram:*"], "Resource": "*" })
    });
    let other_instances = policies(|index| {
        json!({ "Effect": if index % 2 == 0 { "Allow" } else { "Deny" },
            "Action": ["ecs:AttachInstanceRamRole", "ecs:Detach*RamRole"],
            "Resource": ["acs:ram:*:*:role/web", format!("acs:ecs:*:*:instance/i-bp1ecsim0000000db{index:02}*")] })
    });
    let denied_elsewhere = policies(|index| {
        json!({ "Effect": if index == 49 { "Allow" } else { "Deny" }, "Action": "ecs:*Instance*Role",
            "Resource": "acs:ecs:*:*:instance/*",
            "Condition": if index == 49 { json!({}) } else { json!({
                "NotIpAddress": { "acs:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"] },
                "DateLessThan": { "acs:CurrentTime": "2026-01-01T00:00:00Z" },
                "Bool": { "acs:MFAPresent": "false" } }) } })
    });
    let role = Resource::new("acs:ram:cn-hangzhou:1000000000000001:role/web-role");
    let pass_role = Request { action: "ram:PassRole", resource: &role, context: &context };
    let other_roles = policies(|index| {
        json!({ "Effect": if index % 2 == 0 { "Allow" } else { "Deny" }, "Action": "ram:PassRole",
            "Resource": format!("acs:ram:*:*:role/*-{index}-*"),
            "Condition": { "StringEquals": { "acs:Service": "ecs.aliyuncs.com" } } })
    });
    for (name, policies, request, allowed) in [
        ("other actions", &other_actions, request, false),
        ("other instances", &other_instances, request, false),
        ("conditions that do not hold, then an allow", &denied_elsewhere, request, true),
        ("other roles", &other_roles, pass_role, false),
    ] {
        let ask = || decide(Layer::Identity, policies.iter().enumerate(), black_box(&request));
        assert_eq!(ask().is_allowed(), allowed, "{name}");
        criterion.bench_function(&format!("policy/50 statements/{name}"), |bencher| bencher.iter(ask));
    }
}

/// A signed detach of a role that is there, its signature looked at and not its nonce, so that it can be repeated.
fn calls(criterion: &mut Criterion) {
    let policy = json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": "ram:PassRole", "Resource": "*",
        "Condition": { "StringEquals": { "acs:Service": "ecs.aliyuncs.com" } } }] });
    let key = |id: &str| json!({ "id": id, "secret": "secret" });
    let session = json!({ "id": "session", "secret": "secret", "security_token": "token", "name": "bench",
        "expires": "2099-01-01T00:00:00Z" });
    let policies = ["AliyunECSFullAccess", "pass"];
    let seed = json!({ "accounts": [{
        "keys": [key("owner")],
        "policies": [{ "name": "pass", "document": policy }],
        "users": [{ "name": "user", "policies": policies, "keys": [key("user")] }],
        "roles": [{ "name": "web", "policies": policies, "sessions": [session] }],
        "instances": [{ "id": "i-bench%08d", "count": INSTANCES, "role": "web", "tags": { "tier": "web" } }],
    }] });
    let nonces = (0, jiff::SignedDuration::ZERO);
    let origin = Origin { seeds: vec![("bench".to_owned(), seed.to_string())], nonces, ..Origin::default() };
    let spaces = Spaces::new(origin, SpaceLimits::default()).expect("a world");
    let settings = SettingsCell::new(Settings { auth: AuthMode::Lenient, ..Settings::default() }).into();
    let gateway = Gateway { spaces: Arc::new(spaces), settings, products: PRODUCTS };
    let mut group = criterion.benchmark_group("policy/a signed detach");
    let space = gateway.spaces.default_space();
    // Puts the role on again, so that there is something to take off.
    let attach = |instance: &str| {
        space.store.write(|world| {
            world.attach_role(space.clock.now(), instance, RoleName::new("web"), None);
        });
    };
    for (caller, token) in [("owner", None), ("user", None), ("session", Some("token"))] {
        let calls: Vec<_> = (0..INSTANCES)
            .map(|number| {
                let instance = format!("i-bench{number:08}");
                let head = signed_detach(caller, token, &instance);
                (instance, head)
            })
            .collect();
        for (instance, head) in &calls {
            attach(instance);
            assert_eq!(gateway.answer(head.clone(), &[], PEER, |_| false).whole().status(), 200, "{caller}");
            assert!(space.store.read(|world| world.instance(instance).is_some_and(|found| found.role().is_none())));
        }
        let mut turn = calls.iter().cycle();
        group.bench_function(caller, |bencher| {
            let next = || {
                let (instance, head) = turn.next().expect("there is no end");
                attach(instance);
                head.clone()
            };
            let batch = BatchSize::NumIterations(INSTANCES);
            bencher.iter_batched(next, |head| gateway.answer(black_box(head), &[], PEER, |_| false), batch);
        });
    }
    group.finish();
}

/// The head of a call that takes the role off an instance.
fn signed_detach(caller: &str, token: Option<&str>, instance: &str) -> http::request::Parts {
    let ids = json!([instance]).to_string();
    let mut pairs = vec![
        ("AccessKeyId", caller),
        ("Action", "DetachInstanceRamRole"),
        ("Format", "JSON"),
        ("InstanceIds", &ids),
        ("RamRoleName", "web"),
        ("RegionId", "cn-hangzhou"),
    ];
    pairs.extend(token.map(|token| ("SecurityToken", token)));
    pairs.extend([
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", "nonce"),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "2026-11-24T02:07:22Z"),
        ("Version", "2014-05-26"),
    ]);
    let mut mac = Hmac::<Sha1>::new_from_slice(b"secret&").expect("any length");
    mac.update(rpc_v1::string_to_sign("GET", pairs.iter().copied()).as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    pairs.push(("Signature", &signature));
    let target = format!("/?{}", serde_urlencoded::to_string(&pairs).expect("a query"));
    let (head, ()) = http::Request::get(target).body(()).expect("a request").into_parts();
    head
}

criterion_group!(benches, decisions, calls);
criterion_main!(benches);
