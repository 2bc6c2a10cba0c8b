//! Control calls and signed calls in any order, beside a model of them in plain maps. After every step the emulator shows
//! what the model has, and nothing has changed but what the step is about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use ecsim::Emulator;
use ecsim::world::{ManualClock, SpaceLimits, parse_utc, utc_seconds};
use http::Request;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tower::Service;

use super::support::{Call, NOW};

/// With `default`, one more than there may be.
const NAMES: [&str; 4] = ["default", "gw0", "gw1", "gw2"];
const MOST: usize = 2;
const IDS: [&str; 5] = ["i-0", "i-1", "i-2", "i-3", "i-4"];
const ROLES: [&str; 4] = ["r-0", "r-1", "r-2", "r-3"];
const USERS: [&str; 3] = ["u-0", "u-1", "u-2"];
const ACTIONS: [&str; 5] =
    ["AttachInstanceRamRole", "DetachInstanceRamRole", "DescribeInstanceRamRole", "CreateUser", "DeleteUser"];
const ATTACH: usize = 0;
const DETACH: usize = 1;
const DESCRIBE: usize = 2;
const CREATE_USER: usize = 3;
const DELETE_USER: usize = 4;
/// What the first fault of a namespace answers, and the second.
const FAULTS: [&str; 2] = ["Fault.First", "Fault.Second"];

/// What a seed says, as numbers of names.
#[derive(Clone, Debug)]
struct Seed {
    has_key: bool,
    users: BTreeSet<usize>,
    roles: BTreeSet<usize>,
    instances: BTreeMap<usize, Option<usize>>,
}

/// How a text is broken.
#[derive(Clone, Copy, Debug)]
enum Broken {
    Cut,
    Newer,
    Unknown,
}

/// What is done, in the namespace of this number.
#[derive(Clone, Debug)]
struct Step {
    name: usize,
    /// Whether calls name it in a header, and not at the end of their key.
    by_header: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Reset,
    Seed {
        replaces: bool,
        seed: Seed,
        broken: Option<Broken>,
    },
    /// A snapshot of another namespace is put here.
    Copy {
        from: usize,
        broken: Option<Broken>,
    },
    /// What a body of `/_ecsim/clock` says, `now` in seconds from the start.
    Clock {
        mode: Option<usize>,
        now: Option<u16>,
        advance: Option<i16>,
    },
    /// The machine's clock goes on, here and elsewhere.
    Machine(u16),
    Rng(u64),
    Delete,
    Attach {
        ids: BTreeSet<usize>,
        role: usize,
    },
    Detach {
        ids: BTreeSet<usize>,
        role: Option<usize>,
    },
    Describe {
        ids: BTreeSet<usize>,
    },
    /// Makes a user, or deletes it.
    User {
        user: usize,
        is_made: bool,
    },
    /// Faults in the place of all, each for so many calls of an action.
    Faults(Vec<(usize, u64)>),
    /// A limit in the place of all, of so many calls of an action, to which one is added every [`TOKEN`] seconds.
    Limit(Option<(usize, i64)>),
    /// That so many calls of an action have succeeded as there were, and not one more.
    Verify(usize),
    /// A name or query that can be none, of one endpoint or another.
    Senseless(usize),
}

