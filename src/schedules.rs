//! What has to hold in whatever order threads come to the locks of the spaces. Shuttle runs each test in many orders, the
//! same ones every time: by chance, and with few changes of thread at places where they hurt (PCT).
//!
//! `.ci/run` builds them with `--cfg shuttle`. `TIMES=10` runs ten times as many, `SHUTTLE_RANDOM_SEED=7` others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Mac;
use http::Request;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread::{self, JoinHandle};
use shuttle::{Config, Runner};

use crate::files::StateFile;
use crate::gateway::Gateway;
use crate::gateway::registry::PRODUCTS;
use crate::gateway::signature::rpc_v1;
use crate::settings::{Settings, SettingsCell};
use crate::world::seed::Mistake;
use crate::world::{Clock, Namespace, NoSpace, Origin, Pace, Secret, Space, SpaceLimits, Spaces, parse_utc};

/// How many orders each test is run in, half of them by either way.
const SCHEDULES: usize = 2_000;
/// At how many places PCT changes the thread.
const CHANGES: usize = 3;
const SEED: u64 = 20_261_124;

fn explore(test: impl Fn() + Copy + Send + Sync + 'static) {
    explore_times(SCHEDULES, test);
}

fn explore_times(schedules: usize, test: impl Fn() + Copy + Send + Sync + 'static) {
    let schedules = schedules * std::env::var("TIMES").map_or(1, |times| times.parse().expect("a number"));
    let config = || {
        let mut config = Config::new();
        // A signed call has more on its stack than the tests that the default is for.
        config.stack_size = 1 << 20;
        // They are about orders of memory that no test here depends on.
        config.silence_warnings = true;
        config
    };
    Runner::new(RandomScheduler::new_from_seed(SEED, schedules / 2), config()).run(test);
    Runner::new(PctScheduler::new_from_seed(SEED, CHANGES, schedules / 2), config()).run(test);
}

const NOW: &str = "2026-11-24T02:07:22Z";
const EXPIRES: &str = "2026-11-24T03:00:00Z";
/// When nobody remembers any more what expired then.
const FORGOTTEN: &str = "2026-11-24T04:00:01Z";
/// A key of the old seed, and one of the new.
const OLD: &str = "old-key";
const NEW: &str = "new-key";

/// Stands still, and is no place where a thread could change.
#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        parse_utc(NOW).expect("a time")
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

/// Two instances that calls change together, and a key whose id tells which seed it was.
fn seed(key: &str) -> Vec<(String, String)> {
    let text = format!(
        r#"{{"accounts":[{{
            "keys":[{{"id":"{key}","secret":"test"}}],
            "roles":[{{"name":"r","sessions":[{{
                "id":"STS.s","secret":"s","security_token":"t","expires":"{EXPIRES}","name":"job"
            }}]}}],
            "instances":[{{"id":"i-1","role":"r"}},{{"id":"i-2","role":"r"}}]
        }}]}}"#
    );
    vec![(key.to_owned(), text)]
}

