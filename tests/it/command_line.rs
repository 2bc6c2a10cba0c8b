//! The binary as a user or a script meets it: arguments, variables, files, streams, signals and
//! exit statuses.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use ecsim::world::MOST_ROLE_CHANGES;
use serde_json::{Value, json};

use super::support::{Acs3Call, Call, NOW, encode, nonce, sign_v1};

/// The binary, with an environment that holds nothing of this machine's.
pub(super) fn ecsim<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecsim"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(args).stdin(Stdio::null());
    command
}

/// Exit status, stdout and stderr.
pub(super) type Ended = (Option<i32>, String, String);

pub(super) fn end(mut command: Command) -> Ended {
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub(super) fn run<const N: usize>(args: [&str; N]) -> Ended {
    end(ecsim(args))
}

/// Runs what has to succeed in silence on stderr, and answers its stdout.
fn output<const N: usize>(args: [&str; N]) -> String {
    let (status, out, err) = run(args);
    assert_eq!((status, &*err), (Some(0), ""), "{args:?}");
    out
}

/// What a refusal looks like: nothing on stdout, one `error:` and one `hint:` on stderr.
pub(super) fn refused(ended: &Ended, status: i32, error: &str, hint: &str) {
    assert_eq!(*ended, (Some(status), String::new(), format!("error: {error}\n\nhint: {hint}\n")));
}

const NO_BETTER_HINT: &str = "`ecsim --help` lists the flags and sub-commands";

/// A folder of its own for a test, removed at the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ecsim-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(super) fn file(&self, name: &str, text: impl AsRef<str>) -> String {
        fs::write(self.0.join(name), text.as_ref()).expect("writes");
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server, killed when dropped.
pub(super) struct Running {
    pub(super) child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
    pub(super) address: String,
}

impl Running {
    pub(super) fn start<const N: usize>(args: [&str; N]) -> Self {
        Self::spawn(ecsim(args))
    }

    /// Starts it and waits for the ready lines, which are checked.
    pub(super) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut err = BufReader::new(child.stderr.take().expect("piped"));
        let mut lines = [String::new(), String::new()];
        for line in &mut lines {
            out.read_line(line).expect("a line");
        }
        if lines[0].is_empty() {
            let mut why = String::new();
            let _ = err.read_to_string(&mut why);
            let _ = child.wait();
            panic!("it did not start: {why}");
        }
        let pid = format!(" pid={}\n", child.id());
        let address = lines[0].strip_prefix("ecsim ready addr=").and_then(|rest| rest.strip_suffix(&pid));
        let address = address.unwrap_or_else(|| panic!("the first ready line is {:?}", lines[0])).to_owned();
        assert_eq!(lines[1], "Ready.\n");
        Self { child, out, err, address }
    }

    /// What a sub-command that is about this emulator ends with, when it is given that on standard input.
    fn asked(&self, args: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut command = ecsim(args);
        let stdio = [Stdio::piped(), Stdio::piped(), Stdio::piped()];
        let [stdin, stdout, stderr] = stdio;
        command.env("ECSIM_URL", format!("http://{}", self.address)).stdin(stdin).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().expect("it runs");
        // Whoever wants no input may be gone already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    pub(super) fn kill(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// The next line of stderr that holds a text.
    pub(super) fn line_with(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.err.read_line(&mut line).expect("a line"), 0, "stderr ended without {text:?}");
        }
        line.trim_end().to_owned()
    }

    /// Waits for the end: exit status, and what more was written to stdout and stderr.
    pub(super) fn wait(mut self) -> Ended {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).expect("stdout");
        self.err.read_to_string(&mut err).expect("stderr");
        (self.child.wait().expect("it ends").code(), out, err)
    }

    pub(super) fn get(&self, target: &str) -> String {
        self.get_with(target, "")
    }

    fn get_with(&self, target: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        let head = format!("GET {target} HTTP/1.1\r\nhost: {}\r\n{headers}connection: close\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).expect("sends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.split_once("\r\n\r\n").expect("head and body").1.to_owned()
    }

    /// A V1 call with the test's time, for which the server has to be lenient.
    pub(super) fn call(&self, action: &str, key: &str, secret: &str) -> Value {
        let nonce = nonce();
        let params: BTreeMap<_, _> = [
            ("Action", action),
            ("Version", "2014-05-26"),
            ("Format", "JSON"),
            ("RegionId", "cn-hangzhou"),
            ("AccessKeyId", key),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", &nonce),
            ("Timestamp", NOW),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let signature = sign_v1("GET", &params, secret);
        let query: Vec<_> = params.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let body = self.get(&format!("/?{}&Signature={}", query.join("&"), encode(&signature)));
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}"))
    }

    fn instances(&self) -> Vec<String> {
        let answer = self.call("DescribeInstances", "test", "test");
        let list = answer["Instances"]["Instance"].as_array().unwrap_or_else(|| panic!("{answer}"));
        list.iter().map(|instance| instance["InstanceId"].as_str().expect("an id").to_owned()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) const FREE: &str = "--listen=127.0.0.1:0";

#[test]
fn the_ready_lines_are_all_that_a_server_prints() {
    let server = Running::start([FREE]);
    assert!(server.address.starts_with("127.0.0.1:") && !server.address.ends_with(":0"), "{}", server.address);
    server.kill("-TERM");
    assert_eq!(server.wait(), (Some(0), String::new(), String::new()));
}

#[test]
fn serve_is_the_default_sub_command() {
    let folder = Folder::new("default-command");
    let socket = folder.path("socket");
    assert_eq!(Running::start(["--unix", &socket]).address, format!("unix:{socket}"));
    assert_eq!(Running::start(["serve", "--unix", &socket]).address, format!("unix:{socket}"));
}

#[test]
fn port_and_listeners_are_written_to_files() {
    let folder = Folder::new("files");
    let (port, endpoints, socket) = (folder.path("port"), folder.path("endpoints.json"), folder.path("socket"));
    let server =
        Running::start([FREE, "--unix", &socket, "--port-file", &port, "--endpoints-file", &endpoints, "--quiet"]);
    let address = &server.address;
    assert_eq!(format!("127.0.0.1:{}", fs::read_to_string(port).expect("the port")), *address);
    let endpoints: Value = serde_json::from_str(&fs::read_to_string(endpoints).expect("the file")).expect("JSON");
    assert_eq!(
        endpoints,
        json!({
            "schema": 1,
            "pid": server.child.id(),
            "listeners": [
                { "addr": address, "url": format!("http://{address}") },
                { "addr": format!("unix:{socket}"), "url": format!("unix:{socket}") },
            ],
        })
    );
    let mut names: Vec<_> =
        fs::read_dir(&folder.0).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["endpoints.json", "port", "socket"], "nothing temporary is left");
}

#[test]
fn a_port_is_written_to_a_pipe_which_stays_one() {
    let folder = Folder::new("port-pipe");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).expect("reads")
    });
    let server = Running::start([FREE, "--port-file", &pipe, "--quiet"]);
    assert!(!fs::metadata(&pipe).expect("a pipe").is_file());
    assert_eq!(format!("127.0.0.1:{}", reader.join().expect("it is written")), server.address);
}

#[test]
fn a_port_file_needs_a_port() {
    let folder = Folder::new("no-port");
    let ended = run(["--unix", &folder.path("socket"), "--port-file", &folder.path("port")]);
    refused(&ended, 2, "--port-file needs a TCP listener", "pass `--listen 127.0.0.1:0` too");
}

#[test]
fn a_busy_address_is_status_3() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("an address").to_string();
    let error = format!("cannot listen on {address}: address in use");
    refused(&run(["--listen", &address]), 3, &error, "pass `--listen 127.0.0.1:0` to take a free port");
}

