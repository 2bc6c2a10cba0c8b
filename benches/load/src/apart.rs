//! Many namespaces at once. Each worker has one to itself, knows what it alone would answer, and checks every answer.

use crate::{
    answer,
    sign::{self, Signer},
};
use serde_json::{json, Map, Value};
use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    sync::Arc,
    time::{Duration, Instant},
};

/// What every namespace begins with: as many instances, all with the first of these roles.
const INSTANCES: usize = 16;
const ROLES: [&str; 3] = ["role-a", "role-b", "role-c"];
/// A user with a key that may assume a role, and that role.
const CALLER: &str = "benchcaller";
const ASSUMED: &str = "role-of-callers";
const ACCOUNT: &str = "1000000000000001";
const SECRET: &str = "benchkeysecret";
/// How many users of a namespace there are at most beside it.
const USERS: u64 = 6;
/// After how many calls on average a namespace is begun again, or forgotten and made again.
const RESET: u64 = 500;
const FORGET: u64 = 1_000;
/// How often on average it is about something else than roles and users.
const RARE: u64 = 25;
/// The namespace, nobody's own, in which keys and tokens of the others are shown.
const ELSEWHERE: &str = "elsewhere";
/// Longer than any temporary key, token or limit lasts.
const MOVE: (&str, i64) = ("7h", 7 * 3600);
/// How many wrong answers are shown.
const SHOWN: u64 = 10;

const ECS: &str = "2014-05-26";
const RAM: &str = "2015-05-01";
const STS: &str = "2015-04-01";
const NO_KEY: &str = "InvalidAccessKeyId.NotFound";

/// The seed that the server is to be started with.
pub fn seed() -> Value {
    let key = |id: &str| json!([{ "id": id, "secret": SECRET }]);
    let trust = json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "RAM": [format!("acs:ram::{ACCOUNT}:root")] } }] });
    let mut roles: Vec<_> = ROLES.iter().map(|name| json!({ "name": name })).collect();
    roles.push(json!({ "name": ASSUMED, "trust": trust }));
    json!({ "accounts": [{
        "id": ACCOUNT,
        "keys": key("benchkeyid"),
        "users": [{ "name": CALLER, "policies": ["AliyunSTSAssumeRoleAccess"], "keys": key(CALLER) }],
        "roles": roles,
        "instances": [{ "id": "i-%08d", "count": INSTANCES, "role": ROLES[0] }],
    }] })
}

/// One thing that a worker does, and asks one answer for.
#[derive(Clone, Copy, Debug)]
enum Step {
    Reset,
    Forget,
    Attach,
    Detach,
    Describe,
    CreateUser,
    DeleteUser,
    ListUsers,
    SetFault,
    Faults,
    SetLimit,
    Journal,
    AssumeRole,
    Credentials,
    TemporaryKey,
    TemporaryKeyElsewhere,
    NewToken,
    Token,
    TokenElsewhere,
    MoveClock,
    Clock,
    ClockElsewhere,
}

impl Step {
    const ALL: [Self; 22] = [
        Self::Reset,
        Self::Forget,
        Self::Attach,
        Self::Detach,
        Self::Describe,
        Self::CreateUser,
        Self::DeleteUser,
        Self::ListUsers,
        Self::SetFault,
        Self::Faults,
        Self::SetLimit,
        Self::Journal,
        Self::AssumeRole,
        Self::Credentials,
        Self::TemporaryKey,
        Self::TemporaryKeyElsewhere,
        Self::NewToken,
        Self::Token,
        Self::TokenElsewhere,
        Self::MoveClock,
        Self::Clock,
        Self::ClockElsewhere,
    ];
    /// Those that are done rarely.
    const RARE: std::ops::Range<usize> = Self::SetFault as usize..Self::ALL.len();
}

#[derive(Default)]
struct Tally {
    answers: AtomicU64,
    /// Answers of a server that is at a loss, and calls without one.
    failed: AtomicU64,
    /// Answers that are not those of the state that the namespace is in.
    leaks: AtomicU64,
    /// Answers by what was done, and how many of them were a fault's or a limit's.
    steps: [AtomicU64; Step::ALL.len()],
    faults: AtomicU64,
    limits: AtomicU64,
}

