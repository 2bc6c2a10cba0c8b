//! Seeds: what is taken, what is refused and where, and the schema that editors use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ecsim::emulator::{Builder, Emulator, StartError};
use ecsim::world::seed::{self, MEMBERS, Mistake};
use ecsim::world::{
    AccountId, Holder, InstanceId, KeyOwner, KeyStatus, MetadataOptions, REGIONS, World, parse_utc, utc_seconds,
};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::support::NOW;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> Value {
    let text = fs::read_to_string(root().join("fixtures/seed").join(name)).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| fixture("seed.schema.json"));
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).expect("a schema"));

fn builder() -> Builder {
    Emulator::builder().without_listeners().now(parse_utc(NOW), Some(true))
}

/// The world that an emulator begins with.
fn started(builder: Builder) -> Result<World, Vec<Mistake>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(builder.start()) {
        Ok(emulator) => Ok(emulator.world(World::clone).expect("it is there")),
        Err(StartError::Seed(mistakes)) => Err(mistakes),
        Err(other) => panic!("{other}"),
    }
}

fn build_files(files: &[(&str, &str)], rng_seed: u64) -> Result<World, Vec<Mistake>> {
    let builder = files.iter().fold(builder(), |builder, (name, text)| builder.seed(*name, *text));
    started(builder.rng_seed(rng_seed))
}

fn build(seed: &Value) -> Result<World, Vec<Mistake>> {
    build_files(&[("seed.json", &seed.to_string())], 1)
}

fn world(seed: &Value) -> World {
    build(seed).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// The places and reasons of a refusal.
fn mistakes(seed: &Value) -> Vec<(String, String)> {
    match build(seed) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.into_iter().map(|mistake| (mistake.place, mistake.reason)).collect(),
    }
}

fn with(kind: &str, object: &Value) -> Value {
    json!({ "accounts": [{ "roles": [{ "name": "web" }], kind: [object] }] })
}

fn instance(object: &Value) -> Value {
    with("instances", object)
}

fn ids(world: &World) -> Vec<String> {
    world.instances().map(|(id, _)| id.to_string()).collect()
}

fn definition(kind: &str) -> &'static Value {
    if kind == "file" { &SCHEMA } else { &SCHEMA["$defs"][kind] }
}

#[test]
fn the_schema_is_one_and_takes_the_shipped_seeds() {
    assert_eq!(jsonschema::meta::validate(&SCHEMA).map_err(|error| error.to_string()), Ok(()));
    for name in ["default.json", "empty.json"] {
        let errors: Vec<_> = VALIDATOR.iter_errors(&fixture(name)).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        assert_eq!(mistakes(&fixture(name)), [], "{name}");
    }
    assert_eq!(fixture("default.json"), serde_json::from_str::<Value>(seed::DEFAULT).expect("JSON"));
}

#[test]
fn the_schema_has_the_members_that_the_reader_knows_and_describes_each() {
    let definitions: Vec<_> = SCHEMA["$defs"].as_object().expect("an object").keys().collect();
    let kinds: Vec<_> = MEMBERS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[0], "file");
    assert_eq!(definitions, kinds[1..]);
    for (kind, known) in MEMBERS {
        let definition = definition(kind);
        assert_eq!(definition["additionalProperties"], json!(false), "{kind}");
        assert!(definition["description"].as_str().is_some_and(|text| text.ends_with('.')), "{kind}");
        let properties = definition["properties"].as_object().expect("an object");
        assert_eq!(properties.keys().collect::<Vec<_>>(), *known, "{kind}");
        for (name, property) in properties {
            assert!(property["description"].as_str().is_some_and(|text| text.contains('.')), "{kind}.{name}");
        }
    }
}

#[test]
fn the_schema_has_the_regions_that_the_world_has() {
    let known: Vec<_> = REGIONS.iter().map(|region| region.id).collect();
    assert_eq!(SCHEMA["$defs"]["instance"]["properties"]["region"]["enum"], json!(known));
}

