//! Snapshots: a world as text.
//!
//! A snapshot is a seed that leaves nothing out (ADR 11): `seed.rs` reads it. Two equal worlds give the same bytes. What
//! is not in it: nonces, tokens of the metadata service, and the place of the generator of ids.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::seed::SCHEMA_VERSION;
use super::{
    AccessKey, AccountId, AttachedPolicies, AttachedPolicy, Attachment, Cidr, Ids, Instance, InstanceId, KeyOwner,
    KeyStatus, ManagedPolicy, Network, Pace, PolicyVersion, RamId, Role, RoleChange, RoleSession, Space, Status, Tags,
    User, VersionId, View, World,
};
use crate::policy::Layer;

impl Space {
    /// The space as it is at one moment, as text.
    pub fn snapshot(&self) -> String {
        self.store.read(|world| text(world, &self.ids, self.clock.pace()))
    }
}

/// A world, and how its time goes, as text that ends with a line feed. `ids` are those of its space, whose name keys are
/// written without: a snapshot of one namespace can be put into another.
pub fn text(world: &World, ids: &Ids, pace: Pace) -> String {
    let file = File {
        schema_version: SCHEMA_VERSION,
        ecsim: env!("CARGO_PKG_VERSION"),
        clock: pace.into(),
        accounts: accounts(world, ids),
        role_changes: RoleHistory::new(world, ids),
    };
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_else(|error| unreachable!("names are texts: {error}"));
    text.push('\n');
    text
}

#[derive(Serialize)]
struct File<'w> {
    schema_version: u64,
    ecsim: &'static str,
    clock: Clock,
    accounts: Vec<Account<'w>>,
    #[serde(skip_serializing_if = "RoleHistory::is_empty")]
    role_changes: RoleHistory<'w>,
}

#[derive(Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
enum Clock {
    Real,
    Offset { ahead_seconds: i64 },
    Frozen { now: Printed<Timestamp> },
}

impl From<Pace> for Clock {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Real => Self::Real,
            // Up to a whole second, so that the world's time does not go back.
            Pace::Offset(by) => Self::Offset { ahead_seconds: by.as_secs() + i64::from(by.subsec_nanos() > 0) },
            Pace::Frozen(now) => Self::Frozen { now: Printed(now) },
        }
    }
}

/// What is written as it prints.
struct Printed<T>(T);

impl<T: Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A policy document: JSON for whoever reads it, where the very text comes out of it again; else the text.
struct Document<'w>(&'w str);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = serde_json::from_str::<Value>(self.0).ok();
        let printed = document.as_ref().map(Value::to_string);
        match document.filter(|_| printed.as_deref() == Some(self.0)) {
            Some(document) => document.serialize(serializer),
            None => self.0.serialize(serializer),
        }
    }
}

/// An account, or more instances of one: they stand in order of creation over all accounts.
#[derive(Serialize)]
struct Account<'w> {
    id: AccountId,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Key<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<CustomPolicy<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<OneUser<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<OneRole<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    instances: Vec<OneInstance<'w>>,
}

impl Account<'_> {
    fn without_anything(id: AccountId) -> Self {
        let (keys, policies, users, roles) = Default::default();
        Self { id, keys, policies, users, roles, instances: Vec::new() }
    }
}

fn accounts<'w>(world: &'w World, ids: &'w Ids) -> Vec<Account<'w>> {
    let keys = Keys::of(world, ids);
    let identities = |id: AccountId| Account {
        keys: keys.of_accounts.get(&id).into_iter().flatten().map(|(id, key)| Key::new(id, key)).collect(),
        policies: world.custom_policies(id).map(CustomPolicy::new).collect(),
        users: world.users(id).map(|user| OneUser::new(user, world, &keys)).collect(),
        roles: world.roles(id).map(|role| OneRole::new(role, world, &keys)).collect(),
        ..Account::without_anything(id)
    };
    let with_something: BTreeSet<_> = world.accounts().collect();
    let mut accounts: Vec<_> = with_something.into_iter().map(identities).collect();
    let mut place = 0;
    for (id, instance) in world.instances() {
        let further = accounts[place..].iter().position(|account| account.id == instance.account);
        place = further.map_or(accounts.len(), |further| place + further);
        if place == accounts.len() {
            accounts.push(Account::without_anything(instance.account));
        }
        accounts[place].instances.push(OneInstance::new(id, instance, world, ids));
    }
    accounts
}

