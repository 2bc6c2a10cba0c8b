//! Seeds that are put together: the members that seeds have, mostly with values that fit.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Result, Unstructured};
use ecsim::world::seed::MEMBERS;
use serde_json::{Map, Value, json};

/// Some seed files.
#[derive(Arbitrary, Debug)]
pub struct Seeds {
    /// Whether to leave out what no seed can have, so that nearly all are taken.
    mended: bool,
    files: Vec<Vec<Account>>,
    changes: Vec<Entry>,
}

#[derive(Arbitrary, Debug)]
struct Account {
    id: Option<Content>,
    keys: Vec<Entry>,
    policies: Vec<Entry>,
    users: Vec<Entry>,
    roles: Vec<Entry>,
    instances: Vec<Entry>,
}

/// The members of a key, policy, user, role or instance; of a name the last one counts.
#[derive(Arbitrary, Debug)]
struct Entry(Vec<(u8, Content)>);

#[derive(Debug)]
enum Content {
    Fitting(u8),
    Odd(u8),
    Any(Value),
}

impl<'a> Arbitrary<'a> for Content {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.arbitrary::<u8>()? {
            which @ 0..200 => Self::Fitting(which),
            which @ 200..240 => Self::Odd(which),
            _ => Self::Any(any(u, 0)?),
        })
    }
}

/// Any JSON, not deep.
fn any(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    let kinds = if depth < 3 { 7 } else { 5 };
    Ok(match u.int_in_range(0..=kinds - 1)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => u.arbitrary::<i32>()?.into(),
        3 => u.arbitrary::<f32>()?.into(),
        4 => u.arbitrary::<String>()?.into(),
        5 => (0..u.int_in_range(0..=3)?).map(|_| any(u, depth + 1)).collect::<Result<Vec<_>>>()?.into(),
        _ => {
            let member = |_| Ok((u.arbitrary::<String>()?, any(u, depth + 1)?));
            Value::Object((0..2).map(member).collect::<Result<_>>()?)
        }
    })
}

impl Seeds {
    /// Each file's name and text.
    pub fn files(&self) -> Vec<(String, String)> {
        let file = |(at, accounts): (usize, &Vec<Account>)| {
            let accounts = accounts.iter().enumerate();
            let accounts: Vec<_> = accounts.map(|(place, account)| self.account(account, at * 10 + place)).collect();
            (format!("{at}.json"), json!({ "accounts": accounts }).to_string())
        };
        let mut files: Vec<_> = self.files.iter().enumerate().map(file).collect();
        if !self.changes.is_empty() {
            let changes: Vec<_> = self.changes.iter().map(|change| change.json("role_change", self.mended)).collect();
            let changed = json!({
                "accounts": [{ "id": "9999999999999999", "instances": [{ "id": "changed" }] }],
                "role_changes": { "dropped": 1, "changes": changes },
            });
            files.push(("changes.json".to_owned(), changed.to_string()));
        }
        files
    }

    fn account(&self, account: &Account, number: usize) -> Value {
        let entries = |kind: &str, entries: &[Entry]| -> Vec<Map<String, Value>> {
            entries.iter().map(|entry| entry.json(kind, self.mended)).collect()
        };
        let (mut keys, mut roles) = (entries("key", &account.keys), entries("role", &account.roles));
        let (mut policies, mut users) = (entries("policy", &account.policies), entries("user", &account.users));
        let mut instances = entries("instance", &account.instances);
        let mut id = account.id.as_ref().map(|id| id.json("account", "id", false));
        if self.mended {
            id = Some(json!(format!("{number:016}")));
            for (at, key) in keys.iter_mut().enumerate() {
                key.insert("id".to_owned(), json!(format!("key-{number}-{at}")));
            }
            let name = |thing: &Map<String, Value>| thing["name"].as_str().unwrap_or_default().to_lowercase();
            for (kind, things) in [&mut policies, &mut users, &mut roles].into_iter().enumerate() {
                for (at, thing) in things.iter_mut().enumerate().filter(|(_, thing)| thing.contains_key("id")) {
                    thing.insert("id".to_owned(), json!(format!("1{:017}", (number * 10 + kind) * 100_000 + at)));
                }
            }
            for policy in policies.iter_mut().filter(|policy| policy.contains_key("versions")) {
                policy.shift_remove("document");
            }
            let mut names = BTreeSet::new();
            policies.retain(|policy| names.insert(name(policy)));
            // A user or role names the system's policies, and those of the account that are there.
            for holder in users.iter_mut().chain(&mut roles) {
                if let Some(Value::Array(list)) = holder.get_mut("policies") {
                    list.retain(|policy| {
                        policy == "ReadOnlyAccess"
                            || policy["type"] == "System"
                            || names.contains(&policy.as_str().unwrap_or_default().to_lowercase())
                    });
                }
            }
            let mut names = BTreeSet::new();
            users.retain(|user| names.insert(name(user)));
            let user_keys = users.iter_mut().filter_map(|user| user.get_mut("keys")?.as_array_mut()?.first_mut());
            for (at, key) in user_keys.enumerate() {
                key["id"] = json!(format!("user-key-{number}-{at}"));
            }
            let mut names = BTreeSet::new();
            roles.retain(|role| names.insert(name(role)));
            let sessions = roles.iter_mut().filter_map(|role| role.get_mut("sessions")?.as_array_mut()?.first_mut());
            for (at, session) in sessions.enumerate() {
                session["id"] = json!(format!("session-{number}-{at}"));
            }
            for (at, instance) in instances.iter_mut().enumerate() {
                mend(instance, &format!("{number}-{at}"), &names);
            }
        }
        let mut json =
            json!({ "keys": keys, "policies": policies, "users": users, "roles": roles, "instances": instances });
        if let Some(id) = id {
            json["id"] = id;
        }
        json
    }
}