const SENSELESS: [(&str, &str, &str, u16, &str); 8] = [
    ("POST", "/_ecsim/reset?namespace=a%20b", "", 400, "InvalidNamespace"),
    ("POST", "/_ecsim/reset?namspace=NAME", "", 400, "InvalidQuery"),
    ("POST", "/_ecsim/seed?mode=add&namespace=NAME", "{}", 400, "InvalidQuery"),
    ("PUT", "/_ecsim/snapshot?namespace=", "{}", 400, "InvalidNamespace"),
    ("PUT", "/_ecsim/clock?namespace=a/b", r#"{"advance":"1s"}"#, 400, "InvalidNamespace"),
    ("DELETE", "/_ecsim/namespaces/a%20b", "", 400, "InvalidNamespace"),
    ("DELETE", "/_ecsim/snapshot?namespace=NAME", "", 405, "MethodNotAllowed"),
    ("POST", "/_ecsim/rng?seed=1&namespace=NAME", r#"{"seed":1}"#, 400, "InvalidQuery"),
];

fn step() -> impl Strategy<Value = Step> {
    let role = || 0..ROLES.len();
    let ids = || prop::collection::btree_set(0..IDS.len(), 1..4);
    let broken = || {
        let how = prop_oneof![Just(Broken::Cut), Just(Broken::Newer), Just(Broken::Unknown)];
        prop::option::weighted(0.2, how)
    };
    let seed = (
        prop::bool::weighted(0.3),
        prop::collection::btree_set(0..USERS.len(), 0..2),
        prop::collection::btree_set(role(), 0..3),
        prop::collection::btree_map(0..IDS.len(), prop::option::of(role()), 0..3),
    );
    let seed = seed.prop_map(|(has_key, users, roles, instances)| Seed { has_key, users, roles, instances });
    let what = prop_oneof![
        2 => Just(What::Reset),
        4 => (any::<bool>(), seed, broken())
            .prop_map(|(replaces, seed, broken)| What::Seed { replaces, seed, broken }),
        2 => (0..NAMES.len(), broken()).prop_map(|(from, broken)| What::Copy { from, broken }),
        2 => (prop::option::of(0..4_usize), prop::option::of(any::<u16>()), prop::option::of(any::<i16>()))
            .prop_map(|(mode, now, advance)| What::Clock { mode, now, advance }),
        1 => any::<u16>().prop_map(What::Machine),
        1 => any::<u64>().prop_map(What::Rng),
        1 => Just(What::Delete),
        3 => (ids(), role()).prop_map(|(ids, role)| What::Attach { ids, role }),
        3 => (ids(), prop::option::of(role())).prop_map(|(ids, role)| What::Detach { ids, role }),
        2 => ids().prop_map(|ids| What::Describe { ids }),
        2 => (0..USERS.len(), any::<bool>()).prop_map(|(user, is_made)| What::User { user, is_made }),
        2 => prop::collection::vec((0..ACTIONS.len(), 1..3_u64), 0..=FAULTS.len()).prop_map(What::Faults),
        1 => prop::option::weighted(0.8, (0..ACTIONS.len(), 1..3_i64)).prop_map(What::Limit),
        1 => (0..ACTIONS.len()).prop_map(What::Verify),
        1 => (0..SENSELESS.len()).prop_map(What::Senseless),
    ];
    (0..NAMES.len(), any::<bool>(), what).prop_map(|(name, by_header, what)| Step { name, by_header, what })
}

impl Seed {
    fn text(&self) -> String {
        let keys: Vec<_> = self.has_key.then(|| json!({ "id": "test", "secret": "test" })).into_iter().collect();
        let users: Vec<_> = self.users.iter().map(|user| json!({ "name": USERS[*user] })).collect();
        let roles: Vec<_> = self.roles.iter().map(|role| json!({ "name": ROLES[*role] })).collect();
        let instances = self.instances.iter().map(|(id, role)| match role {
            Some(role) => json!({ "id": IDS[*id], "role": ROLES[*role] }),
            None => json!({ "id": IDS[*id] }),
        });
        let instances: Vec<_> = instances.collect();
        json!({ "accounts": [{ "keys": keys, "users": users, "roles": roles, "instances": instances }] }).to_string()
    }

    /// What every world of the emulator begins with.
    fn at_the_start() -> Self {
        let instances = [(0, Some(0)), (1, None), (2, Some(1))].into();
        Self { has_key: true, users: [0].into(), roles: [0, 1].into(), instances }
    }
}

impl Broken {
    fn breaks(self, text: &str) -> String {
        match self {
            Self::Cut => text.trim_end()[..text.trim_end().len() - 1].to_owned(),
            Self::Newer | Self::Unknown => {
                let mut file: Map<String, Value> = serde_json::from_str(text).expect("an object");
                let (member, value) =
                    if matches!(self, Self::Newer) { ("schema_version", json!(2)) } else { ("strange", json!(1)) };
                file.insert(member.to_owned(), value);
                Value::from(file).to_string()
            }
        }
    }
}

/// How the time of a world goes, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Time {
    Real,
    Ahead(i64),
    Stands(i64),
}

#[derive(Clone, Debug, PartialEq)]
struct World {
    /// Not known before it is seen.
    generation: Option<u64>,
    has_key: bool,
    users: BTreeSet<usize>,
    roles: BTreeSet<usize>,
    instances: BTreeMap<usize, Option<usize>>,
    time: Time,
    beside: Beside,
}

/// What a namespace has beside its world, and no snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
struct Beside {
    faults: Vec<Fault>,
    limit: Option<Limit>,
    /// Which actions were called, and how each call ended.
    journal: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Fault {
    action: usize,
    times: u64,
    matched: u64,
    fired: u64,
}

/// How many seconds fill a token.
const TOKEN: i64 = 1000;

#[derive(Clone, Debug, PartialEq)]
struct Limit {
    action: usize,
    burst: i64,
    /// In seconds of filling, by the time after it. Before its first use a bucket is full.
    level: Option<(i64, i64)>,
}

impl Limit {
    fn refuses(&mut self, now: i64) -> bool {
        let full = self.burst * TOKEN;
        let (level, at) = self.level.unwrap_or((full, now));
        // A clock that was set back fills nothing.
        let level = (level + (now - at).max(0)).min(full);
        let refuses = level < TOKEN;
        self.level = Some((if refuses { level } else { level - TOKEN }, now));
        refuses
    }
}

impl Beside {
    /// What a limit or a fault has a call answered.
    fn disturbs(&mut self, action: usize, now: i64) -> Option<&'static str> {
        let limit = self.limit.as_mut().filter(|limit| limit.action == action);
        if limit.is_some_and(|limit| limit.refuses(now)) {
            return Some(THROTTLED);
        }
        for (fault, code) in self.faults.iter_mut().zip(FAULTS).filter(|(fault, _)| fault.action == action) {
            fault.matched += 1;
            if fault.fired < fault.times {
                fault.fired += 1;
                return Some(code);
            }
        }
        None
    }
}

impl World {
    /// The world with what a seed adds, if that has no mistake.
    fn with(&self, seed: &Seed) -> Option<Self> {
        let mut next = self.clone();
        if seed.has_key && std::mem::replace(&mut next.has_key, true) {
            return None;
        }
        let is_new = seed.users.iter().all(|user| next.users.insert(*user));
        let is_new = is_new && seed.roles.iter().all(|role| next.roles.insert(*role));
        let is_new = is_new && seed.instances.iter().all(|(id, role)| next.instances.insert(*id, *role).is_none());
        let known = seed.instances.values().flatten().all(|role| next.roles.contains(role));
        (is_new && known).then_some(next)
    }

    fn empty() -> Self {
        let (users, roles, instances, beside) = Default::default();
        Self { generation: None, has_key: false, users, roles, instances, time: Time::Real, beside }
    }

    fn of(seed: &Seed) -> Option<Self> {
        Self::empty().with(seed)
    }

    fn now(&self, machine: i64) -> i64 {
        match self.time {
            Time::Real => machine,
            Time::Ahead(by) => machine + by,
            Time::Stands(at) => at,
        }
    }
}

/// How a signed call ends: how many instances failed, or what else it tells, or the code of the refusal.
type Outcome<T = usize> = Result<T, &'static str>;

const NO_KEY: &str = "InvalidAccessKeyId.NotFound";
const NO_INSTANCE: &str = "InvalidInstanceId.NotFound";
const NO_ROLE: &str = "InvalidRamRole.NotFound";
const OTHER_ROLE: &str = "InvalidInstanceRamRole.NotSupport";
const TOO_MANY: &str = "QuotaExceeded.Namespace";
const THROTTLED: &str = "Throttling.User";

/// One outcome of several instances, `None` where there is success.
fn in_all(failures: &[Option<&'static str>]) -> Outcome {
    match failures[0] {
        Some(first) if failures.iter().all(|failure| *failure == Some(first)) => Err(first),
        _ => Ok(failures.iter().flatten().count()),
    }
}

impl World {
    fn attach(&mut self, ids: &BTreeSet<usize>, role: usize) -> Outcome {
        if !self.roles.contains(&role) {
            return Err(NO_ROLE);
        }
        let failures = ids.iter().map(|id| match self.instances.get(id) {
            None => Some(NO_INSTANCE),
            Some(Some(other)) if *other != role => Some(OTHER_ROLE),
            Some(_) => None,
        });
        let failures: Vec<_> = failures.collect();
        for id in ids {
            if let Some(free @ None) = self.instances.get_mut(id) {
                *free = Some(role);
            }
        }
        in_all(&failures)
    }

    fn detach(&mut self, ids: &BTreeSet<usize>, role: Option<usize>) -> Outcome {
        if role.is_some_and(|role| !self.roles.contains(&role)) {
            return Err(NO_ROLE);
        }
        let failures = ids.iter().map(|id| match (self.instances.get(id), role) {
            (None, _) => Some(NO_INSTANCE),
            (Some(Some(other)), Some(named)) if *other != named => Some(NO_ROLE),
            _ => None,
        });
        let failures: Vec<_> = failures.collect();
        for (id, failure) in ids.iter().zip(&failures) {
            if failure.is_none() {
                self.instances.insert(*id, None);
            }
        }
        in_all(&failures)
    }

    fn describe(&self, ids: &BTreeSet<usize>) -> Outcome<Vec<Value>> {
        let there = ids.iter().filter_map(|id| Some((IDS[*id], *self.instances.get(id)?)));
        let row = |(id, role): (&str, Option<usize>)| json!({ "RamRoleName": role.map_or("", |role| ROLES[role]), "InstanceId": id });
        let rows: Vec<_> = there.map(row).collect();
        if rows.is_empty() { Err(NO_INSTANCE) } else { Ok(rows) }
    }

    fn user(&mut self, user: usize, is_made: bool) -> Outcome<()> {
        let (changes, code) = if is_made {
            (self.users.insert(user), "EntityAlreadyExists.User")
        } else {
            (self.users.remove(&user), "EntityNotExist.User")
        };
        if changes { Ok(()) } else { Err(code) }
    }
}

/// The emulator and its model.
struct Both {
    emulator: Emulator,
    service: Router,
    clock: Arc<ManualClock>,
    machine: i64,
    /// The highest generation that was seen.
    newest: u64,
    worlds: BTreeMap<&'static str, World>,
    /// The texts of the worlds after the last step.
    texts: BTreeMap<&'static str, String>,
}

fn seconds(text: &str) -> i64 {
    parse_utc(text).expect("a time").as_second()
}

fn listed(ids: &BTreeSet<usize>) -> String {
    json!(ids.iter().map(|id| IDS[*id]).collect::<Vec<_>>()).to_string()
}

fn limit_key(action: usize) -> String {
    format!("{}:{}", if action < CREATE_USER { "ecs" } else { "ram" }, ACTIONS[action])
}

fn text_of(at: i64) -> String {
    utc_seconds(Timestamp::from_second(at).expect("a time"))
}

impl Both {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(parse_utc(NOW).expect("a time")));
        let builder = Emulator::builder().without_listeners().clock(Arc::clone(&clock) as _).rng_seed(1);
        let builder = builder.space_limits(SpaceLimits { most: MOST, ..SpaceLimits::default() });
        let emulator = builder.seed("start", Seed::at_the_start().text()).start().await.expect("it starts");
        let worlds = [("default", Self::fresh())].into();
        let (service, texts) = (emulator.service(), BTreeMap::new());
        let mut both = Self { emulator, service, clock, machine: seconds(NOW), newest: 0, worlds, texts };
        both.compare(None, None).await;
        both
    }

    fn fresh() -> World {
        World::of(&Seed::at_the_start()).expect("a good seed")
    }

    async fn send(&mut self, request: http::request::Builder, body: String) -> (u16, String) {
        let request = request.header("host", "localhost").body(Body::from(body)).expect("a request");
        let answer = self.service.call(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("a text"))
    }

    async fn ask(&mut self, method: &str, path: &str, body: impl Into<String>) -> (u16, Value) {
        let (status, text) = self.send(Request::builder().method(method).uri(path), body.into()).await;
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}")))
    }

    async fn refused(&mut self, method: &str, path: &str, body: impl Into<String>, status: u16, code: &str) {
        let (answered, body) = self.ask(method, path, body).await;
        assert_eq!((answered, body["error"]["code"].as_str()), (status, Some(code)), "{method} {path}: {body}");
    }

    async fn done(&mut self, method: &str, path: &str, body: impl Into<String>) -> Value {
        let (status, body) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {body}");
        body
    }

    fn has_room(&self, name: &str) -> bool {
        self.worlds.contains_key(name) || self.worlds.len() <= MOST
    }

    /// The world of a name, which its use makes; `None` if there is no room.
    fn used(&mut self, name: &'static str) -> Option<&mut World> {
        self.has_room(name).then(|| self.worlds.entry(name).or_insert_with(Self::fresh))
    }

    async fn call(&mut self, step: &Step, action: usize, params: &[(&str, &str)]) -> (u16, Value) {
        let name = NAMES[step.name];
        let key = if step.by_header { "test".to_owned() } else { format!("test@{name}") };
        let version = if action < CREATE_USER { "2014-05-26" } else { "2015-05-01" };
        let call = Call::new(String::new(), ACTIONS[action]).key(&key, "test").param("Version", version);
        let call = call.param("Timestamp", text_of(self.machine)).param("RegionId", "cn-hangzhou");
        let call = params.iter().fold(call, |call, (name, value)| call.param(name, *value));
        let request = Request::get(format!("/?{}", call.query()));
        let request = if step.by_header { request.header("x-ecsim-namespace", name) } else { request };
        let (status, text) = self.send(request, String::new()).await;
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}")))
    }

    /// What the model makes of a call.
    fn expected<T>(&mut self, step: &Step, action: usize, act: impl FnOnce(&mut World) -> Outcome<T>) -> Outcome<T> {
        let machine = self.machine;
        let Some(world) = self.used(NAMES[step.name]) else {
            // It is in no journal but that of `default`.
            let default = self.worlds.get_mut("default").expect("it is always there");
            default.beside.journal.push((ACTIONS[action], TOO_MANY));
            return Err(TOO_MANY);
        };
        let now = world.now(machine);
        let outcome = match world.has_key.then(|| world.beside.disturbs(action, now)) {
            None => Err(NO_KEY),
            Some(Some(code)) => Err(code),
            Some(None) => act(world),
        };
        world.beside.journal.push((ACTIONS[action], outcome.as_ref().err().copied().unwrap_or("OK")));
        outcome
    }

    /// A call, and what the model makes of it: the answer, and what the model tells where it is none of a refusal.
    async fn both<T>(
        &mut self,
        step: &Step,
        (action, params): (usize, &[(&str, &str)]),
        act: impl FnOnce(&mut World) -> Outcome<T>,
    ) -> (Value, Option<T>) {
        let (status, body) = self.call(step, action, params).await;
        match self.expected(step, action, act) {
            Ok(told) => {
                assert_eq!(status, 200, "{body}");
                (body, Some(told))
            }
            Err(code) => {
                assert_eq!((status >= 400, body["Code"].as_str()), (true, Some(code)), "{body}");
                (body, None)
            }
        }
    }

    /// A call that changes instances.
    async fn changes(
        &mut self,
        step: &Step,
        action: usize,
        ids: &BTreeSet<usize>,
        role: Option<usize>,
        change: impl FnOnce(&mut World) -> Outcome,
    ) {
        let listed = listed(ids);
        let mut params = vec![("InstanceIds", &*listed)];
        params.extend(role.map(|role| ("RamRoleName", ROLES[role])));
        if let (body, Some(failed)) = self.both(step, (action, &params), change).await {
            assert_eq!((&body["FailCount"], &body["TotalCount"]), (&json!(failed), &json!(ids.len())));
        }
    }

    async fn describe(&mut self, step: &Step, ids: &BTreeSet<usize>) -> Value {
        let listed = listed(ids);
        let call = (DESCRIBE, &[("InstanceIds", &*listed)][..]);
        let (body, rows) = self.both(step, call, |world| world.describe(ids)).await;
        if let Some(rows) = rows {
            assert_eq!(body["InstanceRamRoleSets"]["InstanceRamRoleSet"], json!(rows));
        }
        body
    }

    /// Takes a step on both sides, and compares them.
    async fn take(&mut self, step: &Step) {
        let mut answered = None;
        let name = NAMES[step.name];
        let path = |endpoint: &str| format!("/_ecsim/{endpoint}?namespace={name}");
        // Whether the text of the world that it is about may change.
        let mut changed = true;
        match &step.what {
            What::Machine(by) => {
                changed = false;
                self.clock.advance(SignedDuration::from_secs(i64::from(*by)));
                self.machine += i64::from(*by);
            }
            What::Reset if !self.has_room(name) => {
                self.refused("POST", &path("reset"), "", 409, "TooManyNamespaces").await;
            }
            What::Reset => {
                answered = Some(self.done("POST", &path("reset"), "").await);
                self.worlds.insert(name, Self::fresh());
            }
            What::Seed { replaces, seed, broken } => {
                let path = format!("{}&mode={}", path("seed"), if *replaces { "replace" } else { "merge" });
                let text = broken.map_or_else(|| seed.text(), |broken| broken.breaks(&seed.text()));
                let (before, next) = if *replaces {
                    (World::empty(), World::of(seed))
                } else {
                    let world = self.worlds.get(name).cloned().unwrap_or_else(Self::fresh);
                    let next = world.with(seed);
                    (world, next)
                };
                match next.filter(|_| broken.is_none()) {
                    _ if !self.has_room(name) => self.refused("POST", &path, text, 409, "TooManyNamespaces").await,
                    None => {
                        changed = false;
                        self.refused("POST", &path, text, 422, "InvalidSeed").await;
                    }
                    Some(next) => {
                        let body = self.done("POST", &path, text).await;
                        let count =
                            |w: &World| [usize::from(w.has_key), w.users.len(), w.roles.len(), w.instances.len()];
                        let more: Vec<_> =
                            count(&next).iter().zip(count(&before)).map(|(n, before)| n - before).collect();
                        assert_eq!(
                            [&body["keys"], &body["users"], &body["roles"], &body["instances"]]
                                .map(Value::clone)
                                .to_vec(),
                            more
                        );
                        answered = Some(body);
                        self.worlds.insert(name, next);
                    }
                }
            }
            What::Copy { from, broken } => {
                let from = NAMES[*from];
                let taken = format!("/_ecsim/snapshot?namespace={from}");
                let Some(world) = self.used(from).cloned() else {
                    self.refused("GET", &taken, "", 409, "TooManyNamespaces").await;
                    return self.compare(None, None).await;
                };
                let (status, text) = self.send(Request::get(taken), String::new()).await;
                assert_eq!(status, 200);
                let text = broken.map_or_else(|| text.clone(), |broken| broken.breaks(&text));
                if !self.has_room(name) {
                    self.refused("PUT", &path("snapshot"), text, 409, "TooManyNamespaces").await;
                } else if broken.is_some() {
                    changed = false;
                    self.refused("PUT", &path("snapshot"), text, 422, "InvalidSeed").await;
                } else {
                    answered = Some(self.done("PUT", &path("snapshot"), text).await);
                    self.worlds.insert(name, World { generation: None, beside: Beside::default(), ..world });
                }
            }
            What::Clock { mode, now, advance } => {
                let mut body = Map::new();
                body.extend(mode.map(|mode| ("mode".to_owned(), json!(["real", "frozen", "offset", "slow"][mode]))));
                body.extend(now.map(|now| ("now".to_owned(), json!(text_of(seconds(NOW) + i64::from(now))))));
                body.extend(advance.map(|by| ("advance".to_owned(), json!(format!("{by}s")))));
                let body = Value::from(body).to_string();
                let machine = self.machine;
                let world = self.worlds.get(name).cloned().unwrap_or_else(Self::fresh);
                // What no clock could do is found before anybody looks for the namespace.
                if *mode != Some(SLOW) && !self.has_room(name) {
                    self.refused("PUT", &path("clock"), body, 409, "TooManyNamespaces").await;
                } else if let Some(time) = moved(&world, machine, *mode, *now, *advance) {
                    self.done("PUT", &path("clock"), body).await;
                    self.worlds.insert(name, World { time, ..world });
                } else {
                    changed = false;
                    self.refused("PUT", &path("clock"), body, 400, "InvalidClock").await;
                }
            }
            What::Rng(seed) => {
                let body = json!({ "seed": seed }).to_string();
                if self.used(name).is_none() {
                    self.refused("POST", &path("rng"), body, 409, "TooManyNamespaces").await;
                } else {
                    let mut drawn = BTreeSet::new();
                    for _ in 0..2 {
                        assert_eq!(self.done("POST", &path("rng"), body.clone()).await["seed"], json!(seed));
                        drawn.insert(self.describe(step, &[0].into()).await["RequestId"].to_string());
                    }
                    assert_eq!(drawn.len(), 1, "the same seed draws the same");
                }
            }
            What::Delete => {
                let path = format!("/_ecsim/namespaces/{name}");
                match self.worlds.remove(name) {
                    Some(world) if name == "default" => {
                        self.worlds.insert(name, world);
                        changed = false;
                        self.refused("DELETE", &path, "", 409, "NamespaceStays").await;
                    }
                    Some(world) => {
                        let body = self.done("DELETE", &path, "").await;
                        assert_eq!(
                            (body["generation"].as_u64(), body["namespace"].as_str()),
                            (world.generation, Some(name))
                        );
                    }
                    None => self.refused("DELETE", &path, "", 404, "NoNamespace").await,
                }
            }
            What::Attach { ids, role } => {
                self.changes(step, ATTACH, ids, Some(*role), |world| world.attach(ids, *role)).await;
            }
            What::Detach { ids, role } => {
                self.changes(step, DETACH, ids, *role, |world| world.detach(ids, *role)).await;
            }
            What::Describe { ids } => {
                self.describe(step, ids).await;
            }
            What::User { user, is_made } => {
                let action = if *is_made { CREATE_USER } else { DELETE_USER };
                let call = (action, &[("UserName", USERS[*user])][..]);
                self.both(step, call, |world| world.user(*user, *is_made)).await;
            }
            What::Faults(rules) => {
                changed = false;
                let told = rules.iter().zip(FAULTS).map(|((action, times), code)| {
                    json!({ "operation": ACTIONS[*action], "times": times,
                        "error": { "statusCode": 409, "code": code } })
                });
                let body = told.collect::<Value>().to_string();
                if let Some(world) = self.used(name) {
                    let fault = |&(action, times)| Fault { action, times, matched: 0, fired: 0 };
                    world.beside.faults = rules.iter().map(fault).collect();
                    self.done("POST", &path("chaos/faults"), body).await;
                } else {
                    self.refused("POST", &path("chaos/faults"), body, 409, "TooManyNamespaces").await;
                }
            }
            What::Limit(limit) => {
                changed = false;
                let told = limit
                    .map(|(action, burst)| (limit_key(action), json!({ "qps": 1.0 / TOKEN as f64, "burst": burst })));
                let body = Value::Object(told.into_iter().collect()).to_string();
                if let Some(world) = self.used(name) {
                    world.beside.limit = limit.map(|(action, burst)| Limit { action, burst, level: None });
                    self.done("PUT", &path("chaos/limits"), body).await;
                } else {
                    self.refused("PUT", &path("chaos/limits"), body, 409, "TooManyNamespaces").await;
                }
            }
            What::Verify(action) => {
                changed = false;
                let action = ACTIONS[*action];
                let there = self.used(name).map(|world| {
                    let calls = world.beside.journal.iter();
                    calls.filter(|call| **call == (action, "OK")).count()
                });
                let expecting =
                    |times: usize| json!({ "calls": [{ "action": action, "code": "OK", "times": times }] }).to_string();
                match there {
                    None => {
                        self.refused("POST", &path("verify"), expecting(0), 409, "TooManyNamespaces").await;
                    }
                    Some(there) => {
                        let body = self.done("POST", &path("verify"), expecting(there)).await;
                        assert_eq!(body["calls"], json!([{ "matched": there }]));
                        let more = expecting(there + 1);
                        self.refused("POST", &path("verify"), more, 417, "VerificationFailed").await;
                    }
                }
            }
            What::Senseless(which) => {
                changed = false;
                let (method, path, body, status, code) = SENSELESS[*which];
                self.refused(method, &path.replace("NAME", name), body, status, code).await;
            }
        }
        self.compare(changed.then_some(name), answered).await;
    }

    /// That every view shows what the model has, and that only the world of this name has another text.
    async fn compare(&mut self, about: Option<&'static str>, answered: Option<Value>) {
        if let Some(answered) = &answered {
            assert_eq!(answered["namespace"].as_str(), about);
        }
        let list = self.done("GET", "/_ecsim/namespaces", "").await;
        let list = list["namespaces"].as_array().expect("a list").clone();
        let names: Vec<_> = list.iter().map(|entry| entry["namespace"].as_str().expect("a name")).collect();
        assert_eq!(names, self.worlds.keys().copied().collect::<Vec<_>>());
        let (mut seen, mut texts) = (BTreeSet::new(), BTreeMap::new());
        for entry in &list {
            let name = NAMES.into_iter().find(|name| entry["namespace"] == **name).expect("a name");
            let world = self.worlds.get_mut(name).expect("a world");
            let generation = entry["generation"].as_u64().expect("a number");
            match world.generation.replace(generation) {
                None => assert!(generation > self.newest, "{name}: {generation} after {}", self.newest),
                Some(known) => assert_eq!(generation, known, "{name}"),
            }
            assert!(seen.insert(generation), "{generation} twice");
            let world = world.clone();
            let now = text_of(world.now(self.machine));
            assert_eq!((&entry["instances"], &entry["now"]), (&json!(world.instances.len()), &json!(now)), "{name}");
            if let Some(answered) = answered.as_ref().filter(|answered| answered["namespace"] == *name) {
                assert_eq!(answered["generation"], generation);
            }
            let view =
                async |both: &mut Self, of: &str| both.done("GET", &format!("/_ecsim/{of}?namespace={name}"), "").await;
            let clock = view(self, "clock").await;
            let (mode, ahead) = match world.time {
                Time::Real => ("real", 0),
                Time::Ahead(by) => ("offset", by),
                Time::Stands(at) => ("frozen", at - self.machine),
            };
            let shown = (clock["mode"].as_str(), clock["now"].as_str(), clock["ahead_seconds"].as_i64());
            assert_eq!(shown, (Some(mode), Some(&*now), Some(ahead)), "{name}");
            let names = |list: &Value, member: &str| -> Vec<_> {
                list.as_array().expect("a list").iter().map(|entry| entry[member].clone()).collect()
            };
            let roles = view(self, "roles").await;
            assert_eq!(names(&roles["roles"], "name"), world.roles.iter().map(|role| ROLES[*role]).collect::<Vec<_>>());
            let users = view(self, "users").await;
            assert_eq!(names(&users["users"], "name"), world.users.iter().map(|user| USERS[*user]).collect::<Vec<_>>());
            let faults = view(self, "chaos/faults").await;
            let shown = faults["faults"].as_array().expect("a list").iter();
            let shown: Vec<_> = shown.map(|f| json!([f["operation"], f["times"], f["matched"], f["fired"]])).collect();
            let faults = world.beside.faults.iter();
            let expected = faults.map(|f| json!([ACTIONS[f.action], f.times, f.matched, f.fired]));
            assert_eq!(shown, expected.collect::<Vec<_>>(), "{name}");
            let limits = view(self, "chaos/limits").await;
            let shown = limits["limits"].as_object().expect("an object").iter();
            let shown: Vec<_> = shown.map(|(key, limit)| (key.clone(), limit["burst"].as_i64())).collect();
            let limit = world.beside.limit.iter().map(|limit| (limit_key(limit.action), Some(limit.burst)));
            assert_eq!(shown, limit.collect::<Vec<_>>(), "{name}");
            let requests = view(self, "requests").await;
            let shown = requests["requests"].as_array().expect("a list").iter();
            let shown: Vec<_> = shown.map(|r| (r["action"].as_str(), r["code"].as_str())).collect();
            let journal = &world.beside.journal;
            let expected: Vec<_> = journal.iter().map(|(action, code)| (Some(*action), Some(*code))).collect();
            assert_eq!((requests["seen"].as_u64(), shown), (Some(journal.len() as u64), expected), "{name}");
            let instances = view(self, "instances").await;
            let shown: Vec<_> =
                names(&instances["instances"], "id").into_iter().zip(names(&instances["instances"], "role")).collect();
            let expected =
                world.instances.iter().map(|(id, role)| (json!(IDS[*id]), json!(role.map(|role| ROLES[role]))));
            assert_eq!(shown, expected.collect::<Vec<_>>(), "{name}");
            // What a Rust program finds in it.
            let handle = self.emulator.namespace(name).expect("it is there");
            let attached = handle.world(|world| {
                IDS.map(|id| Some(world.instance(id)?.role().map_or("", |role| role.as_str()).to_owned()))
            });
            let expected: Vec<_> = (0..IDS.len())
                .map(|id| world.instances.get(&id).map(|role| role.map_or("", |role| ROLES[role]).to_owned()))
                .collect();
            assert_eq!(attached.expect("it is there").to_vec(), expected, "{name}");
            let (_, text) = self.send(Request::get(format!("/_ecsim/snapshot?namespace={name}")), String::new()).await;
            if let Some(before) = self.texts.get(name).filter(|_| about != Some(name)) {
                assert_eq!(&text, before, "{name} has changed");
            }
            texts.insert(name, text);
        }
        self.newest = self.newest.max(seen.last().copied().unwrap_or_default());
        self.texts = texts;
    }
}

/// The place of a mode that there is not.
const SLOW: usize = 3;

/// The time that a body of `/_ecsim/clock` makes of that of a world; `None` if it says nothing that can be done.
fn moved(world: &World, machine: i64, mode: Option<usize>, now: Option<u16>, advance: Option<i16>) -> Option<Time> {
    if advance.is_some_and(i16::is_negative) {
        return None;
    }
    let to = now.map_or(world.now(machine), |now| seconds(NOW) + i64::from(now)) + advance.map_or(0, i64::from);
    match (mode, world.time) {
        (None, _) if now.is_none() && advance.is_none() => None,
        (Some(0), _) => (now.is_none() && advance.is_none()).then_some(Time::Real),
        (Some(1), _) | (None, Time::Stands(_)) => Some(Time::Stands(to)),
        (Some(2) | None, _) => Some(Time::Ahead(to - machine)),
        _ => None,
    }
}

/// As many cases as `PROPTEST_CASES` says, or a few seconds of them.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { asked } else { ProptestConfig { cases: 24, ..asked } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_asked_of_them_namespaces_are_what_a_model_of_plain_maps_is(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut both = Both::new().await;
            for step in &steps {
                both.take(step).await;
            }
        });
    }
}
