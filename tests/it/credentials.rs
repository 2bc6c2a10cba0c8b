//! Whatever happens to instances, roles and the time: a credential is accepted exactly as long as it should be.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use ecsim::Emulator;
use ecsim::handle::Handle;
use ecsim::settings::Settings;
use ecsim::world::{ManualClock, Propagation, parse_utc};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::Service;

use crate::support::{NOW, encode, nonce, sign_v1};

const ROLES: [&str; 2] = ["a", "b"];
const INSTANCES: [&str; 2] = ["i-1", "i-2"];
const ASSUMED: SignedDuration = SignedDuration::from_secs(900);
const LIFETIME: SignedDuration = SignedDuration::from_hours(6);

#[derive(Clone, Copy, Debug)]
enum Step {
    Attach(usize, usize),
    Detach(usize),
    Read(usize),
    Describe(usize),
    Assume(usize),
    Delete(usize),
    Create(usize),
    /// Minutes.
    Advance(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (role, instance) = (0..ROLES.len(), 0..INSTANCES.len());
    prop_oneof![
        2 => (instance.clone(), role.clone()).prop_map(|(instance, role)| Step::Attach(instance, role)),
        2 => instance.clone().prop_map(Step::Detach),
        4 => instance.clone().prop_map(Step::Read),
        2 => instance.prop_map(Step::Describe),
        1 => role.clone().prop_map(Step::Assume),
        1 => role.clone().prop_map(Step::Delete),
        1 => role.prop_map(Step::Create),
        3 => prop_oneof![Just(1), Just(14), Just(15), Just(329), Just(330), Just(360), 1..400_i64].prop_map(Step::Advance),
    ]
}

/// What has been handed out, and what should be true of it.
#[derive(Clone, Debug)]
struct Issued {
    triple: [String; 3],
    role: usize,
    /// Of an instance, by which it can be revoked.
    instance: Option<usize>,
    expires: Timestamp,
    ended: bool,
}

/// A role on an instance.
#[derive(Clone, Copy, Debug)]
struct Carried {
    role: usize,
    /// What was given out for it last, while it may be given again.
    current: Option<usize>,
}

/// A change of what an instance carries, and how often it has been read in each view since.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: Timestamp,
    instance: usize,
    before: Option<Carried>,
    reads: [u32; 2],
}

#[derive(Clone, Copy, Debug)]
enum Place {
    On(usize),
    Before(usize),
}

const METADATA: usize = 0;
const DESCRIBE: usize = 1;

/// An emulator without sockets, and the plainest account of what it should do.
struct Bench {
    runtime: Runtime,
    /// It stops when it is dropped.
    _emulator: Emulator,
    service: Router,
    default: Handle,
    revokes: bool,
    propagation: [Propagation; 2],
    now: Timestamp,
    exists: [bool; 2],
    attached: [Option<Carried>; 2],
    changes: Vec<Change>,
    issued: Vec<Issued>,
}

impl Bench {
    fn new(revokes: bool, propagation: [Propagation; 2]) -> Self {
        let seed = json!({ "accounts": [{
            "keys": [{ "id": "owner", "secret": "s" }],
            "users": [{ "name": "u", "policies": ["AliyunSTSAssumeRoleAccess"], "keys": [{ "id": "user", "secret": "s" }] }],
            "roles": ROLES.map(|name| json!({ "name": name, "trust": trust() })),
            "instances": INSTANCES.map(|id| json!({ "id": id })),
        }] });
        let now = parse_utc(NOW).expect("a time");
        let settings = Settings {
            detach_revokes: revokes,
            metadata_propagation: propagation[METADATA],
            describe_propagation: propagation[DESCRIBE],
            ..Settings::default()
        };
        let builder = Emulator::builder().without_listeners().seed("seed", seed.to_string()).settings(settings);
        let builder = builder.clock(Arc::new(ManualClock::at(now))).rng_seed(1).nonces(0, SignedDuration::ZERO);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let emulator = runtime.block_on(builder.start()).expect("it starts");
        Self {
            runtime,
            service: emulator.service(),
            default: emulator.namespace("default").expect("it is there"),
            _emulator: emulator,
            revokes,
            propagation,
            now,
            exists: [true; 2],
            attached: [None; 2],
            changes: Vec::new(),
            issued: Vec::new(),
        }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let request = http::Request::get(path).header("host", "localhost").body(Body::empty()).expect("a request");
        self.runtime.block_on(async {
            let response = self.service.clone().call(request).await.expect("an answer");
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
        })
    }