/// Loads for so long and prints a line of JSON every `report`, the last one in the end.
pub fn run(addr: SocketAddr, host: &str, namespaces: u64, max: Duration, report: Duration) {
    let tally = Arc::new(Tally::default());
    let begin = Instant::now();
    let line = |tally: &Tally| {
        let [answers, failed, leaks] = [&tally.answers, &tally.failed, &tally.leaks].map(|n| n.load(Ordering::Relaxed));
        let secs = begin.elapsed().as_secs_f64();
        let count = |name: String, count: &AtomicU64| (name, json!(count.load(Ordering::Relaxed)));
        let mut of: Map<_, _> =
            Step::ALL.iter().map(|step| count(format!("{step:?}"), &tally.steps[*step as usize])).collect();
        of.extend([count("faults met".into(), &tally.faults), count("throttled".into(), &tally.limits)]);
        println!("{}", json!({ "secs": secs, "answers": answers, "failed": failed, "leaks": leaks, "of": of }));
    };
    let workers: Vec<_> = (0..namespaces)
        .map(|number| {
            let (tally, host) = (Arc::clone(&tally), host.to_owned());
            std::thread::spawn(move || {
                let mut worker = Worker::new(addr, &host, number);
                while begin.elapsed() < max {
                    worker.step(&tally);
                }
            })
        })
        .collect();
    let mut next = report;
    while next < max {
        std::thread::sleep(next.saturating_sub(begin.elapsed()));
        line(&tally);
        next += report;
    }
    for worker in workers {
        if worker.join().is_err() {
            tally.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
    line(&tally);
}

struct Worker {
    addr: SocketAddr,
    host: String,
    sock: Option<TcpStream>,
    have: Vec<u8>,
    namespace: String,
    /// What ids of keys and instances end in.
    end: String,
    owner: Signer,
    caller: Signer,
    random: u64,
    calls: u64,
    generation: u64,
    model: Model,
}

/// What there is in a namespace.
struct Model {
    /// Whether the namespace is there.
    is_made: bool,
    roles: [Option<usize>; INSTANCES],
    users: BTreeSet<String>,
    /// Of the fault of describing, how often it fires, and how often it will still.
    fault: Option<(u64, u64)>,
    /// Of the limit of listing users, how many tokens its bucket holds, and how many are left.
    limit: Option<(u64, u64)>,
    /// How many requests the journal has seen, and the id of the last.
    requests: (u64, Value),
    temporary: Option<Temporary>,
    /// A token of the metadata service, and the instance that it is for.
    token: Option<(usize, String)>,
    /// By how many seconds its clock is ahead.
    ahead: i64,
}

impl Model {
    fn new(is_made: bool) -> Self {
        Self {
            is_made,
            roles: [Some(0); INSTANCES],
            users: [CALLER.to_owned()].into(),
            fault: None,
            limit: None,
            requests: (0, Value::Null),
            temporary: None,
            token: None,
            ahead: 0,
        }
    }
}

/// A temporary key, and who it says that it is.
struct Temporary {
    id: String,
    secret: String,
    token: String,
    arn: String,
}

impl Temporary {
    fn of(credentials: &Value, arn: String) -> Option<Self> {
        let text = |name: &str| credentials[name].as_str().map(str::to_owned);
        Some(Self { id: text("AccessKeyId")?, secret: text("AccessKeySecret")?, token: text("SecurityToken")?, arn })
    }
}

/// What was answered, and what should have been.
struct Seen {
    status: u16,
    body: Value,
    /// Status, and what of the body tells the state.
    expected: (u16, Value),
    actual: Value,
}

impl Seen {
    fn is_right(&self) -> bool {
        (self.status, &self.actual) == (self.expected.0, &self.expected.1)
    }
}

impl Worker {
    fn new(addr: SocketAddr, host: &str, number: u64) -> Self {
        let (namespace, end) = match number {
            0 => ("default".to_owned(), String::new()),
            n => (format!("ns{n}"), format!("@ns{n}")),
        };
        let signer = |id: &str| Signer::new(sign::Proto::RpcV1, host, &format!("{id}{end}"), SECRET, "cn-hangzhou", "");
        let (owner, caller) = (signer("benchkeyid"), signer(CALLER));
        Worker {
            addr,
            host: host.to_owned(),
            sock: None,
            have: Vec::new(),
            namespace,
            end,
            owner,
            caller,
            random: number,
            calls: 0,
            generation: 0,
            model: Model::new(false),
        }
    }

    /// A number below `end` (SplitMix64).
    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn next(&mut self) -> Step {
        if self.below(RESET) == 0 {
            return Step::Reset;
        }
        if self.below(FORGET) == 0 && self.namespace != "default" && self.model.is_made {
            return Step::Forget;
        }
        if self.below(RARE) == 0 {
            let rare = Step::ALL[Step::RARE.start + self.below(Step::RARE.len() as u64) as usize];
            return match rare {
                Step::TemporaryKey | Step::TemporaryKeyElsewhere if self.model.temporary.is_none() => Step::AssumeRole,
                Step::Token | Step::TokenElsewhere if self.model.token.is_none() => Step::NewToken,
                rare => rare,
            };
        }
        match self.below(20) {
            0..=5 => Step::Attach,
            6..=11 => Step::Detach,
            12..=16 => Step::Describe,
            17 => Step::CreateUser,
            18 => Step::DeleteUser,
            _ => Step::ListUsers,
        }
    }

    fn step(&mut self, tally: &Tally) {
        let step = self.next();
        let seen = match step {
            Step::Reset => self.reset(),
            Step::Forget => self.forget(),
            Step::Attach => self.attach(),
            Step::Detach => self.detach(),
            Step::Describe => self.describe(tally),
            Step::CreateUser => self.user("CreateUser"),
            Step::DeleteUser => self.user("DeleteUser"),
            Step::ListUsers => self.list_users(tally),
            Step::SetFault => self.set_fault(),
            Step::Faults => self.faults(),
            Step::SetLimit => self.set_limit(),
            Step::Journal => self.journal(),
            Step::AssumeRole => self.assume_role(),
            Step::Credentials => self.credentials(),
            Step::TemporaryKey => self.temporary_key(false),
            Step::TemporaryKeyElsewhere => self.temporary_key(true),
            Step::NewToken => self.new_token(),
            Step::Token => self.token(false),
            Step::TokenElsewhere => self.token(true),
            Step::MoveClock => self.move_clock(),
            Step::Clock => self.clock(),
            Step::ClockElsewhere => self.clock_elsewhere(),
        };
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                self.sock = None;
                self.wrong(&tally.failed, &format!("{step:?}: {error}"));
                // Whether the call was performed is not known.
                let _ = self.reset();
                return;
            }
        };
        tally.answers.fetch_add(1, Ordering::Relaxed);
        tally.steps[step as usize].fetch_add(1, Ordering::Relaxed);
        if seen.is_right() {
            return;
        }
        let text = format!("{step:?}: {} {} {} instead of {:?}", seen.status, seen.actual, seen.body, seen.expected);
        self.wrong(if seen.status < 500 { &tally.leaks } else { &tally.failed }, &text);
        // From a state that is known again.
        let _ = self.reset();
    }

    fn wrong(&self, count: &AtomicU64, text: &str) {
        if count.fetch_add(1, Ordering::Relaxed) < SHOWN {
            eprintln!("{}: {text}", self.namespace);
        }
        if text.contains("refused") || text.contains("reset") {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn exchange(&mut self, wire: &[u8]) -> io::Result<(u16, Value)> {
        if self.sock.is_none() {
            let sock = TcpStream::connect(self.addr)?;
            sock.set_nodelay(true)?;
            sock.set_read_timeout(Some(Duration::from_secs(30)))?;
            self.sock = Some(sock);
            self.have.clear();
        }
        let sock = self.sock.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        sock.write_all(wire)?;
        loop {
            if let Some(found) = answer::parse(&self.have) {
                let body = self.have[found.body.clone()].to_vec();
                self.have.drain(..found.len.unwrap_or(self.have.len()));
                if found.close {
                    self.sock = None;
                }
                // The metadata service answers in plain texts and pages.
                let body = serde_json::from_slice(&body)
                    .unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
                return Ok((found.status, body));
            }
            let mut more = [0; 16 * 1024];
            match self.sock.as_mut().ok_or(io::ErrorKind::NotConnected)?.read(&mut more)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.have.extend_from_slice(&more[..n]),
            }
        }
    }

    /// A call by the owner's key.
    fn call(&mut self, action: &str, version: &str, more: &[(&str, &str)]) -> io::Result<(u16, Value)> {
        let wire = self.sign(&self.owner, (action, version), more, self.model.ahead);
        self.recorded(&wire)
    }

    /// The bytes of a call. Nonces are those of all namespaces: one that was used in another is free here.
    fn sign(&self, signer: &Signer, (action, version): (&str, &str), more: &[(&str, &str)], ahead: i64) -> Vec<u8> {
        let (nonce, stamp) = (format!("{}-{}", std::process::id(), self.calls), sign::timestamp_in(ahead));
        let mut params = vec![
            ("AccessKeyId", &*signer.key_id),
            ("Action", action),
            ("Format", "JSON"),
            ("RegionId", "cn-hangzhou"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &stamp),
            ("Version", version),
        ];
        params.extend(more);
        params.sort_unstable();
        signer.v1(&params).wire
    }

    /// Sends what the journal of the namespace keeps.
    fn recorded(&mut self, wire: &[u8]) -> io::Result<(u16, Value)> {
        self.calls += 1;
        self.model.is_made = true;
        let (status, body) = self.exchange(wire)?;
        self.model.requests = (self.model.requests.0 + 1, body["RequestId"].clone());
        Ok((status, body))
    }

    fn plain(&self, method: &str, path: &str, header: &str, body: &str) -> Vec<u8> {
        let (host, length) = (&self.host, body.len());
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{header}content-length: {length}\r\n\r\n{body}")
            .into_bytes()
    }

    /// What an endpoint of the control API answers for the namespace.
    fn control(&mut self, method: &str, endpoint: &str, body: &Value) -> io::Result<(u16, Value)> {
        self.model.is_made = true;
        let and = if endpoint.contains('?') { '&' } else { '?' };
        let path = format!("/_ecsim/{endpoint}{and}namespace={}", self.namespace);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let wire = self.plain(method, &path, "", &body);
        self.exchange(&wire)
    }

    fn reset(&mut self) -> io::Result<Seen> {
        let (status, body) = self.control("POST", "reset", &Value::Null)?;
        let is_newer = body["generation"].as_u64().is_some_and(|generation| generation > self.generation);
        self.generation = body["generation"].as_u64().unwrap_or(self.generation);
        self.model = Model::new(true);
        let actual = json!([body["namespace"], is_newer]);
        Ok(Seen { status, actual, body, expected: (200, json!([self.namespace, true])) })
    }

    /// Forgets the namespace; the next call makes it again.
    fn forget(&mut self) -> io::Result<Seen> {
        let wire = self.plain("DELETE", &format!("/_ecsim/namespaces/{}", self.namespace), "", "");
        let (status, body) = self.exchange(&wire)?;
        self.model = Model::new(false);
        Ok(Seen { status, actual: body["namespace"].clone(), body, expected: (200, json!(self.namespace)) })
    }

    /// Up to four instances, and their ids as a parameter.
    fn some(&mut self) -> (Vec<usize>, String) {
        let (first, count) = (self.below(INSTANCES as u64) as usize, 1 + self.below(4) as usize);
        let step = 1 + 2 * self.below(7) as usize;
        let picked: Vec<_> = (0..count).map(|n| (first + n * step) % INSTANCES).collect();
        let ids = json!(picked.iter().map(|n| instance(*n)).collect::<Vec<_>>()).to_string();
        (picked, ids)
    }

    /// How a batch ends of which so many fail, all for the same reason.
    fn batch(seen: (u16, Value), failed: usize, of: usize, refusal: (u16, &str)) -> Seen {
        let (status, body) = seen;
        if failed == of {
            let (refused, code) = refusal;
            return Seen { status, actual: body["Code"].clone(), body, expected: (refused, json!(code)) };
        }
        Seen { status, actual: body["FailCount"].clone(), body, expected: (200, json!(failed)) }
    }

    fn attach(&mut self) -> io::Result<Seen> {
        let ((picked, ids), role) = (self.some(), self.below(ROLES.len() as u64) as usize);
        let more = [("InstanceIds", &*ids), ("RamRoleName", ROLES[role])];
        let seen = self.call("AttachInstanceRamRole", ECS, &more)?;
        let mut failed = 0;
        for &n in &picked {
            match self.model.roles[n] {
                Some(other) if other != role => failed += 1,
                _ => self.model.roles[n] = Some(role),
            }
        }
        Ok(Self::batch(seen, failed, picked.len(), (403, "InvalidInstanceRamRole.NotSupport")))
    }

    fn detach(&mut self) -> io::Result<Seen> {
        let ((picked, ids), role) = (self.some(), self.below(1 + ROLES.len() as u64) as usize);
        let mut more = vec![("InstanceIds", &*ids)];
        more.extend(ROLES.get(role).map(|role| ("RamRoleName", *role)));
        let seen = self.call("DetachInstanceRamRole", ECS, &more)?;
        let mut failed = 0;
        for &n in &picked {
            match self.model.roles[n] {
                Some(other) if role < ROLES.len() && other != role => failed += 1,
                _ => self.model.roles[n] = None,
            }
        }
        Ok(Self::batch(seen, failed, picked.len(), (404, "InvalidRamRole.NotFound")))
    }

    fn describe(&mut self, tally: &Tally) -> io::Result<Seen> {
        let (picked, ids) = self.some();
        let (status, body) = self.call("DescribeInstanceRamRole", ECS, &[("InstanceIds", &ids)])?;
        if let Some((_, left @ 1..)) = &mut self.model.fault {
            *left -= 1;
            tally.faults.fetch_add(1, Ordering::Relaxed);
            return Ok(Seen { status, actual: body["Code"].clone(), body, expected: (409, json!(self.fault_code())) });
        }
        let rows = picked.iter().map(|&n| {
            let role = self.model.roles[n].map_or("", |role| ROLES[role]);
            json!({ "RamRoleName": role, "InstanceId": instance(n) })
        });
        let expected = (200, rows.collect());
        Ok(Seen { status, actual: body["InstanceRamRoleSets"]["InstanceRamRoleSet"].clone(), body, expected })
    }

    fn user(&mut self, action: &str) -> io::Result<Seen> {
        // The name says whose it is.
        let number = self.below(USERS);
        let name = format!("u-{}-{number}", self.namespace);
        let (status, body) = self.call(action, RAM, &[("UserName", &name)])?;
        let expected = if action == "CreateUser" {
            if self.model.users.insert(name) {
                (200, Value::Null)
            } else {
                (409, json!("EntityAlreadyExists.User"))
            }
        } else if self.model.users.remove(&name) {
            (200, Value::Null)
        } else {
            (404, json!("EntityNotExist.User"))
        };
        Ok(Seen { status, actual: body["Code"].clone(), body, expected })
    }

    fn list_users(&mut self, tally: &Tally) -> io::Result<Seen> {
        let (status, body) = self.call("ListUsers", RAM, &[])?;
        match &mut self.model.limit {
            Some((_, 0)) => {
                tally.limits.fetch_add(1, Ordering::Relaxed);
                return Ok(Seen {
                    status,
                    actual: body["Code"].clone(),
                    body,
                    expected: (400, json!("Throttling.User")),
                });
            }
            Some((_, left)) => *left -= 1,
            None => {}
        }
        let users = body["Users"]["User"].as_array().cloned().unwrap_or_default();
        let names: BTreeSet<_> = users.iter().filter_map(|user| user["UserName"].as_str()).collect();
        Ok(Seen { status, actual: json!(names), expected: (200, json!(self.model.users)), body })
    }

    /// A code that says whose fault it is.
    fn fault_code(&self) -> String {
        format!("Fault.Of.{}", self.namespace)
    }

    /// Has the next so many calls fail that describe.
    fn set_fault(&mut self) -> io::Result<Seen> {
        let times = 1 + self.below(3);
        let error = json!({ "statusCode": 409, "code": self.fault_code(), "message": "on purpose" });
        let rules = json!([{ "operation": "DescribeInstanceRamRole", "times": times, "error": error }]);
        let seen = self.control("POST", "chaos/faults", &rules)?;
        self.model.fault = Some((times, times));
        Ok(self.has_fault(seen))
    }

    fn faults(&mut self) -> io::Result<Seen> {
        let seen = self.control("GET", "chaos/faults", &Value::Null)?;
        Ok(self.has_fault(seen))
    }

    fn has_fault(&self, (status, body): (u16, Value)) -> Seen {
        let shown = body["faults"].as_array().into_iter().flatten();
        let actual = shown.map(|fault| json!([fault["error"]["code"], fault["times"], fault["fired"]])).collect();
        let expected = self.model.fault.iter().map(|(times, left)| json!([self.fault_code(), times, times - left]));
        Seen { status, actual, body, expected: (200, expected.collect()) }
    }

    /// Lets only so many calls list users that none is added to while the clock is not moved.
    fn set_limit(&mut self) -> io::Result<Seen> {
        let burst = 1 + self.below(3);
        let limits = json!({ "ram:ListUsers": { "qps": 0.001, "burst": burst } });
        let (status, body) = self.control("PUT", "chaos/limits", &limits)?;
        self.model.limit = Some((burst, burst));
        let actual = body["limits"]["ram:ListUsers"]["burst"].clone();
        Ok(Seen { status, actual, body, expected: (200, json!(burst)) })
    }

    /// The journal has seen as many requests as were sent here, the last of them at the end.
    fn journal(&mut self) -> io::Result<Seen> {
        let (status, body) = self.control("GET", "requests?limit=1", &Value::Null)?;
        let actual = json!([body["seen"], body["requests"][0]["request_id"]]);
        let (count, last) = &self.model.requests;
        Ok(Seen { status, actual, body, expected: (200, json!([count, last])) })
    }

    fn assume_role(&mut self) -> io::Result<Seen> {
        let (arn, name) = (format!("acs:ram::{ACCOUNT}:role/{ASSUMED}"), format!("of-{}", self.namespace));
        let more = [("RoleArn", &*arn), ("RoleSessionName", &name)];
        let wire = self.sign(&self.caller, ("AssumeRole", STS), &more, self.model.ahead);
        let (status, body) = self.recorded(&wire)?;
        let assumed = format!("acs:ram::{ACCOUNT}:assumed-role/{ASSUMED}/{name}");
        self.model.temporary = Temporary::of(&body["Credentials"], assumed);
        Ok(self.is_own(status, body))
    }

    /// What an instance gets for the role that it has, if it has one.
    fn credentials(&mut self) -> io::Result<Seen> {
        let n = self.below(INSTANCES as u64) as usize;
        let role = self.model.roles[n].map(|role| ROLES[role]);
        let item = format!("meta-data/ram/security-credentials/{}", role.unwrap_or(ROLES[0]));
        let (status, body) = self.metadata("GET", n, &item, "")?;
        let Some(role) = role else {
            return Ok(Seen { status, actual: Value::Null, body, expected: (404, Value::Null) });
        };
        let arn = format!("acs:ram::{ACCOUNT}:assumed-role/{role}/vm-ram-{}", instance(n));
        self.model.temporary = Temporary::of(&body, arn);
        Ok(self.is_own(status, body))
    }

    /// That the id of the new temporary key says which namespace it is of.
    fn is_own(&self, status: u16, body: Value) -> Seen {
        let end = self.model.temporary.as_ref().map(|key| key.id.trim_start_matches(|c| c != '@').to_owned());
        Seen { status, actual: json!(end), body, expected: (200, json!(self.end)) }
    }

    /// A call by the temporary key, here or in the namespace where it is nobody's.
    fn temporary_key(&mut self, elsewhere: bool) -> io::Result<Seen> {
        let Some(Temporary { id, secret, token, arn }) = &self.model.temporary else { return self.assume_role() };
        let is = json!(arn);
        let id = if elsewhere { format!("{}@{ELSEWHERE}", id.trim_end_matches(&self.end)) } else { id.clone() };
        let signer = Signer::new(sign::Proto::RpcV1, &self.host, &id, secret, "cn-hangzhou", "");
        let ahead = if elsewhere { 0 } else { self.model.ahead };
        let wire = self.sign(&signer, ("GetCallerIdentity", STS), &[("SecurityToken", token)], ahead);
        if elsewhere {
            let (status, body) = self.exchange(&wire)?;
            return Ok(Seen { status, actual: body["Code"].clone(), body, expected: (404, json!(NO_KEY)) });
        }
        let (status, body) = self.recorded(&wire)?;
        Ok(Seen { status, actual: body["Arn"].clone(), body, expected: (200, is) })
    }

    /// A request of an instance for its metadata.
    fn metadata(&mut self, method: &str, n: usize, item: &str, header: &str) -> io::Result<(u16, Value)> {
        let path = format!("/_ecsim/instances/{}{}/latest/{item}", instance(n), self.end);
        let wire = self.plain(method, &path, header, "");
        self.recorded(&wire)
    }

    fn new_token(&mut self) -> io::Result<Seen> {
        let n = self.below(INSTANCES as u64) as usize;
        let lifetime = "x-aliyun-ecs-metadata-token-ttl-seconds: 21600\r\n";
        let (status, body) = self.metadata("PUT", n, "api/token", lifetime)?;
        self.model.token = body.as_str().map(|token| (n, token.to_owned()));
        Ok(Seen { status, actual: Value::Null, body, expected: (200, Value::Null) })
    }

    /// An item for who shows the token, here or in the namespace where it is nobody's.
    fn token(&mut self, elsewhere: bool) -> io::Result<Seen> {
        let Some((n, token)) = self.model.token.clone() else { return self.new_token() };
        let (item, header) = ("meta-data/instance-id", format!("x-aliyun-ecs-metadata-token: {token}\r\n"));
        if elsewhere {
            let path = format!("/_ecsim/instances/{}@{ELSEWHERE}/latest/{item}", instance(n));
            let wire = self.plain("GET", &path, &header, "");
            let (status, body) = self.exchange(&wire)?;
            return Ok(Seen { status, actual: Value::Null, body, expected: (401, Value::Null) });
        }
        let (status, body) = self.metadata("GET", n, item, &header)?;
        Ok(Seen { status, actual: body.clone(), body, expected: (200, json!(instance(n))) })
    }

    /// Moves the clock so far that temporary keys and tokens are over, and buckets full. From then on calls are
    /// signed by the new time, which no other clock would let pass.
    fn move_clock(&mut self) -> io::Result<Seen> {
        let (by, seconds) = MOVE;
        let (status, body) = self.control("POST", "clock", &json!({ "advance": by }))?;
        self.model.ahead += seconds;
        (self.model.temporary, self.model.token) = (None, None);
        self.model.limit = self.model.limit.map(|(burst, _)| (burst, burst));
        Ok(self.is_ahead(status, body))
    }

    fn clock(&mut self) -> io::Result<Seen> {
        let (status, body) = self.control("GET", "clock", &Value::Null)?;
        Ok(self.is_ahead(status, body))
    }

    fn is_ahead(&self, status: u16, body: Value) -> Seen {
        Seen { status, actual: body["ahead_seconds"].clone(), body, expected: (200, json!(self.model.ahead)) }
    }

    fn clock_elsewhere(&mut self) -> io::Result<Seen> {
        let wire = self.plain("GET", &format!("/_ecsim/clock?namespace={ELSEWHERE}"), "", "");
        let (status, body) = self.exchange(&wire)?;
        Ok(Seen { status, actual: body["ahead_seconds"].clone(), body, expected: (200, json!(0)) })
    }
}

fn instance(n: usize) -> String {
    format!("i-{n:08}")
}
