//! Instances, and the role that is attached to one.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{AccountId, Cidr, Region, RoleName};
use crate::policy::PermissionPolicy;

/// The id of an instance: any non-empty text is a possible id (ecs-instance-ram-role.md 5.3, inferred).
/// The vendor's, 22 characters, are held in place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct InstanceId(CompactString);

impl InstanceId {
    pub fn new(id: impl Into<CompactString>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without `i-`, for the ids of what belongs to the instance.
    pub fn after_prefix(&self) -> &str {
        self.0.strip_prefix("i-").unwrap_or(&self.0)
    }
}

impl From<&str> for InstanceId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl Borrow<str> for InstanceId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state of an instance (ecs-supporting.md 2, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    Pending,
    Starting,
    Running,
    Stopping,
    Stopped,
}

impl Status {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Starting, Self::Running, Self::Stopping, Self::Stopped];

    /// The name on the wire and in seeds.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Where an instance stands. Only one in a VPC can carry a role (ecs-instance-ram-role.md 1).
/// Blocks that are not said follow from the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    Vpc { vpc_id: Box<str>, vswitch_id: Box<str>, vpc_cidr: Option<Cidr>, vswitch_cidr: Option<Cidr> },
    Classic,
}

impl Network {
    /// The name on the wire and in seeds.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Vpc { .. } => "vpc",
            Self::Classic => "classic",
        }
    }
}

/// How the metadata service answers an instance (imds.md 1). The default is the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataOptions {
    /// `HttpEndpoint`: whether it answers at all.
    pub enabled: bool,
    /// `HttpTokens`: whether it answers only who shows a token.
    pub tokens_required: bool,
    /// `HttpPutResponseHopLimit`, within [`MetadataOptions::HOPS`]; shown, but nothing is routed here.
    pub hop_limit: u8,
}

impl MetadataOptions {
    /// The bounds of a hop limit (imds.md 1, documented).
    pub const HOPS: RangeInclusive<u8> = 1..=64;
    /// The names of [`MetadataOptions::enabled`] on the wire and in seeds, the default first.
    pub const ENDPOINT: [&str; 2] = ["enabled", "disabled"];
    /// The names of [`MetadataOptions::tokens_required`] on the wire and in seeds, the default first.
    pub const TOKENS: [&str; 2] = ["optional", "required"];

    pub fn endpoint(self) -> &'static str {
        Self::ENDPOINT[usize::from(!self.enabled)]
    }

    pub fn tokens(self) -> &'static str {
        Self::TOKENS[usize::from(self.tokens_required)]
    }
}

impl Default for MetadataOptions {
    fn default() -> Self {
        Self { enabled: true, tokens_required: false, hop_limit: 1 }
    }
}

/// What its operating system is (ecs-supporting.md 4, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OsType {
    Linux,
    Windows,
}

impl OsType {
    pub const ALL: [Self; 2] = [Self::Linux, Self::Windows];

    /// The name on the wire and in seeds.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|os| os.name() == name)
    }
}

/// What a preemptible instance has beside others. None has a price limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// When it is taken back, once that is known.
    pub termination: Option<Timestamp>,
}

impl Spot {
    /// The names on the wire and in seeds of an instance that is not preemptible, and of one that is.
    pub const STRATEGIES: [&str; 2] = ["NoSpot", "SpotAsPriceGo"];
}

/// The Marketplace product that its image is (imds.md 3, documented).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketPlace {
    pub product_code: Box<str>,
    pub charge_type: &'static str,
}

/// What instances made together have in common; shared until one of them changes.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: Box<str>,
    pub description: Box<str>,
    /// Empty: see [`Instance::host_name`].
    pub host_name: Box<str>,
    pub zone_id: Box<str>,
    pub status: Status,
    pub network: Network,
    pub instance_type: Box<str>,
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    pub image_id: Box<str>,
    pub os_type: OsType,
    pub market_place: Option<MarketPlace>,
    pub spot: Option<Spot>,
    pub security_group_ids: Box<[Box<str>]>,
    pub key_pair_name: Box<str>,
    /// The public half of the key pair, as OpenSSH writes it.
    pub public_key: Option<Box<str>>,
    pub resource_group_id: Box<str>,
    pub charge_type: &'static str,
    pub deletion_protection: bool,
    pub public_ip: Option<Ipv4Addr>,
    pub eip: Option<Ipv4Addr>,
    pub tags: Box<[(Box<str>, Box<str>)]>,
    /// Reasons why the instance is locked, such as `security`.
    pub locks: Box<[Box<str>]>,
    pub created: Timestamp,
    /// If it is not the one that follows from the address.
    pub mac: Option<Box<str>>,
    /// If it is not the one that follows from the id.
    pub serial_number: Option<Box<str>>,
    /// As the instance reads it.
    pub user_data: Option<Box<str>>,
    pub metadata_options: MetadataOptions,
}