#[test]
fn a_stale_socket_file_is_replaced_and_a_live_one_is_status_3() {
    let folder = Folder::new("socket");
    let socket = folder.path("socket");
    drop(UnixListener::bind(&socket).expect("binds"));
    assert!(Path::new(&socket).exists(), "it is stale");
    let server = Running::start(["--unix", &socket]);
    let error = format!("cannot listen on unix:{socket}: address in use");
    refused(&run(["--unix", &socket]), 3, &error, "pass `--listen 127.0.0.1:0` to take a free port");
    assert_eq!(run(["healthcheck", "--unix", &socket]), (Some(0), String::new(), String::new()));
    server.kill("-TERM");
    assert_eq!(server.wait().0, Some(0));
    assert_eq!(run(["healthcheck", "--unix", &socket]).0, Some(1));
}

#[test]
fn a_socket_file_goes_with_its_server() {
    let folder = Folder::new("socket-file");
    let socket = folder.path("socket");
    // More than once, because the file would be left only now and then.
    for round in 0..20 {
        let server = Running::start(["--unix", &socket]);
        assert!(Path::new(&socket).exists());
        server.kill("-TERM");
        assert_eq!(server.wait().0, Some(0));
        assert!(!Path::new(&socket).exists(), "round {round}");
    }
}

const SEED_HINT: &str = "fixtures/seed/seed.schema.json in the sources describes the form";

#[test]
fn bad_seeds_are_status_4_and_every_mistake_is_listed() {
    let folder = Folder::new("bad-seed");
    let first = folder.file("1.json", r#"{ "accounts": [{ "keys": [{ "id": "k" }], "groups": [] }] }"#);
    let second = folder.file("2.json", "{");
    let error = format!(
        "the seeds cannot be used\n\
         {second}: line 1 column 1: not JSON: EOF while parsing an object at line 1 column 1\n\
         {first}: $.accounts[0].groups: no such member here; there are id, keys, policies, users, roles, instances\n\
         {first}: $.accounts[0].keys[0]: needs secret"
    );
    refused(&run([FREE, "--seed", &first, "--seed", &second]), 4, &error, SEED_HINT);
    refused(&run([FREE, "--seed", &folder.0.display().to_string()]), 4, &error, SEED_HINT);
}

#[test]
fn a_missing_seed_is_status_4() {
    let folder = Folder::new("missing-seed");
    let missing = folder.path("none.json");
    let error =
        format!("the seeds cannot be used\n{missing}: file: cannot be read: No such file or directory (os error 2)");
    refused(&run([FREE, "--seed", &missing]), 4, &error, SEED_HINT);
}

#[test]
fn what_is_wrong_with_a_command_line_is_status_2_with_the_nearest_that_is_right() {
    let valid = "it is one of strict, lenient, off";
    refused(&run(["--lisen", "x"]), 2, "unexpected argument '--lisen' found", "did you mean `--listen`?");
    refused(&run(["serve", "--sed", "x"]), 2, "unexpected argument '--sed' found", "did you mean `--seed`?");
    refused(&run(["helthcheck"]), 2, "unrecognized subcommand 'helthcheck'", "did you mean `healthcheck`?");
    refused(&run(["--auth", "lenientt"]), 2, "invalid value 'lenientt' for '--auth <MODE>'", "did you mean `lenient`?");
    refused(&run(["--auth", "zzz"]), 2, "invalid value 'zzz' for '--auth <MODE>'", valid);
    refused(
        &run(["--listen", "4580"]),
        2,
        "invalid value '4580' for '--listen <IP:PORT>': invalid socket address syntax",
        NO_BETTER_HINT,
    );
    refused(
        &run(["--clock-skew", "5"]),
        2,
        "invalid value '5' for '--clock-skew <DURATION>': a duration is such as 250ms, 5s or 15m",
        NO_BETTER_HINT,
    );
    refused(
        &run(["explain"]),
        2,
        "the following required arguments were not provided: <CODE|REQUEST_ID>",
        NO_BETTER_HINT,
    );
    let mut command = ecsim([FREE]);
    command.env("ECSIM_AUTH", "zzz");
    refused(&end(command), 2, "invalid value 'zzz' for '--auth <MODE>'", valid);
}

#[test]
fn what_is_wrong_with_a_configuration_file_is_status_2_with_its_line() {
    let folder = Folder::new("bad-config");
    let config = |text: &str| {
        let path = folder.file("ecsim.toml", text);
        (run(["--config", &path]), path)
    };
    let (ended, path) = config("auth = \"off\"\n\ncolour = 1\n");
    let all = "listen, unix, port-file, endpoints-file, seed, init-dir, init-timeout, init-on-error, state-file, state-interval, snapshot-dir, quiet, auth, clock-skew, gateway-codes, ram, \
               detach-pass-role, detach-revokes, metadata-propagation, describe-propagation, max-params, admin, admin-token, cors-allow-origin, metadata, metadata-default, credential-lifetime, now, clock, rng-seed, log-format, log-level, max-body-size, max-header-size, max-connections, header-timeout, \
               body-timeout, nonce-max, nonce-ttl, journal-max, max-namespaces, namespace-ttl, shutdown-timeout";
    refused(&ended, 2, &format!("{path} line 3: unknown setting `colour`"), &format!("there are {all}"));
    let (ended, path) = config("quiet = true\nauth = \"of\"\n");
    let error = format!("{path} line 2: invalid value 'of' for '--auth <MODE>'");
    refused(&ended, 2, &error, "did you mean `off`?");
    let (ended, path) = config("# a comment\nauth = \"off\n");
    let error = format!("{path} line 2: invalid basic string, expected `\"`");
    refused(&ended, 2, &error, "the file is TOML: name = \"value\"");
    let (ended, path) = config("[auth]\nmode = 1\n");
    let error = format!("{path} line 1: `auth` is a text, a number, true or false, or an array of these");
    refused(&ended, 2, &error, "write it as the flag --auth takes it");
    let missing = folder.path("none.toml");
    let error = format!("cannot read the configuration file {missing}: No such file or directory (os error 2)");
    let hint = "name an existing file with --config or ECSIM_CONFIG";
    refused(&run(["--config", &missing]), 2, &error, hint);
    let mut command = ecsim([FREE]);
    command.env("ECSIM_CONFIG", &missing);
    refused(&end(command), 2, &error, hint);
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let folder = Folder::new("precedence");
    let text = "auth = \"off\"\nmax-params = 7\nclock-skew = \"1m\"\nseed = [\"a.json\", \"b.json\"]\n";
    let path = folder.file("ecsim.toml", text);
    let mut command = ecsim(["serve", "--print-config", "--auth", "lenient"]);
    command.env("ECSIM_CONFIG", &path).env("ECSIM_AUTH", "strict").env("ECSIM_MAX_PARAMS", "8");
    command.env("ECSIM_LISTEN", "127.0.0.1:1,127.0.0.1:2").env("ECSIM_QUIET", "yes");
    let (status, out, err) = end(command);
    assert_eq!((status, &*err), (Some(0), ""));
    assert_eq!(
        out,
        "listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"] # variable\n\
         seed = [\"a.json\", \"b.json\"] # file\n\
         init-timeout = \"30s\" # default\n\
         init-on-error = \"fail\" # default\n\
         quiet = \"yes\" # variable\n\
         auth = \"lenient\" # flag\n\
         clock-skew = \"1m\" # file\n\
         gateway-codes = \"ecs\" # default\n\
         ram = \"strict\" # default\n\
         detach-pass-role = \"on\" # default\n\
         detach-revokes = \"off\" # default\n\
         metadata-propagation = \"0s\" # default\n\
         describe-propagation = \"0s\" # default\n\
         max-params = \"8\" # variable\n\
         admin = \"loopback\" # default\n\
         credential-lifetime = \"6h\" # default\n\
         clock = \"real\" # default\n\
         log-format = \"text\" # default\n\
         max-body-size = \"1MiB\" # default\n\
         max-header-size = \"64KiB\" # default\n\
         max-connections = \"1024\" # default\n\
         header-timeout = \"30s\" # default\n\
         body-timeout = \"30s\" # default\n\
         nonce-max = \"262144\" # default\n\
         nonce-ttl = \"30m\" # default\n\
         journal-max = \"1000\" # default\n\
         max-namespaces = \"1024\" # default\n\
         namespace-ttl = \"24h\" # default\n\
         shutdown-timeout = \"5s\" # default\n"
    );
    let copy = folder.file("copy.toml", &out);
    let again = output(["serve", "--print-config", "--config", &copy]);
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(" # ").next().expect("a part").to_owned()).collect()
    };
    assert_eq!(values(&again), values(&out), "what is printed can be read");
    assert!(again.lines().all(|line| line.ends_with(" # file")), "{again}");
}

