//! The init folder with the real binary: its seeds, and the scripts that run before it is ready and before it stops.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::command_line::{Ended, FREE, Folder, Running, ecsim, end, refused, run};
use super::support::{Answer, client};

/// A folder with an init folder in it, `{here}` in whose scripts is the former and `{ecsim}` the binary.
fn init(name: &str, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(name);
    for (name, text) in files {
        let path = folder.0.join("init").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let here = folder.0.display().to_string();
        fs::write(path, text.replace("{here}", &here).replace("{ecsim}", env!("CARGO_BIN_EXE_ecsim"))).expect("writes");
    }
    folder
}

/// A server that may not be ready yet, killed when dropped. Its stdout is the file `out`.
struct Begun {
    child: Child,
    out: String,
}

impl Begun {
    fn new(folder: &Folder, args: &[&str]) -> Self {
        let mut command = ecsim(args);
        command.arg("--init-dir").arg(folder.path("init"));
        let out = folder.file("out", "");
        command.stdout(fs::File::create(&out).expect("a file")).stderr(Stdio::piped());
        Self { child: command.spawn().expect("it runs"), out }
    }

    fn printed(&self) -> String {
        fs::read_to_string(&self.out).expect("stdout")
    }

    fn kill(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn ended(mut self) -> Ended {
        let mut err = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut err).expect("stderr");
        (self.child.wait().expect("it ends").code(), self.printed(), err)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let before = Instant::now();
    while !is_there() {
        assert!(before.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a hook has written to a file, once it has written a line.
fn written(path: &str) -> String {
    let read = || fs::read_to_string(path).unwrap_or_default();
    wait_for(path, || read().ends_with('\n'));
    read().trim_end().to_owned()
}

fn get(address: &str, path: &str) -> (u16, Value) {
    let url = format!("http://{address}{path}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answer = Answer::of(client().get(url)).await;
        (answer.status, serde_json::from_str(&answer.text).expect("JSON"))
    })
}

/// Whether a process is there and not only waits for its parent to look.
fn lives(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Kind, state and error of each file.
fn states(listing: &Value) -> Vec<(String, String, String, Value)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let files = listing["files"].as_array().expect("a list");
    let row = |file: &Value| (text(&file["file"]), text(&file["kind"]), text(&file["state"]), file["error"].clone());
    files.iter().map(row).collect()
}

fn row(file: &str, kind: &str, state: &str) -> (String, String, String, Value) {
    (file.to_owned(), kind.to_owned(), state.to_owned(), Value::Null)
}

/// Waits until the test says so, or is gone.
const GATE: &str =
    "echo \"$ECSIM_ENDPOINT\" > {here}/at\nuntil test -e {here}/go || ! test -d {here}; do sleep 0.02; done\n";

#[test]
fn hooks_run_by_name_know_the_emulator_and_print_to_stderr() {
    let folder = init(
        "hooks-order",
        &[
            ("ready.d/9-last.sh", "echo last >> {here}/order\nenv > {here}/env"),
            ("ready.d/10-first.sh", "echo first >> {here}/order\necho from a hook; read line || echo no line"),
            ("ready.d/notes.txt", "echo notes >> {here}/order"),
            ("start.d/1.sh", "echo start >> {here}/order"),
        ],
    );
    let mut command = ecsim(["--listen=0.0.0.0:0", "--init-dir", &folder.path("init"), "--log-level=info"]);
    command.env("ECSIM_URL", "http://elsewhere").env("OF_THE_USER", "kept");
    let server = Running::spawn(command);
    assert_eq!(written(&folder.path("order")), "first\nlast");
    let env = written(&folder.path("env"));
    let port = server.address.rsplit_once(':').expect("a port").1;
    let url = format!("http://127.0.0.1:{port}");
    let printed = run(["env", "--url", &url]).1;
    let exported: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("export ")).collect();
    assert!(exported.contains(&"ALIBABA_CLOUD_ACCESS_KEY_ID=test"), "{exported:?}");
    let own = [format!("ECSIM_URL={url}"), format!("ECSIM_ENDPOINT=127.0.0.1:{port}"), "OF_THE_USER=kept".to_owned()];
    for line in exported.into_iter().chain(own.iter().map(String::as_str)) {
        assert!(env.lines().any(|set| set == line), "{line} in {env}");
    }
    server.kill("-TERM");
    let (status, out, err) = server.wait();
    assert_eq!((status, &*out), (Some(0), ""), "the ready lines were first");
    assert!(err.contains("from a hook\nno line\n"), "{err}");
    assert!(err.contains("a hook has run path="), "{err}");
}

#[test]
fn it_is_not_ready_and_prints_no_ready_line_while_hooks_run() {
    let files = [("ready.d/1.sh", GATE), ("ready.d/2.sh", "exit 0"), ("stop.d/3.sh", "exit 0")];
    let folder = init("hooks-ready", &files);
    let port_file = folder.path("port");
    let begun = Begun::new(&folder, &[FREE, "--port-file", &port_file]);
    let address = written(&folder.path("at"));
    assert!(!Path::new(&port_file).exists());
    for path in ["/_ecsim/ready", "/readyz"] {
        let (status, body) = get(&address, path);
        let starting = json!({ "schema": 1, "status": "starting", "reason": "the hook ready.d/1.sh runs" });
        assert_eq!((status, body), (503, starting));
    }
    assert_eq!(get(&address, "/_ecsim/health").0, 200);
    let (_, listing) = get(&address, "/_ecsim/init");
    assert_eq!((&listing["schema"], &listing["folder"]), (&json!(1), &json!(folder.path("init"))));
    let (second, third) = (row("ready.d/2.sh", "ready", "waiting"), row("stop.d/3.sh", "stop", "waiting"));
    assert_eq!(states(&listing), [row("ready.d/1.sh", "ready", "running"), second, third.clone()]);
    assert_eq!((&listing["files"][0]["ms"], &*begun.printed()), (&Value::Null, ""));

    folder.file("go", "");
    wait_for("ready", || get(&address, "/_ecsim/ready") == (200, json!({ "schema": 1, "status": "ready" })));
    wait_for("the port", || Path::new(&port_file).exists());
    assert_eq!(format!("127.0.0.1:{}", fs::read_to_string(port_file).expect("the port")), address);
    let (_, listing) = get(&address, "/_ecsim/init");
    let done = [row("ready.d/1.sh", "ready", "done"), row("ready.d/2.sh", "ready", "done"), third];
    assert_eq!(states(&listing), done);
    assert!(listing["files"][0]["ms"].is_u64() && listing["files"][2]["ms"].is_null(), "{listing}");
    let pid = begun.child.id();
    begun.kill("-TERM");
    assert_eq!(begun.ended(), (Some(0), format!("ecsim ready addr={address} pid={pid}\nReady.\n"), String::new()));
}

#[test]
fn a_hook_that_fails_is_the_end_of_the_start_with_status_4() {
    let hint = "--init-on-error warn starts all the same";
    for (script, end) in [
        ("echo why >&2; exit 7", "ended with exit status 7"),
        ("echo why >&2; kill -USR1 $$", "was killed by signal 10"),
        ("echo why >&2; sleep 60", "had not ended after 300ms and was killed"),
    ] {
        let files = [
            ("ready.d/1.sh", "touch {here}/1"),
            ("ready.d/2.sh", script),
            ("ready.d/3.sh", "touch {here}/3"),
            ("stop.d/4.sh", "touch {here}/4"),
        ];
        let folder = init("hooks-fail", &files);
        let (state, socket) = (folder.path("state.json"), folder.path("socket"));
        let args = [FREE, "--unix", &socket, "--init-timeout", "300ms", "--state-file", &state];
        let (status, out, err) = Begun::new(&folder, &args).ended();
        let line = format!("error: the hook {} {end}", folder.path("init/ready.d/2.sh"));
        assert_eq!((status, &*out, err), (Some(4), "", format!("why\n{line}\n\nhint: {hint}\n")));
        let there = ["1", "3", "4", "state.json", "socket"].map(|name| Path::new(&folder.path(name)).exists());
        assert_eq!(there, [true, false, false, false, false], "{script}");
    }
}

#[test]
fn failures_can_be_only_warned_of() {
    let files = [
        ("ready.d/1.sh", "exit 7"),
        ("ready.d/2.sh", "touch {here}/2"),
        ("stop.d/1.sh", "exit 1"),
        ("stop.d/2.sh", "touch {here}/stop"),
    ];
    let folder = init("hooks-warn", &files);
    let mut server = Running::start([FREE, "--init-dir", &folder.path("init"), "--init-on-error=warn"]);
    let line = server.line_with("WARN");
    assert!(
        line.ends_with(&format!("WARN the hook {} ended with exit status 7", folder.path("init/ready.d/1.sh"))),
        "{line}"
    );
    assert!(Path::new(&folder.path("2")).exists());
    let (_, listing) = get(&server.address, "/_ecsim/init");
    let mut failed = row("ready.d/1.sh", "ready", "failed");
    failed.3 = json!("ended with exit status 7");
    assert_eq!(states(&listing)[..2], [failed, row("ready.d/2.sh", "ready", "done")]);
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    assert!(Path::new(&folder.path("stop")).exists());
}

#[test]
fn a_hook_that_outlives_its_limit_is_killed_with_what_it_has_started() {
    let script = "sleep 60 & echo $! > {here}/child\necho $$ > {here}/self\nwait";
    let folder = init("hooks-limit", &[("ready.d/1.sh", script)]);
    let before = Instant::now();
    let (status, _, err) = Begun::new(&folder, &[FREE, "--init-timeout=500ms"]).ended();
    assert_eq!(status, Some(4), "{err}");
    assert!(before.elapsed() < Duration::from_secs(30), "{:?}", before.elapsed());
    for name in ["child", "self"] {
        let pid = written(&folder.path(name));
        wait_for("the end of a process", || !lives(&pid));
    }
}

#[test]
fn a_hook_that_fails_takes_along_what_it_has_started_and_one_that_succeeds_does_not() {
    let files = [
        ("ready.d/1.sh", "sleep 61 > /dev/null 2>&1 & echo $! > {here}/left"),
        ("ready.d/2.sh", "sleep 62 & echo $! > {here}/child\nexit 7"),
    ];
    let folder = init("hooks-children", &files);
    let before = Instant::now();
    assert_eq!(Begun::new(&folder, &[FREE]).ended().0, Some(4));
    assert!(before.elapsed() < Duration::from_secs(30), "a process holds stderr");
    let child = written(&folder.path("child"));
    wait_for("the end of a process", || !lives(&child));
    let left = written(&folder.path("left"));
    assert!(lives(&left));
    assert!(Command::new("kill").arg(left).status().expect("kill runs").success());
}

#[test]
fn a_signal_while_a_hook_runs_stops_at_once_and_saves_nothing() {
    let script = "sleep 60 & echo $! > {here}/child\nwait";
    let folder = init("hooks-signal", &[("ready.d/1.sh", script), ("stop.d/1.sh", "touch {here}/stop")]);
    let (socket, state) = (folder.path("socket"), folder.path("state.json"));
    for name in ["-TERM", "-INT"] {
        let _ = fs::remove_file(folder.path("child"));
        let begun = Begun::new(&folder, &[FREE, "--unix", &socket, "--state-file", &state, "--state-interval=10ms"]);
        let pid = written(&folder.path("child"));
        assert!(lives(&pid) && Path::new(&socket).exists());
        std::thread::sleep(Duration::from_millis(100));
        let before = Instant::now();
        begun.kill(name);
        assert_eq!(begun.ended(), (Some(0), String::new(), String::new()), "{name}");
        assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
        wait_for("the end of a process", || !lives(&pid));
        assert!(
            !Path::new(&socket).exists() && !Path::new(&state).exists() && !Path::new(&folder.path("stop")).exists()
        );
    }
}

#[test]
fn a_signal_while_a_hook_runs_leaves_the_state_that_was_kept_as_it_is() {
    let script = "{ecsim} seed {here}/init/more.json && echo $$ > {here}/pid\nsleep 60";
    let folder = init("hooks-kept", &[MORE, ("ready.d/1.sh", script), ("stop.d/1.sh", "touch {here}/stop")]);
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--state-file", &state]);
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    let kept = fs::read(&state).expect("the state");
    let begun = Begun::new(&folder, &[FREE, "--state-file", &state, "--state-interval=10ms"]);
    written(&folder.path("pid"));
    begun.kill("-TERM");
    let (status, _, err) = begun.ended();
    assert_eq!(status, Some(0), "{err}");
    assert!(fs::read(&state).expect("the state") == kept && !Path::new(&folder.path("stop")).exists());
}

const MORE: (&str, &str) = ("more.json", r#"{"accounts":[{"instances":[{"id":"i-more"}]}]}"#);

#[test]
fn a_stop_hook_can_call_and_what_it_does_is_saved() {
    let files = [MORE, ("stop.d/1.sh", GATE), ("stop.d/2.sh", "{ecsim} seed {here}/init/more.json")];
    let folder = init("hooks-stop", &files);
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--init-dir", &folder.path("init"), "--state-file", &state]);
    assert_eq!(get(&server.address, "/_ecsim/ready").0, 200);
    server.kill("-TERM");
    assert_eq!(written(&folder.path("at")), server.address);
    let (status, body) = get(&server.address, "/_ecsim/ready");
    assert_eq!((status, &body["status"]), (503, &json!("draining")));
    let (_, listing) = get(&server.address, "/_ecsim/init");
    assert_eq!(states(&listing), [row("stop.d/1.sh", "stop", "running"), row("stop.d/2.sh", "stop", "waiting")]);
    folder.file("go", "");
    let (status, _, err) = server.wait();
    assert_eq!(status, Some(0), "{err}");
    assert!(fs::read_to_string(state).expect("the state").contains("i-more"));
}

#[test]
fn the_state_is_saved_before_stop_hooks_too() {
    let folder = init("hooks-stop-slow", &[("stop.d/1.sh", GATE)]);
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--init-dir", &folder.path("init"), "--state-file", &state]);
    server.kill("-TERM");
    assert_eq!(written(&folder.path("at")), server.address);
    server.kill("-KILL");
    folder.file("go", ""); // The hook holds stderr.
    assert_eq!(server.wait().0, None);
    assert!(fs::read_to_string(state).expect("the state").contains("i-bp1ecsim0000000web01"));
}

#[test]
fn a_stop_hook_that_fails_is_status_1_and_the_others_run() {
    let folder = init("hooks-stop-fail", &[("stop.d/1.sh", "exit 3"), ("stop.d/2.sh", "touch {here}/2")]);
    let state = folder.path("state.json");
    let server = Running::start([FREE, "--init-dir", &folder.path("init"), "--state-file", &state]);
    server.kill("-TERM");
    let (status, _, err) = server.wait();
    let line = format!(" ERROR the hook {} ended with exit status 3\n", folder.path("init/stop.d/1.sh"));
    assert!(status == Some(1) && err.ends_with(&line) && err.lines().count() == 1, "{status:?} {err}");
    assert!(Path::new(&folder.path("2")).exists() && Path::new(&state).exists());
}

#[test]
fn a_second_signal_kills_a_stop_hook() {
    let folder = init("hooks-stop-twice", &[("stop.d/1.sh", "sleep 60 & echo $! > {here}/child\nwait")]);
    let socket = folder.path("socket");
    let server = Running::start([FREE, "--unix", &socket, "--init-dir", &folder.path("init")]);
    server.kill("-TERM");
    let pid = written(&folder.path("child"));
    let before = Instant::now();
    assert!(Path::new(&socket).exists());
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(143));
    assert!(!Path::new(&socket).exists());
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    wait_for("the end of a process", || !lives(&pid));
}

#[test]
fn hooks_know_the_token_of_a_flag_or_of_the_configuration_file() {
    let folder = init("hooks-token", &[MORE, ("ready.d/1.sh", "{ecsim} seed {here}/init/more.json")]);
    let config = folder.file("ecsim.toml", "admin-token = \"secret of the file\"\n");
    for flags in [["--admin-token", "secret of the flag"], ["--config", &config]] {
        drop(Running::start([FREE, "--init-dir", &folder.path("init"), flags[0], flags[1]]));
    }
}

#[test]
fn a_key_pair_that_is_set_is_left_to_hooks_as_it_is() {
    let folder = init("hooks-pair", &[("ready.d/1.sh", "env > {here}/env")]);
    let mut command = ecsim([FREE, "--init-dir", &folder.path("init")]);
    command.env("ALICLOUD_ACCESS_KEY", "own").env("ALICLOUD_SECRET_KEY", "secret");
    drop(Running::spawn(command));
    let env = written(&folder.path("env"));
    assert!(env.contains("ALICLOUD_ACCESS_KEY=own\n") && env.contains("ALICLOUD_SECRET_KEY=secret\n"), "{env}");
    assert!(env.contains("ALIBABA_CLOUD_ENDPOINT=") && !env.contains("ALIBABA_CLOUD_ACCESS_KEY"), "{env}");
}

#[test]
fn where_there_is_only_a_socket_hooks_find_the_emulator_by_it() {
    let files = [MORE, ("ready.d/1.sh", "{ecsim} seed {here}/init/more.json && env > {here}/env")];
    let folder = init("hooks-unix", &files);
    let socket = folder.path("socket");
    let mut command = ecsim(["--unix", &socket, "--init-dir", &folder.path("init")]);
    command.env("ECSIM_URL", "http://127.0.0.1:1");
    let server = Running::spawn(command);
    let env = written(&folder.path("env"));
    assert!(env.contains(&format!("ECSIM_UNIX={socket}\n")) && !env.contains("ECSIM_URL"), "{env}");
    drop(server);
}

#[test]
fn a_hangup_while_hooks_run_does_not_undo_what_they_do() {
    let seed = "{ecsim} seed {here}/init/more.json";
    let folder = init("hooks-hangup", &[MORE, ("ready.d/1.sh", seed), ("ready.d/2.sh", GATE)]);
    let begun = Begun::new(&folder, &[FREE]);
    let address = written(&folder.path("at"));
    begun.kill("-HUP");
    std::thread::sleep(Duration::from_millis(100));
    folder.file("go", "");
    wait_for("ready", || begun.printed().ends_with("Ready.\n"));
    std::thread::sleep(Duration::from_millis(100));
    assert!(get(&address, "/_ecsim/instances").1.to_string().contains("i-more"));
    begun.kill("-TERM");
    let (status, _, err) = begun.ended();
    let line = " WARN not reloaded: the hooks have not run yet\n";
    assert!(status == Some(0) && err.matches(line).count() == 1, "{status:?} {err}");
}

#[test]
fn seeds_of_the_folder_are_read_with_those_of_flags_and_read_again_at_a_hangup_without_its_hooks() {
    let seed = |id: &str| json!({ "accounts": [{ "instances": [{ "id": id }] }] }).to_string();
    let (a, b) = (seed("i-a"), seed("i-b"));
    let key = r#"{"accounts":[{"keys":[{"id":"test","secret":"test"}]}]}"#;
    let hook = "echo run >> {here}/runs\n{ecsim} seed {here}/init/more.json";
    let files = [MORE, ("ready.d/2.json", &*b), ("ready.d/1.json", &*a), ("ready.d/1.sh", hook), ("key.json", key)];
    let folder = init("hooks-seeds", &files);
    let args = [FREE, "--init-dir", &folder.path("init"), "--seed", &folder.path("init/key.json"), "--log-level=info"];
    let mut server = Running::start(args);
    let ids = |server: &Running| -> Vec<String> {
        let (_, listing) = get(&server.address, "/_ecsim/instances");
        let list = listing["instances"].as_array().expect("a list");
        list.iter().map(|instance| instance["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&server), ["i-a", "i-b", "i-more"]);
    let seeds = |server: &Running| states(&get(&server.address, "/_ecsim/init").1)[..2].to_vec();
    assert_eq!(seeds(&server), [row("ready.d/1.json", "seed", "done"), row("ready.d/2.json", "seed", "done")]);
    let (_, credentials) = get(&server.address, "/_ecsim/credentials");
    assert_eq!(credentials["credentials"].as_array().map(Vec::len), Some(1), "no default seed: {credentials}");

    fs::rename(folder.path("init/ready.d/2.json"), folder.path("init/ready.d/3.json")).expect("renames");
    folder.file("init/ready.d/1.json", seed("i-c"));
    server.kill("-HUP");
    server.line_with(" INFO reloaded");
    assert_eq!(ids(&server), ["i-b", "i-c"]);
    assert_eq!(seeds(&server), [row("ready.d/1.json", "seed", "done"), row("ready.d/3.json", "seed", "done")]);
    assert_eq!(written(&folder.path("runs")), "run");

    let bad = folder.file("init/ready.d/0.json", "{");
    server.kill("-HUP");
    let line = server.line_with("not reloaded");
    assert!(line.contains(&format!("{bad}: line 1 column 1: not JSON")), "{line}");
    assert_eq!(ids(&server), ["i-b", "i-c"]);
    let (status, out, err) = run([FREE, "--init-dir", &folder.path("init")]);
    assert_eq!((status, &*out), (Some(4), ""));
    assert!(err.starts_with(&format!("error: the seeds cannot be used\n{bad}: line 1")), "{err}");
}

#[test]
fn after_a_hangup_the_folder_is_that_of_the_seeds_and_hooks_are_those_of_the_start() {
    let key = r#"{"accounts":[{"keys":[{"id":"test","secret":"test"}]}]}"#;
    let folder =
        init("hooks-moved", &[("ready.d/1.json", key), ("stop.d/1.sh", "exit 0"), ("more/ready.d/2.json", key)]);
    let (old, new) = (folder.path("init"), folder.path("init/more"));
    let config = folder.file("ecsim.toml", format!("init-dir = {old:?}\nlog-level = \"info\"\n"));
    let mut server = Running::start([FREE, "--config", &config]);
    folder.file("ecsim.toml", format!("init-dir = {new:?}\nlog-level = \"info\"\n"));
    server.kill("-HUP");
    server.line_with(" INFO reloaded");
    let listing = get(&server.address, "/_ecsim/init").1;
    assert_eq!(listing["folder"], new);
    let hook = format!("{old}/stop.d/1.sh");
    assert_eq!(states(&listing), [row("ready.d/2.json", "seed", "done"), row(&hook, "stop", "waiting")]);
}

#[test]
fn with_a_state_a_hangup_reads_the_configuration_alone_and_not_the_folder() {
    let folder = init("hooks-state-hangup", &[("ready.d/1.json", r#"{"accounts":[{"instances":[{"id":"i-1"}]}]}"#)]);
    let config = folder.file("ecsim.toml", "ram = \"strict\"\nlog-level = \"info\"\n");
    let (state, dir) = (folder.path("state.json"), folder.path("init"));
    let mut server = Running::start([FREE, "--config", &config, "--init-dir", &dir, "--state-file", &state]);
    fs::remove_dir_all(&dir).expect("removes");
    folder.file("ecsim.toml", "ram = \"soft\"\nlog-level = \"info\"\n");
    server.kill("-HUP");
    let line = server.line_with("reloaded");
    assert!(line.ends_with(" INFO reloaded"), "{line}");
    assert_eq!(get(&server.address, "/_ecsim/config").1["settings"]["ram"]["value"], "soft");
    assert_eq!(get(&server.address, "/_ecsim/init").1["folder"], dir);
}

#[test]
fn a_script_that_cannot_be_read_is_a_hook_that_fails() {
    let folder = init("hooks-unreadable", &[("ready.d/1.sh", "exit 0")]);
    let script = folder.path("init/ready.d/2.sh");
    symlink("nowhere", &script).expect("a link");
    let error = format!("the hook {script} cannot be read: No such file or directory (os error 2)");
    refused(&Begun::new(&folder, &[FREE]).ended(), 4, &error, "--init-on-error warn starts all the same");
}

#[test]
fn what_is_no_regular_file_is_a_hook_that_fails() {
    for make in ["mkfifo", "mkdir"] {
        let folder = init("hooks-no-file", &[("ready.d/2.sh", "touch {here}/2")]);
        let script = folder.path("init/ready.d/1.sh");
        assert!(Command::new(make).arg(&script).status().expect("it runs").success());
        let mut begun = Begun::new(&folder, &[FREE]);
        wait_for("the end", || begun.child.try_wait().expect("a child").is_some());
        let error = format!("the hook {script} is no regular file");
        refused(&begun.ended(), 4, &error, "--init-on-error warn starts all the same");
        assert!(!Path::new(&folder.path("2")).exists());
    }
}

#[test]
fn what_is_no_init_folder_is_status_4() {
    let folder = init("hooks-none", &[("file", ""), ("empty/file", "")]);
    let hint = "--init-dir names a folder that has ready.d, stop.d or both";
    for (name, reason) in [
        ("init/none", "cannot be read: No such file or directory (os error 2)"),
        ("init/file", "is no folder"),
        ("init/empty", "holds neither ready.d nor stop.d"),
    ] {
        let error = format!("the init folder cannot be used\n{}: file: {reason}", folder.path(name));
        refused(&run([FREE, "--init-dir", &folder.path(name)]), 4, &error, hint);
        let mut command = ecsim([FREE]);
        command.env("ECSIM_INIT_DIR", folder.path(name));
        refused(&end(command), 4, &error, hint);
    }
    let server = Running::start([FREE]);
    let (status, listing) = get(&server.address, "/_ecsim/init");
    assert_eq!((status, listing), (200, json!({ "schema": 1, "folder": null, "files": [] })));
}
