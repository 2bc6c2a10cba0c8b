//! Seeds: JSON files that say which world to start with.
//!
//! A seed is read whole before anything is built. Every mistake of every file is reported, each
//! with its file, JSON path and reason, and then no world is made. The schema for editors is
//! `fixtures/seed/seed.schema.json`; a test holds the two together.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::ids::until;
use super::region::instance_type;
use super::role_changes::Reads;
use super::unique::Unique;
use super::{
    AccessKey, AccountId, Attachment, Cidr, Holder, Ids, Instance, InstanceId, KeyOwner, KeyStatus, ManagedPolicy,
    MarketPlace, MetadataOptions, Network, OsType, Pace, Policy, PolicyType, PolicyVersion, RamId, Region, Role,
    RoleChange, RoleChanges, RoleName, RoleSession, SecurityToken, Spec, Spot, Status, User, VersionId, World,
};
use crate::policy::{Layer, PermissionPolicy, Place, PolicyError, TrustPolicy, Use};

/// The world of `ecsim` without `--seed`.
pub const DEFAULT: &str = include_str!("../../fixtures/seed/default.json");

/// The version of the form that this ecsim reads and writes. A seed may leave it out.
pub const SCHEMA_VERSION: u64 = 1;

/// A compact form makes at most this many instances.
pub const MAX_COUNT: u64 = 10_000_000;

const FILE: &[&str] = &["$schema", "schema_version", "ecsim", "clock", "accounts", "role_changes"];
const CLOCK: &[&str] = &["mode", "now", "ahead_seconds"];
const ACCOUNT: &[&str] = &["id", "keys", "policies", "users", "roles", "instances"];
const KEY: &[&str] = &["id", "secret", "status", "created", "last_used"];
const POLICY: &[&str] = &[
    "id",
    "name",
    "description",
    "document",
    "versions",
    "default_version",
    "last_version",
    "tags",
    "created",
    "updated",
];
const VERSION: &[&str] = &["id", "document", "created"];
const USER: &[&str] =
    &["id", "name", "display_name", "mobile_phone", "email", "comments", "created", "updated", "policies", "keys"];
const ATTACHED: &[&str] = &["name", "type", "attached"];
const ROLE: &[&str] = &[
    "id",
    "name",
    "description",
    "trust",
    "max_session_duration",
    "allow_console_login",
    "tags",
    "created",
    "updated",
    "policies",
    "sessions",
];
const SESSION: &[&str] =
    &["id", "secret", "security_token", "expires", "name", "instance", "policy", "created", "last_used"];
const INSTANCE: &[&str] = &[
    "id",
    "count",
    "region",
    "zone",
    "network",
    "role",
    "role_as_written",
    "policy",
    "credentials",
    "name",
    "description",
    "host_name",
    "status",
    "type",
    "cpu",
    "memory",
    "image",
    "os_type",
    "market_place_product_code",
    "market_place_charge_type",
    "spot_strategy",
    "spot_termination_time",
    "vpc",
    "vswitch",
    "vpc_cidr",
    "vswitch_cidr",
    "security_groups",
    "key_pair",
    "public_key",
    "resource_group",
    "charge_type",
    "deletion_protection",
    "private_ip",
    "public_ip",
    "eip",
    "tags",
    "locks",
    "created",
    "mac",
    "serial_number",
    "user_data",
    "http_endpoint",
    "http_tokens",
    "http_put_response_hop_limit",
];

const ROLE_CHANGES: &[&str] = &["dropped", "changes"];
const ROLE_CHANGE: &[&str] = &["at", "instance", "before", "metadata_reads", "describe_reads"];
const ATTACHMENT: &[&str] = &["role", "policy", "credentials"];

/// The member names of each kind of object in a seed, by the name of its schema definition.
pub const MEMBERS: &[(&str, &[&str])] = &[
    ("file", FILE),
    ("clock", CLOCK),
    ("account", ACCOUNT),
    ("key", KEY),
    ("policy", POLICY),
    ("policy_version", VERSION),
    ("user", USER),
    ("attached_policy", ATTACHED),
    ("role", ROLE),
    ("session", SESSION),
    ("instance", INSTANCE),
    ("role_changes", ROLE_CHANGES),
    ("role_change", ROLE_CHANGE),
    ("attachment", ATTACHMENT),
];

/// Seed files: the name of each, which mistakes are reported with, and its text.
pub type Files = [(String, String)];

/// One thing that is wrong with a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    /// JSON path such as `$.accounts[0].instances[2].region`, or `line 3 column 7` where it is no JSON.
    pub place: String,
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.place, self.reason)
    }
}

/// Why a file of a newer form is not read; `maker` is the version of ecsim that wrote it, if it says so.
pub(crate) fn too_new(maker: Option<&str>, schema: u64, known: u64) -> String {
    let maker = maker.unwrap_or("of a version that it does not say");
    format!("made by a newer ecsim, {maker}: this one reads {known}, and not {schema}")
}

/// Builds one world out of several seed files, given as (name, text), in order.
///
/// `now` is the creation time of what names none; `ids` makes the ids that are left out.
///
/// # Errors
/// Every mistake of every file.
pub fn build(files: &Files, ids: &Ids, now: Timestamp) -> Result<World, Vec<Mistake>> {
    read_into(World::default(), files, ids, Time::Begins(|_| now))
}

/// Adds to a world what seed files say; what is there already is a mistake, as it is twice in one file, and so is how
/// time goes.
///
/// # Errors
/// Every mistake of every file.
pub fn extend(world: World, files: &Files, ids: &Ids, now: Timestamp) -> Result<World, Vec<Mistake>> {
    read_into(world, files, ids, Time::<fn(Option<Pace>) -> Timestamp>::Is(now))
}

/// A world where the files may say how the world's time goes: `now` is told, and answers what time it is then.
///
/// # Errors
/// Every mistake of every file.
pub fn build_at(files: &Files, ids: &Ids, now: impl FnOnce(Option<Pace>) -> Timestamp) -> Result<World, Vec<Mistake>> {
    read_into(World::default(), files, ids, Time::Begins(now))
}

/// The time of a world that is read.
enum Time<F> {
    /// What it answers who is told how time goes, as the files have it.
    Begins(F),
    /// That of a world that is there, and goes on as it does.
    Is(Timestamp),
}