/// The keys of a world by owner, each list by id.
#[derive(Default)]
struct Keys<'w> {
    of_accounts: BTreeMap<AccountId, Vec<(&'w str, &'w AccessKey)>>,
    of_users: BTreeMap<RamId, Vec<(&'w str, &'w AccessKey)>>,
    of_roles: BTreeMap<RamId, Vec<(&'w str, &'w AccessKey, &'w RoleSession)>>,
}

impl<'w> Keys<'w> {
    fn of(world: &'w World, ids: &Ids) -> Self {
        let mut keys = Self::default();
        // In order of what is written: with the names of their space they stand in another.
        let mut all: Vec<_> = world.keys().map(|(id, key)| (ids.bare_key_id(id), key)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        for (id, key) in all {
            match &key.owner {
                KeyOwner::Account => keys.of_accounts.entry(key.account).or_default().push((id, key)),
                KeyOwner::User(user) => keys.of_users.entry(*user).or_default().push((id, key)),
                KeyOwner::Session(session) => {
                    keys.of_roles.entry(session.role).or_default().push((id, key, session));
                }
            }
        }
        keys
    }
}

#[derive(Serialize)]
struct Key<'w> {
    id: &'w str,
    secret: &'w str,
    status: &'static str,
    created: Printed<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Printed<Timestamp>>,
}

impl<'w> Key<'w> {
    fn new(id: &'w str, key: &'w AccessKey) -> Self {
        Self {
            id,
            secret: key.secret.expose(),
            status: match key.status {
                KeyStatus::Active => "active",
                KeyStatus::Inactive => "inactive",
            },
            created: Printed(key.created),
            last_used: key.last_used().map(Printed),
        }
    }
}

#[derive(Serialize)]
struct CustomPolicy<'w> {
    id: RamId,
    name: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'w str,
    versions: Vec<Version<'w>>,
    default_version: Printed<VersionId>,
    last_version: Printed<VersionId>,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: &'w Tags,
    created: Printed<Timestamp>,
    updated: Printed<Timestamp>,
}

impl<'w> CustomPolicy<'w> {
    fn new(policy: &'w ManagedPolicy) -> Self {
        Self {
            id: policy.id(),
            name: policy.name(),
            description: &policy.description,
            versions: policy.versions().iter().map(Version::new).collect(),
            default_version: Printed(policy.default_version().id),
            last_version: Printed(policy.last_version()),
            tags: &policy.tags,
            created: Printed(policy.created),
            updated: Printed(policy.updated),
        }
    }
}

#[derive(Serialize)]
struct Version<'w> {
    id: Printed<VersionId>,
    document: Document<'w>,
    created: Printed<Timestamp>,
}

impl<'w> Version<'w> {
    fn new(version: &'w PolicyVersion) -> Self {
        Self { id: Printed(version.id), document: Document(version.policy.text()), created: Printed(version.created) }
    }
}

#[derive(Serialize)]
struct OneUser<'w> {
    id: RamId,
    name: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mobile_phone: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    comments: &'w str,
    created: Printed<Timestamp>,
    updated: Printed<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Attached<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Key<'w>>,
}

impl<'w> OneUser<'w> {
    fn new(user: &'w User, world: &'w World, keys: &Keys<'w>) -> Self {
        Self {
            id: user.id(),
            name: user.name(),
            display_name: &user.display_name,
            mobile_phone: &user.mobile_phone,
            email: &user.email,
            comments: &user.comments,
            created: Printed(user.created),
            updated: Printed(user.updated),
            policies: attached(user.policies(), world),
            keys: keys.of_users.get(&user.id()).into_iter().flatten().map(|(id, key)| Key::new(id, key)).collect(),
        }
    }
}

#[derive(Serialize)]
struct Attached<'w> {
    name: &'w str,
    r#type: &'static str,
    attached: Printed<Timestamp>,
}