const DOCUMENT: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The names of the members of a value, wherever they stand.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(names).collect(),
        Value::Object(object) => {
            object.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

/// A seed with every member of every kind.
fn full() -> Value {
    let instances = json!([{
        "id": "i-%d", "count": 2, "region": "cn-beijing", "zone": "cn-beijing-a", "network": "vpc",
        "role": "web", "policy": "{}", "name": "n", "description": "d", "host_name": "h",
        "status": "Stopped", "type": "ecs.of.tomorrow", "cpu": 3, "memory": 5, "image": "m", "os_type": "windows",
        "market_place_product_code": "cmjj0001", "market_place_charge_type": "PrePaid",
        "spot_strategy": "SpotAsPriceGo", "spot_termination_time": "2020-04-07T17:03:00Z", "vpc": "vpc-1",
        "vswitch": "vsw-1", "security_groups": ["sg-1"], "key_pair": "k", "resource_group": "rg",
        "charge_type": "PrePaid", "deletion_protection": true, "eip": "203.0.113.1", "tags": { "a": "b" },
        "locks": ["security"], "created": "2026-01-05T08:00:00Z",
        "vpc_cidr": "10.0.0.0/8", "vswitch_cidr": "10.1.0.0/16", "public_key": "ssh-ed25519 A", "user_data": "#!",
        "http_endpoint": "disabled", "http_tokens": "required", "http_put_response_hop_limit": 64,
    }, {
        "id": "i-fixed", "role": "WEB", "role_as_written": true, "credentials": "own", "private_ip": "10.0.0.1", "public_ip": "203.0.113.2", "vswitch_cidr": "10.0.0.0/24",
        "mac": "00:16:3e:0f:00:01", "serial_number": "4acd2b47-b328-4762-852f-998000000000",
    }]);
    json!({
        "$schema": "seed.schema.json", "schema_version": 1, "ecsim": "0.1.0",
        "clock": { "mode": "offset", "ahead_seconds": -60 },
        "accounts": [{
            "id": "1000000000000001",
            "keys": [{ "id": "k", "secret": "s", "status": "active", "created": NOW, "last_used": NOW }],
            "policies": [{ "id": "100000000000000001", "name": "p-1", "tags": { "t": "" }, "created": NOW, "updated": NOW, "description": "d", "document": { "Version": "1", "Statement": [
                { "Effect": "Allow", "Action": ["ecs:*", "*"], "Resource": "acs:ecs:*:*:*", "Condition": {} },
                { "Effect": "Deny", "NotAction": "ram:*", "Resource": ["*"] },
            ] } }, { "name": "p-2", "default_version": "v3", "last_version": "v5", "versions": [
                { "id": "v1", "document": DOCUMENT, "created": "2026-01-05T08:00:00.25Z" },
                { "id": "v3", "document": format!(" {DOCUMENT}") },
            ] }],
            "users": [{
                "id": "100000000000000002", "created": NOW, "updated": NOW,
                "name": "u", "display_name": "U", "mobile_phone": "86-1", "email": "u@example.com", "comments": "c",
                "policies": ["P-1", { "name": "ReadOnlyAccess", "type": "System", "attached": NOW }], "keys": [{ "id": "u1", "secret": "s", "status": "inactive" }],
            }],
            "roles": [{
                "name": "web", "description": "d", "trust": { "Version": "1", "Statement": [{
                    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ecs.aliyuncs.com" },
                }] },
                "max_session_duration": 43200, "policies": ["p-1"], "id": "100000000000000003",
                "allow_console_login": false, "tags": { "t": "v" }, "created": NOW, "updated": NOW,
                "sessions": [{ "id": "tmp", "secret": "s", "security_token": "t", "expires": NOW, "name": "job",
                  "created": NOW, "last_used": NOW, "policy": {
                    "Version": "1", "Statement": { "Effect": "Allow", "Action": "ecs:*", "Resource": "*" },
                } }, { "id": "own", "secret": "s", "security_token": "t", "expires": NOW, "instance": "i-fixed", "policy": "{}" }],
            }],
            "instances": instances,
        }],
        "role_changes": { "dropped": 1, "changes": [{
            "at": NOW, "instance": "i-fixed", "metadata_reads": 1, "describe_reads": 2,
            "before": { "role": "gone", "policy": "{}", "credentials": "own" },
        }] },
    })
}

#[test]
fn a_seed_with_every_member_is_taken_by_schema_and_reader() {
    let errors: Vec<_> = VALIDATOR.iter_errors(&full()).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let named: BTreeSet<_> = names(&full()).into_iter().collect();
    let all = MEMBERS.iter().flat_map(|(kind, names)| names.iter().map(move |name| (*kind, *name)));
    let missing: Vec<_> = all.filter(|(kind, name)| *kind != "clock" && !named.contains(*name)).collect();
    assert_eq!(missing, [], "members that the seed has not");
    let world = world(&full());
    assert_eq!(ids(&world), ["i-0", "i-1", "i-fixed"]);
    let instance = world.instance("i-1").expect("it is there");
    let spec = &instance.spec;
    assert_eq!((instance.region.id, &*spec.zone_id, spec.cpu, spec.memory), ("cn-beijing", "cn-beijing-a", 3, 5));
    assert_eq!(
        (&*spec.name, &*spec.host_name, spec.charge_type, spec.deletion_protection),
        ("n", "h", "PrePaid", true)
    );
    assert_eq!(spec.eip.map(|ip| ip.to_string()).as_deref(), Some("203.0.113.1"));
    assert_eq!(instance.vpc_cidr().map(|block| block.to_string()).as_deref(), Some("10.0.0.0/8"));
    assert_eq!(instance.vswitch_cidr().map(|block| block.to_string()).as_deref(), Some("10.1.0.0/16"));
    assert_eq!((spec.public_key.as_deref(), spec.user_data.as_deref()), (Some("ssh-ed25519 A"), Some("#!")));
    let options = MetadataOptions { enabled: false, tokens_required: true, hop_limit: 64 };
    assert_eq!(spec.metadata_options, options);
    let attached = instance.attachment().expect("a role");
    assert_eq!((attached.role.as_str(), attached.policy.as_deref()), ("web", Some("{}")));
    let fixed = world.instance("i-fixed").expect("it is there");
    assert_eq!(fixed.address().to_string(), "10.0.0.1");
    assert_eq!(fixed.mac(), "00:16:3e:0f:00:01");
    assert_eq!(fixed.serial_number(&InstanceId::new("i-fixed")), "4acd2b47-b328-4762-852f-998000000000");
    assert_eq!(fixed.spec.metadata_options, MetadataOptions::default());
    assert_eq!(fixed.role().map(ToString::to_string).as_deref(), Some("WEB"));
    let account = AccountId::DEFAULT;
    let user = world.user(account, "U").expect("a user");
    let texts = [user.name(), &*user.display_name, &*user.mobile_phone, &*user.email, &*user.comments];
    assert_eq!(texts, ["u", "U", "86-1", "u@example.com", "c"]);
    let role = world.role(account, "web").expect("a role");
    assert_eq!((&*role.description, role.max_session_duration), ("d", 43200));
    let names = |holder| world.policies_of(holder).map(|(policy, _)| policy.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(Holder::User(user.id())), ["p-1", "ReadOnlyAccess"]);
    assert_eq!(names(Holder::Role(role.id())), ["p-1"]);
    assert_eq!(world.custom_policy(account, "p-1").map(|policy| &*policy.description), Some("d"));
    let key = world.key("u1").expect("a key");
    assert_eq!((&key.owner, key.status), (&KeyOwner::User(user.id()), KeyStatus::Inactive));
    let key = world.key("tmp").expect("a key");
    assert_eq!(
        key.token.as_ref().map(|token| (&*token.value, utc_seconds(token.expires))),
        Some(("t", NOW.to_owned()))
    );
    let KeyOwner::Session(session) = &key.owner else { panic!("a session's key: {key:?}") };
    assert_eq!((session.role, session.role_name.as_str(), &*session.name), (role.id(), "web", "job"));
    assert!(session.policy.is_some());
}

#[test]
fn the_default_seed_has_a_user_for_each_refusal() {
    let world = build_files(&[("default", seed::DEFAULT)], 1).expect("a world");
    for (key, status, policies) in [
        ("test-full", KeyStatus::Active, &["AliyunECSFullAccess", "AliyunSTSAssumeRoleAccess", "pass-any-role"][..]),
        ("test-no-pass", KeyStatus::Active, &["AliyunECSFullAccess"]),
        ("test-reader", KeyStatus::Active, &["ReadOnlyAccess"]),
        ("test-disabled", KeyStatus::Inactive, &["AliyunECSFullAccess"]),
    ] {
        let key = world.key(key).expect(key);
        let KeyOwner::User(user) = key.owner else { panic!("a user's key: {key:?}") };
        let names: Vec<_> = world.policies_of(Holder::User(user)).map(|(policy, _)| policy.name()).collect();
        assert_eq!((key.status, &*names), (status, policies));
    }
    let key = world.key("STS.test-session").expect("a key");
    assert!(matches!(&key.owner, KeyOwner::Session(session) if session.role_name.is("operator")), "{key:?}");
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_at_the_right_place_with_the_right_reason() {
    const ACCOUNT: &str = "$.accounts[0]";
    const KEY: &str = "$.accounts[0].keys[0]";
    const ROLE: &str = "$.accounts[0].roles[0]";
    const SESSION: &str = "$.accounts[0].roles[0].sessions[0]";
    const POLICY: &str = "$.accounts[0].policies[0]";
    const USER: &str = "$.accounts[0].users[0]";
    const INSTANCE: &str = "$.accounts[0].instances[0]";
    let members = |kind: &str| {
        let (_, names) = MEMBERS.iter().find(|(name, _)| *name == kind).expect("a kind");
        format!("no such member here; there are {}", names.join(", "))
    };
    let key = |object: Value| with("keys", &object);
    let role = |object: Value| json!({ "accounts": [{ "roles": [object] }] });
    let machine = |object: Value| instance(&object);
    let trust = |trust: Value| json!({ "accounts": [{ "roles": [{ "name": "r", "trust": trust }] }] });
    let trusting = |statement: Value| trust(json!({ "Version": "1", "Statement": statement }));
    let statement =
        json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ecs.aliyuncs.com" } });
    let fine = json!({ "Effect": "Allow", "Action": "ecs:*", "Resource": "*" });
    let policy = |name: &str, statements: Value| {
        with("policies", &json!({ "name": name, "document": { "Version": "1", "Statement": statements } }))
    };
    let session = |name: &str, value: Option<Value>| {
        let mut session = json!({ "id": "a", "secret": "s", "security_token": "t", "expires": NOW, "name": "job" });
        match value {
            Some(value) => session[name] = value,
            None => drop(session.as_object_mut().and_then(|session| session.shift_remove(name))),
        }
        role(json!({ "name": "r", "sessions": [session] }))
    };
    let text = "must be a string".to_owned();
    let owned = str::to_owned;
    let document = json!({ "Version": "1", "Statement": fine });
    let versions = |versions: Value, more: Value| {
        let mut policy = json!({ "name": "p", "versions": versions });
        policy.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        with("policies", &policy)
    };
    let version_rule =
        owned("ids of versions rise, default_version is one of them, and last_version is not before them");
    let clock_rule = owned("has now if it is frozen, ahead_seconds if it is offset, and neither if it is real");
    let id_rule = owned("an id is 18 decimal digits in a string");
    let tags_rule = owned("must be an object of tag keys and values");
    let seconds = owned("must be a whole number of seconds from 3600 to 43200");
    let pattern = owned("with count, an id holds one number pattern such as %d, %08d or %04x");
    let time = owned("must be a time such as 2026-01-05T08:00:00Z");
    let role_name = owned("a role name is 1 to 64 letters, digits, '.', '-' or '_'");
    let session_name = owned("a session name is 2 to 64 letters, digits, '.', '@', '-' or '_'");
    let cases: Vec<(Value, String, String)> = vec![
        (json!([]), owned("$"), owned("must be an object")),
        (json!("seed"), owned("$"), owned("must be an object")),
        (json!(null), owned("$"), owned("must be an object")),
        (json!({ "acounts": [] }), owned("$.acounts"), members("file")),
        (json!({ "accounts": {} }), owned("$.accounts"), owned("must be an array")),
        (json!({ "accounts": [1] }), owned(ACCOUNT), owned("must be an object")),
        (json!({ "accounts": [{ "user": [] }] }), format!("{ACCOUNT}.user"), members("account")),
        (
            json!({ "accounts": [{ "id": 1_000_000_000_000_001_u64 }] }),
            format!("{ACCOUNT}.id"),
            owned("an account id is 16 decimal digits in a string"),
        ),
        (
            json!({ "accounts": [{ "id": "123" }] }),
            format!("{ACCOUNT}.id"),
            owned("an account id is 16 decimal digits in a string"),
        ),
        (json!({ "accounts": [{ "keys": {} }] }), format!("{ACCOUNT}.keys"), owned("must be an array")),
        (json!({ "accounts": [{ "roles": 5 }] }), format!("{ACCOUNT}.roles"), owned("must be an array")),
        (json!({ "accounts": [{ "instances": "" }] }), format!("{ACCOUNT}.instances"), owned("must be an array")),
        (key(json!("test")), owned(KEY), owned("must be an object")),
        (key(json!({ "secret": "s" })), owned(KEY), owned("needs id")),
        (key(json!({ "id": "a" })), owned(KEY), owned("needs secret")),
        (key(json!({ "id": "", "secret": "s" })), format!("{KEY}.id"), owned("cannot be empty")),
        (key(json!({ "id": "a", "secret": "" })), format!("{KEY}.secret"), owned("cannot be empty")),
        (key(json!({ "id": 7, "secret": "s" })), format!("{KEY}.id"), text.clone()),
        (key(json!({ "id": "a", "secret": null })), format!("{KEY}.secret"), text.clone()),
        (key(json!({ "id": "a", "secret": "s", "Status": "active" })), format!("{KEY}.Status"), members("key")),
        (
            key(json!({ "id": "a", "secret": "s", "status": "Active" })),
            format!("{KEY}.status"),
            owned("must be one of active, inactive"),
        ),
        (key(json!({ "id": "a", "secret": "s", "expires": NOW })), format!("{KEY}.expires"), members("key")),
        (role(json!({})), owned(ROLE), owned("needs name")),
        (role(json!({ "name": "a b" })), format!("{ROLE}.name"), role_name.clone()),
        (role(json!({ "name": "a".repeat(65) })), format!("{ROLE}.name"), role_name),
        (role(json!({ "name": "a", "description": 1 })), format!("{ROLE}.description"), text.clone()),
        (role(json!({ "name": "a", "arn": "" })), format!("{ROLE}.arn"), members("role")),
        (session("secret", None), owned(SESSION), owned("needs secret")),
        (session("security_token", None), owned(SESSION), owned("needs security_token")),
        (session("security_token", Some(json!(""))), format!("{SESSION}.security_token"), owned("cannot be empty")),
        (session("expires", None), owned(SESSION), owned("needs expires")),
        (session("name", None), owned(SESSION), owned("needs name")),
        (session("name", Some(json!("x"))), format!("{SESSION}.name"), session_name),
        (session("status", Some(json!("active"))), format!("{SESSION}.status"), members("session")),
        (session("policy", Some(json!(1))), format!("{SESSION}.policy"), owned("must be an object")),
        (session("policy", Some(json!({ "Version": "1" }))), format!("{SESSION}.policy"), owned("needs Statement")),
        (trust(json!(["ecs"])), format!("{ROLE}.trust"), owned("must be an object")),
        (trust(json!({ "Statement": statement })), format!("{ROLE}.trust"), owned("needs Version")),
        (trust(json!({ "Version": "1" })), format!("{ROLE}.trust"), owned("needs Statement")),
        (
            trusting(json!({ "Effect": "allow", "Action": "sts:AssumeRole", "Principal": {} })),
            format!("{ROLE}.trust.Statement.Effect"),
            owned("must be Allow or Deny"),
        ),
        (
            trusting(json!([statement, { "Effect": "Deny", "Principal": {} }])),
            format!("{ROLE}.trust.Statement[1]"),
            owned("needs Action"),
        ),
        (
            trusting(json!([{ "Effect": "Allow", "Action": ["sts:AssumeRole", "*"], "Principal": "*" }])),
            format!("{ROLE}.trust.Statement[0].Action[1]"),
            owned("the action of a trust policy is sts:AssumeRole"),
        ),
        (
            trusting(json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*" }])),
            format!("{ROLE}.trust.Statement[0].Principal"),
            owned("must be an object"),
        ),
        (
            trusting(json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": [] } }])),
            format!("{ROLE}.trust.Statement[0].Principal.Service"),
            owned("cannot be empty"),
        ),
        (
            role(json!({ "name": "r", "max_session_duration": 3599 })),
            format!("{ROLE}.max_session_duration"),
            seconds.clone(),
        ),
        (role(json!({ "name": "r", "max_session_duration": "1h" })), format!("{ROLE}.max_session_duration"), seconds),
        (role(json!({ "name": "r", "policies": "p" })), format!("{ROLE}.policies"), owned("must be an array")),
        (with("policies", &json!({ "name": "p" })), owned(POLICY), owned("needs document")),
        (versions(json!([{ "id": "v1" }]), json!({})), format!("{POLICY}.versions[0]"), owned("needs document")),
        (versions(json!([{ "document": document }]), json!({})), format!("{POLICY}.versions[0]"), owned("needs id")),
        (
            versions(json!([{ "id": "1", "document": document }]), json!({})),
            format!("{POLICY}.versions[0].id"),
            owned("a version is such as v1"),
        ),
        (versions(json!([]), json!({})), owned(POLICY), version_rule.clone()),
        (
            versions(json!([{ "id": "v1", "document": document }]), json!({ "document": document })),
            format!("{POLICY}.versions"),
            owned("a policy has document or versions, not both"),
        ),
        (
            versions(json!([{ "id": "v1", "document": document }]), json!({ "last_version": 1 })),
            format!("{POLICY}.last_version"),
            text.clone(),
        ),
        (
            with("policies", &json!({ "name": "p", "document": document, "tags": [] })),
            format!("{POLICY}.tags"),
            tags_rule.clone(),
        ),
        (with("users", &json!({ "name": "u", "id": "1" })), format!("{USER}.id"), id_rule.clone()),
        (with("users", &json!({ "name": "u", "id": 100_000_000_000_000_000_u64 })), format!("{USER}.id"), id_rule),
        (with("users", &json!({ "name": "u", "updated": "today" })), format!("{USER}.updated"), time.clone()),
        (
            with("users", &json!({ "name": "u", "policies": [{ "type": "System" }] })),
            format!("{USER}.policies[0]"),
            owned("needs name"),
        ),
        (
            with("users", &json!({ "name": "u", "policies": [{ "name": "ReadOnlyAccess", "type": "system" }] })),
            format!("{USER}.policies[0].type"),
            owned("must be one of Custom, System"),
        ),
        (
            role(json!({ "name": "r", "allow_console_login": 1 })),
            format!("{ROLE}.allow_console_login"),
            owned("must be true or false"),
        ),
        (role(json!({ "name": "r", "tags": "a" })), format!("{ROLE}.tags"), tags_rule),
        (
            key(
                json!({ "id": "a", "secret": "s", "last_used": NOW.replace('Z', ".5Z").replace(".5", ".50000000000") }),
            ),
            format!("{KEY}.last_used"),
            time.clone(),
        ),
        (session("created", Some(json!(1))), format!("{SESSION}.created"), text.clone()),
        (
            session("instance", Some(json!("i-1"))),
            format!("{SESSION}.name"),
            owned("the session of an instance has a name already"),
        ),
        (
            machine(json!({ "role": "web", "role_as_written": "yes" })),
            format!("{INSTANCE}.role_as_written"),
            owned("must be true or false"),
        ),
        (
            machine(json!({ "credentials": "k" })),
            format!("{INSTANCE}.credentials"),
            owned("credentials are of a role: name the role too"),
        ),
        (
            json!({ "schema_version": 2 }),
            owned("$.schema_version"),
            owned("made by a newer ecsim, of a version that it does not say: this one reads 1, and not 2"),
        ),
        (json!({ "schema_version": "1" }), owned("$.schema_version"), owned("must be 1")),
        (json!({ "schema_version": 0 }), owned("$.schema_version"), owned("must be 1")),
        (json!({ "ecsim": 1 }), owned("$.ecsim"), text.clone()),
        (json!({ "clock": "real" }), owned("$.clock"), owned("must be an object")),
        (json!({ "clock": {} }), owned("$.clock"), owned("needs mode")),
        (json!({ "clock": { "mode": "slow" } }), owned("$.clock.mode"), owned("must be one of real, offset, frozen")),
        (json!({ "clock": { "mode": "frozen" } }), owned("$.clock"), clock_rule.clone()),
        (json!({ "clock": { "mode": "real", "now": NOW } }), owned("$.clock"), clock_rule.clone()),
        (json!({ "clock": { "mode": "frozen", "now": NOW, "ahead_seconds": 1 } }), owned("$.clock"), clock_rule),
        (json!({ "clock": { "mode": "frozen", "now": "today" } }), owned("$.clock.now"), time.clone()),
        (
            json!({ "clock": { "mode": "offset", "ahead_seconds": 1.5 } }),
            owned("$.clock.ahead_seconds"),
            owned("must be a whole number of seconds"),
        ),
        (
            policy("p q", json!([fine])),
            format!("{POLICY}.name"),
            owned("a policy name is 1 to 128 letters, digits or '-'"),
        ),
        (
            with("policies", &json!({ "name": "p", "document": null })),
            format!("{POLICY}.document"),
            owned("must be an object"),
        ),
        (policy("p", json!([])), format!("{POLICY}.document.Statement"), owned("cannot be empty")),
        (
            policy("p", json!([fine, { "Effect": "Allow", "Action": "ecs:*" }])),
            format!("{POLICY}.document.Statement[1]"),
            owned("needs Resource"),
        ),
        (
            policy("p", json!({ "Effect": "Allow", "Action": "DescribeRegions", "Resource": "*" })),
            format!("{POLICY}.document.Statement.Action"),
            owned("an action is * or such as ecs:DescribeInstances"),
        ),
        (
            policy("p", json!({ "Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*" })),
            format!("{POLICY}.document.Statement"),
            owned("has Action or NotAction, not both"),
        ),
        (
            policy("p", json!({ "Effect": "Allow", "Action": "*", "Resource": "i-1" })),
            format!("{POLICY}.document.Statement.Resource"),
            owned("a resource is * or such as acs:ecs:*:*:instance/i-1"),
        ),
        (with("users", &json!({})), owned(USER), owned("needs name")),
        (with("users", &json!({ "name": "u", "arn": "" })), format!("{USER}.arn"), members("user")),
        (
            with("users", &json!({ "name": "a b" })),
            format!("{USER}.name"),
            owned("a user name is 1 to 64 letters, digits, '.', '-' or '_'"),
        ),
        (with("users", &json!({ "name": "u", "email": 1 })), format!("{USER}.email"), text.clone()),
        (
            with("users", &json!({ "name": "u", "policies": [1] })),
            format!("{USER}.policies[0]"),
            owned("must be a string or an object"),
        ),
        (
            with("users", &json!({ "name": "u", "keys": [{ "id": "k" }] })),
            format!("{USER}.keys[0]"),
            owned("needs secret"),
        ),
        (
            with("users", &json!({ "name": "u", "policies": ["ReadOnlyAccess", "ReadOnlyAccess"] })),
            format!("{USER}.policies[1]"),
            owned("the policy ReadOnlyAccess is there twice"),
        ),
        (machine(json!([])), owned(INSTANCE), owned("must be an object")),
        (machine(json!({ "ram_role": "web" })), format!("{INSTANCE}.ram_role"), members("instance")),
        (machine(json!({ "id": "" })), format!("{INSTANCE}.id"), owned("an id cannot be empty")),
        (
            machine(json!({ "count": 0 })),
            format!("{INSTANCE}.count"),
            owned("must be a whole number from 1 to 10000000"),
        ),
        (
            machine(json!({ "count": 10_000_001 })),
            format!("{INSTANCE}.count"),
            owned("must be a whole number from 1 to 10000000"),
        ),
        (
            machine(json!({ "count": "2" })),
            format!("{INSTANCE}.count"),
            owned("must be a whole number from 1 to 10000000"),
        ),
        (machine(json!({ "id": "i-x", "count": 2 })), format!("{INSTANCE}.id"), pattern.clone()),
        (machine(json!({ "id": "i-%s", "count": 2 })), format!("{INSTANCE}.id"), pattern.clone()),
        (machine(json!({ "id": "i-%8d", "count": 2 })), format!("{INSTANCE}.id"), pattern.clone()),
        (machine(json!({ "id": "i-%021d", "count": 2 })), format!("{INSTANCE}.id"), pattern.clone()),
        (machine(json!({ "id": "i-%d-%d", "count": 2 })), format!("{INSTANCE}.id"), pattern.clone()),
        (machine(json!({ "id": "i-%", "count": 2 })), format!("{INSTANCE}.id"), pattern),
        (
            machine(json!({ "count": 2, "private_ip": "10.0.0.1" })),
            format!("{INSTANCE}.private_ip"),
            owned("count instances cannot share one private_ip"),
        ),
        (
            machine(json!({ "region": "cn-hangzhou-g" })),
            format!("{INSTANCE}.region"),
            owned("no region of that id; DescribeRegions lists them"),
        ),
        (machine(json!({ "id": "i", "region": 1 })), format!("{INSTANCE}.region"), text.clone()),
        (machine(json!({ "zone": 1 })), format!("{INSTANCE}.zone"), text.clone()),
        (machine(json!({ "network": "VPC" })), format!("{INSTANCE}.network"), owned("must be one of vpc, classic")),
        (
            machine(json!({ "network": "classic", "role": "web" })),
            format!("{INSTANCE}.role"),
            owned("an instance in the classic network cannot carry a role"),
        ),
        (
            machine(json!({ "network": "classic", "vpc": "vpc-1" })),
            owned(INSTANCE),
            owned("an instance in the classic network has no vpc or vswitch"),
        ),
        (
            machine(json!({ "network": "classic", "vswitch": "vsw-1" })),
            owned(INSTANCE),
            owned("an instance in the classic network has no vpc or vswitch"),
        ),
        (
            machine(json!({ "network": "classic", "vswitch_cidr": "10.0.0.0/8" })),
            owned(INSTANCE),
            owned("an instance in the classic network has no vpc or vswitch"),
        ),
        (
            machine(json!({ "vpc_cidr": "10.0.0.0/30" })),
            format!("{INSTANCE}.vpc_cidr"),
            owned("must be a whole block of addresses such as 172.16.0.0/12, from /8 to /29"),
        ),
        (
            machine(json!({ "public_key": "ssh-ed25519 A" })),
            format!("{INSTANCE}.public_key"),
            owned("a public key is one half of a pair: name the key_pair too"),
        ),
        (
            machine(json!({ "os_type": "Windows" })),
            format!("{INSTANCE}.os_type"),
            owned("must be one of linux, windows"),
        ),
        (
            machine(json!({ "market_place_charge_type": "PrePaid" })),
            format!("{INSTANCE}.market_place_charge_type"),
            owned("is of an image of the Marketplace: give market_place_product_code too"),
        ),
        (
            machine(json!({ "spot_strategy": "SpotWithPriceLimit" })),
            format!("{INSTANCE}.spot_strategy"),
            owned("must be one of NoSpot, SpotAsPriceGo"),
        ),
        (
            machine(json!({ "spot_termination_time": "2020-04-07T17:03:00Z" })),
            format!("{INSTANCE}.spot_termination_time"),
            owned("is of a preemptible instance: give spot_strategy SpotAsPriceGo too"),
        ),
        (
            machine(json!({ "mac": "00:16:3E:0f:00:01" })),
            format!("{INSTANCE}.mac"),
            owned("must be a MAC address such as 00:16:3e:0f:00:01"),
        ),
        (
            machine(json!({ "count": 2, "mac": "00:16:3e:0f:00:01" })),
            format!("{INSTANCE}.mac"),
            owned("count instances cannot share one mac"),
        ),
        (
            machine(json!({ "http_tokens": "enabled" })),
            format!("{INSTANCE}.http_tokens"),
            owned("must be one of optional, required"),
        ),
        (
            machine(json!({ "http_put_response_hop_limit": 65 })),
            format!("{INSTANCE}.http_put_response_hop_limit"),
            owned("must be a whole number from 1 to 64"),
        ),
        (machine(json!({ "role": true })), format!("{INSTANCE}.role"), text.clone()),
        (
            machine(json!({ "policy": "{}" })),
            format!("{INSTANCE}.policy"),
            owned("a policy narrows a role: name the role too"),
        ),
        (machine(json!({ "role": "web", "policy": {} })), format!("{INSTANCE}.policy"), text.clone()),
        (
            machine(json!({ "status": "running" })),
            format!("{INSTANCE}.status"),
            owned("must be one of Pending, Starting, Running, Stopping, Stopped"),
        ),
        (machine(json!({ "cpu": 2 })), owned(INSTANCE), owned("cpu and memory go together")),
        (machine(json!({ "memory": 2048 })), owned(INSTANCE), owned("cpu and memory go together")),
        (
            machine(json!({ "charge_type": "prepaid" })),
            format!("{INSTANCE}.charge_type"),
            owned("must be one of PostPaid, PrePaid"),
        ),
        (
            machine(json!({ "deletion_protection": "yes" })),
            format!("{INSTANCE}.deletion_protection"),
            owned("must be true or false"),
        ),
        (
            machine(json!({ "private_ip": "10.0.0.256" })),
            format!("{INSTANCE}.private_ip"),
            owned("must be an IPv4 address"),
        ),
        (machine(json!({ "public_ip": "::1" })), format!("{INSTANCE}.public_ip"), owned("must be an IPv4 address")),
        (machine(json!({ "eip": "10.0.0.01" })), format!("{INSTANCE}.eip"), owned("must be an IPv4 address")),
        (
            machine(json!({ "eip": "203.0.113.1", "public_ip": "203.0.113.2" })),
            format!("{INSTANCE}.eip"),
            owned("an EIP needs a VPC and stands in place of a public_ip"),
        ),
        (
            machine(json!({ "eip": "203.0.113.1", "network": "classic" })),
            format!("{INSTANCE}.eip"),
            owned("an EIP needs a VPC and stands in place of a public_ip"),
        ),
        (
            machine(json!({ "security_groups": "sg-1" })),
            format!("{INSTANCE}.security_groups"),
            owned("must be an array"),
        ),
        (machine(json!({ "security_groups": ["a", 1] })), format!("{INSTANCE}.security_groups[1]"), text.clone()),
        (machine(json!({ "locks": [null] })), format!("{INSTANCE}.locks[0]"), text.clone()),
        (machine(json!({ "tags": [] })), format!("{INSTANCE}.tags"), owned("must be an object of tag keys and values")),
        (machine(json!({ "tags": { "a": 1 } })), format!("{INSTANCE}.tags.a"), text),
        (machine(json!({ "created": "yesterday" })), format!("{INSTANCE}.created"), time.clone()),
        (machine(json!({ "created": "2026-01-05T08:00Z" })), format!("{INSTANCE}.created"), time),
    ];
    for (seed, place, reason) in cases {
        assert!(!VALIDATOR.is_valid(&seed), "the schema takes {seed}");
        assert_eq!(mistakes(&seed), [(place, reason)], "{seed}");
    }
}

#[test]
fn a_bad_time_of_a_token_is_one_refusal_with_its_place() {
    let session = json!({ "id": "a", "secret": "s", "security_token": "t", "expires": "soon", "name": "job" });
    let seed = json!({ "accounts": [{ "roles": [{ "name": "r", "sessions": [session] }] }] });
    assert!(!VALIDATOR.is_valid(&seed));
    assert_eq!(
        mistakes(&seed)[0],
        (
            "$.accounts[0].roles[0].sessions[0].expires".to_owned(),
            "must be a time such as 2026-01-05T08:00:00Z".to_owned(),
        )
    );
}

#[test]
fn what_only_the_reader_can_tell_is_refused_at_the_right_place_with_the_right_reason() {
    const INSTANCES: &str = "$.accounts[0].instances";
    let twice = |kind: &str, object: Value| json!({ "accounts": [{ kind: [object, object] }] });
    let document = json!({ "Version": "1", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let version_rule = "ids of versions rise, default_version is one of them, and last_version is not before them";
    let cases = [
        (
            instance(&json!({ "role": "nobody" })),
            format!("{INSTANCES}[0].role"),
            "account 1000000000000001 has no role nobody",
        ),
        (
            json!({ "accounts": [
                { "instances": [{ "role": "theirs" }] },
                { "id": "2000000000000002", "roles": [{ "name": "theirs" }] },
            ] }),
            format!("{INSTANCES}[0].role"),
            "account 1000000000000001 has no role theirs",
        ),
        (
            instance(&json!({ "zone": "cn-beijing-a" })),
            format!("{INSTANCES}[0].zone"),
            "no zone of cn-hangzhou; it has cn-hangzhou-b, cn-hangzhou-g, cn-hangzhou-h, cn-hangzhou-i, \
             cn-hangzhou-j, cn-hangzhou-k",
        ),
        (
            instance(&json!({ "type": "ecs.of.tomorrow" })),
            format!("{INSTANCES}[0].type"),
            "an instance type that is not known here: give cpu and memory (MiB) too",
        ),
        (
            instance(&json!({ "spot_strategy": "NoSpot", "spot_termination_time": "2020-04-07T17:03:00Z" })),
            format!("{INSTANCES}[0].spot_termination_time"),
            "is of a preemptible instance: give spot_strategy SpotAsPriceGo too",
        ),
        (
            instance(&json!({ "vpc_cidr": "10.0.0.0/16", "vswitch_cidr": "10.1.0.0/16" })),
            format!("{INSTANCES}[0].vswitch_cidr"),
            "is not within 10.0.0.0/16",
        ),
        (
            instance(&json!({ "private_ip": "10.2.0.1", "vswitch_cidr": "10.1.0.0/16" })),
            format!("{INSTANCES}[0].private_ip"),
            "is not within 10.1.0.0/16",
        ),
        (
            instance(&json!({ "vpc_cidr": "10.0.0.1/16" })),
            format!("{INSTANCES}[0].vpc_cidr"),
            "must be a whole block of addresses such as 172.16.0.0/12, from /8 to /29",
        ),
        (
            with("policies", &json!({ "name": "p", "document": "{}" })),
            "$.accounts[0].policies[0].document".to_owned(),
            "needs Version",
        ),
        (
            json!({ "accounts": [{ "roles": [{ "name": "r", "trust": "ecs" }] }] }),
            "$.accounts[0].roles[0].trust".to_owned(),
            "not JSON: expected value at line 1 column 1",
        ),
        (
            with(
                "policies",
                &json!({ "name": "p", "versions": [
                { "id": "v2", "document": document }, { "id": "v1", "document": document },
            ] }),
            ),
            "$.accounts[0].policies[0]".to_owned(),
            version_rule,
        ),
        (
            with(
                "policies",
                &json!({ "name": "p", "versions": [{ "id": "v2", "document": document }], "last_version": "v1" }),
            ),
            "$.accounts[0].policies[0]".to_owned(),
            version_rule,
        ),
        (
            with("policies", &json!({ "name": "p", "document": document, "default_version": "v2" })),
            "$.accounts[0].policies[0]".to_owned(),
            version_rule,
        ),
        (
            with("policies", &json!({ "name": "p", "document": document, "last_version": "v4294967295" })),
            "$.accounts[0].policies[0]".to_owned(),
            version_rule,
        ),
        (
            json!({ "accounts": [{
                "users": [{ "name": "u", "id": "100000000000000000" }],
                "roles": [{ "name": "r", "id": "100000000000000000" }],
            }] }),
            "$.accounts[0].roles[0].id".to_owned(),
            "the id 100000000000000000 is taken already",
        ),
        (
            json!({ "accounts": [{ "roles": [{ "name": "r", "sessions": [{
                "id": "k", "secret": "s", "security_token": "t", "expires": NOW, "instance": "i-none",
            }] }] }] }),
            "$.accounts[0].roles[0].sessions[0].instance".to_owned(),
            "there is no instance i-none",
        ),
        (
            instance(&json!({ "id": "i-1", "role": "web", "credentials": "none" })),
            format!("{INSTANCES}[0].credentials"),
            "the instance has no session none",
        ),
        (
            json!({ "accounts": [{
                "keys": [{ "id": "mine", "secret": "s" }], "roles": [{ "name": "web" }],
                "instances": [{ "id": "i-1", "role": "web", "credentials": "mine" }],
            }] }),
            format!("{INSTANCES}[0].credentials"),
            "the instance has no session mine",
        ),
        (
            instance(&json!({ "role": "a role", "role_as_written": true })),
            format!("{INSTANCES}[0].role"),
            "account 1000000000000001 has no role a role",
        ),
        (
            with("users", &json!({ "name": "u", "policies": [{ "name": "ReadOnlyAccess", "type": "Custom" }] })),
            "$.accounts[0].users[0].policies[0]".to_owned(),
            "neither account 1000000000000001 nor the system has a policy ReadOnlyAccess",
        ),
        (
            instance(&json!({ "created": "2026-02-30T00:00:00Z" })),
            format!("{INSTANCES}[0].created"),
            "must be a time such as 2026-01-05T08:00:00Z",
        ),
        (
            twice("keys", json!({ "id": "k", "secret": "s" })),
            "$.accounts[0].keys[1].id".to_owned(),
            "the key k exists already",
        ),
        (
            json!({ "accounts": [{ "roles": [{ "name": "web" }, { "name": "WEB" }] }] }),
            "$.accounts[0].roles[1].name".to_owned(),
            "the role WEB exists already in account 1000000000000001",
        ),
        (
            json!({ "accounts": [{ "users": [{ "name": "u" }, { "name": "U" }] }] }),
            "$.accounts[0].users[1].name".to_owned(),
            "the user U exists already in account 1000000000000001",
        ),
        (
            twice("policies", json!({ "name": "p", "document": document })),
            "$.accounts[0].policies[1].name".to_owned(),
            "the policy p exists already in account 1000000000000001",
        ),
        (
            json!({ "accounts": [
                { "users": [{ "name": "u", "policies": ["theirs"] }] },
                { "id": "2000000000000002", "policies": [{ "name": "theirs", "document": document }] },
            ] }),
            "$.accounts[0].users[0].policies[0]".to_owned(),
            "neither account 1000000000000001 nor the system has a policy theirs",
        ),
        (
            json!({ "accounts": [
                { "keys": [{ "id": "k", "secret": "s" }], "users": [{ "name": "u", "keys": [{ "id": "k", "secret": "s" }] }] },
            ] }),
            "$.accounts[0].users[0].keys[0].id".to_owned(),
            "the key k exists already",
        ),
        (twice("instances", json!({ "id": "i-1" })), format!("{INSTANCES}[1].id"), "the instance i-1 exists already"),
        (
            json!({ "accounts": [{ "instances": [{ "id": "i-07" }, { "id": "i-%02d", "count": 10 }] }] }),
            format!("{INSTANCES}[1].id"),
            "the instance i-07 exists already",
        ),
    ];
    for (seed, place, reason) in cases {
        assert!(VALIDATOR.is_valid(&seed), "{seed}");
        assert_eq!(mistakes(&seed), [(place, reason.to_owned())], "{seed}");
    }
}

#[test]
fn one_wrong_value_is_reported_once() {
    let seed = instance(&json!({ "region": 5 }));
    let place = "$.accounts[0].instances[0].region".to_owned();
    assert_eq!(mistakes(&seed), [(place, "must be a string".to_owned())]);
}

#[test]
fn every_mistake_of_every_file_is_reported_and_each_names_its_file() {
    let first = json!({ "accounts": [{
        "keys": [{ "id": "k" }, { "id": "shared", "secret": "s" }],
        "instances": [{ "zone": 1, "status": "on", "cpu": 0, "role": "nobody" }],
    }] });
    let second = json!({ "accounts": [{ "id": "x" }, { "keys": [{ "id": "shared", "secret": "s" }] }], "more": 1 });
    let files = [
        ("a.json", &*first.to_string()),
        ("b.json", &*second.to_string()),
        ("c.json", "{\n  \"accounts\" 1}"),
        ("d.json", "{ \"accounts\": [],\n  \"accounts\": [] }"),
    ];
    let refused = build_files(&files, 1).expect_err("mistakes");
    let lines: Vec<_> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "c.json: line 2 column 14: not JSON: expected `:` at line 2 column 14",
            "d.json: line 2 column 12: the member \"accounts\" is there twice at line 2 column 12",
            "b.json: $.more: no such member here; there are $schema, schema_version, ecsim, clock, accounts, role_changes",
            "b.json: $.accounts[0].id: an account id is 16 decimal digits in a string",
            "a.json: $.accounts[0].keys[0]: needs secret",
            "b.json: $.accounts[1].keys[0].id: the key shared exists already",
            "a.json: $.accounts[0].instances[0].zone: must be a string",
            "a.json: $.accounts[0].instances[0].status: must be one of Pending, Starting, Running, Stopping, Stopped",
            "a.json: $.accounts[0].instances[0].cpu: must be a whole number from 1 to 1024",
            "a.json: $.accounts[0].instances[0].role: account 1000000000000001 has no role nobody",
        ]
    );
}

#[test]
fn a_role_may_come_from_a_later_file_and_in_another_case() {
    let first = instance(&json!({ "id": "i-1", "role": "LATER" })).to_string();
    let second = json!({ "accounts": [{ "roles": [{ "name": "later" }] }] }).to_string();
    let world = build_files(&[("a", &first), ("b", &second)], 1).expect("a world");
    let role = world.instance("i-1").and_then(|instance| instance.role()).map(ToString::to_string);
    assert_eq!(role.as_deref(), Some("later"));
}

#[test]
fn a_policy_may_come_from_a_later_file() {
    let first = json!({ "accounts": [{ "roles": [{ "name": "r", "policies": ["later"] }] }] }).to_string();
    let second = json!({ "accounts": [{ "policies": [{ "name": "later", "document": { "Version": "1", "Statement": {
        "Effect": "Allow", "Action": "*", "Resource": "*",
    } } }] }] });
    let world = build_files(&[("a", &first), ("b", &second.to_string())], 1).expect("a world");
    let role = world.role(AccountId::DEFAULT, "r").expect("a role").id();
    assert_eq!(world.policies_of(Holder::Role(role)).count(), 1);
}

#[test]
fn an_address_that_nobody_names_is_a_free_one_of_the_block_that_is_said() {
    let instances = json!([
        { "id": "i-a" },
        { "id": "i-b%d", "count": 2, "vswitch_cidr": "172.16.0.8/29" },
        { "id": "i-c", "private_ip": "172.16.0.10" },
        { "id": "i-d" },
        { "id": "i-e", "vpc_cidr": "10.0.0.0/8" },
    ]);
    let seed = |instances: &Value| json!({ "accounts": [{ "instances": instances }] });
    let world = world(&seed(&instances));
    let addresses: Vec<_> = world.instances().map(|(_, instance)| instance.address().to_string()).collect();
    assert_eq!(addresses, ["172.16.0.11", "172.16.0.9", "172.16.0.12", "172.16.0.10", "172.16.0.13", "10.0.0.1"]);
    let full = mistakes(&seed(&json!([{ "count": 5, "vswitch_cidr": "172.16.0.8/29" }])));
    let reason = "no address is left in vswitch_cidr, or without one in vpc_cidr".to_owned();
    assert_eq!(full, [("$.accounts[0].instances[0]".to_owned(), reason)]);
}

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ecsim-seeds-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("writes");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_folder_is_read_by_name_and_only_its_json() {
    let folder = Folder::new("order");
    // Each has a mistake of its own, and they are told in the order in which the files are read.
    let file = |name: &str, member: &str| folder.file(name, &json!({ member: 1 }).to_string());
    let (b, a) = (file("20-b.json", "b"), file("10-a.json", "a"));
    folder.file("00-notes.txt", "no seed");
    let c = file("3-c.json", "c");
    let single = file("single.seed", "first");
    let mistakes = started(builder().seed_paths([single.clone(), folder.0.clone()])).expect_err("mistakes");
    let places: Vec<_> = mistakes.into_iter().map(|mistake| (mistake.file, mistake.place)).collect();
    let files = [(single, "$.first"), (a, "$.a"), (b, "$.b"), (c, "$.c")];
    assert_eq!(places, files.map(|(path, place)| (path.display().to_string(), place.to_owned())));
}

#[test]
fn a_file_that_is_missing_and_a_folder_without_seeds_are_both_reported() {
    let folder = Folder::new("missing");
    let missing = folder.0.join("none.json");
    let mistakes = started(builder().seed_paths([missing.clone(), folder.0.clone()])).expect_err("mistakes");
    let mistake = |path: &Path, reason: &str| Mistake {
        file: path.display().to_string(),
        place: "file".to_owned(),
        reason: reason.to_owned(),
    };
    assert_eq!(
        mistakes,
        [
            mistake(&missing, "cannot be read: No such file or directory (os error 2)"),
            mistake(&folder.0, "the folder holds no *.json"),
        ]
    );
    let without = started(builder().seed_paths([])).expect("a world");
    assert_eq!(ids(&without), ids(&build_files(&[("default", seed::DEFAULT)], 1).expect("a world")));
}

#[test]
fn the_compact_form_counts_from_0_in_decimal_and_hexadecimal() {
    let world = world(&json!({ "accounts": [{ "instances": [
        { "id": "i-bench%08d", "count": 12 },
        { "id": "i-%x", "count": 18 },
        { "id": "%04x-end", "count": 1 },
        { "id": "i-100%" },
    ] }] }));
    let ids = ids(&world);
    assert_eq!(ids[..2], ["i-bench00000000", "i-bench00000001"]);
    assert_eq!(ids[11..13], ["i-bench00000011", "i-0"]);
    assert_eq!(ids[22], "i-a");
    assert_eq!(ids[29..], ["i-11", "0000-end", "i-100%"]);
}

#[test]
fn ids_that_are_left_out_are_made_for_their_region_and_repeat_with_the_generator() {
    let seed = json!({ "accounts": [{ "instances": [{ "count": 3 }, { "region": "cn-beijing" }] }] }).to_string();
    let draw = |rng_seed| ids(&build_files(&[("a", &seed)], rng_seed).expect("a world"));
    let made = draw(7);
    assert_eq!(made, draw(7));
    assert_ne!(made, draw(8));
    assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), 4);
    assert!(made.iter().all(|id| id.len() == 22), "{made:?}");
    assert!(made[..3].iter().all(|id| id.starts_with("i-bp1")), "{made:?}");
    assert!(made[3].starts_with("i-2ze"), "{made:?}");
}

#[test]
fn private_addresses_that_are_left_out_are_distinct() {
    let world = world(&json!({ "accounts": [
        { "instances": [{ "id": "a%d", "count": 300 }, { "id": "b", "network": "classic" }] },
        { "id": "2000000000000002", "instances": [{ "id": "c%d", "count": 300 }] },
    ] }));
    let addresses: BTreeSet<_> = world.instances().map(|(_, instance)| instance.address()).collect();
    assert_eq!(addresses.len(), 601);
    assert_eq!(addresses.first().map(ToString::to_string).as_deref(), Some("172.16.0.10"));
    assert_eq!(addresses.last().map(ToString::to_string).as_deref(), Some("172.16.2.98"));
}

#[test]
fn an_address_that_a_seed_names_is_not_given_to_another_instance() {
    for entries in [
        json!([{ "id": "named", "private_ip": "172.16.0.10" }, { "id": "other" }]),
        json!([{ "id": "other" }, { "id": "named", "private_ip": "172.16.0.10" }]),
    ] {
        let world = world(&json!({ "accounts": [{ "instances": entries }] }));
        let address = |id: &str| world.instance(id).expect("it is there").address();
        assert_eq!(address("named").to_string(), "172.16.0.10");
        assert_ne!(address("other"), address("named"), "{entries}");
    }
}

/// Any JSON, often with names that seeds use.
fn any_json() -> impl Strategy<Value = Value> {
    let names: Vec<_> = MEMBERS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let text = prop_oneof![
        "\\PC{0,8}",
        "[a%d0x9-]{0,8}",
        Just("cn-hangzhou".to_owned()),
        Just("classic".to_owned()),
        Just("1000000000000001".to_owned()),
        Just("172.16.0.10".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..40).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let name = prop_oneof![4 => prop::sample::select(names.clone()).prop_map(str::to_owned), 1 => "\\PC{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The places of all members below a value, as JSON pointers of the object and the member's name.
fn members_below(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                found.push((at.to_owned(), name.clone()));
                members_below(member, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                members_below(element, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn object_at<'v>(value: &'v mut Value, at: &str) -> &'v mut Map<String, Value> {
    value.pointer_mut(at).and_then(Value::as_object_mut).expect("an object")
}

proptest! {
    #[test]
    fn any_text_is_a_world_or_a_list_of_mistakes(text in "[\\[\\]{}:,\"a-z0-9\\\\ .\\-]{0,60}") {
        if let Err(mistakes) = build_files(&[("any", &text)], 1) {
            prop_assert!(!mistakes.is_empty());
        }
    }

    #[test]
    fn any_json_is_a_world_or_a_list_of_mistakes(account in any_json(), key in any_json(), other in any_json()) {
        for seed in [account.clone(), json!({ "accounts": [account] }), json!({ "accounts": [{ "keys": [key], "roles": [other], "instances": [other] }] })] {
            if let Err(mistakes) = build(&seed) {
                prop_assert!(!mistakes.is_empty());
            } else {
                prop_assert!(seed.is_object());
            }
        }
    }

    #[test]
    fn the_default_seed_with_one_change_is_a_world_or_a_list_of_mistakes(
        which in any::<prop::sample::Index>(),
        change in prop::option::of(any_json()),
    ) {
        for mut seed in [fixture("default.json"), full()] {
            let mut places = Vec::new();
            members_below(&seed, "", &mut places);
            let (at, name) = which.get(&places);
            match change.clone() {
                Some(value) => object_at(&mut seed, at).insert(name.clone(), value),
                None => object_at(&mut seed, at).shift_remove(name),
            };
            if let Err(mistakes) = build(&seed) {
                prop_assert!(!mistakes.is_empty());
                prop_assert!(mistakes.iter().all(|mistake| mistake.place.starts_with('$')));
            }
        }
    }
}