impl Entry {
    fn json(&self, kind: &str, mended: bool) -> Map<String, Value> {
        let names = MEMBERS.iter().find(|(known, _)| *known == kind).map_or(&[][..], |(_, names)| names);
        let needed = match kind {
            "key" => &["id", "secret"][..],
            "policy" => &["name", "document"],
            "user" | "role" => &["name"],
            "role_change" => &["at", "instance"],
            _ => &[],
        };
        let mut members = Map::new();
        for name in needed {
            members.insert((*name).to_owned(), fitting(kind, name, 0));
        }
        for (which, content) in &self.0 {
            let is_unknown = *which == u8::MAX && !mended;
            let name = if is_unknown { "unknown" } else { names[usize::from(*which) % names.len()] };
            members.insert(name.to_owned(), content.json(kind, name, mended));
        }
        members
    }
}

impl Content {
    fn json(&self, kind: &str, name: &str, mended: bool) -> Value {
        match self {
            Self::Fitting(which) => fitting(kind, name, *which),
            _ if mended => fitting(kind, name, 0),
            Self::Odd(which) => odd(*which),
            Self::Any(value) => value.clone(),
        }
    }
}

/// Either both or none.
fn together(members: &mut Map<String, Value>, one: &str, other: &str) {
    if members.contains_key(one) != members.contains_key(other) {
        members.shift_remove(one);
        members.shift_remove(other);
    }
}

/// Takes from an instance what cannot be together, and makes its id its own.
fn mend(instance: &mut Map<String, Value>, own: &str, roles: &BTreeSet<String>) {
    let has = |instance: &Map<String, Value>, name: &str| instance.contains_key(name);
    let mut without: Vec<&str> = vec!["zone", "credentials"];
    let is_classic = instance.get("network").is_some_and(|network| network == "classic");
    if is_classic {
        without.extend(["vpc", "vswitch", "vpc_cidr", "vswitch_cidr", "eip"]);
    }
    let role = instance.get("role").and_then(Value::as_str).unwrap_or_default();
    if is_classic || !roles.contains(&role.to_lowercase()) {
        without.extend(["role", "role_as_written", "policy"]);
    }
    if has(instance, "count") {
        without.extend(["private_ip", "mac", "serial_number"]);
    }
    for name in without {
        instance.shift_remove(name);
    }
    if has(instance, "eip") {
        instance.shift_remove("public_ip");
    }
    together(instance, "cpu", "memory");
    if !has(instance, "market_place_product_code") {
        instance.shift_remove("market_place_charge_type");
    }
    if instance.get("spot_strategy").is_none_or(|strategy| strategy == "NoSpot") {
        instance.shift_remove("spot_termination_time");
    }
    if has(instance, "vswitch_cidr") || !has(instance, "key_pair") {
        instance.shift_remove("private_ip");
        instance.shift_remove("public_key");
    }
    if let Some(id) = instance.get_mut("id") {
        let text = id.as_str().unwrap_or_default().replace('%', "");
        *id = json!(format!("{own}-{text}%x"));
    }
}