    fn call(&self, key: [&str; 3], version: &str, action: &str, params: &[(&str, &str)]) -> (u16, Value) {
        let nonce = nonce();
        let common = [
            ("Action", action),
            ("Version", version),
            ("Format", "JSON"),
            ("AccessKeyId", key[0]),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", NOW),
            ("SignatureNonce", &nonce),
            ("RegionId", "cn-hangzhou"),
        ];
        let mut pairs: BTreeMap<String, String> =
            common.iter().chain(params).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if !key[2].is_empty() {
            pairs.insert("SecurityToken".to_owned(), key[2].to_owned());
        }
        let signature = sign_v1("GET", &pairs, key[1]);
        pairs.insert("Signature".to_owned(), signature);
        let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let (status, body) = self.get(&format!("/?{}", query.join("&")));
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    fn owner(&self, version: &str, action: &str, params: &[(&str, &str)]) -> u16 {
        self.call(["owner", "s", ""], version, action, params).0
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Attach(instance, role) => self.attach(instance, role),
            Step::Detach(instance) => self.detach(instance),
            Step::Read(instance) => self.read(instance),
            Step::Describe(instance) => self.describe(instance),
            Step::Assume(role) => self.assume(role),
            Step::Delete(role) => {
                let status = self.owner("2015-05-01", "DeleteRole", &[("RoleName", ROLES[role])]);
                assert_eq!(status == 200, self.exists[role]);
                self.exists[role] = false;
                for issued in self.issued.iter_mut().filter(|issued| issued.role == role) {
                    issued.ended = true;
                }
            }
            Step::Create(role) => {
                let params = [("RoleName", ROLES[role]), ("AssumeRolePolicyDocument", &trust().to_string())];
                let status = self.owner("2015-05-01", "CreateRole", &params);
                assert_eq!(status == 200, !self.exists[role]);
                self.exists[role] = true;
            }
            Step::Advance(minutes) => {
                self.now += SignedDuration::from_mins(minutes);
                self.default.clock().freeze(self.now).expect("it is there");
            }
        }
    }

    fn attach(&mut self, instance: usize, role: usize) {
        let ids = json!([INSTANCES[instance]]).to_string();
        let params = [("InstanceIds", &*ids), ("RamRoleName", ROLES[role])];
        let status = self.owner("2014-05-26", "AttachInstanceRamRole", &params);
        let attached = self.attached[instance];
        assert_eq!(status == 200, self.exists[role] && attached.is_none_or(|attached| attached.role == role));
        if status == 200 && attached.is_none() {
            self.change(instance, Some(Carried { role, current: None }));
        }
    }

    fn change(&mut self, instance: usize, carried: Option<Carried>) {
        let before = std::mem::replace(&mut self.attached[instance], carried);
        self.changes.push(Change { at: self.now, instance, before, reads: [0; 2] });
    }

    /// Where what a view shows of an instance stands: on it, or before a change. Each look is a read.
    fn seen(&mut self, view: usize, instance: usize) -> Place {
        let (now, propagation) = (self.now, self.propagation[view]);
        let mut place = Place::On(instance);
        let of_instance = |(_, change): &(usize, &mut Change)| change.instance == instance;
        for (number, change) in self.changes.iter_mut().enumerate().rev().filter(of_instance) {
            let is_unseen = match propagation {
                Propagation::Time(delay) => now < change.at + delay,
                Propagation::Reads(count) => change.reads[view] < count,
            };
            change.reads[view] += 1;
            if is_unseen {
                place = Place::Before(number);
            }
        }
        place
    }

    fn carried(&mut self, place: Place) -> &mut Option<Carried> {
        match place {
            Place::On(instance) => &mut self.attached[instance],
            Place::Before(number) => &mut self.changes[number].before,
        }
    }