/// In the order in which they were attached.
fn attached<'w>(policies: &'w AttachedPolicies, world: &'w World) -> Vec<Attached<'w>> {
    let attached = policies.iter().filter_map(|AttachedPolicy { policy, attached }| {
        let policy = world.attached_policy(policy)?;
        Some(Attached { name: policy.name(), r#type: policy.policy_type().name(), attached: Printed(attached) })
    });
    attached.collect()
}

#[derive(Serialize)]
struct OneRole<'w> {
    id: RamId,
    name: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'w str,
    trust: Document<'w>,
    max_session_duration: u32,
    allow_console_login: bool,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: &'w Tags,
    created: Printed<Timestamp>,
    updated: Printed<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Attached<'w>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sessions: Vec<Session<'w>>,
}

impl<'w> OneRole<'w> {
    fn new(role: &'w Role, world: &'w World, keys: &Keys<'w>) -> Self {
        let sessions = keys.of_roles.get(&role.id()).into_iter().flatten();
        Self {
            id: role.id(),
            name: role.name().as_str(),
            description: &role.description,
            trust: Document(role.trust.text()),
            max_session_duration: role.max_session_duration,
            allow_console_login: role.allow_console_login,
            tags: &role.tags,
            created: Printed(role.created),
            updated: Printed(role.updated),
            policies: attached(role.policies(), world),
            sessions: sessions.filter_map(|(id, key, session)| Session::new(id, key, session)).collect(),
        }
    }
}

#[derive(Serialize)]
struct Session<'w> {
    id: &'w str,
    secret: &'w str,
    security_token: &'w str,
    expires: Printed<Timestamp>,
    /// Of an instance's session it follows from the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'w InstanceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<SessionPolicy<'w>>,
    created: Printed<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Printed<Timestamp>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum SessionPolicy<'w> {
    Document(Document<'w>),
    /// Of the attachment: any JSON, as deep as can be.
    Text(&'w str),
}

impl<'w> Session<'w> {
    /// Every temporary key has a token.
    fn new(id: &'w str, key: &'w AccessKey, session: &'w RoleSession) -> Option<Self> {
        let token = key.token.as_deref()?;
        let policy = session.policy.as_ref().map(|(layer, policy)| match layer {
            Layer::Attachment => SessionPolicy::Text(policy.text()),
            _ => SessionPolicy::Document(Document(policy.text())),
        });
        Some(Self {
            id,
            secret: key.secret.expose(),
            security_token: &token.value,
            expires: Printed(token.expires),
            name: session.instance.is_none().then_some(&session.name),
            instance: session.instance.as_ref(),
            policy,
            created: Printed(key.created),
            last_used: key.last_used().map(Printed),
        })
    }
}

#[derive(Serialize)]
struct OneInstance<'w> {
    id: &'w InstanceId,
    region: &'static str,
    zone: &'w str,
    network: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'w str>,
    #[serde(skip_serializing_if = "is_false")]
    role_as_written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<&'w str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'w str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'w str,
    host_name: &'w str,
    status: Status,
    r#type: &'w str,
    cpu: u32,
    memory: u32,
    image: &'w str,
    os_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    market_place_product_code: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    market_place_charge_type: Option<&'static str>,
    spot_strategy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    spot_termination_time: Option<Printed<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vswitch: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_cidr: Option<Printed<Cidr>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vswitch_cidr: Option<Printed<Cidr>>,
    security_groups: &'w [Box<str>],
    key_pair: &'w str,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<&'w str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    resource_group: &'w str,
    charge_type: &'static str,
    deletion_protection: bool,
    private_ip: Ipv4Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_ip: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eip: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "object")]
    tags: &'w [(Box<str>, Box<str>)],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    locks: &'w [Box<str>],
    created: Printed<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<&'w str>,
    http_endpoint: &'static str,
    http_tokens: &'static str,
    http_put_response_hop_limit: u8,
}

/// What was handed out for an attachment; a key that has been forgotten is as none.
fn credentials<'w>(attachment: &'w Attachment, id: &InstanceId, world: &World, ids: &Ids) -> Option<&'w str> {
    let key = attachment.key_id.as_deref().filter(|key| world.is_credential_of(key, id));
    key.map(|key| ids.bare_key_id(key))
}