/// A value that a member can have.
fn fitting(kind: &str, name: &str, which: u8) -> Value {
    let statement =
        json!({ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": { "Service": "ecs.aliyuncs.com" } });
    let values = match (kind, name) {
        ("account", _) => json!(["1000000000000001", "2000000000000002"]),
        ("key", "status") => json!(["active", "inactive"]),
        ("policy", "name") => json!(["p", "P", "q-1"]),
        ("user", "name") => json!(["u", "U", "u.1_x"]),
        ("role_change", "instance") => json!(["changed"]),
        (_, "before") => json!([{ "role": "gone" }, { "role": "WEB", "policy": "{}" }]),
        (_, "metadata_reads" | "describe_reads") => json!([1, 4_294_967_295_u64]),
        ("user", "keys") => json!([[], [{ "id": "u", "secret": "s" }]]),
        (_, "policies") => {
            let system =
                json!({ "name": "AdministratorAccess", "type": "System", "attached": "2026-01-05T08:00:00.5Z" });
            json!([["p"], [], ["ReadOnlyAccess", "Q-1"], [system, "ReadOnlyAccess"], [{ "name": "Q-1" }]])
        }
        ("policy" | "user" | "role", "id") => json!(["100000000000000000", "999999999999999999"]),
        ("policy", "versions") => {
            let document =
                json!({ "Version": "1", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
            json!([[{ "id": "v1", "document": document }], [
                { "id": "v1", "document": document.to_string() },
                { "id": "v3", "document": format!(" {document}"), "created": "2026-01-05T08:00:00Z" },
            ]])
        }
        (_, "default_version") => json!(["v1"]),
        (_, "last_version") => json!(["v3", "v1000"]),
        (_, "document") => {
            let allow = json!({ "Effect": "Allow", "Action": "ecs:*", "Resource": "*" });
            let deny = json!({ "Effect": "Deny", "NotAction": ["ram:*"], "Resource": ["acs:ecs:*"] });
            json!([{ "Version": "1", "Statement": allow }, { "Version": "1", "Statement": [allow, deny] }])
        }
        (_, "max_session_duration") => json!([3600, 43200, 7200]),
        ("role", "name") | (_, "role") => json!(["web", "WEB", "batch"]),
        ("instance", "id") => json!(["i", "j", "i-%d", "i-%02x", "%d", "i-0", "<&>\u{0}"]),
        (_, "trust") => json!([{ "Statement": [statement] }, { "Statement": statement }, { "Statement": [] }]),
        ("role", "sessions") => json!([[], [{ "id": "s", "secret": "s", "security_token": "t", "name": "job",
            "expires": "9999-12-30T22:00:00Z" }]]),
        (_, "at" | "expires" | "created" | "updated" | "last_used" | "spot_termination_time") => {
            json!(["2026-01-05T08:00:00Z", "9999-12-30T22:00:00Z", "0001-01-01T00:00:00Z"])
        }
        (_, "count") => json!([1, 2, 17, 300]),
        (_, "region") => json!(["cn-hangzhou", "cn-beijing", "ap-northeast-1"]),
        (_, "zone") => json!(["cn-hangzhou-k", "cn-beijing-a", "ap-northeast-1a"]),
        (_, "network") => json!(["vpc", "classic"]),
        (_, "policy") => json!(["{}", "{\"Version\":\"1\"}"]),
        ("instance", "status") => json!(["Running", "Stopped", "Pending"]),
        (_, "type") => json!(["ecs.g6.large", "ecs.e-c1m1.large"]),
        (_, "cpu" | "memory") => json!([1, 1024]),
        (_, "os_type") => json!(["linux", "windows"]),
        (_, "spot_strategy") => json!(["NoSpot", "SpotAsPriceGo"]),
        (_, "charge_type" | "market_place_charge_type") => json!(["PostPaid", "PrePaid"]),
        (_, "deletion_protection" | "allow_console_login" | "role_as_written") => json!([true, false]),
        (_, "vpc_cidr") => json!(["10.0.0.0/8", "172.16.0.0/12"]),
        (_, "vswitch_cidr") => json!(["10.1.0.0/16", "10.1.0.0/29"]),
        (_, "mac") => json!(["00:16:3e:0f:00:01"]),
        (_, "http_endpoint") => json!(["enabled", "disabled"]),
        (_, "http_tokens") => json!(["optional", "required"]),
        (_, "http_put_response_hop_limit") => json!([1, 64]),
        (_, "private_ip") => json!(["172.16.0.10", "172.16.0.11", "255.255.255.255", "0.0.0.0"]),
        (_, "public_ip" | "eip") => json!(["203.0.113.1", "203.0.113.2"]),
        (_, "tags") => json!([{ "a": "b" }, { "": "]]>", "\u{fffe}": "\u{10ffff}" }, {}]),
        (_, "security_groups" | "locks") => json!([["a"], [], ["\u{1}", "b"]]),
        (_, "id" | "secret") => json!(["k", "l"]),
        _ => json!(["text", "", "\r\n\u{0}", "]]>"]),
    };
    pick(&values, which)
}

/// A value that hardly any member can have.
fn odd(which: u8) -> Value {
    let values = json!([
        "", "nowhere", "soon", "{", "a b", "%", "%d%d", "ecs.of.tomorrow", "2026-02-30T00:00:00Z", "1.2.3", "172.16.0.010",
        0, -1, 0.5, 4_294_967_296_u64, null, true, [], {}, [1], { "a": 1 }, { "Statement": [{}] }
    ]);
    pick(&values, which)
}

fn pick(values: &Value, which: u8) -> Value {
    values[usize::from(which) % values.as_array().map_or(1, Vec::len)].clone()
}
