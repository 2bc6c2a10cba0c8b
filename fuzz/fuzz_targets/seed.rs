//! Seeds: whatever is in the files, there is a world or a list of mistakes that is no longer than
//! the files give reason for; a world can be looked at; and its snapshot makes it again.

#![no_main]

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use arbitrary::{Arbitrary, Unstructured};
use ecsim::files::read_seeds;
use ecsim::settings::AuthMode;
use ecsim::world::seed::{self, Mistake};
use ecsim::world::{AccountId, Ids, InstanceId, Pace, World, snapshot};
use ecsim_fuzz::answer::Answer;
use ecsim_fuzz::seeds::Seeds;
use ecsim_fuzz::{call, worlds};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

/// The most instances that are made of one input: a compact form makes ten million.
const MOST_INSTANCES: u64 = 2000;

// A zero byte begins what is put together. Elsewhere zero bytes, which JSON never holds, stand between files.
fuzz_target!(|data: &[u8]| -> Corpus {
    if let Some((0, rest)) = data.split_first() {
        let Ok(seeds) = Seeds::arbitrary_take_rest(Unstructured::new(rest)) else { return Corpus::Reject };
        return check(&seeds.files());
    }
    let Ok(text) = std::str::from_utf8(data) else {
        check_not_text(data);
        return Corpus::Reject;
    };
    let files: Vec<_> =
        text.split('\0').enumerate().map(|(at, text)| (format!("{at}.json"), text.to_owned())).collect();
    check(&files)
});

fn check(files: &[(String, String)]) -> Corpus {
    let values: Vec<Value> = files.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect();
    let counts = values.iter().flat_map(|value| members(value, "count")).filter_map(Value::as_u64);
    if counts.fold(0, u64::saturating_add) > MOST_INSTANCES {
        return Corpus::Reject;
    }
    match build(files) {
        Ok(world) => {
            let again = build(files).expect("a world again");
            assert!(ids(&world).eq(ids(&again)), "the same files and ids make another world");
            check_world(world, &values);
        }
        Err(mistakes) => check_mistakes(&mistakes, files),
    }
    Corpus::Keep
}

fn build(files: &[(String, String)]) -> Result<World, Vec<Mistake>> {
    seed::build(files, &Ids::seeded(1), worlds::now())
}

fn ids(world: &World) -> impl Iterator<Item = &InstanceId> {
    world.instances().map(|(id, _)| id)
}

/// The members of a name, wherever in the document they are.
fn members<'v>(value: &'v Value, name: &str) -> Vec<&'v Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(|element| members(element, name)).collect(),
        Value::Object(object) => {
            object.get(name).into_iter().chain(object.values().flat_map(|member| members(member, name))).collect()
        }
        _ => Vec::new(),
    }
}

fn check_not_text(data: &[u8]) {
    let path = std::env::temp_dir().join(format!("ecsim-fuzz-seed-{}.json", std::process::id()));
    std::fs::write(&path, data).expect("writes");
    let read = read_seeds(std::slice::from_ref(&path));
    let _ = std::fs::remove_file(&path);
    let mistakes = read.expect_err("no text");
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].place, "file");
}

fn check_mistakes(mistakes: &[Mistake], files: &[(String, String)]) {
    let size: usize = files.iter().map(|(_, text)| text.len() + 1).sum();
    assert!((1..=size).contains(&mistakes.len()), "{} mistakes in {size} bytes", mistakes.len());
    let printed: usize = mistakes.iter().map(|mistake| mistake.to_string().len()).sum();
    assert!(printed <= 200 * size + 1000, "{printed} bytes about {size}");
    for mistake in mistakes {
        assert!(files.iter().any(|(name, _)| *name == mistake.file), "{mistake}");
        assert!(mistake.place.starts_with('$') || mistake.place.starts_with("line "), "{mistake}");
        assert!(!mistake.reason.is_empty(), "{mistake}");
    }
}

/// What a world is printed as, is read, and printed again it is the same.
fn check_snapshot(world: &World) {
    let text = snapshot::text(world, &Ids::seeded(1), Pace::Real);
    let again = build(&[("snapshot".to_owned(), text.clone())]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(snapshot::text(&again, &Ids::seeded(1), Pace::Real), text);
}

fn check_world(world: World, values: &[Value]) {
    worlds::check(&world);
    check_snapshot(&world);
    let as_written = values.iter().any(|value| members(value, "role_as_written").contains(&&Value::Bool(true)));
    for (id, instance) in world.instances() {
        if let Some(role) = instance.role().filter(|_| !as_written) {
            let known = world.role(instance.account, role.as_str());
            assert_eq!(known.map(|role| role.name().as_str()), Some(role.as_str()), "{id} carries a role of nobody");
        }
    }
    // An address is whose it is named for, or one instance's.
    let mut free: HashMap<Ipv4Addr, usize> = HashMap::new();
    for named in values.iter().flat_map(|value| members(value, "private_ip")) {
        if let Some(address) = named.as_str().and_then(|address| address.parse().ok()) {
            *free.entry(address).or_default() += 1;
        }
    }
    for (id, instance) in world.instances() {
        let left = free.entry(instance.address()).or_insert(1);
        *left = left.checked_sub(1).unwrap_or_else(|| panic!("{id} has the address of another instance"));
    }
    let mine = |account| world.instances().filter(move |(_, instance)| instance.account == account).count();
    let regions: HashSet<&str> = world.instances().map(|(_, instance)| instance.region.id).collect();
    let all = mine(AccountId::DEFAULT);
    let gateway = worlds::gateway(world, worlds::settings(AuthMode::Off));
    let mut seen = 0;
    for region in regions {
        for format in ["JSON", "XML"] {
            let target = format!(
                "GET /?Action=DescribeInstances&Version=2014-05-26&RegionId={region}&PageSize=100&Format={format} HTTP/1.1\r\n\r\n"
            );
            let (head, body) = call::of_bytes(target.as_bytes()).expect("a request");
            let answer = Answer::of(gateway.answer(head, body, None, |_| false).whole());
            assert_eq!(answer.status, 200, "{answer:?}");
            if format == "JSON" {
                let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
                seen += answer["TotalCount"].as_u64().expect("a number");
            }
        }
    }
    assert_eq!(seen, all as u64, "instances that are in no region's list");
}
