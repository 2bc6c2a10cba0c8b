//! How long a decision takes over 50 statements, by what it is that most of them do not fit in.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ecsim::policy::{Context, Layer, PermissionPolicy, Request, Resource, Use, decide};
use serde_json::{Value, json};

const INSTANCE: &str = "acs:ecs:cn-hangzhou:1000000000000001:instance/i-bp1ecsim0000000web01";

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

criterion_group!(benches, decisions);
criterion_main!(benches);
