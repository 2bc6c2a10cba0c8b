//! Named snapshots: saved in a folder, listed, shown, loaded and deleted by the control API.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ecsim::Emulator;
use ecsim::control::{Access, AdminMode, AdminToken};
use ecsim::world::SpaceLimits;
use serde_json::{Value, json};

use super::command_line::{FREE, Folder, Running};
use super::support::{self, Answer, Server, client};

const WEB: &str = "i-bp1ecsim0000000web01";

/// An emulator whose folder of snapshots is not there yet, and is below this one.
async fn start(folder: &Folder) -> Server {
    support::start_with(|builder| builder.snapshot_dir(Some(folder.0.join("kept")))).await
}

async fn ask(server: &Server, method: &str, path: &str) -> (u16, Value) {
    let request = client().request(method.parse().expect("a method"), format!("{}/_ecsim/{path}", server.url()));
    let answer = Answer::of(request).await;
    (answer.status, serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("JSON: {}", answer.text)))
}

async fn done(server: &Server, method: &str, path: &str) -> Value {
    let (status, answer) = ask(server, method, path).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

/// Status, code and message of a refusal, which has to have a hint.
async fn refused(server: &Server, method: &str, path: &str) -> (u16, String, String) {
    let (status, answer) = ask(server, method, path).await;
    let text = |name: &str| answer["error"][name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    assert!(!text("hint").is_empty());
    (status, text("code"), text("message"))
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

async fn text(server: &Server, path: &str) -> String {
    Answer::of(client().get(format!("{}/_ecsim/{path}", server.url()))).await.text
}

async fn detach(server: &Server, key: &str) {
    let call = server.call("DetachInstanceRamRole").key(key, "test").param("RegionId", "cn-hangzhou");
    assert_eq!(call.param("InstanceIds", json!([WEB]).to_string()).send().await.status, 200);
}

async fn names(server: &Server) -> Vec<String> {
    let list = done(server, "GET", "snapshots").await;
    let list = list["snapshots"].as_array().expect("a list").clone();
    list.iter().map(|snapshot| snapshot["name"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_world_is_saved_under_a_name_and_loaded_into_any_namespace() {
    let folder = Folder::new("snapshots");
    let server = start(&folder).await;
    assert_eq!(done(&server, "GET", "snapshots").await, json!({ "schema": 1, "snapshots": [] }));
    assert!(!folder.0.join("kept").exists(), "a look makes no folder");

    let before = text(&server, "snapshot").await;
    let saved = done(&server, "POST", "snapshots/before/save").await;
    let expected =
        json!({ "schema": 1, "name": "before", "bytes": before.len(), "namespace": "default", "generation": 1 });
    assert_eq!(saved, expected);
    let file = folder.0.join("kept/before.json");
    assert_eq!(fs::read_to_string(&file).expect("a file"), before);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&folder.0.join("kept"))), (0o600, 0o700));
    assert_eq!(text(&server, "snapshots/before").await, before);

    detach(&server, "test").await;
    let after = text(&server, "snapshot").await;
    let loaded = done(&server, "POST", "snapshots/before/load").await;
    let world = |namespace: &str, generation: u64| json!({ "schema": 1, "namespace": namespace, "generation": generation, "instances": 7, "now": support::NOW });
    assert_eq!(loaded, world("default", 2));
    assert_eq!(server.role_of(WEB).as_deref(), Some("web-role"));
    // The namespace is in the query or the header, and the world of one is loaded into another.
    detach(&server, "test@gw0").await;
    let by_header = client().post(format!("{}/_ecsim/snapshots/a.1/save", server.url()));
    let by_header = Answer::of(by_header.header("x-ecsim-namespace", "gw0")).await;
    assert!(by_header.text.contains(r#""namespace":"gw0""#), "{}", by_header.text);
    assert_eq!(done(&server, "POST", "snapshots/a.1/load?namespace=gw1").await, world("gw1", 4));
    assert_eq!(text(&server, "snapshot?namespace=gw1").await, text(&server, "snapshot?namespace=gw0").await);
    assert_ne!(text(&server, "snapshot?namespace=gw1").await, before);
    assert_eq!(server.role_of(WEB).as_deref(), Some("web-role"), "default stays");

    // What has the name already is replaced.
    detach(&server, "test").await;
    done(&server, "POST", "snapshots/before/save").await;
    let without_use = |text: &str| text.lines().filter(|line| !line.contains("last_used")).collect::<String>();
    assert_eq!(without_use(&text(&server, "snapshots/before").await), without_use(&after));
    let list = done(&server, "GET", "snapshots").await;
    let [first, second] = &list["snapshots"].as_array().expect("a list")[..] else { panic!("{list}") };
    assert_eq!((&first["name"], &second["name"]), (&json!("a.1"), &json!("before")));
    assert_eq!(second["bytes"], json!(fs::metadata(&file).expect("a file").len()));
    let at = second["saved"].as_str().and_then(ecsim::world::parse_utc).expect("a time");
    let modified = jiff::Timestamp::try_from(fs::metadata(&file).expect("a file").modified().expect("a time"));
    assert_eq!(at.as_second(), modified.expect("a time").as_second());

    let mut deleted = second.clone();
    deleted["schema"] = json!(1);
    assert_eq!(done(&server, "DELETE", "snapshots/before").await, deleted);
    assert_eq!(names(&server).await, ["a.1"]);
    assert!(!file.exists());
}

#[test]
fn whenever_it_is_killed_snapshots_are_whole_and_what_it_was_writing_is_gone_after_the_next_start() {
    let folder = Folder::new("snapshot-kill");
    let kept = folder.path("kept");
    let files = || {
        let entries = fs::read_dir(&kept).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let (mut cut, mut whole) = (0, 0);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let reader = runtime.block_on(Emulator::builder().without_listeners().start()).expect("it starts");
    let start = || Running::start([FREE, "--snapshot-dir", &kept]);
    // On a machine that is busy, a round may end before anything was saved.
    for round in 0..400_u32 {
        if round >= 30 && cut > 0 && whole > 0 {
            break;
        }
        let mut server = start();
        assert!(files().iter().all(|file| !file.starts_with('.')), "{:?}", files());
        let address = server.address.clone();
        let caller = std::thread::spawn(move || {
            for name in ["a", "b"].into_iter().cycle() {
                let Ok(mut stream) = TcpStream::connect(&address) else { return };
                let head = format!(
                    "POST /_ecsim/snapshots/{name}/save HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
                );
                let mut answer = String::new();
                let asked = stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
                if asked.is_err() || answer.is_empty() {
                    return;
                }
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
        });
        // At no time in particular.
        std::thread::sleep(Duration::from_micros(u64::from(round * 7919 % 40_009)));
        server.child.kill().expect("kills");
        server.child.wait().expect("it ends");
        caller.join().expect("every answer is a success");
        for file in files() {
            if file.starts_with('.') {
                cut += 1;
            } else {
                let text = fs::read_to_string(folder.0.join("kept").join(&file)).expect("a text");
                reader.put(&file, &text).expect("it is whole");
                assert_eq!(reader.world(|world| world.instance(WEB).is_some()), Ok(true));
                whole += 1;
            }
        }
    }
    assert!(cut > 0 && whole > 0, "{cut} files were cut off, and {whole} were whole");
    drop(start());
    let left = files();
    assert!(!left.is_empty() && left.iter().all(|file| !file.starts_with('.')), "{left:?}");
}

#[tokio::test]
async fn a_name_leads_out_of_no_folder() {
    let folder = Folder::new("snapshot-names");
    let server = start(&folder).await;
    done(&server, "POST", "snapshots/a/save").await;
    folder.file("secret.json", "{}");
    let long = "x".repeat(65);
    for name in [
        "..",
        "%2e%2e",
        ".",
        "..%2Fsecret",
        "%2e%2e%2fsecret",
        "..%5Csecret",
        "a%2F..%2Fa",
        "%2Fetc%2Fpasswd",
        ".a",
        "a%00",
    ]
    .into_iter()
    .chain(["a%20b", "a%0A", "%C3%A4", "a%252e", "%", &long])
    {
        for (method, rest) in
            [("GET", ""), ("DELETE", ""), ("POST", "/save?namespace=gw0"), ("POST", "/load?namespace=gw0")]
        {
            let target = format!("/_ecsim/snapshots/{name}{rest}");
            let head = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            let answer = server.raw(head).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
            assert!(answer.contains(r#""code":"InvalidSnapshotName""#), "{target}: {answer}");
        }
    }
    assert_eq!(refused(&server, "POST", "snapshots//save").await.1, "InvalidSnapshotName");
    assert_eq!(refused(&server, "GET", "snapshots/%FF").await.1, "InvalidPath");
    for (method, path) in [("POST", "snapshots/a/b/save"), ("GET", "snapshots/")] {
        assert_eq!(refused(&server, method, path).await.0, 404, "{path}");
    }
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 2, "the folder and what is beside it");
    assert_eq!(names(&server).await, ["a"]);
    let namespaces = done(&server, "GET", "namespaces").await;
    assert_eq!(namespaces["namespaces"].as_array().map(Vec::len), Some(1), "no namespace was made");
}

#[tokio::test]
async fn what_is_not_there_is_404_and_without_a_folder_the_flag_is_named() {
    let folder = Folder::new("snapshot-none");
    let unknown = refusal(404, "NoSnapshot", "there is no snapshot none");
    let server = start(&folder).await;
    let each = [("GET", "snapshots/none"), ("DELETE", "snapshots/none"), ("POST", "snapshots/none/load?namespace=gw0")];
    for (method, path) in each {
        assert_eq!(refused(&server, method, path).await, unknown, "the folder is not there");
    }
    done(&server, "POST", "snapshots/other/save").await;
    let before = server.world(|world| format!("{world:?}"));
    for (method, path) in each {
        assert_eq!(refused(&server, method, path).await, unknown);
    }
    assert_eq!(server.world(|world| format!("{world:?}")), before);

    let server = support::start().await;
    for (method, path) in each.into_iter().chain([
        ("GET", "snapshots"),
        ("POST", "snapshots/none/save?namespace=gw0"),
        ("GET", "snapshots/.none"),
    ]) {
        let (status, answer) = ask(&server, method, path).await;
        let error = json!({
            "code": "NoSnapshotDir", "message": "there is no folder for named snapshots",
            "hint": "start ecsim with --snapshot-dir DIR; GET and PUT /_ecsim/snapshot need no folder",
        });
        assert_eq!((status, answer), (409, json!({ "error": error })), "{method} {path}");
    }
    let namespaces = done(&server, "GET", "namespaces").await;
    assert_eq!(namespaces["namespaces"].as_array().map(Vec::len), Some(1), "no namespace was made");
}

#[tokio::test]
async fn a_query_that_is_wrong_is_refused_before_anything_is_done() {
    let folder = Folder::new("snapshot-query");
    let server = start(&folder).await;
    let limits = SpaceLimits { most: 1, ..SpaceLimits::default() };
    for (method, path) in [
        ("GET", "snapshots?namespace=gw0"),
        ("GET", "snapshots/a?namespace=gw0"),
        ("DELETE", "snapshots/a?namespace=gw0"),
        ("POST", "snapshots/a/save?mode=replace"),
        ("POST", "snapshots/a/load?name=a"),
    ] {
        assert_eq!(refused(&server, method, path).await.1, "InvalidQuery", "{path}");
    }
    for path in ["snapshots/a/save?namespace=a/b", "snapshots/a/load?namespace="] {
        assert_eq!(refused(&server, "POST", path).await.1, "InvalidNamespace", "{path}");
    }
    assert!(!folder.0.join("kept").exists());
    let dir = Some(folder.0.join("kept"));
    let server = support::start_with(|builder| builder.space_limits(limits).snapshot_dir(dir)).await;
    done(&server, "POST", "snapshots/a/save?namespace=gw0").await;
    for path in ["snapshots/b/save?namespace=gw1", "snapshots/a/load?namespace=gw1"] {
        assert_eq!(refused(&server, "POST", path).await.1, "TooManyNamespaces", "{path}");
    }
    assert_eq!(names(&server).await, ["a"]);
    done(&server, "POST", "snapshots/a/load?namespace=gw0").await;
}

#[tokio::test]
async fn of_two_that_want_the_last_place_the_one_that_is_refused_has_saved_nothing() {
    let limits = SpaceLimits { most: 1, ..SpaceLimits::default() };
    for round in 0..16 {
        let folder = Folder::new(&format!("snapshot-last-place-{round}"));
        let dir = Some(folder.0.join("kept"));
        let server = support::start_with(|builder| builder.space_limits(limits).snapshot_dir(dir)).await;
        let save = async |name: &str| {
            let (status, answer) = ask(&server, "POST", &format!("snapshots/{name}/save?namespace={name}")).await;
            assert!(status == 200 || answer["error"]["code"] == "TooManyNamespaces", "{answer}");
            (status == 200).then(|| name.to_owned())
        };
        let saved = tokio::join!(save("a"), save("b"));
        assert_eq!(names(&server).await, [saved.0, saved.1].into_iter().flatten().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_file_that_is_broken_or_newer_changes_nothing_and_tells_every_mistake() {
    let folder = Folder::new("snapshot-broken");
    let server = start(&folder).await;
    done(&server, "POST", "snapshots/good/save").await;
    let state = || server.world(|world| format!("{world:?}"));
    let before = state();
    for (text, mistakes) in [
        (&b""[..], json!([["line 1 column 0", "not JSON: EOF while parsing a value at line 1 column 0"]])),
        (b"{\"accounts\":[\xFF]}", json!([["file", "is no text: invalid utf-8 sequence of 1 bytes from index 13"]])),
        (
            br#"{"schema_version":2,"ecsim":"9.9.9","strange":1}"#,
            json!([["$.schema_version", "made by a newer ecsim, 9.9.9: this one reads 1, and not 2"]]),
        ),
        (
            br#"{"schema_version":1,"clock":{"mode":1},"accounts":[{"keys":[{"id":"k"}]}]}"#,
            json!([["$.clock.mode", "must be a string"], ["$.accounts[0].keys[0]", "needs secret"]]),
        ),
    ] {
        let file = folder.0.join("kept/bad.json");
        fs::write(&file, text).expect("writes");
        let (status, answer) = ask(&server, "POST", "snapshots/bad/load").await;
        let path = file.display().to_string();
        let expected = mistakes
            .as_array()
            .expect("a list")
            .iter()
            .map(|mistake| json!({ "file": path, "place": mistake[0], "reason": mistake[1] }));
        let expected: Vec<_> = expected.collect();
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("InvalidSeed")), "{answer}");
        assert_eq!(answer["error"]["mistakes"], json!(expected));
        assert_eq!(state(), before);
        assert_eq!(fs::read(&file).expect("reads"), text, "it is shown and deleted like any other");
    }
    let shown = Answer::of(client().get(format!("{}/_ecsim/snapshots/bad", server.url()))).await;
    assert_eq!((shown.status, shown.header("content-type")), (200, "application/json"));
    assert_eq!(names(&server).await, ["bad", "good"]);
    done(&server, "DELETE", "snapshots/bad").await;
    // A seed without version is a snapshot too.
    fs::write(folder.0.join("kept/seed.json"), r#"{"accounts":[{"instances":[{"id":"i-1"}]}]}"#).expect("writes");
    assert_eq!(done(&server, "POST", "snapshots/seed/load").await["instances"], 1);
}

#[tokio::test]
async fn whatever_else_is_in_the_folder_is_left_alone() {
    let folder = Folder::new("snapshot-others");
    let server = start(&folder).await;
    done(&server, "POST", "snapshots/a/save").await;
    let kept = folder.0.join("kept");
    for name in ["notes.txt", ".hidden.json", ".a.json.1-0.tmp2", ".a.json.own.tmp", "a b.json", "\u{e4}.json", ".json"]
    {
        fs::write(kept.join(name), "mine").expect("writes");
    }
    fs::create_dir(kept.join("folder.json")).expect("a folder");
    let pipe = std::process::Command::new("mkfifo").arg(kept.join("pipe.json")).status().expect("mkfifo runs");
    assert!(pipe.success());
    let count = || fs::read_dir(&kept).expect("a folder").count();
    assert_eq!((names(&server).await, count()), (vec!["a".to_owned()], 10));
    for name in ["folder", "pipe"] {
        let unknown = refusal(404, "NoSnapshot", &format!("there is no snapshot {name}"));
        for (method, rest) in [("GET", ""), ("DELETE", ""), ("POST", "/load")] {
            assert_eq!(refused(&server, method, &format!("snapshots/{name}{rest}")).await, unknown);
        }
        let why = format!("cannot write {}: what is there is no file", kept.join(format!("{name}.json")).display());
        let failed = refusal(500, "SnapshotDirFailed", &why);
        assert_eq!(refused(&server, "POST", &format!("snapshots/{name}/save")).await, failed);
    }
    done(&server, "POST", "snapshots/a/save").await;
    done(&server, "DELETE", "snapshots/a").await;
    assert_eq!((names(&server).await, count()), (Vec::new(), 9));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_said_to_be_so_and_the_emulator_lives() {
    let folder = Folder::new("snapshot-folder");
    let file = folder.file("file", "");
    let within_none = folder.path("none/kept");
    for (dir, save, list) in [
        (
            &*file,
            format!("cannot write {file}/a.json: Not a directory (os error 20)"),
            Some("Not a directory (os error 20)"),
        ),
        // Nobody can write there, not even root.
        ("/proc/self", "cannot write /proc/self/a.json: No such file or directory (os error 2)".to_owned(), None),
        (&within_none, format!("cannot write {within_none}: No such file or directory (os error 2)"), None),
    ] {
        let server = support::start_with(|builder| builder.snapshot_dir(Some(dir.into()))).await;
        assert_eq!(refused(&server, "POST", "snapshots/a/save").await, refusal(500, "SnapshotDirFailed", &save));
        match list {
            Some(why) => {
                let message = format!("cannot read {dir}: {why}");
                assert_eq!(refused(&server, "GET", "snapshots").await, refusal(500, "SnapshotDirFailed", &message));
            }
            None => assert_eq!(names(&server).await, Vec::<String>::new()),
        }
        assert_eq!(ask(&server, "GET", "health").await.0, 200);
    }
    assert!(!folder.0.join("none").exists(), "only the folder itself is made");
}

#[tokio::test]
async fn who_may_use_them_is_who_may_use_the_control_api() {
    let folder = Folder::new("snapshot-access");
    for (mode, headers, code) in [
        (AdminMode::Off, "Host: localhost\r\nAuthorization: Bearer t\r\n", "AdminOff"),
        (AdminMode::Loopback, "Host: rebound.example.com\r\nAuthorization: Bearer t\r\n", "HostRefused"),
        (AdminMode::On, "Host: e\r\n", "TokenRefused"),
        (AdminMode::On, "Host: e\r\nAuthorization: Bearer t\r\nOrigin: http://example.com\r\n", "OriginRefused"),
    ] {
        let token = Some(AdminToken::new("t").expect("a token"));
        let access = Access { mode, token, origins: Vec::new() };
        let dir = Some(folder.0.join("kept"));
        let server = support::start_with(|builder| builder.access(access).snapshot_dir(dir)).await;
        for (method, path) in [("GET", ""), ("GET", "/a"), ("DELETE", "/a"), ("POST", "/a/save"), ("POST", "/a/load")] {
            let head = format!("{method} /_ecsim/snapshots{path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
            let answer = server.raw(head).await;
            assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{method} {path}: {answer}");
        }
    }
    assert!(!folder.0.join("kept").exists());
}

#[tokio::test]
async fn who_tries_another_method_is_told_what_there_is_below() {
    let folder = Folder::new("snapshot-methods");
    let server = start(&folder).await;
    for (method, path, hint) in [
        (
            "PUT",
            "snapshots/a",
            "use GET or DELETE, or a path below it: /_ecsim/snapshots/{name}/load, /_ecsim/snapshots/{name}/save",
        ),
        ("GET", "snapshots/a/save", "use POST"),
        ("PUT", "snapshot", "nothing was changed; fixtures/seed/seed.schema.json in the sources describes the form"),
        (
            "POST",
            "snapshots",
            "use GET, or a path below it: /_ecsim/snapshots/{name}, /_ecsim/snapshots/{name}/load, /_ecsim/snapshots/{name}/save",
        ),
    ] {
        assert_eq!(ask(&server, method, path).await.1["error"]["hint"], hint, "{method} {path}");
    }
}