#[derive(Serialize)]
struct RoleHistory<'w> {
    #[serde(skip_serializing_if = "is_zero")]
    dropped: u64,
    changes: Vec<OneRoleChange<'w>>,
}

impl<'w> RoleHistory<'w> {
    fn new(world: &'w World, ids: &Ids) -> Self {
        let changes = world.role_changes();
        let one = |change: &'w RoleChange| OneRoleChange {
            at: Printed(change.at),
            instance: &change.instance,
            before: change.before.as_ref().map(|attached| Before {
                role: attached.role.as_str(),
                policy: attached.policy.as_deref(),
                credentials: credentials(attached, &change.instance, world, ids),
            }),
            metadata_reads: change.reads_of(View::Metadata).get().into(),
            describe_reads: change.reads_of(View::Describe).get().into(),
        };
        Self { dropped: changes.dropped(), changes: changes.iter().map(one).collect() }
    }

    fn is_empty(&self) -> bool {
        self.dropped == 0 && self.changes.is_empty()
    }
}

#[derive(Serialize)]
struct OneRoleChange<'w> {
    at: Printed<Timestamp>,
    instance: &'w InstanceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Before<'w>>,
    #[serde(skip_serializing_if = "is_zero")]
    metadata_reads: u64,
    #[serde(skip_serializing_if = "is_zero")]
    describe_reads: u64,
}

#[derive(Serialize)]
struct Before<'w> {
    role: &'w str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<&'w str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// In the order that they have.
fn object<S: Serializer>(tags: &[(Box<str>, Box<str>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(key, value)| (key, value)))
}

impl<'w> OneInstance<'w> {
    fn new(id: &'w InstanceId, instance: &'w Instance, world: &'w World, ids: &Ids) -> Self {
        let spec = &*instance.spec;
        let (vpc, vswitch, vpc_cidr, vswitch_cidr) = match &spec.network {
            Network::Vpc { vpc_id, vswitch_id, vpc_cidr, vswitch_cidr } => {
                (Some(&**vpc_id), Some(&**vswitch_id), *vpc_cidr, *vswitch_cidr)
            }
            Network::Classic => (None, None, None, None),
        };
        let role = instance.role().map(super::RoleName::as_str);
        let known = role.and_then(|role| world.role(instance.account, role)).map(|role| role.name().as_str());
        let attachment = instance.attachment();
        Self {
            id,
            region: instance.region.id,
            zone: &spec.zone_id,
            network: spec.network.name(),
            role,
            role_as_written: role != known,
            policy: attachment.and_then(|attached| attached.policy.as_deref()),
            credentials: attachment.and_then(|attached| credentials(attached, id, world, ids)),
            name: &spec.name,
            description: &spec.description,
            host_name: &spec.host_name,
            status: spec.status,
            r#type: &spec.instance_type,
            cpu: spec.cpu,
            memory: spec.memory,
            image: &spec.image_id,
            os_type: spec.os_type.name(),
            market_place_product_code: spec.market_place.as_ref().map(|product| &*product.product_code),
            market_place_charge_type: spec.market_place.as_ref().map(|product| product.charge_type),
            spot_strategy: spec.spot_strategy(),
            spot_termination_time: spec.spot.and_then(|spot| spot.termination).map(Printed),
            vpc,
            vswitch,
            vpc_cidr: vpc_cidr.map(Printed),
            vswitch_cidr: vswitch_cidr.map(Printed),
            security_groups: &spec.security_group_ids,
            key_pair: &spec.key_pair_name,
            public_key: spec.public_key.as_deref(),
            resource_group: &spec.resource_group_id,
            charge_type: spec.charge_type,
            deletion_protection: spec.deletion_protection,
            private_ip: instance.address(),
            public_ip: spec.public_ip,
            eip: spec.eip,
            tags: &spec.tags,
            locks: &spec.locks,
            created: Printed(spec.created),
            mac: spec.mac.as_deref(),
            serial_number: spec.serial_number.as_deref(),
            user_data: spec.user_data.as_deref(),
            http_endpoint: spec.metadata_options.endpoint(),
            http_tokens: spec.metadata_options.tokens(),
            http_put_response_hop_limit: spec.metadata_options.hop_limit,
        }
    }
}
