//! Many namespaces at once. Each worker has one to itself, knows what it alone would answer, and checks every answer.

use crate::{
    answer,
    sign::{self, Signer},
};
use serde_json::{json, Value};
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
/// How many users of a namespace there are at most.
const USERS: u64 = 6;
/// After how many calls on average a namespace is begun again, or forgotten and made again.
const RESET: u64 = 500;
const FORGET: u64 = 1_000;
/// How many wrong answers are shown.
const SHOWN: u64 = 10;

/// The seed that the server is to be started with.
pub fn seed() -> Value {
    json!({ "accounts": [{
        "keys": [{ "id": "benchkeyid", "secret": "benchkeysecret" }],
        "roles": ROLES.map(|name| json!({ "name": name })),
        "instances": [{ "id": "i-%08d", "count": INSTANCES, "role": ROLES[0] }],
    }] })
}

#[derive(Default)]
struct Tally {
    answers: AtomicU64,
    /// Answers that no state of a namespace explains, and calls without one.
    failed: AtomicU64,
    /// Answers that are those of another state than the namespace is in.
    leaks: AtomicU64,
}

/// Loads for so long and prints a line of JSON every `report`, the last one in the end.
pub fn run(addr: SocketAddr, host: &str, namespaces: u64, max: Duration, report: Duration) {
    let tally = Arc::new(Tally::default());
    let begin = Instant::now();
    let line = |tally: &Tally| {
        let [answers, failed, leaks] = [&tally.answers, &tally.failed, &tally.leaks].map(|n| n.load(Ordering::Relaxed));
        let secs = begin.elapsed().as_secs_f64();
        println!("{}", json!({ "secs": secs, "answers": answers, "failed": failed, "leaks": leaks }));
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
    signer: Signer,
    namespace: String,
    key_id: String,
    random: u64,
    calls: u64,
    /// Whether the namespace is there.
    is_made: bool,
    roles: [Option<usize>; INSTANCES],
    users: BTreeSet<String>,
    generation: u64,
}

/// What was answered, and what should have been.
struct Seen {
    status: u16,
    body: Value,
    /// Status, and what of the body tells the state.
    expected: (u16, Value),
    actual: Value,
}

impl Worker {
    fn new(addr: SocketAddr, host: &str, number: u64) -> Self {
        let (namespace, key_id) = match number {
            0 => ("default".to_owned(), "benchkeyid".to_owned()),
            n => (format!("ns{n}"), format!("benchkeyid@ns{n}")),
        };
        let signer = Signer::new(sign::Proto::RpcV1, host, &key_id, "benchkeysecret", "cn-hangzhou", "");
        Worker {
            addr,
            host: host.to_owned(),
            sock: None,
            have: Vec::new(),
            signer,
            namespace,
            key_id,
            random: number,
            calls: 0,
            is_made: false,
            roles: [Some(0); INSTANCES],
            users: BTreeSet::new(),
            generation: 0,
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

    fn step(&mut self, tally: &Tally) {
        let seen = if self.below(RESET) == 0 {
            self.reset()
        } else if self.below(FORGET) == 0 && self.namespace != "default" {
            self.forget()
        } else {
            match self.below(20) {
                0..=5 => self.attach(),
                6..=11 => self.detach(),
                12..=16 => self.describe(),
                17 => self.user("CreateUser"),
                18 => self.user("DeleteUser"),
                _ => self.list_users(),
            }
        };
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                self.sock = None;
                self.wrong(&tally.failed, &error.to_string());
                // Whether the call was performed is not known.
                let _ = self.reset();
                return;
            }
        };
        tally.answers.fetch_add(1, Ordering::Relaxed);
        if (seen.status, &seen.actual) == (seen.expected.0, &seen.expected.1) {
            return;
        }
        let text = format!("{} {} instead of {:?}", seen.status, seen.body, seen.expected);
        let explained = [
            "InvalidAccessKeyId.NotFound", // The key of one namespace was looked for in another.
            "InvalidInstanceRamRole.NotSupport",
            "InvalidRamRole.NotFound",
            "EntityAlreadyExists.User",
            "EntityNotExist.User",
        ];
        let is_state = seen.status == 200 || explained.iter().any(|code| seen.body["Code"] == *code);
        self.wrong(if is_state { &tally.leaks } else { &tally.failed }, &text);
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
                return Ok((found.status, serde_json::from_slice(&body)?));
            }
            let mut more = [0; 16 * 1024];
            match self.sock.as_mut().ok_or(io::ErrorKind::NotConnected)?.read(&mut more)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.have.extend_from_slice(&more[..n]),
            }
        }
    }

    fn call(&mut self, action: &str, version: &str, more: &[(&str, &str)]) -> io::Result<(u16, Value)> {
        self.calls += 1;
        self.is_made = true;
        let (nonce, stamp) = (format!("{}-{}-{}", self.namespace, std::process::id(), self.calls), sign::timestamp());
        let mut params = vec![
            ("AccessKeyId", &*self.key_id),
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
        let wire = self.signer.v1(&params).wire;
        self.exchange(&wire)
    }

    fn control(&mut self, method: &str, path: &str) -> io::Result<Seen> {
        let wire = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n\r\n", self.host);
        let (status, body) = self.exchange(wire.as_bytes())?;
        let is_newer = body["generation"].as_u64().is_some_and(|generation| generation > self.generation);
        let actual = json!([body["namespace"], is_newer || method == "DELETE"]);
        Ok(Seen { status, actual, body, expected: (200, json!([self.namespace, true])) })
    }

    fn begun_again(&mut self) {
        self.roles = [Some(0); INSTANCES];
        self.users.clear();
    }

    fn reset(&mut self) -> io::Result<Seen> {
        let path = format!("/_ecsim/reset?namespace={}", self.namespace);
        let seen = self.control("POST", &path)?;
        self.generation = seen.body["generation"].as_u64().unwrap_or(self.generation);
        self.is_made = true;
        self.begun_again();
        Ok(seen)
    }

    /// Forgets the namespace; the next call makes it again.
    fn forget(&mut self) -> io::Result<Seen> {
        if !self.is_made {
            return self.reset();
        }
        let path = format!("/_ecsim/namespaces/{}", self.namespace);
        let seen = self.control("DELETE", &path)?;
        self.is_made = false;
        self.begun_again();
        Ok(seen)
    }

    /// Up to four instances, and their ids as a parameter.
    fn some(&mut self) -> (Vec<usize>, String) {
        let (first, count) = (self.below(INSTANCES as u64) as usize, 1 + self.below(4) as usize);
        let step = 1 + 2 * self.below(7) as usize;
        let picked: Vec<_> = (0..count).map(|n| (first + n * step) % INSTANCES).collect();
        let ids = json!(picked.iter().map(|n| format!("i-{n:08}")).collect::<Vec<_>>()).to_string();
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
        let seen = self.call("AttachInstanceRamRole", "2014-05-26", &more)?;
        let mut failed = 0;
        for &n in &picked {
            match self.roles[n] {
                Some(other) if other != role => failed += 1,
                _ => self.roles[n] = Some(role),
            }
        }
        Ok(Self::batch(seen, failed, picked.len(), (403, "InvalidInstanceRamRole.NotSupport")))
    }

    fn detach(&mut self) -> io::Result<Seen> {
        let ((picked, ids), role) = (self.some(), self.below(1 + ROLES.len() as u64) as usize);
        let mut more = vec![("InstanceIds", &*ids)];
        more.extend(ROLES.get(role).map(|role| ("RamRoleName", *role)));
        let seen = self.call("DetachInstanceRamRole", "2014-05-26", &more)?;
        let mut failed = 0;
        for &n in &picked {
            match self.roles[n] {
                Some(other) if role < ROLES.len() && other != role => failed += 1,
                _ => self.roles[n] = None,
            }
        }
        Ok(Self::batch(seen, failed, picked.len(), (404, "InvalidRamRole.NotFound")))
    }

    fn describe(&mut self) -> io::Result<Seen> {
        let (picked, ids) = self.some();
        let (status, body) = self.call("DescribeInstanceRamRole", "2014-05-26", &[("InstanceIds", &ids)])?;
        let rows = picked.iter().map(|&n| {
            let role = self.roles[n].map_or("", |role| ROLES[role]);
            json!({ "RamRoleName": role, "InstanceId": format!("i-{n:08}") })
        });
        let expected = (200, rows.collect());
        Ok(Seen { status, actual: body["InstanceRamRoleSets"]["InstanceRamRoleSet"].clone(), body, expected })
    }

    fn user(&mut self, action: &str) -> io::Result<Seen> {
        // The name says whose it is.
        let number = self.below(USERS);
        let name = format!("u-{}-{number}", self.namespace);
        let (status, body) = self.call(action, "2015-05-01", &[("UserName", &name)])?;
        let expected = if action == "CreateUser" {
            if self.users.insert(name) {
                (200, Value::Null)
            } else {
                (409, json!("EntityAlreadyExists.User"))
            }
        } else if self.users.remove(&name) {
            (200, Value::Null)
        } else {
            (404, json!("EntityNotExist.User"))
        };
        Ok(Seen { status, actual: body["Code"].clone(), body, expected })
    }

    fn list_users(&mut self) -> io::Result<Seen> {
        let (status, body) = self.call("ListUsers", "2015-05-01", &[])?;
        let users = body["Users"]["User"].as_array().cloned().unwrap_or_default();
        let names: BTreeSet<_> = users.iter().filter_map(|user| user["UserName"].as_str()).collect();
        Ok(Seen { status, actual: json!(names), expected: (200, json!(self.users)), body })
    }
}
