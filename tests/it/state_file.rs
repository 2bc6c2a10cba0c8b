//! The state file of the binary: kept from one run to the next, whole whenever a process is killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ecsim::Emulator;
use ecsim::world::{AccountId, World, parse_utc};
use serde_json::{Value, json};

use super::command_line::{FREE, Folder, Running, ecsim, end, refused, run};
use super::support::{NOW, encode, nonce, sign_v1};

/// A policy whose versions are counted, and two instances that one call changes together.
fn seed() -> Value {
    let document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
    json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "policies": [{ "name": "counter", "document": document }],
        "roles": [{ "name": "web" }],
        "instances": [
            { "id": "i-1", "role": "web", "policy": r#"{"n":1}"# }, { "id": "i-2", "role": "web", "policy": r#"{"n":1}"# },
        ],
    }] })
}

const DOCUMENT: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The namespaces that the calls are of.
const NAMESPACES: [&str; 2] = ["default", "gw0"];

/// A signed call; its status, or `None` if the server is gone.
fn call(address: &str, namespace: &str, version: &str, action: &str, more: &[(&str, &str)]) -> Option<String> {
    let (nonce, key) = (nonce(), format!("test@{namespace}"));
    let common = [
        ("Action", action),
        ("Version", version),
        ("Format", "JSON"),
        ("AccessKeyId", &*key),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", &*nonce),
        ("Timestamp", NOW),
    ];
    let params: BTreeMap<_, _> =
        common.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let signature = sign_v1("GET", &params, "test");
    let query: Vec<_> = params.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let target = format!("/?{}&Signature={}", query.join("&"), encode(&signature));
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split(' ').nth(1)?.to_owned())
}

/// Counts one further: a version of the policy, then both instances in one call. `None` if the server is gone.
fn step(address: &str, namespace: &str, number: u32) -> Option<()> {
    let rotate = ("RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded");
    let version = [("PolicyName", "counter"), ("PolicyDocument", DOCUMENT), ("SetAsDefault", "true"), rotate];
    assert_eq!(call(address, namespace, "2015-05-01", "CreatePolicyVersion", &version)?, "200");
    attach(address, namespace, number)
}

