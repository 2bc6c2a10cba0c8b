//! Worlds to call in.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use ecsim::gateway::Gateway;
use ecsim::gateway::registry::PRODUCTS;
use ecsim::settings::{AuthMode, GatewayCodes, Settings, SettingsCell};
use ecsim::world::{
    AccountId, Holder, Ids, KeyOwner, KeyStatus, ManualClock, Origin, SpaceLimits, Spaces, User, World, parse_utc, seed,
};
use jiff::{SignedDuration, Timestamp};

/// The time at which the recorded requests were signed, and all others are.
pub const NOW: &str = "2026-11-24T02:07:22Z";

/// Id and secret of the keys in [`WORLD`], and the token of a temporary one.
pub const KEYS: [(&str, &str, Option<&str>); 7] = [
    ("test", "test", None),
    ("EmuTestAccessKeyId01", "EmuTestAccessKeySecret0123456789", None),
    ("temporary", "s&=%20", Some("token+/=")),
    ("test-inactive", "test", None),
    ("test-reader", "test-reader", None),
    ("test-no-pass", "test-no-pass", None),
    ("test-full", "test-full", None),
];

/// The default seed, with the key of the recorded requests, a temporary key, and instances whose
/// texts are awkward.
pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    const MORE: &str = r#"{ "accounts": [{
        "keys": [
            { "id": "EmuTestAccessKeyId01", "secret": "EmuTestAccessKeySecret0123456789" }
        ],
        "roles": [{ "name": "temporary", "policies": ["AdministratorAccess"], "sessions": [
            { "id": "temporary", "secret": "s&=%20", "security_token": "token+/=", "expires": "2099-01-01T00:00:00Z",
              "name": "fuzz" }
        ] }],
        "instances": [
            { "id": "i-]]>&\u0000\r\n", "name": "<\"'\ufffe", "tags": { "&amp;": "\u2028", "": "\ud83d\ude00" } },
            { "id": "i-%x", "count": 20, "region": "cn-beijing", "role": "web-role", "policy": "{}" }
        ]
    }] }"#;
    let files = [("default", seed::DEFAULT), ("more", MORE)].map(|(name, text)| (name.to_owned(), text.to_owned()));
    seed::build(&files, &Ids::seeded(1), now()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
});

pub fn now() -> Timestamp {
    parse_utc(NOW).expect("a time")
}

pub fn settings(auth: AuthMode) -> Settings {
    Settings { auth, ..Settings::default() }
}

/// The same settings with the codes of the other products.
pub fn with_general_codes(settings: Settings) -> Settings {
    Settings { codes: GatewayCodes::General, ..settings }
}

/// A gateway of its own for a world; every such gateway draws the same ids.
pub fn gateway(world: World, settings: Settings) -> Gateway {
    let clock = Arc::new(ManualClock::at(now()));
    let nonces = (64, SignedDuration::from_mins(30));
    let seeds = vec![("empty".to_owned(), "{}".to_owned())];
    let origin = Origin { seeds, machine: clock, rng_seed: Some(1), nonces, ..Origin::default() };
    let spaces = Spaces::new(origin, SpaceLimits::default()).expect("a good seed");
    spaces.default_space().store.write(|empty| *empty = world);
    Gateway { spaces: Arc::new(spaces), settings: SettingsCell::new(settings).into(), products: PRODUCTS }
}

/// Whether a key exists and may sign.
pub fn has_active_key(gateway: &Gateway, id: &str) -> bool {
    let space = gateway.spaces.default_space();
    space.store.read(|world| world.key(id).is_some_and(|key| key.status == KeyStatus::Active))
}

/// What calls can change of a world, as text; when keys were used last is no change.
pub fn state(gateway: &Gateway) -> Vec<String> {
    gateway.spaces.default_space().store.read(|world| {
        let mut state: Vec<_> = world.instances().map(|(_, instance)| format!("{instance:?}")).collect();
        state.extend(world.keys().map(|(id, key)| format!("{id} {:?} {:?}", key.owner, key.status)));
        for account in accounts(world) {
            state.extend(world.users(account).map(|user| format!("{user:?}")));
            state.extend(world.roles(account).map(|role| format!("{role:?}")));
            state.extend(world.custom_policies(account).map(|policy| format!("{policy:?}")));
        }
        state
    })
}

fn accounts(world: &World) -> BTreeSet<AccountId> {
    world.keys().map(|(_, key)| key.account).collect()
}

/// What holds in every world, whatever was called in it.
pub fn check(world: &World) {
    for (id, key) in world.keys() {
        if let KeyOwner::User(user) = key.owner {
            assert_eq!(world.user_by_id(user).map(User::account), Some(key.account), "{id} is the key of nobody");
        }
    }
    for account in accounts(world) {
        let users = world.users(account).map(|user| (Holder::User(user.id()), user.policies()));
        let roles = world.roles(account).map(|role| (Holder::Role(role.id()), role.policies()));
        for (holder, attached) in users.chain(roles) {
            assert_eq!(
                world.policies_of(holder).count(),
                attached.iter().count(),
                "{holder:?} has a policy that is gone"
            );
        }
    }
    for (id, instance) in world.instances() {
        // That RAM still has the role is not among it: roles on instances can be deleted.
        assert!(!instance.is_classic() || instance.role().is_none(), "{id} is classic and carries a role");
        let zone = &*instance.spec.zone_id;
        assert!(instance.region.zone_ids().any(|known| known == zone), "{id} is in {zone} of {}", instance.region.id);
    }
}