/// A role on an instance, narrowed by a policy if one was given.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub role: RoleName,
    pub policy: Option<Box<str>>,
    /// The key that the metadata service has handed out last; it is forgotten with the attachment.
    pub(super) key_id: Option<Box<str>>,
}

impl Attachment {
    pub(super) fn new(role: RoleName, policy: Option<Box<str>>) -> Self {
        Self { role, policy, key_id: None }
    }

    /// Whether a text can narrow a role; what it then allows says [`PermissionPolicy::attached`].
    pub fn is_policy(text: &str) -> bool {
        PermissionPolicy::attached(text).is_ok()
    }
}

/// An instance. At most one role at a time.
#[derive(Clone, Debug)]
pub struct Instance {
    pub account: AccountId,
    pub region: &'static Region,
    pub spec: Arc<Spec>,
    /// A world finds instances by it, so it stays.
    address: Ipv4Addr,
    attachment: Option<Attachment>,
}

impl Spec {
    /// `SpotStrategy` (ecs-supporting.md 4, documented).
    pub fn spot_strategy(&self) -> &'static str {
        Spot::STRATEGIES[usize::from(self.spot.is_some())]
    }
}

impl Instance {
    pub fn new(account: AccountId, region: &'static Region, spec: Arc<Spec>, address: Ipv4Addr) -> Self {
        Self { account, region, spec, address, attachment: None }
    }

    /// The private address in a VPC, the inner address in the classic network.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub fn attachment(&self) -> Option<&Attachment> {
        self.attachment.as_ref()
    }

    /// The name of the attached role.
    pub fn role(&self) -> Option<&RoleName> {
        self.attachment.as_ref().map(|a| &a.role)
    }

    pub fn is_classic(&self) -> bool {
        self.spec.network == Network::Classic
    }

    /// The block of its VPC.
    pub fn vpc_cidr(&self) -> Option<Cidr> {
        match &self.spec.network {
            Network::Vpc { vpc_cidr, .. } => Some(vpc_cidr.unwrap_or_else(|| Cidr::of_vpc(self.address))),
            Network::Classic => None,
        }
    }

    /// The block of its vSwitch; of a VPC that is smaller than the block that would be taken, all of it (inferred).
    pub fn vswitch_cidr(&self) -> Option<Cidr> {
        let vpc = self.vpc_cidr()?;
        let Network::Vpc { vswitch_cidr, .. } = &self.spec.network else { return None };
        let around = Cidr::of_vswitch(self.address);
        Some(vswitch_cidr.unwrap_or(if vpc.covers(around) { around } else { vpc }))
    }

    /// That of its one interface: of the vendor's range, and the end of the address (inferred).
    pub fn mac(&self) -> Cow<'_, str> {
        let [_, b, c, d] = self.address.octets();
        let derived = || Cow::Owned(format!("00:16:3e:{b:02x}:{c:02x}:{d:02x}"));
        self.spec.mac.as_deref().map_or_else(derived, Cow::Borrowed)
    }

    /// The name of the instance for itself; without one `iZ…Z`, as the vendor makes it of the id (imds.md 3; the
    /// last letter inferred).
    pub fn host_name(&self, id: &InstanceId) -> Cow<'_, str> {
        match &*self.spec.host_name {
            "" => Cow::Owned(format!("iZ{}Z", id.after_prefix())),
            name => Cow::Borrowed(name),
        }
    }

    /// A UUID (imds.md 3, documented) that the id always gives.
    pub fn serial_number(&self, id: &InstanceId) -> Cow<'_, str> {
        let derived = || {
            let digest = Sha256::digest(id.as_str());
            let bytes = digest.first_chunk().copied().unwrap_or_default();
            Cow::Owned(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
        };
        self.spec.serial_number.as_deref().map_or_else(derived, Cow::Borrowed)
    }

    /// The id of its one interface.
    pub fn network_interface_id(id: &InstanceId) -> String {
        format!("eni-{}", id.after_prefix())
    }

    pub fn set_metadata_options(&mut self, options: MetadataOptions) {
        if self.spec.metadata_options != options {
            Arc::make_mut(&mut self.spec).metadata_options = options;
        }
    }

    pub(super) fn attachment_mut(&mut self) -> Option<&mut Attachment> {
        self.attachment.as_mut()
    }

    /// Answers what was attached before.
    pub(super) fn replace_attachment(&mut self, attachment: Option<Attachment>) -> Option<Attachment> {
        debug_assert!(attachment.is_none() || !self.is_classic(), "a classic instance cannot carry a role");
        std::mem::replace(&mut self.attachment, attachment)
    }
}
