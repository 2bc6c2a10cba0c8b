//! Instances, and the role that is attached to one.

use std::borrow::Borrow;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::Serialize;

use super::{AccountId, Region, RoleName};
use crate::policy::PermissionPolicy;

/// The id of an instance: any non-empty text is a possible id (ecs-instance-ram-role.md 5.3, inferred).
/// The vendor's, 22 characters, are held in place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct InstanceId(CompactString);

impl InstanceId {
    pub fn new(id: impl Into<CompactString>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    Vpc { vpc_id: Box<str>, vswitch_id: Box<str> },
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

/// What instances made together have in common; shared until one of them changes.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: Box<str>,
    pub description: Box<str>,
    pub host_name: Box<str>,
    pub zone_id: Box<str>,
    pub status: Status,
    pub network: Network,
    pub instance_type: Box<str>,
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    pub image_id: Box<str>,
    pub security_group_ids: Box<[Box<str>]>,
    pub key_pair_name: Box<str>,
    pub resource_group_id: Box<str>,
    pub charge_type: &'static str,
    pub deletion_protection: bool,
    pub public_ip: Option<Ipv4Addr>,
    pub eip: Option<Ipv4Addr>,
    pub tags: Box<[(Box<str>, Box<str>)]>,
    /// Reasons why the instance is locked, such as `security`.
    pub locks: Box<[Box<str>]>,
    pub created: Timestamp,
}

/// A role on an instance, narrowed by a policy if one was given.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub role: RoleName,
    pub policy: Option<Box<str>>,
}

impl Attachment {
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
    /// The private address in a VPC, the inner address in the classic network.
    pub address: Ipv4Addr,
    attachment: Option<Attachment>,
}

impl Instance {
    pub fn new(account: AccountId, region: &'static Region, spec: Arc<Spec>, address: Ipv4Addr) -> Self {
        Self { account, region, spec, address, attachment: None }
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

    /// Puts a role on the instance. The caller has checked that it has none, or this one.
    ///
    /// Attaching the same role again keeps its policy unless a new one is given
    /// (ecs-instance-ram-role.md 5.5, inferred).
    pub fn attach_role(&mut self, role: RoleName, policy: Option<Box<str>>) {
        debug_assert!(!self.is_classic(), "a classic instance cannot carry a role");
        match &mut self.attachment {
            Some(attached) if attached.role.is(role.as_str()) => {
                if policy.is_some() {
                    attached.policy = policy;
                }
            }
            attachment => *attachment = Some(Attachment { role, policy }),
        }
    }

    /// Takes the role off, whatever it is; its policy goes with it.
    pub fn detach_role(&mut self) -> Option<Attachment> {
        self.attachment.take()
    }
}