#[test]
fn what_is_in_force_is_shown_while_it_runs_and_the_token_nowhere() {
    let mut command = ecsim(["serve", "--print-config", "--ram", "soft"]);
    command.env("ECSIM_ADMIN_TOKEN", "s3cret");
    let (status, out, err) = end(command);
    assert_eq!((status, &*err), (Some(0), ""));
    assert!(out.contains("admin-token = \"***\" # variable\n") && !out.contains("s3cret"), "{out}");
    let mut command = ecsim(["serve", "--help"]);
    command.env("ECSIM_ADMIN_TOKEN", "s3cret");
    assert!(!end(command).1.contains("s3cret"));

    let mut command = ecsim(["serve", "--listen", "127.0.0.1:0", "--ram", "soft", "--log-level", "trace"]);
    command.env("ECSIM_ADMIN_TOKEN", "s3cret");
    let server = Running::spawn(command);
    assert!(server.get("/_ecsim/config").contains("TokenRefused"));
    let shown = server.get_with("/_ecsim/config", "authorization: Bearer s3cret\r\n");
    assert!(!shown.contains("s3cret"), "{shown}");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    for (name, setting) in [
        ("admin-token", json!({ "value": "***", "source": "variable" })),
        ("ram", json!({ "value": "soft", "source": "flag" })),
        ("listen", json!({ "value": ["127.0.0.1:0"], "source": "flag" })),
        ("nonce-ttl", json!({ "value": "30m", "source": "default" })),
    ] {
        assert_eq!(shown["settings"][name], setting, "{name}");
    }
    server.kill("-TERM");
    let (_, _, log) = server.wait();
    assert!(!log.contains("s3cret"), "{log}");
}

#[test]
fn info_is_asked_with_the_token_and_a_refusal_is_one_line_and_a_hint() {
    let mut command = ecsim(["serve", "--listen", "127.0.0.1:0", "--admin-token", "s3cret"]);
    command.env("ECSIM_RAM", "soft");
    let server = Running::spawn(command);
    let url = format!("http://{}", server.address);
    let mut command = ecsim(["info", "--url", &url]);
    command.env("ECSIM_ADMIN_TOKEN", "s3cret");
    let (status, out, err) = end(command);
    assert_eq!((status, &*err), (Some(0), ""));
    let info: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&info["modes"]["ram"], &info["modes"]["admin_token"]), (&json!("soft"), &json!(true)));
    let hint = "send --admin-token as `Authorization: Bearer TOKEN`; sub-commands take it from ECSIM_ADMIN_TOKEN";
    refused(&run(["info", "--url", &url]), 1, "the control API wants its token", hint);
    drop(server);
    let (status, out, err) = run(["info", "--url", &url]);
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(err.starts_with(&format!("error: no answer from {url}/_ecsim/info?namespace=default: ")), "{err}");
}

#[test]
fn a_setting_of_a_file_and_one_of_a_variable_act() {
    let folder = Folder::new("act");
    let seed = folder.file(
        "seed.json",
        r#"{ "accounts": [{ "keys": [{ "id": "test", "secret": "test" }], "instances": [{ "id": "i-only" }] }] }"#,
    );
    let config = folder.file("ecsim.toml", format!("listen = \"127.0.0.1:0\"\nseed = {seed:?}\n"));
    let mut command = ecsim(["--config", &config]);
    command.env("ECSIM_AUTH", "lenient");
    assert_eq!(Running::spawn(command).instances(), ["i-only"]);
}

#[test]
fn the_version_is_told_for_people_and_for_machines() {
    let version = format!("ecsim {}\n", env!("CARGO_PKG_VERSION"));
    for args in ["version", "--version", "-V"] {
        assert_eq!(output([args]), version);
    }
    let told: Value = serde_json::from_str(&output(["version", "--json"])).expect("JSON");
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told.as_object().expect("an object").keys().collect::<Vec<_>>(), ["version", "commit", "spec_date"]);
}

#[test]
fn help_goes_to_stdout_and_names_the_variables() {
    for help in [output(["--help"]), output(["serve", "--help"])] {
        assert!(help.contains("--clock-skew <DURATION>") && help.contains("[env: ECSIM_CLOCK_SKEW=]"), "{help}");
    }
    assert!(output(["-h"]).lines().count() < output(["--help"]).lines().count());
    for sub in ["healthcheck", "env", "actions", "explain", "fidelity", "completions", "version"] {
        assert!(output([sub, "--help"]).contains("Usage: ecsim "), "{sub}");
        assert!(output(["--help"]).contains(&format!("\n  {sub}")), "{sub}");
    }
}

#[test]
fn the_actions_are_those_of_the_coverage_endpoint() {
    let server = Running::start([FREE]);
    let coverage: Value = serde_json::from_str(&server.get("/_ecsim/coverage")).expect("JSON");
    let listed: Value = serde_json::from_str(&output(["actions", "--json"])).expect("JSON");
    assert_eq!(listed, coverage);
    let text = output(["actions"]);
    let mut lines = text.lines();
    for product in coverage["products"].as_array().expect("a list") {
        let name = |value: &Value| value.as_str().expect("a text").to_owned();
        let emulated = product["emulated"].as_array().expect("a list");
        let others = product["not_emulated"].as_array().expect("a list").len();
        let (title, version) = (name(&product["product"]), name(&product["version"]));
        let heading = format!("{title} {version}: {} emulated, {others} more known", emulated.len());
        assert_eq!(lines.next(), Some(&*heading));
        for action in emulated {
            let line = format!("  {} ({}s)", name(&action["action"]), name(&action["access"]));
            assert_eq!(lines.next(), Some(&*line));
        }
    }
    assert_eq!(lines.next(), None);
    assert!(text.contains("\n  DetachInstanceRamRole (writes)\n"), "{text}");
}

#[test]
fn a_code_is_explained_with_every_text_that_it_has() {
    let both = output(["explain", "InvalidInstanceId.NotFound"]);
    let expected = "InvalidInstanceId.NotFound (HTTP 404)\n  The specified instanceId does not exist.\n  \
                    documented: ecs-instance-ram-role.md 7, D5; decisions.md 15\n\
                    InvalidInstanceId.NotFound (HTTP 404)\n  The specified InstanceId does not exist.\n  \
                    documented: ecs-supporting.md 3\n\
                    InvalidInstanceId.NotFound (HTTP 404)\n  The specified InstanceId is not found.\n  \
                    documented: imds.md 1\n";
    assert_eq!(both, expected);
    assert_eq!(output(["explain", "invalidinstanceid.notfound"]), both, "in any case");
    refused(
        &run(["explain", "InvalidInstanceId"]),
        2,
        "no error code `InvalidInstanceId` here",
        "there are InvalidInstanceIds.Malformed, InvalidInstanceId.NotFound, Abs.InvalidInstanceIds.MalFormed",
    );
    refused(&run(["explain", "Zzz"]), 2, "no error code `Zzz` here", "`ecsim fidelity` lists every code");
}

