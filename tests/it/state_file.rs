//! The state file of the binary: kept from one run to the next, whole whenever a process is killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use ecsim::world::{AccountId, Ids, World, parse_utc, seed};
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

/// A signed call; its status, or `None` if the server is gone.
fn call(address: &str, version: &str, action: &str, more: &[(&str, &str)]) -> Option<String> {
    let nonce = nonce();
    let common = [
        ("Action", action),
        ("Version", version),
        ("Format", "JSON"),
        ("AccessKeyId", "test"),
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
fn step(address: &str, number: u32) -> Option<()> {
    let rotate = ("RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded");
    let version = [("PolicyName", "counter"), ("PolicyDocument", DOCUMENT), ("SetAsDefault", "true"), rotate];
    assert_eq!(call(address, "2015-05-01", "CreatePolicyVersion", &version)?, "200");
    attach(address, number)
}

/// Has both instances follow the policy.
fn attach(address: &str, number: u32) -> Option<()> {
    let policy = format!(r#"{{"n":{number}}}"#);
    let attach = [
        ("RegionId", "cn-hangzhou"),
        ("InstanceIds", r#"["i-1","i-2"]"#),
        ("RamRoleName", "web"),
        ("Policy", &*policy),
    ];
    assert_eq!(call(address, "2014-05-26", "AttachInstanceRamRole", &attach)?, "200");
    Some(())
}

fn world(path: impl AsRef<Path>) -> World {
    let text = fs::read_to_string(&path).expect("a file");
    let now = parse_utc(NOW).expect("a time");
    seed::build(&[("state".to_owned(), text.clone())], &Ids::seeded(1), now)
        .unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}"))
}

/// How far a file has counted, which has to be a state that the world was in.
fn counted(path: impl AsRef<Path>) -> u32 {
    let world = world(path);
    let version = world.custom_policy(AccountId::DEFAULT, "counter").expect("a policy").newest().id.to_string();
    let number = version.trim_start_matches('v').parse().expect("a number");
    let policy = |id: &str| {
        let policy = world.instance(id).and_then(|instance| instance.attachment()?.policy.clone()).expect("a policy");
        serde_json::from_str::<Value>(&policy).expect("JSON")["n"].as_u64().expect("a number")
    };
    assert_eq!(policy("i-1"), policy("i-2"), "they change together");
    let behind = u64::from(number) - policy("i-1");
    assert!(behind <= 1, "the instances change after the policy, and before it does again");
    number
}

fn flags<'f>(state: &'f str, seed: &'f str) -> [&'f str; 7] {
    [FREE, "--auth=lenient", "--state-file", state, "--seed", seed, "--quiet"]
}

#[test]
fn whenever_it_is_killed_the_file_is_a_whole_state_that_was_and_the_next_start_goes_on_from_it() {
    let folder = Folder::new("state-kill");
    let (state, seed) = (folder.path("state.json"), folder.file("seed.json", seed().to_string()));
    let (mut saved, mut grown, mut cut, mut is_there) = (1, 0, 0, false);
    for round in 0..200_u32 {
        let mut command = ecsim(flags(&state, &seed));
        command.args(["--state-interval", "1ms"]);
        let mut server = Running::spawn(command);
        let address = server.address.clone();
        let from = saved;
        let caller = std::thread::spawn(move || {
            let mut number = from;
            // The last process may have ended between the two.
            attach(&address, number);
            while step(&address, number + 1).is_some() {
                number += 1;
            }
            number
        });
        // At no time in particular.
        std::thread::sleep(Duration::from_micros(u64::from(round * 7919 % 20_011)));
        server.child.kill().expect("kills");
        server.child.wait().expect("it ends");
        let sent = caller.join().expect("every answer is a success");
        cut += u32::from(fs::read_dir(&folder.0).expect("a folder").count() > 2);
        is_there |= Path::new(&state).exists();
        if is_there {
            let now = counted(&state);
            assert!((saved..=sent + 1).contains(&now), "round {round}: {saved}, then {now} of {sent}");
            grown += u32::from(now > saved);
            saved = now;
        }
    }
    assert!(grown > 10, "only {grown} of 200 rounds saved anything");
    assert!(cut > 0, "never killed while it wrote");
    // Then a run that ends well.
    let server = Running::start(flags(&state, &seed));
    assert!(step(&server.address, saved + 1).is_some());
    server.kill("-TERM");
    assert_eq!(server.wait(), (Some(0), String::new(), String::new()));
    assert_eq!(counted(&state), saved + 1);
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
    assert_eq!(counted(&state), 1);
    assert_eq!(fs::metadata(&state).expect("a file").permissions().mode() & 0o777, 0o600);
    // Even a seed that cannot be read is not read.
    let bad = folder.file("seed.json", "{");
    let mut server = Running::start(flags(&state, &bad));
    assert!(step(&server.address, 2).is_some());
    // Nor is it at a SIGHUP.
    server.kill("-HUP");
    assert!(step(&server.address, 3).is_some());
    server.kill("-TERM");
    let status = server.child.wait().expect("it ends");
    assert_eq!((status.code(), counted(&state)), (Some(0), 3));
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
}

#[test]
fn a_bad_state_file_is_status_4_and_stays_as_it_is() {
    let folder = Folder::new("state-bad");
    let hint = "move it away to start from the seeds";
    for (text, mistakes) in [
        ("", &["line 1 column 0: not JSON: EOF while parsing a value at line 1 column 0"][..]),
        (
            r#"{ "schema_version": 2, "ecsim": "9.9.9", "accounts": [{ "strange": 1 }] }"#,
            &["$.schema_version: made by a newer ecsim, 9.9.9: this one reads 1, and not 2"],
        ),
        (
            r#"{ "schema_version": 1, "clock": { "mode": 1 }, "accounts": [{ "instances": [{ "id": "i-1", "role": "none" }] }] }"#,
            &[
                "$.clock.mode: must be a string",
                "$.accounts[0].instances[0].role: account 1000000000000001 has no role none",
            ],
        ),
    ] {
        let state = folder.file("state.json", text);
        let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{state}: {mistake}")).collect();
        let error = format!("the state file cannot be used\n{}", lines.join("\n"));
        refused(&run([FREE, "--state-file", &state]), 4, &error, hint);
        assert_eq!(fs::read_to_string(&state).expect("a file"), text);
    }
    let error = format!(
        "the state file cannot be used\n{}: file: cannot be read: Is a directory (os error 21)",
        folder.0.display()
    );
    refused(&run([FREE, "--state-file", &folder.0.display().to_string()]), 4, &error, hint);
}

#[test]
fn a_save_that_fails_is_logged_while_it_runs_and_status_1_at_the_stop() {
    let folder = Folder::new("state-fails");
    let state = folder.path("gone/state.json");
    let mut server = Running::start([FREE, "--state-file", &state, "--state-interval", "20ms"]);
    let why = format!("cannot save the state to {state}: No such file or directory (os error 2)");
    let line = server.line_with("cannot save");
    assert!(line.contains(" ERROR ") && line.ends_with(&why), "{line}");
    assert!(server.get("/_ecsim/health").contains("ok"), "it lives");
    server.kill("-TERM");
    let (status, _, err) = server.wait();
    assert_eq!((status, err.lines().last()), (Some(1), Some(&*format!("error: {why}"))));
    // In between, the folder may come.
    let mut command = ecsim([FREE, "--state-file", &state]);
    command.env("ECSIM_STATE_INTERVAL", "20ms");
    let mut server = Running::spawn(command);
    server.line_with("cannot save");
    fs::create_dir(folder.0.join("gone")).expect("a folder");
    let saved = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        Path::new(&state).exists()
    });
    assert!(saved, "not saved within 5 s");
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