    fn describe(&mut self, instance: usize) {
        let place = self.seen(DESCRIBE, instance);
        let role = self.carried(place).map_or("", |carried| ROLES[carried.role]);
        let ids = json!([INSTANCES[instance]]).to_string();
        let (_, body) =
            self.call(["owner", "s", ""], "2014-05-26", "DescribeInstanceRamRole", &[("InstanceIds", &ids)]);
        assert_eq!(body["InstanceRamRoleSets"]["InstanceRamRoleSet"][0]["RamRoleName"], role, "{body}");
    }

    fn detach(&mut self, instance: usize) {
        let ids = json!([INSTANCES[instance]]).to_string();
        assert_eq!(self.owner("2014-05-26", "DetachInstanceRamRole", &[("InstanceIds", &ids)]), 200);
        if self.attached[instance].is_none() {
            return;
        }
        self.change(instance, None);
        if self.revokes {
            for issued in self.issued.iter_mut().filter(|issued| issued.instance == Some(instance)) {
                issued.ended = true;
            }
        }
    }

    fn read(&mut self, instance: usize) {
        let place = self.seen(METADATA, instance);
        let seen = *self.carried(place);
        let (now, next) = (self.now, self.issued.len());
        let name = seen.map_or("a", |carried| ROLES[carried.role]);
        let of = format!("/_ecsim/instances/{}/latest/meta-data", INSTANCES[instance]);
        let (status, body) = self.get(&format!("{of}/ram/security-credentials/{name}"));
        let Some(carried) = seen.filter(|carried| self.exists[carried.role]) else {
            return assert_eq!(status, 404);
        };
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let triple =
            ["AccessKeyId", "AccessKeySecret", "SecurityToken"].map(|name| body[name].as_str().expect(name).to_owned());
        let kept = carried.current.map(|n| &self.issued[n]);
        let kept = kept.filter(|issued| !issued.ended && issued.expires.duration_since(now) > LIFETIME / 12);
        if let Some(issued) = kept {
            return assert_eq!(triple, issued.triple, "the same until half an hour before the end");
        }
        assert!(self.issued.iter().all(|issued| issued.triple != triple), "a new one");
        if let Some(carried) = self.carried(place) {
            carried.current = Some(next);
        }
        self.issued.push(Issued {
            triple,
            role: carried.role,
            instance: Some(instance),
            expires: now + LIFETIME,
            ended: false,
        });
    }

    fn assume(&mut self, role: usize) {
        let arn = format!("acs:ram::1000000000000001:role/{}", ROLES[role]);
        let params = [("RoleArn", &*arn), ("RoleSessionName", "vm-ram-i-1"), ("DurationSeconds", "900")];
        let (status, body) = self.call(["user", "s", ""], "2015-04-01", "AssumeRole", &params);
        assert_eq!(status == 200, self.exists[role], "{body}");
        if status == 200 {
            let of = |name: &str| body["Credentials"][name].as_str().expect(name).to_owned();
            let triple = ["AccessKeyId", "AccessKeySecret", "SecurityToken"].map(of);
            let expires = self.now + ASSUMED;
            self.issued.push(Issued { triple, role, instance: None, expires, ended: false });
        }
    }

    fn check(&self) {
        for issued in &self.issued {
            let key = issued.triple.each_ref().map(String::as_str);
            let (status, body) = self.call(key, "2015-04-01", "GetCallerIdentity", &[]);
            assert_eq!(status == 200, !issued.ended && self.now < issued.expires, "{issued:?}: {body}");
        }
    }
}

fn trust() -> Value {
    json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
        "Service": ["ecs.aliyuncs.com"], "RAM": ["acs:ram::1000000000000001:root"],
    } }] })
}

fn propagation() -> impl Strategy<Value = Propagation> {
    prop_oneof![
        2 => Just(Propagation::IMMEDIATE),
        1 => (1..400_i64).prop_map(|minutes| Propagation::Time(SignedDuration::from_mins(minutes))),
        1 => (0..5_u32).prop_map(Propagation::Reads),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_credential_is_accepted_exactly_when_it_should_be(
        revokes in any::<bool>(),
        propagation in [propagation(), propagation()],
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut bench = Bench::new(revokes, propagation);
        for step in steps {
            bench.take(step);
            bench.check();
        }
    }
}