#[test]
fn there_are_completions_for_the_shells() {
    for (shell, start) in [("bash", "_ecsim() {"), ("zsh", "#compdef ecsim"), ("fish", "# Print an optspec")] {
        let script = output(["completions", shell]);
        assert!(script.starts_with(start), "{shell}: {}", &script[..80]);
        assert!(script.contains("clock-skew"), "{shell}");
    }
    let (status, out, err) = run(["completions", "tcsh"]);
    assert_eq!((status, &*out), (Some(2), ""));
    assert!(err.starts_with("error: invalid value 'tcsh' for '<SHELL>'\n\nhint: "), "{err}");
}

#[test]
fn env_prints_what_a_shell_can_take() {
    let text = output(["env"]);
    for line in text.lines() {
        assert!(line.is_empty() || line.starts_with('#') || line.starts_with("export "), "{line}");
    }
    let shown = |command: &mut Command| {
        let output = command.output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let endpoint = |text: &str| -> Option<String> {
        text.lines().find_map(|line| line.strip_prefix("export ALIBABA_CLOUD_ENDPOINT=")).map(str::to_owned)
    };
    assert_eq!(endpoint(&text).as_deref(), Some("127.0.0.1:4580"));
    let mut command = ecsim(["env"]);
    assert_eq!(endpoint(&shown(command.env("ECSIM_LISTEN", "0.0.0.0:4999"))).as_deref(), Some("127.0.0.1:4999"));
    assert_eq!(endpoint(&output(["env", "--url", "http://ecs.test:80/"])).as_deref(), Some("ecs.test:80"));
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"eval "$("$0" env)" && echo "$ALIBABA_CLOUD_ACCESS_KEY_ID $ECS_ENDPOINT""#]);
    shell.arg(env!("CARGO_BIN_EXE_ecsim")).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    assert_eq!(shown(&mut shell), "test 127.0.0.1:4580\n");
}

#[test]
fn the_health_check_tells_whether_an_emulator_answers() {
    let server = Running::start([FREE]);
    let url = format!("http://{}", server.address);
    let healthy = (Some(0), String::new(), String::new());
    assert_eq!(run(["healthcheck", "--url", &url]), healthy);
    let mut command = ecsim(["healthcheck"]);
    command.env("ECSIM_LISTEN", &server.address);
    assert_eq!(end(command), healthy);
    let mut command = ecsim(["healthcheck", "--url", &url]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("http_proxy", "http://127.0.0.1:1");
    assert_eq!(end(command), healthy, "a proxy is not asked");
    // Nothing of ours listens on port 1, and the system gives it to nobody.
    let url = "http://127.0.0.1:1";
    let (status, out, err) = run(["healthcheck", "--url", url]);
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(err.starts_with(&format!("error: no answer from {url}/_ecsim/health: ")), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    for url in ["https://127.0.0.1:1", "127.0.0.1:1"] {
        let (status, _, err) = run(["healthcheck", "--url", url]);
        assert_eq!((status, err.lines().count()), (Some(1), 1), "{err}");
        assert!(err.starts_with(&format!("error: no answer from {url}/_ecsim/health: ")), "{err}");
    }
}

#[test]
fn a_health_check_waits_no_longer_than_it_is_told() {
    // Connections are taken in by the system, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let error = format!("error: no answer from {url}/_ecsim/health: nothing came within 50ms\n");
    assert_eq!(run(["healthcheck", "--url", &url, "--timeout", "50ms"]), (Some(1), String::new(), error));
}

#[test]
fn a_socket_on_the_command_line_wins_over_a_url_in_a_variable_and_a_url_over_a_socket() {
    let folder = Folder::new("where");
    let socket = folder.path("s");
    let server = Running::start(["--listen", "127.0.0.1:0", "--unix", &socket]);
    let (url, nowhere) = (format!("http://{}", server.address), "http://127.0.0.1:1");
    let asks = |variables: &[(&str, &str)], flags: &[&str]| {
        let mut command = ecsim([&["healthcheck"], flags].concat());
        command.envs(variables.iter().copied());
        end(command).0
    };
    assert_eq!(asks(&[("ECSIM_URL", nowhere)], &["--unix", &socket]), Some(0));
    assert_eq!(asks(&[("ECSIM_UNIX", "/none")], &["--url", &url]), Some(0));
    assert_eq!(asks(&[], &["--unix", &socket, "--url", nowhere]), Some(1));
    assert_eq!(asks(&[("ECSIM_URL", nowhere), ("ECSIM_UNIX", &socket)], &[]), Some(1));
}

#[test]
fn a_health_check_of_another_server_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).expect("a head");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").expect("sends");
    });
    let error = format!("error: {url}/_ecsim/health answers 200 OK, but not as an emulator\n");
    assert_eq!(run(["healthcheck", "--url", &url]), (Some(1), String::new(), error));
    other.join().expect("it ends");
}

#[test]
fn a_signal_stops_the_server_at_once_with_status_0() {
    for signal in ["-TERM", "-INT"] {
        let server = Running::start([FREE]);
        // A connection that is open but idle holds nothing up.
        let idle = TcpStream::connect(&server.address).expect("connects");
        let before = Instant::now();
        server.kill(signal);
        assert_eq!(server.wait(), (Some(0), String::new(), String::new()), "{signal}");
        assert!(before.elapsed() < Duration::from_secs(3), "{signal}: {:?}", before.elapsed());
        drop(idle);
    }
}

/// A request whose body does not come. The server asks for it, so the request is being served.
fn slow_request(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).expect("connects");
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("sends");
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).expect("an interim answer");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn a_second_signal_stops_at_once_with_its_status() {
    let folder = Folder::new("second-signal");
    let socket = folder.path("socket");
    // More than once, because the file of the socket would be left only now and then.
    for (signal, status) in [("-TERM", 143), ("-INT", 130)].repeat(10) {
        let mut server = Running::start([FREE, "--unix", &socket, "--log-level", "info", "--shutdown-timeout", "1h"]);
        let slow = slow_request(&server);
        server.kill("-TERM");
        let line = server.line_with("stopping");
        assert!(line.ends_with(" INFO stopping signal=SIGTERM"), "{line}");
        assert!(Path::new(&socket).exists());
        server.kill(signal);
        assert_eq!(server.wait(), (Some(status), String::new(), String::new()), "{signal}");
        assert!(!Path::new(&socket).exists());
        drop(slow);
    }
}