fn read_into(
    world: World,
    files: &Files,
    ids: &Ids,
    time: Time<impl FnOnce(Option<Pace>) -> Timestamp>,
) -> Result<World, Vec<Mistake>> {
    let taken_addresses = world.instances().map(|(_, instance)| instance.address()).collect();
    let mut reader = Reader {
        file: "",
        mistakes: Vec::new(),
        world,
        ids,
        now: Timestamp::UNIX_EPOCH,
        pace: None,
        begins: matches!(time, Time::Begins(_)),
        named_ids: HashSet::new(),
        next_addresses: HashMap::new(),
        taken_addresses,
        instances_of_sessions: Vec::new(),
    };
    let mut parsed = Vec::new();
    for (name, text) in files {
        reader.file = name;
        match serde_json::from_str(text) {
            Ok(Unique(value)) if reader.read_head(&value) => parsed.push((name, value)),
            Ok(_) => {}
            Err(error) => reader.mistakes.push(Mistake {
                file: name.clone(),
                place: format!("line {} column {}", error.line(), error.column()),
                reason: if error.is_data() { error.to_string() } else { format!("not JSON: {error}") },
            }),
        }
    }
    reader.now = match time {
        Time::Begins(now) => now(reader.pace),
        Time::Is(now) => now,
    };
    // Of all files, first what others may name: a role names policies and an instance a role that a later file defines.
    for pass in [Pass::Policies, Pass::Identities, Pass::Instances, Pass::RoleChanges] {
        for (name, value) in &parsed {
            reader.file = name;
            reader.read_file(value, pass);
        }
    }
    reader.check_sessions();
    if reader.mistakes.is_empty() { Ok(reader.world) } else { Err(reader.mistakes) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Policies,
    Identities,
    Instances,
    RoleChanges,
}

struct Reader<'a> {
    file: &'a str,
    mistakes: Vec<Mistake>,
    world: World,
    ids: &'a Ids,
    now: Timestamp,
    /// How the world's time goes, if a file has said so.
    pace: Option<Pace>,
    /// Whether the world begins with these files: only then can they say how time goes and what has happened.
    begins: bool,
    /// The ids that some seed names, which nobody else is given.
    named_ids: HashSet<String>,
    /// The addresses to try next, by the block that they are wanted in.
    next_addresses: HashMap<Option<Cidr>, u32>,
    /// The private addresses that some seed names, which nobody else is given, and those given out of blocks.
    taken_addresses: HashSet<Ipv4Addr>,
    /// The instances that sessions are of, each with file and place, to be looked for when all have been read.
    instances_of_sessions: Vec<(&'a str, String, InstanceId)>,
}

type Object = Map<String, Value>;

impl Reader<'_> {
    fn mistake(&mut self, at: &Place<'_>, reason: impl Into<String>) {
        self.mistakes.push(Mistake { file: self.file.to_owned(), place: at.to_string(), reason: reason.into() });
    }

    /// A mistake of a policy document that stands at `at`.
    fn mistake_within(&mut self, at: &Place<'_>, error: PolicyError) {
        let place = format!("{at}{}", error.place.trim_start_matches('$'));
        self.mistakes.push(Mistake { file: self.file.to_owned(), place, reason: error.reason });
    }

    /// What concerns the file as a whole, and what it names. Answers whether the rest can be read.
    fn read_head(&mut self, value: &Value) -> bool {
        let root = Place::Root;
        if let Some(version) = value.get("schema_version") {
            let at = Place::Member(&root, "schema_version");
            match version.as_u64() {
                Some(SCHEMA_VERSION) => {}
                Some(newer) if newer > SCHEMA_VERSION => {
                    self.mistake(&at, too_new(value.get("ecsim").and_then(Value::as_str), newer, SCHEMA_VERSION));
                    return false;
                }
                _ => self.mistake(&at, format!("must be {SCHEMA_VERSION}")),
            }
        }
        if let Some(file) = value.as_object() {
            self.text(file, &root, "ecsim");
        }
        if let Some(clock) = value.get("clock") {
            self.read_clock(clock, &Place::Member(&root, "clock"));
        }
        for account in value["accounts"].as_array().into_iter().flatten() {
            let things = ["policies", "users", "roles", "instances"].map(|list| account[list].as_array());
            for thing in things.into_iter().flatten().flatten() {
                self.named_ids.extend(thing["id"].as_str().map(str::to_owned));
                self.taken_addresses
                    .extend(thing["private_ip"].as_str().and_then(|address| address.parse::<Ipv4Addr>().ok()));
            }
        }
        true
    }

    fn read_clock(&mut self, clock: &Value, at: &Place<'_>) {
        if !self.begins {
            return self.mistake(at, "the time of a world that is there goes on as it does: only a new one takes this");
        }
        let Some(clock) = self.object(clock, at, CLOCK, true) else { return };
        if !clock.contains_key("mode") {
            return self.mistake(at, "needs mode");
        }
        let mode = self.choice(clock, at, "mode", &["real", "offset", "frozen"]);
        let now = self.time(clock, at, "now");
        let ahead = clock.get("ahead_seconds").map(|seconds| {
            let seconds = seconds.as_i64();
            if seconds.is_none() {
                self.mistake(&Place::Member(at, "ahead_seconds"), "must be a whole number of seconds");
            }
            seconds
        });
        let pace = match (mode, clock.contains_key("now"), ahead) {
            (Some("real"), false, None) => Some(Pace::Real),
            (Some("frozen"), true, None) => now.map(Pace::Frozen),
            (Some("offset"), false, Some(ahead)) => ahead.map(|ahead| Pace::Offset(SignedDuration::from_secs(ahead))),
            (Some("real" | "frozen" | "offset"), ..) => {
                return self
                    .mistake(at, "has now if it is frozen, ahead_seconds if it is offset, and neither if it is real");
            }
            _ => None,
        };
        if pace.is_some() && self.pace.is_some() {
            return self.mistake(at, "another file says how time goes");
        }
        self.pace = self.pace.or(pace);
    }

    /// A session is of an instance that there is.
    fn check_sessions(&mut self) {
        for (file, place, id) in std::mem::take(&mut self.instances_of_sessions) {
            if self.world.instance(id.as_str()).is_none() {
                self.mistakes.push(Mistake {
                    file: file.to_owned(),
                    place,
                    reason: format!("there is no instance {id}"),
                });
            }
        }
    }

    fn read_file(&mut self, value: &Value, pass: Pass) {
        let root = Place::Root;
        let first = pass == Pass::Policies;
        let Some(file) = self.object(value, &root, FILE, first) else { return };
        if pass == Pass::RoleChanges {
            if let Some(changes) = file.get("role_changes") {
                self.read_role_changes(changes, &Place::Member(&root, "role_changes"));
            }
            return;
        }
        for (index, account) in self.list(file, &root, "accounts", first).iter().enumerate() {
            let list = Place::Member(&root, "accounts");
            let at = Place::Element(&list, index);
            let Some(account) = self.object(account, &at, ACCOUNT, first) else { continue };
            let id = match account.get("id").map(|id| id.as_str().and_then(AccountId::parse)) {
                Some(Some(id)) => id,
                None => AccountId::DEFAULT,
                Some(None) => {
                    if first {
                        self.mistake(&Place::Member(&at, "id"), "an account id is 16 decimal digits in a string");
                    }
                    continue;
                }
            };
            match pass {
                Pass::Policies => {
                    self.each(account, &at, "policies", POLICY, |reader, policy, at| {
                        reader.read_policy(id, policy, at);
                    });
                }
                Pass::Identities => {
                    self.each(account, &at, "keys", KEY, |reader, key, at| {
                        reader.read_key(id, KeyOwner::Account, key, at);
                    });
                    self.each(account, &at, "users", USER, |reader, user, at| reader.read_user(id, user, at));
                    self.each(account, &at, "roles", ROLE, |reader, role, at| reader.read_role(id, role, at));
                }
                Pass::Instances => {
                    self.each(account, &at, "instances", INSTANCE, |reader, instance, at| {
                        reader.read_instances(id, instance, at);
                    });
                }
                Pass::RoleChanges => {}
            }
        }
    }

    fn each(
        &mut self,
        object: &Object,
        at: &Place<'_>,
        name: &str,
        known: &[&str],
        mut read: impl FnMut(&mut Self, &Object, &Place<'_>),
    ) {
        for (index, value) in self.list(object, at, name, true).iter().enumerate() {
            let list = Place::Member(at, name);
            let at = Place::Element(&list, index);
            if let Some(value) = self.object(value, &at, known, true) {
                read(self, value, &at);
            }
        }
    }

    fn read_key(&mut self, account: AccountId, owner: KeyOwner, key: &Object, at: &Place<'_>) {
        let id = self.required_text(key, at, "id");
        let secret = self.required_text(key, at, "secret");
        let status = self.choice(key, at, "status", &["active", "inactive"]);
        let created = self.created(key, at);
        let (Some(id), Some(secret)) = (id, secret) else { return };
        let mut made = AccessKey::new(account, owner, secret, created);
        if status == Some("inactive") {
            made.status = KeyStatus::Inactive;
        }
        self.add_key(id, made, key, at);
    }

    fn add_key(&mut self, id: &str, made: AccessKey, key: &Object, at: &Place<'_>) {
        if let Some(last_used) = self.time(key, at, "last_used") {
            made.used(last_used);
        }
        if !self.world.add_key(&self.ids.key_id(id), made) {
            self.mistake(&Place::Member(at, "id"), format!("the key {id} exists already"));
        }
    }

    /// A temporary key of a role.
    fn read_session(&mut self, account: AccountId, role: (RamId, &RoleName), session: &Object, at: &Place<'_>) {
        let [id, secret, token] = ["id", "secret", "security_token"].map(|text| self.required_text(session, at, text));
        if !session.contains_key("expires") {
            self.mistake(at, "needs expires");
        }
        let expires = self.time(session, at, "expires");
        let created = self.created(session, at);
        let instance =
            session.get("instance").map(|_| self.required_text(session, at, "instance").map(InstanceId::new));
        let name = match &instance {
            None => self.session_name(session, at).map(Into::into),
            Some(instance) => instance.as_ref().map(RoleSession::name_on),
        };
        let layer = if instance.is_some() { Layer::Attachment } else { Layer::Session };
        let policy = self.document(session, at, "policy", |text| match layer {
            Layer::Attachment => PermissionPolicy::attached(text),
            _ => PermissionPolicy::parse(text, Use::Session),
        });
        if instance.is_some() && session.contains_key("name") {
            return self.mistake(&Place::Member(at, "name"), "the session of an instance has a name already");
        }
        let Ok(policy) = policy.transpose() else { return };
        let (Some(id), Some(secret), Some(token), Some(name), Some(expires)) = (id, secret, token, name, expires)
        else {
            return;
        };
        let instance = instance.flatten();
        if let Some(instance) = &instance {
            let place = Place::Member(at, "instance").to_string();
            self.instances_of_sessions.push((self.file, place, instance.clone()));
        }
        let made = RoleSession {
            role: role.0,
            role_name: role.1.clone(),
            name,
            instance,
            policy: policy.map(|policy| (layer, policy)),
        };
        let token = SecurityToken { value: token.into(), expires };
        self.add_key(id, AccessKey::temporary(account, made, secret, token, created), session, at);
    }

    fn session_name<'v>(&mut self, session: &'v Object, at: &Place<'_>) -> Option<&'v str> {
        let name = self.required_text(session, at, "name")?;
        if !RoleSession::is_name(name) {
            let reason = "a session name is 2 to 64 letters, digits, '.', '@', '-' or '_'";
            self.mistake(&Place::Member(at, "name"), reason);
        }
        Some(name).filter(|name| RoleSession::is_name(name))
    }

    fn read_policy(&mut self, account: AccountId, policy: &Object, at: &Place<'_>) {
        let name = self.required_text(policy, at, "name");
        let description = self.text(policy, at, "description");
        let tags = self.tags(policy, at);
        let (created, updated) = self.dates(policy, at);
        let Some(versions) = self.versions(policy, at, created) else { return };
        let Some(name) = name else { return };
        let place = Place::Member(at, "name");
        if !ManagedPolicy::is_name(name) {
            return self.mistake(&place, "a policy name is 1 to 128 letters, digits or '-'");
        }
        let id = self.ram_id(policy, at);
        let default = self.version_id(policy, at, "default_version");
        let last = self.version_id(policy, at, "last_version");
        let Some(mut made) = ManagedPolicy::of_versions(id, account, name, created, versions, default, last) else {
            let reason = "ids of versions rise, default_version is one of them, and last_version is not before them";
            return self.mistake(at, reason);
        };
        made.description = description.unwrap_or_default().into();
        (made.tags, made.updated) = (tags.into_iter().collect(), updated);
        if !self.world.add_policy(made) {
            self.mistake(&place, format!("the policy {name} exists already in account {account}"));
        }
    }

    /// The versions of a policy: of one that only says its document, the first.
    fn versions(&mut self, policy: &Object, at: &Place<'_>, created: Timestamp) -> Option<Vec<PolicyVersion>> {
        let document = self.document(policy, at, "document", identity_policy);
        if !policy.contains_key("versions") {
            if document.is_none() {
                self.mistake(at, "needs document");
            }
            return Some(vec![PolicyVersion { id: VersionId::FIRST, policy: document?.ok()?, created }]);
        }
        if document.is_some() {
            self.mistake(&Place::Member(at, "versions"), "a policy has document or versions, not both");
        }
        let before = self.mistakes.len();
        let mut versions = Vec::new();
        self.each(policy, at, "versions", VERSION, |reader, version, at| {
            if !version.contains_key("id") {
                reader.mistake(at, "needs id");
            }
            let document = reader.document(version, at, "document", identity_policy);
            if document.is_none() {
                reader.mistake(at, "needs document");
            }
            let created = reader.time(version, at, "created").unwrap_or(created);
            if let (Some(id), Some(Ok(policy))) = (reader.version_id(version, at, "id"), document) {
                versions.push(PolicyVersion { id, policy, created });
            }
        });
        (self.mistakes.len() == before).then_some(versions)
    }

    fn version_id(&mut self, object: &Object, at: &Place<'_>, name: &str) -> Option<VersionId> {
        let id = VersionId::parse(self.text(object, at, name)?);
        if id.is_none() {
            self.mistake(&Place::Member(at, name), "a version is such as v1");
        }
        id
    }

    fn read_user(&mut self, account: AccountId, user: &Object, at: &Place<'_>) {
        let name = self.required_text(user, at, "name");
        let texts = ["display_name", "mobile_phone", "email", "comments"];
        let [display_name, mobile_phone, email, comments] =
            texts.map(|text| self.text(user, at, text).unwrap_or_default().into());
        let (created, updated) = self.dates(user, at);
        let Some(name) = name else { return };
        let place = Place::Member(at, "name");
        if !User::is_name(name) {
            return self.mistake(&place, "a user name is 1 to 64 letters, digits, '.', '-' or '_'");
        }
        let id = self.ram_id(user, at);
        let mut made = User::new(id, account, name, created);
        (made.display_name, made.mobile_phone) = (display_name, mobile_phone);
        (made.email, made.comments, made.updated) = (email, comments, updated);
        if !self.world.add_user(made) {
            return self.mistake(&place, format!("the user {name} exists already in account {account}"));
        }
        self.attach_policies(account, Holder::User(id), user, at);
        self.each(user, at, "keys", KEY, |reader, key, at| reader.read_key(account, KeyOwner::User(id), key, at));
    }

    fn read_role(&mut self, account: AccountId, role: &Object, at: &Place<'_>) {
        let name = self.required_text(role, at, "name");
        let description = self.text(role, at, "description").unwrap_or_default().into();
        let max_session_duration = self.session_seconds(role, at);
        let allow_console_login = self.flag(role, at, "allow_console_login");
        let tags = self.tags(role, at);
        let (created, updated) = self.dates(role, at);
        let trust = match self.document(role, at, "trust", TrustPolicy::parse) {
            None => TrustPolicy::of_service("ecs.aliyuncs.com"),
            Some(Ok(trust)) => trust,
            Some(Err(())) => return,
        };
        let Some(name) = name else { return };
        let place = Place::Member(at, "name");
        if !RoleName::is_well_formed(name) {
            return self.mistake(&place, "a role name is 1 to 64 letters, digits, '.', '-' or '_'");
        }
        let id = self.ram_id(role, at);
        let named = RoleName::new(name);
        let mut made = Role::new(id, account, named.clone(), trust, created);
        (made.description, made.max_session_duration) = (description, max_session_duration);
        made.allow_console_login = allow_console_login.unwrap_or(made.allow_console_login);
        (made.tags, made.updated) = (tags.into_iter().collect(), updated);
        if !self.world.add_role(made) {
            return self.mistake(&place, format!("the role {name} exists already in account {account}"));
        }
        self.attach_policies(account, Holder::Role(id), role, at);
        self.each(role, at, "sessions", SESSION, |reader, session, at| {
            reader.read_session(account, (id, &named), session, at);
        });
    }

    /// The id that is said, or another that nobody has and no seed names.
    fn ram_id(&mut self, object: &Object, at: &Place<'_>) -> RamId {
        let place = Place::Member(at, "id");
        let said = object.get("id").map(|id| id.as_str().and_then(RamId::parse));
        match said {
            Some(Some(id)) if self.world.is_free(id) => return id,
            Some(Some(id)) => self.mistake(&place, format!("the id {id} is taken already")),
            Some(None) => self.mistake(&place, "an id is 18 decimal digits in a string"),
            None => {}
        }
        until(|| self.world.new_ram_id(self.ids), |id| !self.named_ids.contains(&id.to_string()))
    }

    fn created(&mut self, object: &Object, at: &Place<'_>) -> Timestamp {
        self.time(object, at, "created").unwrap_or(self.now)
    }

    /// When something was made, and when it was changed last.
    fn dates(&mut self, object: &Object, at: &Place<'_>) -> (Timestamp, Timestamp) {
        let created = self.created(object, at);
        (created, self.time(object, at, "updated").unwrap_or(created))
    }

    /// A policy document: JSON, or in a string its very text. An error has been reported.
    fn document<T>(
        &mut self,
        object: &Object,
        at: &Place<'_>,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, PolicyError>,
    ) -> Option<Result<T, ()>> {
        let parsed = match object.get(name)? {
            Value::String(text) => parse(text),
            document => parse(&document.to_string()),
        };
        Some(parsed.map_err(|error| self.mistake_within(&Place::Member(at, name), error)))
    }

    fn session_seconds(&mut self, role: &Object, at: &Place<'_>) -> u32 {
        let bounds = Role::SESSION_SECONDS;
        let given = match role.get("max_session_duration") {
            None => return *bounds.start(),
            Some(given) => given.as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
        };
        given.filter(|seconds| bounds.contains(seconds)).unwrap_or_else(|| {
            let reason = format!("must be a whole number of seconds from {} to {}", bounds.start(), bounds.end());
            self.mistake(&Place::Member(at, "max_session_duration"), reason);
            *bounds.start()
        })
    }

    /// Attaches the policies that a user or role names: custom ones of the account, or the system's.
    fn attach_policies(&mut self, account: AccountId, holder: Holder, object: &Object, at: &Place<'_>) {
        let list = Place::Member(at, "policies");
        for (index, attached) in self.list(object, at, "policies", true).iter().enumerate() {
            let place = Place::Element(&list, index);
            let (name, types, since) = match attached {
                Value::String(name) => (Some(&**name), None, self.now),
                Value::Object(_) => {
                    let Some(attached) = self.object(attached, &place, ATTACHED, true) else { continue };
                    let name = self.required_text(attached, &place, "name");
                    let types = self.choice(attached, &place, "type", &PolicyType::ALL.map(PolicyType::name));
                    (name, types, self.time(attached, &place, "attached").unwrap_or(self.now))
                }
                _ => {
                    self.mistake(&place, "must be a string or an object");
                    continue;
                }
            };
            let Some(name) = name else { continue };
            let types = types.and_then(PolicyType::parse).map_or(PolicyType::ALL.to_vec(), |only| vec![only]);
            let policy = types.into_iter().find_map(|policy_type| self.world.policy(account, policy_type, name));
            match policy.map(Policy::reference) {
                None => self.mistake(&place, format!("neither account {account} nor the system has a policy {name}")),
                Some(policy) => {
                    if !self.world.attach(holder, policy, since) {
                        self.mistake(&place, format!("the policy {name} is there twice"));
                    }
                }
            }
        }
    }

    fn read_instances(&mut self, account: AccountId, instance: &Object, at: &Place<'_>) {
        let count = self.integer(instance, at, "count", MAX_COUNT);
        let ids = self.instance_ids(instance, at, count);
        let named = self.text(instance, at, "region").unwrap_or("cn-hangzhou");
        let Some(region) = Region::find(named) else {
            return self.mistake(&Place::Member(at, "region"), "no region of that id; DescribeRegions lists them");
        };
        let spec = self.spec(instance, at, region);
        let role = self.attached_role(instance, at, account);
        let policy = self.text(instance, at, "policy");
        let credentials = self.text(instance, at, "credentials").map(|id| self.ids.key_id(id));
        let address = self.address(instance, at, "private_ip");
        for own in ["private_ip", "mac", "serial_number", "credentials"] {
            if count.is_some() && instance.contains_key(own) {
                self.mistake(&Place::Member(at, own), format!("count instances cannot share one {own}"));
            }
        }
        let (Some(ids), Some(spec)) = (ids, spec) else { return };
        if role.is_some() && spec.network == Network::Classic {
            return self.mistake(&Place::Member(at, "role"), "an instance in the classic network cannot carry a role");
        }
        if !self.narrows(policy, at) {
            return;
        }
        if role.is_none() && policy.is_some() {
            return self.mistake(&Place::Member(at, "policy"), "a policy narrows a role: name the role too");
        }
        if role.is_none() && credentials.is_some() {
            return self.mistake(&Place::Member(at, "credentials"), "credentials are of a role: name the role too");
        }
        if let (Network::Vpc { vswitch_cidr: Some(block), .. }, Some(address)) = (&spec.network, address)
            && !block.contains(address)
        {
            return self.mistake(&Place::Member(at, "private_ip"), format!("is not within {block}"));
        }
        let block = match &spec.network {
            Network::Vpc { vpc_cidr, vswitch_cidr, .. } => vswitch_cidr.or(*vpc_cidr),
            Network::Classic => None,
        };
        let spec = Arc::new(spec);
        if let Some(count) = count {
            self.world.reserve_instances(count as usize);
        }
        for id in ids {
            let Some(address) = address.or_else(|| self.next_address(block)) else {
                let reason = "no address is left in vswitch_cidr, or without one in vpc_cidr";
                return self.mistake(at, reason);
            };
            let mut instance = Instance::new(account, region, Arc::clone(&spec), address);
            if let Some(role) = &role {
                let mut attachment = Attachment::new(role.clone(), policy.map(Into::into));
                if !self.keeps_credentials(&mut attachment, &id, credentials.as_deref(), at) {
                    return;
                }
                instance.replace_attachment(Some(attachment));
            }
            let shown = id.clone();
            if !self.world.add_instance(id, instance) {
                return self.mistake(&Place::Member(at, "id"), format!("the instance {shown} exists already"));
            }
        }
    }

    fn narrows(&mut self, policy: Option<&str>, at: &Place<'_>) -> bool {
        let can_narrow = policy.is_none_or(Attachment::is_policy);
        if !can_narrow {
            let reason = "a policy is a JSON object of at most 1024 characters, in a string";
            self.mistake(&Place::Member(at, "policy"), reason);
        }
        can_narrow
    }

    /// Notes the key that was handed out for an attachment, which has to be a session of the instance.
    fn keeps_credentials(
        &mut self,
        attachment: &mut Attachment,
        id: &InstanceId,
        key: Option<&str>,
        at: &Place<'_>,
    ) -> bool {
        let unknown = key.filter(|key| !self.world.is_credential_of(key, id));
        if let Some(key) = unknown {
            self.mistake(&Place::Member(at, "credentials"), format!("the instance has no session {key}"));
        }
        attachment.key_id = key.map(Into::into);
        unknown.is_none()
    }

    fn read_role_changes(&mut self, changes: &Value, at: &Place<'_>) {
        if !self.begins {
            return self.mistake(at, "a world that is there has a history of its own: only a new one takes this");
        }
        let Some(changes) = self.object(changes, at, ROLE_CHANGES, true) else { return };
        let dropped = self.integer(changes, at, "dropped", RoleChanges::MOST_DROPPED);
        self.world.role_changes.note_dropped(dropped.unwrap_or_default());
        self.each(changes, at, "changes", ROLE_CHANGE, Self::read_role_change);
    }

    fn read_role_change(&mut self, change: &Object, at: &Place<'_>) {
        if !change.contains_key("at") {
            self.mistake(at, "needs at");
        }
        let time = self.time(change, at, "at");
        let reads = ["metadata_reads", "describe_reads"].map(|name| self.integer(change, at, name, u32::MAX.into()));
        let id = self.required_text(change, at, "instance").map(InstanceId::new);
        let id = id.filter(|id| {
            let is_known = self.world.instance(id.as_str()).is_some();
            if !is_known {
                self.mistake(&Place::Member(at, "instance"), format!("there is no instance {id}"));
            }
            is_known
        });
        let (Some(time), Some(id)) = (time, id) else { return };
        let is_classic = self.world.instance(id.as_str()).is_some_and(Instance::is_classic);
        if is_classic && change.contains_key("before") {
            let reason = "an instance in the classic network cannot carry a role";
            return self.mistake(&Place::Member(at, "before"), reason);
        }
        let before = change.get("before").map(|before| self.attachment(before, &id, &Place::Member(at, "before")));
        let Ok(before) = before.transpose() else { return };
        let mut made = RoleChange::new(time, id, before);
        made.reads = reads.map(|count| Reads::of(count.unwrap_or_default() as u32));
        self.world.role_changes.push(made);
    }

    /// What an instance carried. An error has been reported.
    fn attachment(&mut self, value: &Value, id: &InstanceId, at: &Place<'_>) -> Result<Attachment, ()> {
        let before = self.mistakes.len();
        let object = self.object(value, at, ATTACHMENT, true).ok_or(())?;
        let role = self.required_text(object, at, "role");
        let policy = self.text(object, at, "policy");
        let key = self.text(object, at, "credentials").map(|id| self.ids.key_id(id));
        if role.is_some_and(|role| !RoleName::is_well_formed(role)) {
            self.mistake(&Place::Member(at, "role"), "a role name is 1 to 64 letters, digits, '.', '-' or '_'");
        }
        self.narrows(policy, at);
        let mut attachment = Attachment::new(RoleName::new(role.unwrap_or_default()), policy.map(Into::into));
        self.keeps_credentials(&mut attachment, id, key.as_deref(), at);
        if self.mistakes.len() == before { Ok(attachment) } else { Err(()) }
    }

    /// The ids that an entry makes: one, or `count` of them by a pattern with one `%d` or `%x`.
    fn instance_ids(
        &mut self,
        instance: &Object,
        at: &Place<'_>,
        count: Option<u64>,
    ) -> Option<Box<dyn Iterator<Item = InstanceId>>> {
        let place = Place::Member(at, "id");
        let id = self.text(instance, at, "id");
        match (id, count) {
            (Some(""), _) => {
                self.mistake(&place, "an id cannot be empty");
                None
            }
            (Some(pattern), Some(count)) => {
                let Some(pattern) = Pattern::parse(pattern) else {
                    self.mistake(&place, "with count, an id holds one number pattern such as %d, %08d or %04x");
                    return None;
                };
                Some(Box::new((0..count).map(move |n| InstanceId::new(pattern.print(n)))))
            }
            (Some(id), None) => Some(Box::new(std::iter::once(InstanceId::new(id)))),
            (None, count) => {
                let region = instance.get("region").and_then(Value::as_str).and_then(Region::find);
                let part = region.map_or("bp1", |region| region.id_part);
                let draw = || format!("i-{part}{}", self.ids.letters(17));
                let is_free = |id: &String| !self.named_ids.contains(id) && self.world.instance(id).is_none();
                let made: Vec<_> = (0..count.unwrap_or(1)).map(|_| InstanceId::new(until(draw, is_free))).collect();
                Some(Box::new(made.into_iter()))
            }
        }
    }

    fn attached_role(&mut self, instance: &Object, at: &Place<'_>, account: AccountId) -> Option<RoleName> {
        let as_written = self.flag(instance, at, "role_as_written").unwrap_or_default();
        let name = self.text(instance, at, "role")?;
        if as_written && RoleName::is_well_formed(name) {
            return Some(RoleName::new(name));
        }
        let known = self.world.role(account, name).map(|role| role.name().clone());
        if known.is_none() {
            self.mistake(&Place::Member(at, "role"), format!("account {account} has no role {name}"));
        }
        known
    }

    fn spec(&mut self, instance: &Object, at: &Place<'_>, region: &'static Region) -> Option<Spec> {
        let before = self.mistakes.len();
        let part = region.id_part;
        let or = |text: Option<&str>, default: &str| -> Box<str> { text.unwrap_or(default).into() };
        let zone_id = match self.text(instance, at, "zone") {
            Some(zone) => {
                if !region.zone_ids().any(|known| known == zone) {
                    let zones = region.zone_ids().collect::<Vec<_>>().join(", ");
                    self.mistake(&Place::Member(at, "zone"), format!("no zone of {}; it has {zones}", region.id));
                }
                zone.into()
            }
            None => region.zone_ids().last().unwrap_or_default().into(),
        };
        let vpc = self.text(instance, at, "vpc");
        let vswitch = self.text(instance, at, "vswitch");
        let classic = self.choice(instance, at, "network", &["vpc", "classic"]) == Some("classic");
        let (vpc_cidr, vswitch_cidr) = (self.cidr(instance, at, "vpc_cidr"), self.cidr(instance, at, "vswitch_cidr"));
        if classic && (vpc.is_some() || vswitch.is_some() || vpc_cidr.is_some() || vswitch_cidr.is_some()) {
            self.mistake(at, "an instance in the classic network has no vpc or vswitch");
        }
        if let (Some(vpc), Some(vswitch)) = (vpc_cidr, vswitch_cidr)
            && !vpc.covers(vswitch)
        {
            self.mistake(&Place::Member(at, "vswitch_cidr"), format!("is not within {vpc}"));
        }
        let network = if classic {
            Network::Classic
        } else {
            Network::Vpc {
                vpc_id: or(vpc, &format!("vpc-{part}ecsim00000default")),
                vswitch_id: or(vswitch, &format!("vsw-{part}ecsim00000default")),
                vpc_cidr,
                vswitch_cidr,
            }
        };
        let status = self.choice(instance, at, "status", &Status::ALL.map(Status::name)).and_then(Status::parse);
        let instance_type_name = self.text(instance, at, "type").unwrap_or("ecs.g6.large");
        let cpu = self.integer(instance, at, "cpu", 1024);
        let memory = self.integer(instance, at, "memory", 1 << 24);
        let (cpu, memory) = match (cpu, memory, instance_type(instance_type_name)) {
            (Some(cpu), Some(memory), _) => (cpu as u32, memory as u32),
            (None, None, Some(known)) => known,
            (None, None, None) => {
                self.mistake(
                    &Place::Member(at, "type"),
                    "an instance type that is not known here: give cpu and memory (MiB) too",
                );
                (0, 0)
            }
            _ => {
                self.mistake(at, "cpu and memory go together");
                (0, 0)
            }
        };
        let charge_type = self.charge_type(instance, at, "charge_type");
        let os_type = self.choice(instance, at, "os_type", &OsType::ALL.map(OsType::name)).and_then(OsType::parse);
        let name = self.text(instance, at, "name");
        let public_key = self.text(instance, at, "public_key");
        if public_key.is_some() && !instance.contains_key("key_pair") {
            self.mistake(&Place::Member(at, "public_key"), "a public key is one half of a pair: name the key_pair too");
        }
        let spec = Spec {
            name: or(name, ""),
            description: or(self.text(instance, at, "description"), ""),
            host_name: or(self.text(instance, at, "host_name"), name.unwrap_or_default()),
            zone_id,
            status: status.unwrap_or(Status::Running),
            network,
            instance_type: instance_type_name.into(),
            cpu,
            memory,
            image_id: or(self.text(instance, at, "image"), "aliyun_3_x64_20G_alibase_20250629.vhd"),
            os_type: os_type.unwrap_or(OsType::Linux),
            market_place: self.market_place(instance, at),
            spot: self.spot(instance, at),
            security_group_ids: if instance.contains_key("security_groups") {
                self.texts(instance, at, "security_groups")
            } else {
                Box::new([format!("sg-{part}ecsim000000default").into()])
            },
            key_pair_name: or(self.text(instance, at, "key_pair"), ""),
            public_key: public_key.map(Into::into),
            resource_group_id: or(self.text(instance, at, "resource_group"), ""),
            charge_type,
            deletion_protection: self.flag(instance, at, "deletion_protection").unwrap_or_default(),
            public_ip: self.address(instance, at, "public_ip"),
            eip: self.address(instance, at, "eip"),
            tags: self.tags(instance, at),
            locks: self.texts(instance, at, "locks"),
            created: self.created(instance, at),
            mac: self.mac(instance, at).map(Into::into),
            serial_number: self.text(instance, at, "serial_number").map(Into::into),
            user_data: self.text(instance, at, "user_data").map(Into::into),
            metadata_options: self.metadata_options(instance, at),
        };
        if spec.eip.is_some() && (classic || spec.public_ip.is_some()) {
            self.mistake(&Place::Member(at, "eip"), "an EIP needs a VPC and stands in place of a public_ip");
        }
        (self.mistakes.len() == before).then_some(spec)
    }

    fn cidr(&mut self, object: &Object, at: &Place<'_>, name: &str) -> Option<Cidr> {
        let cidr = Cidr::parse(self.text(object, at, name)?);
        if cidr.is_none() {
            self.mistake(
                &Place::Member(at, name),
                "must be a whole block of addresses such as 172.16.0.0/12, from /8 to /29",
            );
        }
        cidr
    }

    fn mac<'v>(&mut self, object: &'v Object, at: &Place<'_>) -> Option<&'v str> {
        let mac = self.text(object, at, "mac")?;
        let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if mac.split(':').count() != 6 || !mac.split(':').all(pair) {
            self.mistake(&Place::Member(at, "mac"), "must be a MAC address such as 00:16:3e:0f:00:01");
        }
        Some(mac)
    }

    fn charge_type(&mut self, object: &Object, at: &Place<'_>, name: &str) -> &'static str {
        match self.choice(object, at, name, &["PostPaid", "PrePaid"]) {
            Some("PrePaid") => "PrePaid",
            _ => "PostPaid",
        }
    }

    fn market_place(&mut self, instance: &Object, at: &Place<'_>) -> Option<MarketPlace> {
        let product_code = self.text(instance, at, "market_place_product_code");
        let charge_type = self.charge_type(instance, at, "market_place_charge_type");
        if product_code.is_none() && instance.contains_key("market_place_charge_type") {
            let reason = "is of an image of the Marketplace: give market_place_product_code too";
            self.mistake(&Place::Member(at, "market_place_charge_type"), reason);
        }
        Some(MarketPlace { product_code: product_code?.into(), charge_type })
    }

    fn spot(&mut self, instance: &Object, at: &Place<'_>) -> Option<Spot> {
        let is_spot = self
            .choice(instance, at, "spot_strategy", &Spot::STRATEGIES)
            .is_some_and(|name| name != Spot::STRATEGIES[0]);
        let termination = self.time(instance, at, "spot_termination_time");
        if termination.is_some() && !is_spot {
            let reason = format!("is of a preemptible instance: give spot_strategy {} too", Spot::STRATEGIES[1]);
            self.mistake(&Place::Member(at, "spot_termination_time"), reason);
        }
        is_spot.then_some(Spot { termination })
    }

    fn metadata_options(&mut self, instance: &Object, at: &Place<'_>) -> MetadataOptions {
        let endpoint = self.choice(instance, at, "http_endpoint", &MetadataOptions::ENDPOINT);
        let tokens = self.choice(instance, at, "http_tokens", &MetadataOptions::TOKENS);
        let hops = self.integer(instance, at, "http_put_response_hop_limit", (*MetadataOptions::HOPS.end()).into());
        let default = MetadataOptions::default();
        MetadataOptions {
            enabled: endpoint.is_none_or(|endpoint| endpoint == MetadataOptions::ENDPOINT[0]),
            tokens_required: tokens.is_some_and(|tokens| tokens == MetadataOptions::TOKENS[1]),
            hop_limit: hops.map_or(default.hop_limit, |hops| hops as u8),
        }
    }

    /// A free address of the block, if there is one, or of all from 172.16.0.10 on: unlike on real networks, no two
    /// instances of a world share an address.
    fn next_address(&mut self, block: Option<Cidr>) -> Option<Ipv4Addr> {
        const FIRST: u32 = u32::from_be_bytes([172, 16, 0, 10]);
        let given = FIRST..self.next_addresses.get(&None).copied().unwrap_or(FIRST);
        let next = self
            .next_addresses
            .entry(block)
            .or_insert_with(|| block.map_or(FIRST, |block| u32::from(block.first()) + 1));
        loop {
            if block.is_some_and(|block| *next >= u32::from(block.gateway())) {
                return None;
            }
            let (place, address) = (*next, Ipv4Addr::from(*next));
            *next = next.wrapping_add(1);
            if self.taken_addresses.contains(&address) || (block.is_some() && given.contains(&place)) {
                continue;
            }
            if block.is_some() {
                self.taken_addresses.insert(address);
            }
            return Some(address);
        }
    }

    fn object<'v>(&mut self, value: &'v Value, at: &Place<'_>, known: &[&str], report: bool) -> Option<&'v Object> {
        let Value::Object(object) = value else {
            if report {
                self.mistake(at, "must be an object");
            }
            return None;
        };
        for name in object.keys().filter(|name| report && !known.contains(&name.as_str())) {
            self.mistake(&Place::Member(at, name), format!("no such member here; there are {}", known.join(", ")));
        }
        Some(object)
    }

    fn list<'v>(&mut self, object: &'v Object, at: &Place<'_>, name: &str, report: bool) -> &'v [Value] {
        match object.get(name) {
            None => &[],
            Some(Value::Array(list)) => list,
            Some(_) => {
                if report {
                    self.mistake(&Place::Member(at, name), "must be an array");
                }
                &[]
            }
        }
    }

    fn text<'v>(&mut self, object: &'v Object, at: &Place<'_>, name: &str) -> Option<&'v str> {
        let text = object.get(name)?.as_str();
        if text.is_none() {
            self.mistake(&Place::Member(at, name), "must be a string");
        }
        text
    }

    fn required_text<'v>(&mut self, object: &'v Object, at: &Place<'_>, name: &str) -> Option<&'v str> {
        if !object.contains_key(name) {
            self.mistake(at, format!("needs {name}"));
            return None;
        }
        let text = self.text(object, at, name)?;
        if text.is_empty() {
            self.mistake(&Place::Member(at, name), "cannot be empty");
        }
        Some(text).filter(|text| !text.is_empty())
    }

    fn texts(&mut self, object: &Object, at: &Place<'_>, name: &str) -> Box<[Box<str>]> {
        let mut texts = Vec::new();
        for (index, value) in self.list(object, at, name, true).iter().enumerate() {
            match value.as_str() {
                Some(text) => texts.push(text.into()),
                None => self.mistake(&Place::Element(&Place::Member(at, name), index), "must be a string"),
            }
        }
        texts.into()
    }

    fn choice<'v>(&mut self, object: &'v Object, at: &Place<'_>, name: &str, among: &[&str]) -> Option<&'v str> {
        let chosen = self.text(object, at, name)?;
        if !among.contains(&chosen) {
            self.mistake(&Place::Member(at, name), format!("must be one of {}", among.join(", ")));
        }
        Some(chosen)
    }

    fn integer(&mut self, object: &Object, at: &Place<'_>, name: &str, most: u64) -> Option<u64> {
        let number = object.get(name)?.as_u64().filter(|number| (1..=most).contains(number));
        if number.is_none() {
            self.mistake(&Place::Member(at, name), format!("must be a whole number from 1 to {most}"));
        }
        number
    }

    fn flag(&mut self, object: &Object, at: &Place<'_>, name: &str) -> Option<bool> {
        let flag = object.get(name)?.as_bool();
        if flag.is_none() {
            self.mistake(&Place::Member(at, name), "must be true or false");
        }
        flag
    }

    /// To the second, or as much finer as it is written; each time in its one spelling.
    fn time(&mut self, object: &Object, at: &Place<'_>, name: &str) -> Option<Timestamp> {
        let text = self.text(object, at, name)?;
        let time = text.parse::<Timestamp>().ok().filter(|time| time.to_string() == text);
        if time.is_none() {
            self.mistake(&Place::Member(at, name), "must be a time such as 2026-01-05T08:00:00Z");
        }
        time
    }

    fn address(&mut self, object: &Object, at: &Place<'_>, name: &str) -> Option<Ipv4Addr> {
        let address = self.text(object, at, name)?.parse().ok();
        if address.is_none() {
            self.mistake(&Place::Member(at, name), "must be an IPv4 address");
        }
        address
    }

    fn tags(&mut self, object: &Object, at: &Place<'_>) -> Box<[(Box<str>, Box<str>)]> {
        let place = Place::Member(at, "tags");
        let mut tags = Vec::new();
        match object.get("tags") {
            None => {}
            Some(Value::Object(map)) => {
                for (key, value) in map {
                    match value.as_str() {
                        Some(value) => tags.push((key.as_str().into(), value.into())),
                        None => self.mistake(&Place::Member(&place, key), "must be a string"),
                    }
                }
            }
            Some(_) => self.mistake(&place, "must be an object of tag keys and values"),
        }
        tags.into()
    }
}

fn identity_policy(text: &str) -> Result<PermissionPolicy, PolicyError> {
    PermissionPolicy::parse(text, Use::Identity)
}

/// A name with one number in it, as printf writes it: `%d` or `%x`, with an optional width that
/// is filled with zeros (`%08d`).
struct Pattern {
    before: Box<str>,
    width: usize,
    hexadecimal: bool,
    after: Box<str>,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once('%')?;
        let verb = rest.find(|c: char| !c.is_ascii_digit())?;
        let (width, after) = rest.split_at(verb);
        let hexadecimal = match after.chars().next()? {
            'd' => false,
            'x' => true,
            _ => return None,
        };
        let width = match width {
            "" => 0,
            padded => padded.strip_prefix('0')?.parse().ok().filter(|width| *width <= 20)?,
        };
        let after = &after[1..];
        (!after.contains('%')).then(|| Self { before: before.into(), width, hexadecimal, after: after.into() })
    }

    fn print(&self, number: u64) -> String {
        let Self { before, width, hexadecimal, after } = self;
        if *hexadecimal {
            format!("{before}{number:0width$x}{after}")
        } else {
            format!("{before}{number:0width$}{after}")
        }
    }
}