/// Has both instances follow the policy.
fn attach(address: &str, namespace: &str, number: u32) -> Option<()> {
    let policy = format!(r#"{{"n":{number}}}"#);
    let attach = [
        ("RegionId", "cn-hangzhou"),
        ("InstanceIds", r#"["i-1","i-2"]"#),
        ("RamRoleName", "web"),
        ("Policy", &*policy),
    ];
    assert_eq!(call(address, namespace, "2014-05-26", "AttachInstanceRamRole", &attach)?, "200");
    Some(())
}

/// The world of a namespace that a file holds; `None` if it does not hold the namespace.
fn world(path: impl AsRef<Path>, namespace: &str) -> Option<World> {
    let text = fs::read_to_string(&path).expect("a file");
    let state: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
    let text = state["namespaces"].get(namespace)?.to_string();
    let builder = Emulator::builder().without_listeners().now(parse_utc(NOW), Some(true)).rng_seed(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let started = runtime.block_on(builder.seed("state", &*text).start());
    let emulator = started.unwrap_or_else(|error| panic!("{error:?} in {text}"));
    Some(emulator.world(World::clone).expect("it is there"))
}

/// How far a file has counted in a namespace, which has to be a state that the world was in.
fn counted(path: impl AsRef<Path>, namespace: &str) -> Option<u32> {
    let world = world(path, namespace)?;
    let version = world.custom_policy(AccountId::DEFAULT, "counter").expect("a policy").newest().id.to_string();
    let number = version.trim_start_matches('v').parse().expect("a number");
    let policy = |id: &str| {
        let policy = world.instance(id).and_then(|instance| instance.attachment()?.policy.clone()).expect("a policy");
        serde_json::from_str::<Value>(&policy).expect("JSON")["n"].as_u64().expect("a number")
    };
    assert_eq!(policy("i-1"), policy("i-2"), "they change together");
    let behind = u64::from(number) - policy("i-1");
    assert!(behind <= 1, "the instances change after the policy, and before it does again");
    Some(number)
}

fn flags<'f>(state: &'f str, seed: &'f str) -> [&'f str; 7] {
    [FREE, "--auth=lenient", "--state-file", state, "--seed", seed, "--quiet"]
}

#[test]
fn whenever_it_is_killed_the_file_is_a_whole_state_that_was_and_the_next_start_goes_on_from_it() {
    let folder = Folder::new("state-kill");
    let (state, seed) = (folder.path("state.json"), folder.file("seed.json", seed().to_string()));
    let (mut saved, mut grown, mut cut, mut is_there) = ([1; 2], [0; 2], 0, false);
    // On a machine that is busy, most rounds end before anything was saved.
    for round in 0..2_000_u32 {
        if round >= 200 && grown[0] > 10 && grown[1] > 5 && cut > 0 {
            break;
        }
        let mut command = ecsim(flags(&state, &seed));
        command.args(["--state-interval", "1ms"]);
        let begun = Instant::now();
        let mut server = Running::spawn(command);
        // Longer where all takes longer, so that something is saved on a busy machine too.
        let window = (begun.elapsed() * 4).clamp(Duration::from_millis(40), Duration::from_millis(160));
        let address = server.address.clone();
        let from = saved;
        let caller = std::thread::spawn(move || {
            let (mut numbers, mut turns) = (from, (0..NAMESPACES.len()).cycle());
            // The last process may have ended between the two.
            let mut lives =
                NAMESPACES.iter().zip(from).all(|(namespace, number)| attach(&address, namespace, number).is_some());
            while lives && let Some(turn) = turns.next() {
                lives = step(&address, NAMESPACES[turn], numbers[turn] + 1).is_some();
                numbers[turn] += u32::from(lives);
            }
            numbers
        });
        // At no time in particular.
        std::thread::sleep(window * (round * 7919 % 40_009) / 40_009);
        server.child.kill().expect("kills");
        server.child.wait().expect("it ends");
        let sent = caller.join().expect("every answer is a success");
        cut += u32::from(fs::read_dir(&folder.0).expect("a folder").count() > 2);
        is_there |= Path::new(&state).exists();
        if is_there {
            // Until a namespace is saved for the first time, it begins as the seeds have it.
            let now = NAMESPACES.map(|namespace| counted(&state, namespace).unwrap_or(1));
            let can_be = |turn: usize| (saved[turn]..=sent[turn] + 1).contains(&now[turn]);
            assert!(can_be(0) && can_be(1), "round {round}: {saved:?}, then {now:?} of {sent:?}");
            grown = [0, 1].map(|turn| grown[turn] + u32::from(now[turn] > saved[turn]));
            saved = now;
        }
    }
    assert!(grown[0] > 10 && grown[1] > 5, "only {grown:?} of all rounds saved anything");
    assert!(cut > 0, "never killed while it wrote");
    // Then a run that ends well.
    let server = Running::start(flags(&state, &seed));
    for (namespace, saved) in NAMESPACES.iter().zip(saved) {
        assert!(step(&server.address, namespace, saved + 1).is_some());
    }
    server.kill("-TERM");
    assert_eq!(server.wait(), (Some(0), String::new(), String::new()));
    assert_eq!(NAMESPACES.map(|namespace| counted(&state, namespace)), saved.map(|saved| Some(saved + 1)));
    let mut names: Vec<_> =
        fs::read_dir(&folder.0).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["seed.json", "state.json"], "what was left over is gone");
}

#[test]
fn the_state_is_saved_at_the_stop_for_its_owner_and_wins_over_seeds() {
    let folder = Folder::new("state-stop");
    let (state, seed) = (folder.path("state.json"), folder.file("seed.json", seed().to_string()));
    let server = Running::start(flags(&state, &seed));
    assert!(!Path::new(&state).exists());
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    assert_eq!(NAMESPACES.map(|namespace| counted(&state, namespace)), [Some(1), None]);
    assert_eq!(fs::metadata(&state).expect("a file").permissions().mode() & 0o777, 0o600);
    let other = folder.file("other.json", r#"{"accounts":[{"keys":[{"id":"test","secret":"test"}]}]}"#);
    let mut server = Running::start(flags(&state, &other));
    assert!(step(&server.address, "default", 2).is_some());
    assert!(call(&server.address, "gw0", "2014-05-26", "DescribeRegions", &[]).is_some());
    // At a SIGHUP seeds are not even read.
    folder.file("other.json", "{");
    server.kill("-HUP");
    assert!(step(&server.address, "default", 3).is_some());
    server.kill("-TERM");
    let status = server.child.wait().expect("it ends");
    assert_eq!((status.code(), counted(&state, "default")), (Some(0), Some(3)));
    let of_seeds = world(&state, "gw0").expect("it was used");
    assert!(of_seeds.custom_policy(AccountId::DEFAULT, "counter").is_none());
}

#[test]
fn a_link_that_is_named_stays_a_link_and_the_state_is_where_it_leads() {
    let folder = Folder::new("state-link");
    let (state, link) = (folder.path("kept/state.json"), folder.path("link.json"));
    fs::create_dir(folder.0.join("kept")).expect("a folder");
    symlink("kept/state.json", &link).expect("a link");
    for namespace in NAMESPACES {
        let server = Running::start([FREE, "--state-file", &link]);
        put(&server, namespace, FROZEN);
        server.kill("-TERM");
        assert_eq!(server.wait().0, Some(0));
        assert!(Path::new(&link).is_symlink());
        assert!(world(&state, namespace).is_some_and(|world| world.instance("i-kept").is_some()));
    }
}

#[test]
fn bad_seeds_are_refused_at_the_start_where_a_reset_would_need_them() {
    let folder = Folder::new("state-seeds");
    let (state, seed) = (folder.path("state.json"), folder.file("seed.json", seed().to_string()));
    let server = Running::start(flags(&state, &seed));
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    let saved = fs::read_to_string(&state).expect("a file");
    let bad = folder.file("bad.json", r#"{"accounts":[{"keys":[{"id":"k"}],"users":[{}]}]}"#);
    let lines = format!("{bad}: $.accounts[0].keys[0]: needs secret\n{bad}: $.accounts[0].users[0]: needs name");
    let error = format!("the seeds cannot be used\n{lines}");
    let hint = "fixtures/seed/seed.schema.json in the sources describes the form";
    refused(&run(flags(&state, &bad)), 4, &error, hint);
    assert_eq!(fs::read_to_string(&state).expect("a file"), saved);
}

/// Puts a world into a namespace.
fn put(server: &Running, namespace: &str, world: &str) {
    let target = format!("PUT /_ecsim/snapshot?namespace={namespace}");
    let mut stream = TcpStream::connect(&server.address).expect("connects");
    let length = world.len();
    let head = format!("{target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all((head + world).as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

const FROZEN: &str = r#"{"clock":{"mode":"frozen","now":"2026-01-05T08:00:00Z"},"accounts":[{"keys":[{"id":"k","secret":"s"}],"instances":[{"id":"i-kept"}]}]}"#;

#[test]
fn every_namespace_comes_back_as_it_was_and_a_reset_of_it_is_of_the_seeds() {
    let folder = Folder::new("state-namespaces");
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--state-file", &state]);
    for namespace in ["gw1", "default", "gw0", "a.b"] {
        put(&server, namespace, FROZEN);
    }
    let shown = |server: &Running| NAMESPACES.map(|name| server.get(&format!("/_ecsim/snapshot?namespace={name}")));
    let before = shown(&server);
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    let saved = fs::read_to_string(&state).expect("a file");
    let server = Running::start([FREE, "--state-file", &state]);
    assert_eq!(shown(&server), before);
    let list: Value = serde_json::from_str(&server.get("/_ecsim/namespaces")).expect("JSON");
    let all = list["namespaces"].as_array().expect("a list").iter();
    let all: Vec<_> =
        all.map(|one| format!("{} {} {}", one["namespace"], one["generation"], one["now"]).replace('"', "")).collect();
    let names = ["default 1", "a.b 2", "gw0 3", "gw1 4"].map(|name| format!("{name} 2026-01-05T08:00:00Z"));
    assert_eq!(all, names);
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    assert!(fs::read_to_string(&state).expect("a file") == saved, "a second life changes nothing by itself");
    let server = Running::start([FREE, "--state-file", &state, "--auth=lenient"]);
    let signed = server.call("DescribeInstances", "k@a.b", "s");
    assert_eq!(signed["Instances"]["Instance"][0]["InstanceId"], "i-kept", "{signed}");
    let url = format!("http://{}", server.address);
    let (status, reset, _) = run(["reset", "--url", &url, "--namespace=gw0"]);
    assert!(status == Some(0) && reset.contains("\"instances\": 7"), "{reset}");
}

#[test]
fn what_is_kept_is_counted_and_forgotten_like_other_namespaces() {
    let folder = Folder::new("state-limits");
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--state-file", &state]);
    for namespace in ["gw0", "gw1"] {
        put(&server, namespace, FROZEN);
    }
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    let why = "$.namespaces: there are more than 1 beside default, which is what --max-namespaces says";
    let error = format!("the state file cannot be used\n{state}: {why}");
    let hint = "start with a larger --max-namespaces";
    refused(&run([FREE, "--state-file", &state, "--max-namespaces=1"]), 4, &error, hint);
    let server = Running::start([FREE, "--state-file", &state, "--max-namespaces=2"]);
    assert!(server.get("/_ecsim/clock?namespace=gw2").contains("TooManyNamespaces"));
    drop(server);
    let server = Running::start([FREE, "--state-file", &state, "--namespace-ttl=200ms"]);
    let is_gone = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !server.get("/_ecsim/namespaces").contains("gw0")
    });
    assert!(is_gone, "still there after 5 s");
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    assert!(world(&state, "gw0").is_none() && world(&state, "default").is_some());
}

#[test]
fn a_metadata_listener_is_of_an_instance_that_its_namespace_has_or_will_have() {
    let folder = Folder::new("state-metadata");
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--state-file", &state]);
    put(&server, "gw0", FROZEN);
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    let web = "i-bp1ecsim0000000web01";
    // The first two are of the file, the third will be made of the seeds.
    for instance in [web, "i-kept@gw0", &format!("{web}@gw1")] {
        for flag in [format!("--metadata=127.0.0.1:0={instance}"), format!("--metadata-default={instance}")] {
            Running::start([FREE, "--state-file", &state, &flag]);
        }
    }
    let hint = "name one of the seeds or of the state file; without --seed, i-bp1ecsim0000000web01 is one";
    for instance in ["i-kept", "i-kept@gw1", &format!("{web}@gw0")] {
        let error = format!("--metadata and --metadata-default: there is no instance {instance}");
        for flag in [format!("--metadata=127.0.0.1:0={instance}"), format!("--metadata-default={instance}")] {
            refused(&run([FREE, "--state-file", &state, &flag]), 2, &error, hint);
        }
    }
}

#[test]
fn time_goes_on_as_the_state_says_unless_flags_say_otherwise() {
    let folder = Folder::new("state-clock");
    let state = folder.path("state.json");
    let first = Running::start([FREE, "--state-file", &state, "--now=2026-01-05T08:00:00Z", "--clock=frozen"]);
    first.kill("-TERM");
    assert_eq!(first.wait().0, Some(0));
    let shown = |server: &Running| server.get("/_ecsim/clock");
    let frozen = r#""mode":"frozen","now":"2026-01-05T08:00:00Z""#;
    let server = Running::start([FREE, "--state-file", &state]);
    assert!(shown(&server).contains(frozen), "{}", shown(&server));
    let server = Running::start([FREE, "--state-file", &state, "--now=2026-02-01T00:00:00Z", "--clock=frozen"]);
    assert!(shown(&server).contains(r#""now":"2026-02-01T00:00:00Z""#), "{}", shown(&server));
    // The default is no word on it, but the same mode said is, wherever it is said.
    let saved = fs::read_to_string(&state).expect("a file");
    let config = folder.file("ecsim.toml", "clock = \"real\"\n");
    for (variable, flags) in [(None, vec!["--clock=real"]), (Some("real"), vec![]), (None, vec!["--config", &config])] {
        let mut command = ecsim([&[FREE, "--state-file", &state], &flags[..]].concat());
        command.envs(variable.map(|mode| ("ECSIM_CLOCK", mode)));
        let server = Running::spawn(command);
        assert!(shown(&server).contains(r#""mode":"real""#), "{flags:?}: {}", shown(&server));
    }
    assert_eq!(fs::read_to_string(&state).expect("a file"), saved);
}

const MOVE_IT: &str = "move it away to start from the seeds";

#[test]
fn a_bad_state_file_is_status_4_and_stays_as_it_is() {
    let folder = Folder::new("state-bad");
    let of_one = "this is a seed, or a snapshot of one namespace, and no state, which has `namespaces`: move it away, and start \
                  from it with --seed FILE";
    for (text, mistakes) in [
        ("", vec!["line 1 column 0: not JSON: EOF while parsing a value at line 1 column 0".to_owned()]),
        (
            "{\n\"namespaces\":{\"gw0\":{]}",
            vec!["line 2 column 22: not JSON: key must be a string at line 2 column 22".to_owned()],
        ),
        ("[]", vec!["$: must be an object".to_owned()]),
        (
            r#"{ "schema_version": 2, "ecsim": "9.9.9", "strange": 1 }"#,
            vec!["$.schema_version: made by a newer ecsim, 9.9.9: this one reads 1, and not 2".to_owned()],
        ),
        (r#"{ "schema_version": 1, "clock": { "mode": "real" }, "accounts": [] }"#, vec![format!("$: {of_one}")]),
        (
            r#"{ "namespaces": { "a b": {}, "": {} }, "accounts": [] }"#,
            vec![
                "$.schema_version: must be 1".to_owned(),
                "$.accounts: no such member here; there are schema_version, ecsim, namespaces".to_owned(),
                "$.namespaces: \"\" is no namespace".to_owned(),
                "$.namespaces: \"a b\" is no namespace".to_owned(),
            ],
        ),
        (
            r#"{ "schema_version": 1, "namespaces": {
                "gw0": { "accounts": [{ "users": [{ "name": "kept" }] }] }, "default": {}, "gw\u0030": {}
            } }"#,
            vec!["$.namespaces: \"gw0\" is there twice".to_owned()],
        ),
        (
            r#"{ "schema_version": 1, "namespaces": { "gw0": {} }, "namespaces": {} }"#,
            vec!["$: \"namespaces\" is there twice".to_owned()],
        ),
        (r#"{ "schema_version": 1, "namespaces": [] }"#, vec!["$.namespaces: must be an object".to_owned()]),
        (
            r#"{ "schema_version": 1, "namespaces": {
                "gw1": { "schema_version": 2, "ecsim": "9.9.9" }, "gw0": 1, "default": {}, "gw2": { "clock": 1e999 },
                "gw3": { "clock": { "mode": 1 }, "accounts": [{ "instances": [{ "id": "i-1", "role": "none" }] }] }
            } }"#,
            vec![
                "$.namespaces.gw0: must be an object".to_owned(),
                "$.namespaces.gw1.schema_version: made by a newer ecsim, 9.9.9: this one reads 1, and not 2".to_owned(),
                "$.namespaces.gw2: line 1 column 16: not JSON: number out of range at line 1 column 16".to_owned(),
                "$.namespaces.gw3.clock.mode: must be a string".to_owned(),
                "$.namespaces.gw3.accounts[0].instances[0].role: account 1000000000000001 has no role none".to_owned(),
            ],
        ),
    ] {
        let state = folder.file("state.json", text);
        let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{state}: {mistake}")).collect();
        let error = format!("the state file cannot be used\n{}", lines.join("\n"));
        refused(&run([FREE, "--state-file", &state]), 4, &error, MOVE_IT);
        assert_eq!(fs::read_to_string(&state).expect("a file"), text);
    }
}

#[test]
fn a_save_that_fails_is_logged_while_it_runs_and_status_1_at_the_stop() {
    let folder = Folder::new("state-fails");
    let (state, here, gone) = (folder.path("here/state.json"), folder.path("here"), folder.path("gone"));
    fs::create_dir(&here).expect("a folder");
    let mut server = Running::start([FREE, "--state-file", &state, "--state-interval", "20ms"]);
    fs::rename(&here, &gone).expect("renames");
    let why = format!("cannot save the state to {state}: No such file or directory (os error 2)");
    let line = server.line_with("cannot save");
    assert!(line.contains(" ERROR ") && line.ends_with(&why), "{line}");
    assert!(server.get("/_ecsim/health").contains("ok"), "it lives");
    server.kill("-TERM");
    let (status, _, err) = server.wait();
    assert_eq!((status, err.lines().last()), (Some(1), Some(&*format!("error: {why}"))));
    // In between, the folder may come.
    fs::create_dir(&here).expect("a folder");
    let mut command = ecsim([FREE, "--state-file", &state]);
    command.env("ECSIM_STATE_INTERVAL", "20ms");
    let mut server = Running::spawn(command);
    fs::rename(&here, folder.path("gone too")).expect("renames");
    server.line_with("cannot save");
    fs::create_dir(&here).expect("a folder");
    let saved = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        Path::new(&state).exists()
    });
    assert!(saved, "not saved within 5 s");
}

#[test]
fn a_state_that_cannot_be_saved_is_status_4_at_the_start() {
    let folder = Folder::new("state-no-folder");
    let (file, link) = (folder.file("file", ""), folder.path("link.json"));
    symlink("none/state.json", &link).expect("a link");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let none = "No such file or directory (os error 2)";
    for (state, why) in [
        (folder.path("none/state.json"), none),
        (link, none),
        // Whoever reads it at the next start would not find it either.
        (folder.path("none/../state.json"), none),
        (format!("{file}/state.json"), "Not a directory (os error 20)"),
        (folder.path("."), "what is there is no file"),
        (pipe.clone(), "what is there is no file"),
        // Nobody can write there, not even root.
        ("/proc/self/state.json".to_owned(), none),
    ] {
        let error = format!("cannot save the state to {state}: {why}");
        let hint = "the folder of --state-file has to be there, and ecsim able to write in it";
        refused(&run([FREE, "--state-file", &state]), 4, &error, hint);
    }
    // Where it can be, nothing is there before the first save, and what was left over is gone.
    let state = folder.path("state.json");
    folder.file(".state.json.1-0.tmp", "half");
    let _server = Running::start([FREE, "--state-file", &state]);
    let mut names: Vec<_> =
        fs::read_dir(&folder.0).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["file", "link.json", "pipe"]);
}

#[test]
fn an_interval_needs_a_file_and_is_a_time() {
    let error = "--state-interval needs --state-file";
    refused(&run([FREE, "--state-interval", "1s"]), 2, error, "name the file to save the state to");
    let folder = Folder::new("state-config");
    let config = folder.file("ecsim.toml", "state-interval = \"1s\"\n");
    refused(&run([FREE, "--config", &config]), 2, error, "name the file to save the state to");
    let mut command = ecsim([FREE, "--state-file", &folder.path("state.json")]);
    command.env("ECSIM_STATE_INTERVAL", "0s");
    let (status, _, err) = end(command);
    assert_eq!(status, Some(2));
    assert!(err.contains("a time limit is more than zero and at most 24h"), "{err}");
}

#[test]
fn no_snapshot_can_be_saved_over_the_state() {
    let folder = Folder::new("state-snapshots");
    let (state, other, own) = (folder.path("state.json"), folder.path("state"), folder.path("snapshots"));
    let here = folder.0.display().to_string();
    let error = "--state-file names a file that would be a snapshot of --snapshot-dir";
    for dir in [&here, &format!("{here}/../{}", folder.0.file_name().expect("a name").display())] {
        let refusal = run([FREE, "--state-file", &state, "--snapshot-dir", dir]);
        refused(&refusal, 2, error, "give the snapshots a folder of their own");
    }
    // A folder that is not there yet, in several spellings.
    fs::create_dir(folder.0.join("x")).expect("a folder");
    symlink(".", folder.0.join("link")).expect("a link");
    for dir in ["./snaps", "x/../snaps", "link/snaps"] {
        let mut command = ecsim([FREE, "--state-file", &format!("{dir}/state.json"), "--snapshot-dir", "snaps"]);
        command.current_dir(&folder.0);
        refused(&end(command), 2, error, "give the snapshots a folder of their own");
    }
    for (state, dir) in [(&other, &here), (&state, &own)] {
        Running::start([FREE, "--state-file", state, "--snapshot-dir", dir]);
    }
}