/// One more instance.
fn more(id: &str) -> [(String, String); 1] {
    [("more".to_owned(), format!(r#"{{"accounts":[{{"instances":[{{"id":"{id}"}}]}}]}}"#))]
}

struct Emulated {
    spaces: Arc<Spaces>,
    gateway: Gateway,
}

impl Emulated {
    fn new(most: usize) -> Arc<Self> {
        Self::forgetting(most, SignedDuration::from_hours(1))
    }

    /// One in which spaces stay for so long; below zero, the clock that stands still has always gone on enough.
    fn forgetting(most: usize, idle: SignedDuration) -> Arc<Self> {
        let origin = Origin { seeds: seed(OLD), machine: Arc::new(Standing), rng_seed: Some(1), ..Origin::default() };
        let limits = SpaceLimits { most, idle };
        let spaces = Arc::new(Spaces::new(origin, limits).expect("a good seed"));
        let settings = Arc::new(SettingsCell::new(Settings::default()));
        let gateway = Gateway { spaces: Arc::clone(&spaces), settings, products: PRODUCTS };
        Arc::new(Self { spaces, gateway })
    }

    fn of(&self, name: &Namespace) -> Arc<Space> {
        self.spaces.of(name).expect("there is room")
    }

    /// A signed call that takes the role off both instances, and its answer.
    fn detach(&self, name: &Namespace, key: &str) -> (u16, String) {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let (key, nonce) = (format!("{key}@{name}"), NONCE.fetch_add(1, Ordering::Relaxed).to_string());
        let mut pairs = vec![
            ("AccessKeyId", &*key),
            ("Action", "DetachInstanceRamRole"),
            ("Format", "JSON"),
            ("InstanceIds", r#"["i-1","i-2"]"#),
            ("RegionId", "cn-hangzhou"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &*nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", NOW),
            ("Version", "2014-05-26"),
        ];
        let text = rpc_v1::string_to_sign("GET", pairs.iter().copied());
        let signature = Secret::new("test").v1_sha1().chain_update(text).finalize().into_bytes();
        let signature = BASE64_STANDARD.encode(signature);
        pairs.push(("Signature", &signature));
        let query = serde_urlencoded::to_string(pairs).expect("pairs");
        let (head, ()) = Request::get(format!("/?{query}")).body(()).expect("a request").into_parts();
        let answer = self.gateway.answer(head, &[], None, |_| false).whole();
        let status = answer.status().as_u16();
        let body = shuttle::future::block_on(answer.into_body().collect()).expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

/// Whether a call has taken the roles; those of both instances, or of neither.
fn is_detached(space: &Space) -> bool {
    let roles = space.store.read(|world| ["i-1", "i-2"].map(|id| world.instance(id).and_then(|i| i.role().cloned())));
    assert_eq!(roles[0].is_some(), roles[1].is_some(), "one call changes both");
    roles[0].is_none()
}

fn has_instance(space: &Space, id: &str) -> bool {
    space.store.read(|world| world.instance(id).is_some())
}

/// Whether a space is of this seed.
fn is_of(space: &Space, key: &str) -> bool {
    space.store.read(|world| world.key(&space.ids.key_id(key)).is_some())
}

fn gw0() -> Namespace {
    Namespace::parse("gw0").expect("a name")
}

fn either() -> Namespace {
    if thread_rng().gen_bool(0.5) { Namespace::DEFAULT } else { gw0() }
}

fn spawn<T: Send + 'static>(it: &Arc<Emulated>, run: impl FnOnce(&Emulated) -> T + Send + 'static) -> JoinHandle<T> {
    let it = Arc::clone(it);
    thread::spawn(move || run(&it))
}

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("no thread fails")
}

#[test]
fn a_call_in_flight_ends_in_the_world_that_it_began_in_and_changes_nothing_in_the_next() {
    explore(|| {
        let it = Emulated::new(1);
        let name = either();
        let before = it.of(&name);
        let caller = {
            let name = name.clone();
            spawn(&it, move |it| it.detach(&name, OLD))
        };
        let next = {
            let name = name.clone();
            spawn(&it, move |it| match thread_rng().gen_range(0..3) {
                0 => it.spaces.replace(&name, None).map(|_| ()),
                1 => it.spaces.begin_again(seed(OLD)).map_err(NoSpace::Seed),
                _ if name.is_default() => it.spaces.replace(&name, Some(&seed(OLD))).map(|_| ()),
                _ => it.spaces.remove(&name).map(|_| ()).ok_or(NoSpace::TooMany(0)),
            })
        };
        let (status, answer) = join(caller);
        join(next).expect("a good seed");
        assert_eq!(status, 200, "{answer}");
        let after = it.of(&name);
        assert_ne!(after.generation, before.generation);
        assert_ne!(is_detached(&after), is_detached(&before), "one world, and one alone, was changed");
    });
}

#[test]
fn whoever_has_no_key_in_the_next_world_changes_the_one_before_or_is_refused() {
    explore(|| {
        let it = Emulated::new(1);
        let name = either();
        let before = it.of(&name);
        let caller = {
            let name = name.clone();
            spawn(&it, move |it| it.detach(&name, OLD))
        };
        let next = {
            let name = name.clone();
            spawn(&it, move |it| {
                if thread_rng().gen_bool(0.5) {
                    it.spaces.begin_again(seed(NEW)).map_err(NoSpace::Seed)
                } else {
                    it.spaces.replace(&name, Some(&seed(NEW))).map(|_| ())
                }
            })
        };
        let (status, answer) = join(caller);
        join(next).expect("a good seed");
        let after = it.of(&name);
        assert!(is_of(&after, NEW) && !is_detached(&after), "{status} {answer}");
        if status == 200 {
            assert!(is_detached(&before), "{answer}");
        } else {
            assert!(answer.contains("InvalidAccessKeyId.NotFound"), "{answer}");
            assert!(!is_detached(&before));
        }
    });
}

#[test]
fn those_who_name_a_new_namespace_at_the_same_time_get_one_space_and_never_more_than_there_may_be() {
    explore(|| {
        let it = Emulated::new(1);
        let gw1 = Namespace::parse("gw1").expect("a name");
        let makers = [gw0(), gw0(), gw1].map(|name| spawn(&it, move |it| it.spaces.of(&name)));
        let [one, two, other] = makers.map(join);
        assert_eq!(it.spaces.all().len(), 2, "default and one more");
        match (one, two, other) {
            (Ok(one), Ok(two), Err(NoSpace::TooMany(1))) => assert!(Arc::ptr_eq(&one, &two)),
            (Err(NoSpace::TooMany(1)), Err(NoSpace::TooMany(1)), Ok(other)) => {
                assert_eq!(other.namespace.as_str(), "gw1")
            }
            all => panic!("{all:?}"),
        }
    });
}

#[test]
fn no_two_spaces_have_one_generation_and_none_gives_way_to_an_older_one() {
    explore(|| {
        let it = Emulated::forgetting(2, SignedDuration::from_secs(-1));
        let threads = [(); 3].map(|()| {
            spawn(&it, |it| {
                let (mut seen, mut latest) = (Vec::new(), BTreeMap::new());
                for _ in 0..2 {
                    let name = either();
                    match thread_rng().gen_range(0..5) {
                        0 => seen.push(it.of(&name)),
                        1 => seen.push(it.spaces.replace(&name, None).expect("there is room")),
                        2 => it.spaces.begin_again(seed(OLD)).expect("a good seed"),
                        3 => it.spaces.forget_idle(),
                        _ => seen.extend(it.spaces.remove(&gw0())),
                    }
                    for space in it.spaces.all() {
                        let before = latest.insert(space.namespace.clone(), space.generation).unwrap_or_default();
                        assert!(space.generation >= before, "{} after {before}", space.generation);
                        seen.push(space);
                    }
                }
                seen
            })
        });
        let mut generations = BTreeMap::new();
        for space in threads.map(join).into_iter().flatten() {
            let first = generations.entry(space.generation).or_insert_with(|| Arc::clone(&space));
            assert!(Arc::ptr_eq(first, &space), "generation {} twice", space.generation);
        }
    });
}

#[test]
fn nothing_of_older_seeds_appears_after_newer_ones_are_in_force() {
    explore(|| {
        let it = Emulated::new(2);
        let begins = spawn(&it, |it| {
            it.spaces.begin_again(seed(NEW)).expect("a good seed");
            // Whatever others are making.
            for name in [gw0(), Namespace::DEFAULT] {
                assert!(is_of(&it.of(&name), NEW), "{name} is of older seeds");
            }
        });
        let others = [(); 2].map(|()| {
            spawn(&it, |it| {
                let name = either();
                let mut is_new = false;
                for _ in 0..2 {
                    let by_reset = thread_rng().gen_bool(0.5);
                    let space =
                        if by_reset { it.spaces.replace(&name, None).expect("there is room") } else { it.of(&name) };
                    assert!(is_of(&space, NEW) >= is_new, "{name} is of older seeds again");
                    is_new = is_of(&space, NEW);
                }
            })
        });
        join(begins);
        others.into_iter().for_each(join);
        assert!(it.spaces.all().iter().all(|space| is_of(space, NEW)));
    });
}

#[test]
fn a_seed_that_adds_loses_nothing_of_calls_and_other_seeds_beside_it() {
    explore(|| {
        let it = Emulated::new(1);
        let caller = spawn(&it, |it| it.detach(&Namespace::DEFAULT, OLD));
        let seeds = [(); 2].map(|()| spawn(&it, |it| it.spaces.default_space().add(&more("i-3"))));
        let looks = spawn(&it, |it| {
            let snapshot: Value = serde_json::from_str(&it.spaces.default_space().snapshot()).expect("JSON");
            let instances = snapshot["accounts"][0]["instances"].as_array().expect("a list");
            assert_eq!(instances[0]["role"], instances[1]["role"], "one call changes both");
        });
        assert_eq!(join(caller).0, 200);
        let added = seeds.map(join).into_iter().filter(|added: &Result<_, Vec<Mistake>>| added.is_ok()).count();
        join(looks);
        let space = it.spaces.default_space();
        assert_eq!((added, has_instance(&space, "i-3"), is_detached(&space)), (1, true, true));
    });
}

#[test]
fn what_a_seed_adds_to_a_world_is_not_in_the_next_one() {
    explore(|| {
        let it = Emulated::new(1);
        let name = either();
        let adds = {
            let name = name.clone();
            spawn(&it, move |it| {
                let space = it.of(&name);
                space.add(&more("i-3")).expect("a good seed");
                space
            })
        };
        let resets = {
            let name = name.clone();
            spawn(&it, move |it| it.spaces.replace(&name, None).expect("there is room"))
        };
        let (added, reset) = (join(adds), join(resets));
        assert!(has_instance(&added, "i-3"));
        assert_eq!(has_instance(&reset, "i-3"), Arc::ptr_eq(&added, &reset));
        assert!(Arc::ptr_eq(&it.of(&name), &reset));
    });
}

#[test]
fn whoever_finds_a_new_time_finds_done_what_is_due_by_then() {
    explore(|| {
        let it = Emulated::new(1);
        let forgotten = parse_utc(FORGOTTEN).expect("a time");
        let moves = spawn(&it, move |it| {
            it.spaces.default_space().move_clock(|_| Ok::<_, ()>(Pace::Frozen(forgotten))).expect("a time");
        });
        let looks = spawn(&it, move |it| {
            let space = it.spaces.default_space();
            let (now, is_there) = space.store.read(|world| (space.clock.now(), world.key("STS.s").is_some()));
            assert_eq!(is_there, now < forgotten);
            let text = space.snapshot();
            assert_ne!(text.contains("STS.s"), text.contains("frozen"), "{text}");
        });
        join(moves);
        join(looks);
        assert!(it.spaces.default_space().store.read(|world| world.key("STS.s").is_none()));
    });
}

/// Fewer, because each order writes files.
#[test]
fn a_save_never_puts_an_older_world_in_the_place_of_a_newer_one() {
    explore_times(200, || {
        static FOLDER: AtomicU64 = AtomicU64::new(0);
        let path = std::env::temp_dir().join(format!(
            "ecsim-schedules-{}-{}.json",
            std::process::id(),
            FOLDER.fetch_add(1, Ordering::Relaxed)
        ));
        let it = Emulated::new(1);
        let file = Arc::new(StateFile::new(path.clone()));
        let saved = {
            let path = path.clone();
            Arc::new(move || std::fs::read_to_string(&path).expect("a file").contains(NEW))
        };
        let by_time = {
            let (file, saved) = (Arc::clone(&file), Arc::clone(&saved));
            spawn(&it, move |it| {
                let mut was_new = false;
                for _ in 0..2 {
                    file.save(&it.spaces).expect("saves");
                    let is_new = saved();
                    assert!(is_new >= was_new, "the file is of an older world again");
                    was_new = is_new;
                }
            })
        };
        let at_a_stop = {
            let (file, saved) = (Arc::clone(&file), Arc::clone(&saved));
            spawn(&it, move |it| {
                it.spaces.begin_again(seed(NEW)).expect("a good seed");
                file.save(&it.spaces).expect("saves");
                assert!(saved(), "what is saved is the world that is");
            })
        };
        join(by_time);
        join(at_a_stop);
        assert!(saved());
        std::fs::remove_file(path).expect("removes");
    });
}

#[test]
fn all_at_once_nothing_waits_for_ever_and_every_world_stays_whole() {
    explore(|| {
        let it = Emulated::forgetting(2, SignedDuration::from_secs(-1));
        let threads = [(); 4].map(|()| {
            spawn(&it, |it| {
                for _ in 0..3 {
                    let name = either();
                    match thread_rng().gen_range(0..9) {
                        0 => assert!(it.spaces.replace(&name, None).is_ok()),
                        1 => assert!(it.spaces.replace(&name, Some(&seed(OLD))).is_ok()),
                        2 => assert!(it.spaces.begin_again(seed(OLD)).is_ok()),
                        3 => drop(it.spaces.remove(&gw0())),
                        4 => {
                            it.of(&gw0());
                            it.spaces.forget_idle();
                        }
                        5 => drop(it.of(&name).add(&more("i-3"))),
                        6 => drop(it.of(&name).snapshot()),
                        7 => it.of(&name).move_clock(|_| Ok::<_, ()>(Pace::Real)).expect("a pace"),
                        _ => assert_eq!(it.detach(&name, OLD).0, 200),
                    }
                    for space in it.spaces.all() {
                        is_detached(&space);
                    }
                }
            })
        });
        threads.into_iter().for_each(join);
    });
}
