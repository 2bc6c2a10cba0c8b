//! Snapshots: what calls have made of a world is printed and read again, and nothing is lost.

use std::sync::Arc;

use ecsim::Emulator;
use ecsim::emulator::StartError;
use ecsim::handle::Handle;
use ecsim::world::seed::Mistake;
use ecsim::world::{AccountId, ManualClock, NoSpace, Pace, World, parse_utc};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{NOW, Server, TRUST, start, start_seeded, start_with};

/// An emulator that begins with a text, long after it was written and with other ids.
async fn later(text: &str) -> Emulator {
    let clock = Arc::new(ManualClock::at(parse_utc("2030-01-01T00:00:00Z").expect("a time")));
    let builder = Emulator::builder().without_listeners().clock(clock).rng_seed(99).seed("snapshot.json", text);
    builder.start().await.unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

fn printed(handle: &Handle) -> String {
    handle.snapshot().expect("a world")
}

/// Printed, read and printed again a world is the same, to its last private field. (Secrets do not print for people;
/// they are in the text.)
async fn survives(handle: &Handle) {
    let again = later(&printed(handle)).await;
    assert_eq!(printed(&again), printed(handle));
    let fields = |handle: &Handle| handle.world(|world| format!("{world:#?}")).expect("a world");
    assert_eq!(fields(&again), fields(handle));
}

/// What one call or another does to the world, chosen by numbers.
async fn act(server: &Server, (what, which, how): (u8, u8, u8)) {
    let pick = |names: &[&'static str]| names[usize::from(which) % names.len()];
    let other = |names: &[&'static str]| names[usize::from(how) % names.len()];
    let users = ["ann", "Bob", "test-full"];
    let roles = ["web-role", "other-role", "Made"];
    let policies = ["pass-any-role", "mine", "ReadOnlyAccess"];
    let instances = ["i-bp1ecsim0000000web01", "i-bp1ecsim0000000web02"];
    let document = [
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        r#"{ "Statement": { "Effect": "Deny", "Action": "ecs:*", "Resource": "*" }, "Version": "1" }"#,
    ];
    let ram = |action, params: &[(&str, &str)]| server.ram(action, params).send();
    let ecs = |action, params: &[(&str, &str)]| {
        let call = server.call(action).param("RegionId", "cn-hangzhou");
        params.iter().fold(call, |call, (name, value)| call.param(name, *value)).send()
    };
    let list = json!([pick(&instances)]).to_string();
    // Whether a call succeeds is not asked: the world is what it is.
    match what {
        0 => {
            ram("CreateUser", &[("UserName", pick(&users)), ("DisplayName", "d\u{e9}"), ("Comments", other(&users))])
                .await
        }
        1 => {
            ram("CreateRole", &[("RoleName", pick(&roles)), ("AssumeRolePolicyDocument", TRUST), ("Tag.1.Key", "k")])
                .await
        }
        2 => ram("CreatePolicy", &[("PolicyName", pick(&policies)), ("PolicyDocument", other(&document))]).await,
        3 => {
            let params =
                [("PolicyName", pick(&policies)), ("PolicyDocument", other(&document)), ("SetAsDefault", "true")];
            ram("CreatePolicyVersion", &params[..2 + usize::from(how & 2) / 2]).await
        }
        4 => {
            ram("DeletePolicyVersion", &[("PolicyName", pick(&policies)), ("VersionId", other(&["v1", "v2", "v3"]))])
                .await
        }
        5 => {
            let params = [
                ("UserName", pick(&users)),
                ("PolicyName", other(&policies)),
                ("PolicyType", other(&["System", "Custom"])),
            ];
            ram("AttachPolicyToUser", &params).await
        }
        6 => {
            let params = [
                ("RoleName", pick(&roles)),
                ("PolicyName", other(&policies)),
                ("PolicyType", pick(&["Custom", "System"])),
            ];
            ram("AttachPolicyToRole", &params).await
        }
        7 => {
            let params = [("RoleName", pick(&roles)), ("PolicyName", other(&policies)), ("PolicyType", "Custom")];
            ram("DetachPolicyFromRole", &params).await
        }
        8 => ram("DeleteRole", &[("RoleName", pick(&roles))]).await,
        9 => ram("DeleteUser", &[("UserName", pick(&users))]).await,
        10 => ram("CreateAccessKey", &[("UserName", pick(&users))]).await,
        11 => {
            let params = [
                ("UserName", "test-full"),
                ("UserAccessKeyId", "test-full"),
                ("Status", other(&["Active", "Inactive"])),
            ];
            ram("UpdateAccessKey", &params).await
        }
        12 => {
            ram("UpdateRole", &[("RoleName", pick(&roles)), ("NewMaxSessionDuration", other(&["3600", "7200"]))]).await
        }
        13 => {
            ecs("AttachInstanceRamRole", &[("InstanceIds", &list), ("RamRoleName", other(&roles)), ("Policy", "{ }")])
                .await
        }
        14 => ecs("DetachInstanceRamRole", &[("InstanceIds", &list)]).await,
        15 => {
            ecs(
                "ModifyInstanceMetadataOptions",
                &[
                    ("InstanceId", pick(&instances)),
                    ("HttpEndpoint", "enabled"),
                    ("HttpTokens", other(&["required", "optional"])),
                ],
            )
            .await
        }
        16 => {
            let arn = format!("acs:ram::1000000000000001:role/{}", pick(&roles));
            let call = server.call("AssumeRole").param("Version", "2015-04-01").key("test-full", "test-full");
            let call = call.param("RoleArn", arn).param("RoleSessionName", "job").param("DurationSeconds", "900");
            if how & 1 == 0 { call.send().await } else { call.param("Policy", other(&document)).send().await }
        }
        _ => {
            server
                .raw(format!(
                    "GET /_ecsim/instances/{}/credentials HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
                    pick(&instances)
                ))
                .await;
            return;
        }
    };
    server.clock.advance(SignedDuration::from_millis(i64::from(how) * 1234));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_calls_have_made_of_a_world_survives(
        calls in prop::collection::vec((0..18_u8, any::<u8>(), any::<u8>()), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let server = start().await;
            for call in calls {
                act(&server, call).await;
            }
            // What refers to a key that has been forgotten is not kept: then only the text can be compared.
            let snapshot = printed(&server.emulator);
            let again = later(&snapshot).await;
            assert_eq!(printed(&again), snapshot);
        });
    }
}

#[tokio::test]
async fn a_world_in_which_everything_has_been_called_survives_to_its_last_field() {
    let server = start().await;
    let account = AccountId::DEFAULT;
    for (what, which, how) in [
        (0, 0, 0),
        (1, 2, 0),
        (2, 1, 1),
        (3, 1, 1),
        (3, 1, 2),
        (3, 1, 0),
        (4, 1, 0),
        (4, 1, 2),
        (5, 0, 1),
        (6, 2, 1),
        (2, 2, 0),
        (5, 0, 2),
        (6, 0, 2),
        (10, 0, 0),
        (10, 0, 3),
        (11, 0, 1),
        (12, 2, 1),
        (13, 0, 0),
        (13, 1, 2),
        (15, 0, 0),
        (16, 0, 1),
        (16, 1, 0),
        (17, 0, 0),
        (17, 1, 0),
        (7, 2, 1),
        (6, 2, 2),
        (7, 2, 2),
        (8, 2, 0),
        (1, 2, 1),
        (14, 0, 0),
    ] {
        act(&server, (what, which, how)).await;
    }
    server.world(|world| {
        let policy = world.custom_policy(account, "mine").expect("a policy");
        let versions: Vec<_> = policy.versions().iter().map(|version| version.id.to_string()).collect();
        assert_eq!(
            (versions, policy.default_version().id.to_string()),
            (vec!["v2".into(), "v3".into(), "v4".into()], "v3".into())
        );
        assert!(world.keys().filter(|(_, key)| key.token.is_some()).count() > 2);
        assert!(world.user(account, "ann").is_some_and(|user| !user.policies().is_empty()));
    });
    survives(&server.emulator).await;
}

#[tokio::test]
async fn seeds_with_awkward_things_survive() {
    let deep = "[".repeat(100) + &"]".repeat(100);
    let seed = json!({ "accounts": [
        {
            "id": "2000000000000002",
            "keys": [{ "id": "\u{0}<&>", "secret": "\"\\\u{1f600}" }],
            "roles": [{ "name": "Web", "sessions": [{
                "id": "own", "secret": "s", "security_token": "t", "expires": NOW, "instance": "i-2", "policy": format!(r#"{{"a":{deep}}}"#),
            }] }],
            "instances": [
                { "id": "i-1", "network": "classic", "public_ip": "203.0.113.1" },
                { "id": "i-2", "role": "web", "credentials": "own", "name": "n", "host_name": "", "tags": { "b": "", "a": "x" }, "security_groups": [], "key_pair": "", "public_key": "k" },
                { "id": "]]>&\u{0}\r\n", "vswitch_cidr": "10.1.0.0/29", "role": "WEB", "role_as_written": true, "policy": "{ }" },
            ],
        },
        { "instances": [{ "id": "i-3", "type": "ecs.of.tomorrow", "cpu": 3, "memory": 5, "region": "cn-beijing" }] },
        { "id": "2000000000000002", "instances": [{ "id": "i-4", "role": "gone", "role_as_written": true, "created": "2026-01-05T08:00:00.000000001Z" }] },
        { "id": "3000000000000003", "users": [{ "name": "u" }] },
    ] });
    let emulator = later(&seed.to_string()).await;
    survives(&emulator).await;
    // Instances stand in order of creation over all accounts.
    let ids = |handle: &Handle| {
        handle.world(|world| world.instances().map(|(id, _)| id.to_string()).collect::<Vec<_>>()).expect("a world")
    };
    assert_eq!(ids(&emulator)[..2], ["i-1", "i-2"]);
    let again = later(&printed(&emulator)).await;
    assert_eq!(ids(&again), ids(&emulator));
    emulator.change(|world| *world = World::default()).expect("a world");
    survives(&emulator).await;
}

#[tokio::test]
async fn a_document_is_json_where_its_text_comes_out_again_and_else_its_text() {
    let text = r#"{"Version":"1","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    for (given, shown) in [
        (json!(text), serde_json::from_str(text).expect("JSON")),
        (json!(format!(" {text}")), json!(format!(" {text}"))),
        (json!(text.replace("Allow", "\\u0041llow")), json!(text.replace("Allow", "\\u0041llow"))),
    ] {
        let seed = json!({ "accounts": [{ "policies": [{ "name": "p", "document": given }] }] });
        let emulator = later(&seed.to_string()).await;
        let snapshot: Value = serde_json::from_str(&printed(&emulator)).expect("JSON");
        assert_eq!(snapshot["accounts"][0]["policies"][0]["versions"][0]["document"], shown);
        survives(&emulator).await;
    }
}

/// An emulator that begins with nothing and whose machine's clock is this one.
async fn nothing(clock: &Arc<ManualClock>) -> Emulator {
    let builder = Emulator::builder().without_listeners().clock(Arc::clone(clock) as _).rng_seed(1).seed("empty", "{}");
    builder.start().await.expect("a good seed")
}

/// The mistakes that a text is refused for.
fn mistakes_of(handle: &Handle, text: &str) -> Vec<Mistake> {
    match handle.put("snapshot.json", text) {
        Err(NoSpace::Seed(mistakes)) => mistakes,
        other => panic!("{other:?} of {text}"),
    }
}

fn pace(handle: &Handle) -> Pace {
    handle.clock().pace().expect("a clock")
}

#[tokio::test]
async fn a_snapshot_says_how_time_goes_and_a_space_takes_it_or_stays_as_it_was() {
    let now = parse_utc(NOW).expect("a time");
    let machine = Arc::new(ManualClock::at(now));
    let millis = SignedDuration::from_millis;
    for (given, said, restored) in [
        (Pace::Real, json!({ "mode": "real" }), Pace::Real),
        (Pace::Frozen(now), json!({ "mode": "frozen", "now": NOW }), Pace::Frozen(now)),
        (
            Pace::Frozen(now + millis(250)),
            json!({ "mode": "frozen", "now": NOW.replace('Z', ".25Z") }),
            Pace::Frozen(now + millis(250)),
        ),
        (Pace::Offset(millis(60_000)), json!({ "mode": "offset", "ahead_seconds": 60 }), Pace::Offset(millis(60_000))),
        (Pace::Offset(millis(60_001)), json!({ "mode": "offset", "ahead_seconds": 61 }), Pace::Offset(millis(61_000))),
        (Pace::Offset(millis(-1_500)), json!({ "mode": "offset", "ahead_seconds": -1 }), Pace::Offset(millis(-1_000))),
    ] {
        let (from, to) = (nothing(&machine).await, nothing(&machine).await);
        from.clock().set_pace(given).expect("a clock");
        let text = printed(&from);
        let file: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(file["clock"], said);
        to.put("snapshot.json", &text).expect("a good snapshot");
        assert_eq!(pace(&to), restored);
    }
    let handle = nothing(&machine).await;
    let users = json!({ "accounts": [{ "users": [{ "name": "u" }] }] }).to_string();
    handle.put("snapshot.json", &users).expect("a good seed");
    let before = handle.snapshot();
    assert_eq!(pace(&handle), Pace::Real, "a plain seed says nothing of time");
    for bad in [
        json!({ "clock": { "mode": "real" }, "accounts": 1 }),
        json!({ "schema_version": 2, "ecsim": "9.9.9", "accounts": [{ "strange": [] }] }),
    ] {
        let mistakes = mistakes_of(&handle, &bad.to_string());
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(handle.snapshot(), before);
    }
    let newer = json!({ "schema_version": 2, "ecsim": "9.9.9" }).to_string();
    assert_eq!(
        mistakes_of(&handle, &newer)[0].to_string(),
        "snapshot.json: $.schema_version: made by a newer ecsim, 9.9.9: this one reads 1, and not 2"
    );
}

#[tokio::test]
async fn of_two_seeds_one_says_how_time_goes() {
    let clock = json!({ "clock": { "mode": "real" } }).to_string();
    let started = Emulator::builder().without_listeners().seed("a", &*clock).seed("b", &*clock).start().await;
    let Err(StartError::Seed(mistakes)) = started else { panic!("{started:?}") };
    assert_eq!(mistakes[0].to_string(), "b: $.clock: another file says how time goes");
}

#[tokio::test]
async fn what_names_no_date_is_of_the_time_that_the_file_says() {
    let machine = Arc::new(ManualClock::at(parse_utc(NOW).expect("a time")));
    let seed = json!({
        "clock": { "mode": "frozen", "now": "2026-01-05T08:00:00Z" }, "accounts": [{ "users": [{ "name": "u" }] }],
    });
    let handle = nothing(&machine).await;
    handle.put("seed.json", &seed.to_string()).expect("a good seed");
    let created = handle.world(|world| world.user(AccountId::DEFAULT, "u").map(|user| user.created.to_string()));
    assert_eq!(created.expect("a world").as_deref(), Some("2026-01-05T08:00:00Z"));
}

#[tokio::test]
async fn an_id_that_a_seed_names_is_not_drawn_for_another() {
    // Each begins to draw as the others did.
    let drawn = async |seed: Value| later(&seed.to_string()).await;
    let first = drawn(json!({ "accounts": [{ "users": [{ "name": "u" }] }] })).await;
    let id = first.world(|world| world.user(AccountId::DEFAULT, "u").map(|user| user.id().to_string()));
    let id = id.expect("a world").expect("a user");
    drawn(json!({ "accounts": [{ "users": [{ "name": "u" }, { "name": "v", "id": id }] }] })).await;
    let instances = async |ids: &[Option<&str>]| {
        let instances: Vec<_> = ids.iter().map(|id| id.map_or(json!({}), |id| json!({ "id": id }))).collect();
        let emulator = drawn(json!({ "accounts": [{ "instances": instances }] })).await;
        emulator.world(|world| world.instances().map(|(id, _)| id.to_string()).collect::<Vec<_>>()).expect("a world")
    };
    let first = instances(&[None]).await;
    assert_eq!(instances(&[None, Some(&first[0])]).await.len(), 2);
}

#[tokio::test]
async fn an_emulator_goes_by_the_time_that_a_seed_says_unless_it_is_told_another() {
    let at = |text| parse_utc(text).expect("a time");
    let seed = json!({ "clock": { "mode": "frozen", "now": "2026-01-05T08:00:00Z" } });
    for (told, frozen, shown) in [
        (None, None, ("frozen", "2026-01-05T08:00:00Z")),
        (None, Some(true), ("frozen", "2026-01-05T08:00:00Z")),
        (None, Some(false), ("real", NOW)),
        (Some(at("2026-02-01T00:00:00Z")), None, ("offset", "2026-02-01T00:00:00Z")),
        (Some(at("2026-02-01T00:00:00Z")), Some(false), ("offset", "2026-02-01T00:00:00Z")),
        (Some(at("2026-02-01T00:00:00Z")), Some(true), ("frozen", "2026-02-01T00:00:00Z")),
    ] {
        let server = start_with(|builder| builder.seed("seed.json", seed.to_string()).now(told, frozen)).await;
        let answer = server.raw("GET /_ecsim/clock HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        let clock: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
        assert_eq!((clock["mode"].as_str(), clock["now"].as_str()), (Some(shown.0), Some(shown.1)));
    }
}

#[tokio::test]
async fn with_the_same_rng_seed_a_restored_world_gets_other_ids() {
    let first = start().await;
    let created = first.ram_done("CreateUser", &[("UserName", "ann")]).await;
    let key = first.ram_done("CreateAccessKey", &[("UserName", "ann")]).await;
    let snapshot = printed(&first.emulator);
    let again = start_seeded(serde_json::from_str(&snapshot).expect("JSON")).await;
    let other = again.ram_done("CreateUser", &[("UserName", "bob")]).await;
    assert_ne!(created["User"]["UserId"], other["User"]["UserId"]);
    // The key of the first world signs in the second, and there is another beside it.
    let text = |name: &str| key["AccessKey"][name].as_str().expect("a text").to_owned();
    let (id, secret) = (text("AccessKeyId"), text("AccessKeySecret"));
    let answer = again.call("GetCallerIdentity").param("Version", "2015-04-01").key(&id, &secret).send().await;
    assert_eq!((answer.status, &answer.json()["UserId"]), (200, &created["User"]["UserId"]), "{}", answer.text);
    again.ram_done("CreateAccessKey", &[("UserName", "ann")]).await;
}