#[test]
fn a_request_in_flight_is_waited_for_and_cut_off_after_the_time_for_it() {
    let server = Running::start([FREE, "--shutdown-timeout", "100ms"]);
    let slow = slow_request(&server);
    server.kill("-TERM");
    let (status, out, err) = server.wait();
    assert_eq!((status, &*out), (Some(0), ""));
    assert!(err.ends_with(" WARN requests in flight were cut off after --shutdown-timeout\n"), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    drop(slow);

    let mut server = Running::start([FREE, "--log-level", "info", "--shutdown-timeout", "1h"]);
    let mut slow = slow_request(&server);
    server.kill("-TERM");
    server.line_with("stopping");
    slow.write_all(b"0123456789").expect("sends");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 4") && answer.ends_with("</Error>"), "{answer}");
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_hangup_reads_the_seed_again_and_a_bad_one_changes_nothing() {
    let folder = Folder::new("reload");
    let seed = |instance: &str| {
        let key = json!({ "id": "test", "secret": "test" });
        json!({ "accounts": [{ "keys": [key], "instances": [{ "id": instance }] }] }).to_string()
    };
    let path = folder.file("seed.json", seed("i-old"));
    let mut server = Running::start([FREE, "--seed", &path, "--auth", "lenient", "--log-level", "info"]);
    assert_eq!(server.instances(), ["i-old"]);
    folder.file("seed.json", seed("i-new"));
    server.kill("-HUP");
    let line = server.line_with("reloaded");
    assert!(line.ends_with(" INFO reloaded"), "{line}");
    assert_eq!(server.instances(), ["i-new"]);
    folder.file("seed.json", r#"{ "accounts": [{ "id": "x" }], "more": 1 }"#);
    server.kill("-HUP");
    let line = server.line_with("reloaded");
    assert!(line.contains(" ERROR not reloaded mistakes="), "{line}");
    assert!(line.contains("$.more: no such member") && line.contains("$.accounts[0].id: an account id"), "{line}");
    assert_eq!(server.instances(), ["i-new"]);
}

#[test]
fn a_signal_stops_the_server_while_it_waits_for_a_seed() {
    let folder = Folder::new("reload-waits");
    let path = folder.file("seed.json", "{}");
    for signal in ["-TERM", "-INT"] {
        folder.file("seed.json", "{}");
        let server = Running::start([FREE, "--seed", &path, "--quiet"]);
        fs::remove_file(&path).expect("removes");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        server.kill("-HUP");
        // Once it is open, the server reads; and waits for as long as nothing is written.
        let held = fs::OpenOptions::new().write(true).open(&path).expect("a pipe");
        server.kill(signal);
        assert_eq!(server.wait().0, Some(0));
        drop(held);
        fs::remove_file(&path).expect("removes");
    }
}

#[test]
fn a_hangup_reads_the_configuration_again_and_a_bad_one_changes_nothing() {
    let folder = Folder::new("reload-config");
    let path = folder.file("ecsim.toml", "auth = \"lenient\"\n");
    let mut server = Running::start([FREE, "--config", &path, "--log-level", "info"]);
    let code = |server: &Running| server.call("DescribeRegions", "nobody", "x")["Code"].clone();
    assert_eq!(code(&server), "InvalidAccessKeyId.NotFound");
    folder.file("ecsim.toml", "auth = \"off\"\n");
    server.kill("-HUP");
    server.line_with(" INFO reloaded");
    assert_eq!(code(&server), Value::Null);
    folder.file("ecsim.toml", "auth = \"strikt\"\n");
    server.kill("-HUP");
    let line = server.line_with("not reloaded");
    assert!(line.contains("line 1: invalid value 'strikt'"), "{line}");
    assert_eq!(code(&server), Value::Null);
}

/// A line without its time, which has to look like one, and without the figure of its duration.
fn timeless(line: &str) -> String {
    let (time, rest) = line.split_once(' ').expect("a time");
    assert!(ecsim::world::parse_utc(time).is_some(), "{line}");
    let (rest, duration) = rest.rsplit_once(' ').expect("a duration");
    let figure = duration.strip_suffix("ms").and_then(|figure| figure.parse::<f64>().ok());
    assert!(figure.is_some(), "{line}");
    rest.to_owned()
}

#[test]
fn a_call_is_one_line_of_text_in_the_log() {
    let mut server = Running::start([FREE, "--auth", "lenient", "--log-level", "info"]);
    let id = |answer: &Value| answer["RequestId"].as_str().expect("an id").to_owned();
    let good = id(&server.call("DescribeRegions", "test", "test"));
    let line = timeless(&server.line_with("DescribeRegions"));
    assert_eq!(line, format!("INFO ecs.DescribeRegions => 200 rid={good} account=1000000000000001 namespace=default"));
    let bad = id(&server.call("DescribeRegions", "nobody", "x"));
    let line = timeless(&server.line_with("DescribeRegions"));
    assert_eq!(
        line,
        format!("INFO ecs.DescribeRegions => 404 (InvalidAccessKeyId.NotFound) rid={bad} namespace=default")
    );
}

#[test]
fn a_call_is_one_object_in_the_log() {
    let mut server = Running::start([FREE, "--auth", "lenient", "--log-level", "info", "--log-format", "json"]);
    let answer = server.call("DescribeRegions", "test", "test");
    let mut line: Value = serde_json::from_str(&server.line_with("DescribeRegions")).expect("JSON");
    let keys: Vec<_> = line.as_object().expect("an object").keys().cloned().collect();
    let names = "ts level msg product action code http rid account namespace dur_us";
    assert_eq!(keys, names.split(' ').collect::<Vec<_>>());
    assert!(line["ts"].as_str().and_then(ecsim::world::parse_utc).is_some(), "{line}");
    assert!(line["dur_us"].is_u64(), "{line}");
    let object = line.as_object_mut().expect("an object");
    object.remove("ts");
    object.remove("dur_us");
    assert_eq!(
        line,
        json!({
            "level": "INFO", "msg": "call", "product": "Ecs", "action": "DescribeRegions", "code": "OK", "http": 200,
            "rid": answer["RequestId"], "account": "1000000000000001", "namespace": "default",
        })
    );
}

#[tokio::test]
async fn secrets_never_reach_the_log() {
    let folder = Folder::new("secrets");
    let keys = json!([{ "id": "test", "secret": "hush-permanent" }]);
    let session = json!({ "id": "temporary", "secret": "hush-temporary", "security_token": "hush-token",
        "expires": "2999-01-01T00:00:00Z", "name": "test" });
    let roles = json!([{ "name": "any", "sessions": [session] }]);
    let seed = folder.file("seed.json", json!({ "accounts": [{ "keys": keys, "roles": roles }] }).to_string());
    for format in ["text", "json"] {
        for level in ["info", "trace"] {
            let args = [FREE, "--seed", &seed, "--auth", "lenient", "--log-level", level, "--log-format", format];
            let server = Running::start(args);
            assert_eq!(server.call("DescribeRegions", "test", "hush-permanent")["Code"], Value::Null);
            assert_eq!(server.call("DescribeRegions", "test", "hush-wrong")["Code"], "IncompleteSignature");
            assert_eq!(server.call("DescribeRegions", "temporary", "hush-temporary")["Code"], "MissingParameter");
            // The answer to a wrong signature echoes what was signed, the token too.
            let url = format!("http://{}", server.address);
            for (version, action) in [("2014-05-26", "DescribeRegions"), ("2015-04-01", "GetCallerIdentity")] {
                let call = Call::new(url.clone(), action).param("Version", version).key("temporary", "hush-wrong");
                let answer = call.param("SecurityToken", "hush-token").send().await;
                assert!(answer.refusal().2.contains("hush-token"), "{}", answer.text);
            }
            let call = Acs3Call::new(url, "DescribeRegions").key("temporary", "hush-wrong");
            let answer = call.header("x-acs-security-token", "hush-token").send().await;
            assert!(answer.refusal().2.contains("hush-token"), "{}", answer.text);
            server.kill("-HUP");
            server.kill("-TERM");
            let (status, _, err) = server.wait();
            assert_eq!(status, Some(0));
            assert!(err.matches("DescribeRegions").count() >= 5, "{err}");
            assert!(!err.contains("hush"), "{err}");
        }
    }
}

#[test]
fn what_policies_would_refuse_is_one_line_at_level_warn() {
    let folder = Folder::new("soft");
    let users = json!([{ "name": "u", "keys": [{ "id": "u", "secret": "u" }] }]);
    let seed = folder.file("seed.json", json!({ "accounts": [{ "users": users }] }).to_string());
    for level in ["warn", "trace"] {
        let args = [FREE, "--seed", &seed, "--auth", "lenient", "--ram", "soft", "--log-level", level];
        let server = Running::start(args);
        assert_eq!(server.call("DescribeRegions", "u", "u")["Code"], Value::Null);
        server.kill("-TERM");
        let err = server.wait().2;
        let lines: Vec<_> = err.lines().filter(|line| line.contains("would be refused")).collect();
        assert!(matches!(lines[..], [line] if line.contains("ecs:DescribeRegions on *")), "{err}");
    }
}

#[test]
fn the_log_is_silent_below_its_level_and_rust_log_sets_it_too() {
    let log = |level: Option<&str>, filter: Option<&str>| {
        let mut command = ecsim([FREE, "--auth", "lenient"]);
        if let Some(level) = level {
            command.args(["--log-level", level]);
        }
        if let Some(filter) = filter {
            command.env("RUST_LOG", filter);
        }
        let server = Running::spawn(command);
        server.call("DescribeRegions", "test", "test");
        server.kill("-TERM");
        server.wait().2.lines().filter(|line| line.contains("DescribeRegions")).count()
    };
    assert_eq!(log(None, None), 0);
    assert_eq!(log(None, Some("info")), 1);
    assert_eq!(log(None, Some("ecsim=info")), 1);
    assert_eq!(log(None, Some("hyper=trace")), 0);
    assert_eq!(log(Some("warn"), Some("info")), 0, "a flag wins");
    assert_eq!(log(Some("info"), Some("off")), 1, "a flag wins");
}

#[test]
fn a_log_filter_that_is_none_is_status_2() {
    let mut command = ecsim([FREE]);
    command.env("RUST_LOG", "a=b=c");
    let error = "RUST_LOG=a=b=c is no log filter: invalid filter directive: too many '=' in filter directive, \
                 expected 0 or 1";
    refused(&end(command), 2, error, "it is a level, or target=level pairs with commas between them");
}

#[test]
fn ids_repeat_with_the_same_rng_seed() {
    let first = |rng_seed: &str| {
        let server = Running::start([FREE, "--auth", "lenient", "--rng-seed", rng_seed]);
        server.call("DescribeRegions", "test", "test")["RequestId"].clone()
    };
    assert_eq!(first("7"), first("7"));
    assert_ne!(first("7"), first("8"));
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    let mut command = ecsim(["actions", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("stderr");
    assert_eq!((child.wait().expect("it ends").code(), &*err), (Some(0), ""));
}

#[test]
fn flags_of_metadata_and_time_act_and_a_listener_of_an_instance_is_written_to_the_file() {
    let folder = Folder::new("metadata");
    let file = folder.path("endpoints.json");
    let server = Running::start([
        "serve",
        FREE,
        "--metadata=127.0.0.1:0=i-bp1ecsim0000000web02@gw0",
        "--metadata-default=i-bp1ecsim0000000web01",
        "--credential-lifetime=2m",
        "--now=2026-01-05T08:00:00Z",
        "--clock=frozen",
        &format!("--endpoints-file={file}"),
    ]);
    assert_eq!(server.get("/latest/meta-data/instance-id"), "i-bp1ecsim0000000web01");
    let credentials = server.get("/latest/meta-data/ram/security-credentials/web-role");
    assert!(credentials.contains("\"Expiration\": \"2026-01-05T08:02:00Z\""), "{credentials}");
    let clock = r#""mode":"frozen","now":"2026-01-05T08:00:00Z""#;
    assert!(server.get("/_ecsim/clock").contains(clock), "{}", server.get("/_ecsim/clock"));
    let endpoints: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("the file")).expect("JSON");
    let [main, own] = &endpoints["listeners"].as_array().expect("a list")[..] else { panic!("{endpoints}") };
    assert_eq!((&main["addr"], main.get("instance")), (&server.address.as_str().into(), None));
    assert_eq!(own["instance"], "i-bp1ecsim0000000web02@gw0");
    let mut stream = TcpStream::connect(own["addr"].as_str().expect("a text")).expect("connects");
    stream
        .write_all(b"GET /latest/meta-data/instance-id HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("reads");
    assert!(answer.ends_with("\r\n\r\ni-bp1ecsim0000000web02"), "{answer}");
}

#[test]
fn what_is_wrong_with_flags_of_metadata_and_time_is_status_2() {
    let error = |flag: &str, value: &str, why: &str| format!("invalid value '{value}' for '{flag}': {why}");
    for (flag, shown, value, why) in [
        (
            "--metadata",
            "--metadata <IP:PORT=INSTANCE[@NAMESPACE]>",
            "127.0.0.1:1",
            "a metadata listener is such as 127.0.0.1:8001=i-bp1ecsim0000000web01",
        ),
        (
            "--metadata",
            "--metadata <IP:PORT=INSTANCE[@NAMESPACE]>",
            "here=i-1",
            "here is no address such as 127.0.0.1:8001",
        ),
        (
            "--metadata",
            "--metadata <IP:PORT=INSTANCE[@NAMESPACE]>",
            "127.0.0.1:1=i-1@",
            "a namespace is 1 to 63 letters, digits, '-', '_' or '.', the first no '.'",
        ),
        (
            "--metadata-default",
            "--metadata-default <INSTANCE[@NAMESPACE]>",
            "i-1@",
            "a namespace is 1 to 63 letters, digits, '-', '_' or '.', the first no '.'",
        ),
        (
            "--credential-lifetime",
            "--credential-lifetime <DURATION>",
            "1500ms",
            "credentials live from 1s to 24h, in whole seconds",
        ),
        (
            "--credential-lifetime",
            "--credential-lifetime <DURATION>",
            "25h",
            "credentials live from 1s to 24h, in whole seconds",
        ),
        ("--now", "--now <TIME>", "2026-01-05", "a time is such as 2026-01-05T08:00:00Z"),
    ] {
        refused(&run(["serve", FREE, flag, value]), 2, &error(shown, value, why), NO_BETTER_HINT);
    }
    let hint = "name one of the seeds or of the state file; without --seed, i-bp1ecsim0000000web01 is one";
    for flag in ["--metadata=127.0.0.1:0=i-none", "--metadata-default=i-none"] {
        let error = "--metadata and --metadata-default: there is no instance i-none";
        refused(&run(["serve", FREE, flag]), 2, error, hint);
    }
}

#[test]
fn env_for_an_instance_leads_to_its_credentials() {
    let text = output(["env", "--instance", "i-1"]);
    assert!(
        text.contains("export ALIBABA_CLOUD_CREDENTIALS_URI=http://127.0.0.1:4580/_ecsim/instances/i-1/credentials\n")
    );
    assert!(!text.contains("export ALIBABA_CLOUD_ACCESS_KEY_ID"), "{text}");
}

#[test]
fn a_running_emulator_is_seeded_and_begun_again_by_sub_commands() {
    let (server, folder) = (Running::start(["serve", FREE]), Folder::new("sub-commands"));
    let url = format!("--url=http://{}", server.address);
    let json = |args: [&str; 4]| serde_json::from_str::<serde_json::Value>(&output(args)).expect("JSON");
    let file = folder.file("more.json", r#"{"accounts":[{"instances":[{"id":"i-more"}]}]}"#);
    let seeded = json(["seed", &file, &url, "--namespace=gw0"]);
    assert_eq!((&seeded["namespace"], &seeded["instances"]), (&"gw0".into(), &1.into()));
    assert_eq!(json(["seed", &file, &url, "--replace"])["instances"], 1);
    let reset = json(["reset", &url, "--namespace=gw0", "--admin-token=unused"]);
    assert_eq!((&reset["namespace"], &reset["instances"]), (&"gw0".into(), &7.into()));

    let bad = folder.file("bad.json", r#"{"accounts":[{"keys":[{"id":"k"}],"users":[{}]}]}"#);
    let hint = "nothing was changed; fixtures/seed/seed.schema.json in the sources describes the form";
    let lines = "the seed cannot be used\n$.accounts[0].keys[0]: needs secret\n$.accounts[0].users[0]: needs name";
    refused(&run(["seed", &bad, &url]), 4, lines, hint);
    let gone = folder.path("gone.json");
    let error = format!("cannot read {gone}: No such file or directory (os error 2)");
    refused(&run(["seed", &gone, &url]), 4, &error, "name a seed file, or `-` and give it on standard input");
    let (status, seeded, err) = server.asked(&["seed", "-"], r#"{"accounts":[{"instances":[{"id":"i-piped"}]}]}"#);
    assert_eq!((status, &*err), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&seeded).expect("JSON")["instances"], 1);
}

#[test]
fn the_clock_of_a_namespace_is_shown_and_moved_by_a_sub_command() {
    let server = Running::start([FREE, "--clock", "frozen", "--now", "2026-01-05T08:00:00Z"]);
    let json = |args: &[&str]| {
        let (status, out, err) = server.asked(&[&["clock"], args].concat(), "");
        assert_eq!((status, &*err), (Some(0), ""), "{args:?}");
        serde_json::from_str::<Value>(&out).expect("JSON")
    };
    let seen = |time: Value| (time["mode"].as_str().map(str::to_owned), time["now"].as_str().map(str::to_owned));
    let frozen = |now: &str| (Some("frozen".to_owned()), Some(now.to_owned()));
    assert_eq!(seen(json(&[])), frozen("2026-01-05T08:00:00Z"));
    assert_eq!(seen(json(&["--advance", "57m", "--namespace", "gw0"])), frozen("2026-01-05T08:57:00Z"));
    assert_eq!(seen(json(&[])), frozen("2026-01-05T08:00:00Z"), "another namespace");
    assert_eq!(seen(json(&["--now=2027-01-05T08:00:00Z", "--advance=1h"])), frozen("2027-01-05T09:00:00Z"));
    assert_eq!(json(&["--mode", "real"])["ahead_seconds"], 0);
    let info = server.asked(&["info", "--namespace", "gw0"], "").1;
    assert_eq!(serde_json::from_str::<Value>(&info).expect("JSON")["modes"]["clock"], "frozen");

    let hint =
        r#"a body is such as {"advance":"57m"}, {"mode":"frozen","now":"2026-01-05T08:00:00Z"} or {"mode":"real"}"#;
    let error = "advance: \"soon\" is no duration such as 250ms, 5s or 57m";
    refused(&server.asked(&["clock", "--advance", "soon"], ""), 1, error, hint);
    let valid = "it is one of real, frozen, offset";
    refused(&run(["clock", "--mode", "slow"]), 2, "invalid value 'slow' for '--mode <MODE>'", valid);
}

#[test]
fn namespaces_are_listed_and_forgotten_by_sub_commands() {
    let server = Running::start([FREE]);
    let names = || {
        let (status, out, err) = server.asked(&["namespaces", "list"], "");
        assert_eq!((status, &*err), (Some(0), ""));
        let list: Value = serde_json::from_str(&out).expect("JSON");
        let all = list["namespaces"].as_array().expect("a list").clone();
        all.iter().map(|one| one["namespace"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    server.get("/_ecsim/clock?namespace=gw0");
    assert_eq!(names(), ["default", "gw0"]);
    let (status, deleted, _) = server.asked(&["namespaces", "delete", "gw0"], "");
    assert_eq!((status, deleted.contains("\"gw0\"")), (Some(0), true), "{deleted}");
    assert_eq!(names(), ["default"]);
    let again = server.asked(&["namespaces", "delete", "gw0"], "");
    refused(&again, 1, "there is no namespace gw0", "GET /_ecsim/namespaces lists them");
    let error =
        "invalid value '..' for '<NAME>': a namespace is 1 to 63 letters, digits, '-', '_' or '.', the first no '.'";
    refused(&run(["namespaces", "delete", ".."]), 2, error, NO_BETTER_HINT);
}

#[test]
fn whatever_a_sub_command_asks_of_a_namespace_the_seeds_cannot_make_it_is_the_seeds_that_cannot_be_used() {
    let folder = Folder::new("seeds-failed");
    // In gw0 both are a@gw0.
    let keys = r#"[{ "id": "a", "secret": "a" }, { "id": "a@gw0", "secret": "a" }]"#;
    let seed =
        folder.file("seed.json", format!(r#"{{ "accounts": [{{ "id": "1000000000000001", "keys": {keys} }}] }}"#));
    let server = Running::start([FREE, "--seed", &seed]);
    for args in
        [&["clock"][..], &["reset"], &["info"], &["requests"], &["snapshot", "export"], &["chaos", "list", "faults"]]
    {
        let (status, _, error) = server.asked(&[args, &["--namespace=gw0"]].concat(), "");
        let begins = "error: the seeds cannot be used\n$.accounts[0].keys[1].id: ";
        assert!(status == Some(4) && error.starts_with(begins), "{args:?}: {error}");
    }
}

#[test]
fn what_a_client_has_sent_does_nothing_to_the_terminal_that_shows_it_as_json() {
    let server = Running::start([FREE, "--auth=lenient"]);
    let action = "De\u{9b}2J\u{7f}\u{1b}[2J";
    server.call(action, "test", "test");
    let (status, out, err) = server.asked(&["requests", "--json"], "");
    assert_eq!((status, &*err), (Some(0), ""));
    assert!(!out.contains(|char: char| char.is_control() && char != '\n'), "{out:?}");
    let (_, shown, _) = server.asked(&["requests"], "");
    assert!(shown.contains("De\\u{9b}2J\\u{7f}\\u{1b}[2J"), "{shown}");
    let read: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(read["requests"][0]["action"], action);
}

#[test]
fn worlds_of_a_running_emulator_are_saved_loaded_exported_and_imported_by_sub_commands() {
    let folder = Folder::new("snapshot-commands");
    let kept = folder.path("kept");
    let mut command = ecsim(["serve", FREE]);
    command.env("ECSIM_SNAPSHOT_DIR", &kept);
    let server = Running::spawn(command);
    let snapshot = |args: &[&str], input: &str| server.asked(&[&["snapshot"], args].concat(), input);
    let done = |args: &[&str], input: &str| {
        let (status, out, err) = snapshot(args, input);
        assert_eq!((status, &*err), (Some(0), ""), "{args:?}");
        out
    };
    let json = |args: &[&str], input: &str| serde_json::from_str::<Value>(&done(args, input)).expect("JSON");

    let world = done(&["export"], "");
    assert_eq!(world, server.get("/_ecsim/snapshot"));
    let small = r#"{"accounts":[{"instances":[{"id":"i-small"}]}]}"#;
    for (args, input) in [(&["import", "--namespace=gw0"][..], small), (&["import", "-", "--namespace=gw1"], small)] {
        assert_eq!(json(args, input)["instances"], 1);
    }
    let file = folder.path("world.json");
    assert_eq!(done(&["export", &file, "--namespace=gw0"], ""), "");
    let exported = fs::read_to_string(&file).expect("a file");
    assert_eq!(exported, server.get("/_ecsim/snapshot?namespace=gw0"));
    assert!(exported.contains("i-small"));
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600, "it holds secrets");
    assert_eq!(json(&["import", &file], "")["namespace"], "default");
    assert_eq!(done(&["export", "-"], ""), server.get("/_ecsim/snapshot"));

    let saved = json(&["save", "small.1"], "");
    assert_eq!((&saved["name"], &saved["namespace"]), (&"small.1".into(), &"default".into()));
    assert_eq!(json(&["load", "small.1", "--namespace", "gw2"], "")["instances"], 1);
    assert_eq!(done(&["show", "small.1"], ""), server.get("/_ecsim/snapshots/small.1"));
    let list = json(&["list"], "");
    assert_eq!(
        list["snapshots"].as_array().map(|list| list.iter().map(|one| &one["name"]).collect()),
        Some(vec![&json!("small.1")])
    );
    assert_eq!(fs::read_dir(&kept).expect("a folder").count(), 1);
    assert_eq!(json(&["delete", "small.1"], "")["name"], "small.1");

    let hint = "GET /_ecsim/snapshots lists them";
    for what in ["load", "show", "delete"] {
        refused(&snapshot(&[what, "small.1"], ""), 1, "there is no snapshot small.1", hint);
    }
    let hint = "nothing was changed; fixtures/seed/seed.schema.json in the sources describes the form";
    let bad = r#"{"accounts":[{"keys":[{"id":"k"}],"users":[{}]}]}"#;
    let lines = "the snapshot cannot be used\n$.accounts[0].keys[0]: needs secret\n$.accounts[0].users[0]: needs name";
    fs::write(folder.0.join("kept/bad.json"), bad).expect("writes");
    refused(&snapshot(&["import"], bad), 4, lines, hint);
    refused(&snapshot(&["load", "bad"], ""), 4, lines, hint);
    let gone = folder.path("gone.json");
    let error = format!("cannot read {gone}: No such file or directory (os error 2)");
    refused(&snapshot(&["import", &gone], ""), 4, &error, "name a snapshot's file, or give one on standard input");
    let error = format!("cannot write {kept}: Is a directory (os error 21)");
    assert_eq!(snapshot(&["export", &kept], ""), (Some(1), String::new(), format!("error: {error}\n")));
    // Where a link leads is written, and the link stays.
    let link = folder.path("link.json");
    symlink("world.json", &link).expect("a link");
    assert_eq!(done(&["export", &link, "--namespace=gw9"], ""), "");
    assert!(Path::new(&link).is_symlink());
    assert_eq!(fs::read_to_string(&file).expect("a file"), server.get("/_ecsim/snapshot?namespace=gw9"));
    // A pipe is written to, and not replaced by a file.
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).expect("reads")
    });
    assert_eq!(done(&["export", &pipe], ""), "");
    assert!(!fs::metadata(&pipe).expect("a pipe").is_file());
    assert_eq!(reader.join().expect("it is written"), server.get("/_ecsim/snapshot"));
}

#[test]
fn a_world_of_a_full_history_is_exported_and_imported_where_bodies_may_be_so_large() {
    let folder = Folder::new("snapshot-large");
    let policy = |number: usize| json!({ "n": number, "why": "x".repeat(400) }).to_string();
    let had = |number: usize| json!({ "role": "web", "policy": policy(number) });
    let changes: Vec<_> =
        (0..MOST_ROLE_CHANGES).map(|number| json!({ "at": NOW, "instance": "i-1", "before": had(number) })).collect();
    let seed = json!({
        "clock": { "mode": "frozen", "now": NOW },
        "accounts": [{
            "roles": [{ "name": "web" }],
            "instances": [{ "id": "i-1", "role": "web", "policy": policy(MOST_ROLE_CHANGES) }],
        }],
        "role_changes": { "changes": changes },
    });
    let (seed, file) = (folder.file("seed.json", seed.to_string()), folder.path("world.json"));
    let server = Running::start([FREE, "--seed", &seed]);
    let url = |server: &Running| format!("--url=http://{}", server.address);
    output(["snapshot", "export", &file, &url(&server)]);
    let world = fs::read_to_string(&file).expect("a file");
    assert!(world.len() > 1 << 20 && world.matches("\"before\"").count() == MOST_ROLE_CHANGES, "{}", world.len());
    let error = "The request body is larger than 1048576 bytes.";
    let hint =
        "start ecsim with a larger --max-body-size; what --seed and --snapshot-dir read and write may be of any size";
    refused(&run(["snapshot", "import", &file, &url(&server)]), 1, error, hint);
    let server = Running::start([FREE, "--max-body-size=16MiB"]);
    output(["snapshot", "import", &file, &url(&server)]);
    assert!(output(["snapshot", "export", &url(&server)]) == world);
}

#[test]
fn what_is_wrong_with_a_snapshot_command_is_status_2_and_asks_nobody() {
    let hint = "it is one of save, load, list, show, delete, export, import";
    refused(&run(["snapshot"]), 2, "'ecsim snapshot' requires a subcommand but one was not provided", hint);
    refused(&run(["snapshot", "sav"]), 2, "unrecognized subcommand 'sav'", "did you mean `save`?");
    let error = "the following required arguments were not provided: <NAME>";
    refused(&run(["snapshot", "save"]), 2, error, NO_BETTER_HINT);
    let why = "a name is 1 to 64 letters, digits, '-', '_' or '.', the first no '.'";
    for name in ["../a", ".a", "a b", ""] {
        let error = format!("invalid value '{name}' for '<NAME>': {why}");
        refused(&run(["snapshot", "load", name]), 2, &error, NO_BETTER_HINT);
    }
    let server = Running::start(["serve", FREE]);
    let refusal = "there is no folder for named snapshots";
    let hint = "start ecsim with --snapshot-dir DIR; GET and PUT /_ecsim/snapshot need no folder";
    let url = format!("--url=http://{}", server.address);
    refused(&run(["snapshot", "list", &url]), 1, refusal, hint);
    let folder = Folder::new("snapshot-config");
    let config = folder.file("ecsim.toml", format!("snapshot-dir = {:?}\n", folder.path("kept")));
    let server = Running::start([FREE, "--config", &config]);
    let url = format!("--url=http://{}", server.address);
    assert!(output(["snapshot", "list", &url]).contains("\"snapshots\": []"));
}

#[test]
fn what_goes_wrong_in_a_running_emulator_is_set_listed_and_cleared_by_sub_commands() {
    let folder = Folder::new("chaos-commands");
    let server = Running::start(["serve", FREE]);
    let chaos = |args: &[&str], input: &str| server.asked(&[&["chaos"], args].concat(), input);
    let json = |args: &[&str], input: &str| {
        let (status, out, err) = chaos(args, input);
        assert_eq!((status, &*err), (Some(0), ""), "{args:?}");
        serde_json::from_str::<Value>(&out).expect("JSON")
    };
    let rules = folder.file("rules.json", r#"[{"id":"a","operation":"DescribeRegions"}]"#);
    let set = json(&["set", "faults", &rules, "--namespace", "gw0"], "");
    assert_eq!((&set["namespace"], &set["faults"][0]["id"]), (&json!("gw0"), &json!("a")));
    let added = json(&["add", "faults", "--namespace", "gw0"], r#"[{"delay_ms":1}]"#);
    assert_eq!(added["faults"][1]["id"], "fault-1");
    assert_eq!(json(&["remove", "faults", &rules, "--namespace", "gw0"], "")["faults"][0]["id"], "fault-1");
    let (status, _, message) = chaos(&["remove", "limits"], "{}");
    assert!(status == Some(2) && message.contains("faults are removed one by one"), "{message}");
    assert_eq!(json(&["list", "faults"], "")["faults"], json!([]), "of default");
    assert_eq!(json(&["set", "effects", "-"], r#"{"latency":5}"#)["latency"], 5);
    assert_eq!(json(&["set", "limits"], r#"{"AssumeRole":{"qps":1}}"#)["limits"]["sts:AssumeRole"]["burst"], 1);
    assert_eq!(json(&["clear", "faults", "--namespace", "gw0"], "")["faults"], json!([]));
    assert_eq!(chaos(&["clear"], "").0, Some(0));
    for (what, member, empty) in
        [("faults", "faults", json!([])), ("effects", "latency", json!(null)), ("limits", "limits", json!({}))]
    {
        assert_eq!(json(&["list", what], "")[member], empty);
    }
    let (status, _, error) = chaos(&["set", "faults"], r#"[{"times":0,"after":-1}]"#);
    let lines = "error: the faults cannot be used\n$[0].after: must be a whole number from 0\n$[0].times: must be a whole number from 1\n";
    assert!(status == Some(4) && error.starts_with(lines), "{error}");
    assert_eq!(chaos(&["add", "effects"], "{}").0, Some(1), "there is nothing to add to");
    refused(&run(["chaos", "set", "fault"]), 2, "invalid value 'fault' for '<WHAT>'", "did you mean `faults`?");
}

#[test]
fn the_log_names_the_fault_that_a_call_met() {
    let mut server = Running::start([FREE, "--auth", "off", "--log-level", "info", "--log-format", "json"]);
    assert_eq!(server.asked(&["chaos", "set", "faults"], r#"[{"id":"a.1","operation":"DescribeRegions"}]"#).0, Some(0));
    server.get("/?Action=DescribeRegions&Version=2014-05-26");
    let line: Value = serde_json::from_str(&server.line_with("DescribeRegions")).expect("JSON");
    assert_eq!(
        [&line["fault"], &line["http"], &line["code"]],
        [&json!("a.1"), &json!(503), &json!("ServiceUnavailable")]
    );
}
