//! The items, as one table. Listings are made from it, so that what is listed is there and what is there is listed.

use std::borrow::Cow;

use serde_json::json;

use crate::world::{Cidr, Instance, InstanceId, Network, OsType, RolesSeen, Seen, utc_seconds};

/// Whose items they are.
pub(super) struct Subject<'w> {
    id: &'w InstanceId,
    instance: &'w Instance,
    roles: RolesSeen<'w>,
}

impl<'w> Subject<'w> {
    pub(super) fn new(id: &'w InstanceId, instance: &'w Instance, roles: RolesSeen<'w>) -> Self {
        Self { id, instance, roles }
    }

    pub(super) fn seen(&self) -> Seen<'w> {
        self.roles.of(self.id, self.instance)
    }
}

/// What stands at a path.
pub(super) enum Found {
    /// An item or a listing.
    Text(String),
    /// The credentials of the role that the instance is seen to carry, if it can be taken on.
    Credentials,
}

/// An item: its path below the version, with `{}` names for what differs from instance to instance, and its value,
/// `None` for an instance that does not have it.
struct Item {
    path: &'static str,
    value: fn(&Subject<'_>) -> Option<Found>,
}

macro_rules! items {
    ($($path:literal => $value:expr;)*) => { &[$(Item { path: $path, value: $value }),*] };
}

/// Every item, in the order in which listings name them (imds.md 3). Those of the vendor's network are the published
/// examples. `dynamic/instance-identity/pkcs7` is left out: only the vendor can sign.
static ITEMS: &[Item] = items! {
    "dynamic/instance-identity/document" => |s| text(identity_document(s));
    // No event is ever under way (imds.md 3, documented).
    "maintenance/active-system-events" => |_| text("None");
    "meta-data/dns-conf/nameservers" => |_| text("100.100.2.136\n100.100.2.138");
    // The public address too, where there is no EIP (imds.md 3, documented).
    "meta-data/eipv4" => |s| s.instance.spec.eip.or(s.instance.spec.public_ip).and_then(text);
    "meta-data/hostname" => |s| text(s.instance.host_name(s.id));
    "meta-data/image-id" => |s| text(&s.instance.spec.image_id);
    "meta-data/image/market-place/charge-type" => |s| s.instance.spec.market_place.as_ref().and_then(|product| text(product.charge_type));
    "meta-data/image/market-place/product-code" => |s| s.instance.spec.market_place.as_ref().and_then(|product| text(&product.product_code));
    "meta-data/instance-id" => |s| text(s.id);
    "meta-data/instance/instance-name" => |s| Some(&*s.instance.spec.name).filter(|name| !name.is_empty()).and_then(text);
    "meta-data/instance/instance-type" => |s| text(&s.instance.spec.instance_type);
    "meta-data/instance/last-host-landing-time" => |s| text(utc_seconds(s.instance.spec.created));
    "meta-data/instance/max-netbw-egress" => |_| text(MAX_NETBW);
    "meta-data/instance/max-netbw-ingress" => |_| text(MAX_NETBW);
    "meta-data/instance/spot/termination-time" => |s| s.instance.spec.spot?.termination.map(utc_seconds).and_then(text);
    "meta-data/instance/virtualization-solution" => |_| text("ECS Virt");
    "meta-data/instance/virtualization-solution-version" => |_| text("2.0");
    "meta-data/kms-server" => |s| is(s, OsType::Windows).and_then(|()| text("kms.cloud.aliyuncs.com"));
    "meta-data/mac" => |s| text(s.instance.mac());
    "meta-data/network-type" => |s| text(s.instance.spec.network.name());
    "meta-data/network/interfaces/macs/{mac}/gateway" => |s| s.instance.vswitch_cidr().map(Cidr::gateway).and_then(text);
    "meta-data/network/interfaces/macs/{mac}/netmask" => |s| s.instance.vswitch_cidr().map(Cidr::netmask).and_then(text);
    "meta-data/network/interfaces/macs/{mac}/network-interface-id" => |s| vpc(s).and_then(|_| text(Instance::network_interface_id(s.id)));
    "meta-data/network/interfaces/macs/{mac}/primary-ip-address" => |s| vpc(s).and_then(|_| text(s.instance.address()));
    "meta-data/network/interfaces/macs/{mac}/private-ipv4s" => |s| vpc(s).and_then(|_| text(json!([s.instance.address()])));
    "meta-data/network/interfaces/macs/{mac}/vpc-cidr-block" => |s| s.instance.vpc_cidr().and_then(text);
    "meta-data/network/interfaces/macs/{mac}/vpc-id" => |s| vpc(s).and_then(|ids| text(ids.0));
    "meta-data/network/interfaces/macs/{mac}/vswitch-cidr-block" => |s| s.instance.vswitch_cidr().and_then(text);
    "meta-data/network/interfaces/macs/{mac}/vswitch-id" => |s| vpc(s).and_then(|ids| text(ids.1));
    "meta-data/ntp-conf/ntp-servers" => |_| text("ntp1.aliyun.com");
    "meta-data/owner-account-id" => |s| text(s.instance.account);
    "meta-data/private-ipv4" => |s| text(s.instance.address());
    "meta-data/public-ipv4" => |s| s.instance.spec.public_ip.and_then(text);
    "meta-data/public-keys/{key pair}/openssh-key" => |s| s.instance.spec.public_key.as_deref().and_then(text);
    "meta-data/ram/security-credentials/{role}" => role_credentials;
    "meta-data/region-id" => |s| text(s.instance.region.id);
    "meta-data/serial-number" => |s| text(s.instance.serial_number(s.id));
    "meta-data/source-address" => |s| is(s, OsType::Linux).and_then(|()| text("http://mirrors.cloud.aliyuncs.com"));
    "meta-data/vpc-cidr-block" => |s| s.instance.vpc_cidr().and_then(text);
    "meta-data/vpc-id" => |s| vpc(s).and_then(|ids| text(ids.0));
    "meta-data/vswitch-cidr-block" => |s| s.instance.vswitch_cidr().and_then(text);
    "meta-data/vswitch-id" => |s| vpc(s).and_then(|ids| text(ids.1));
    "meta-data/wsus-server/wu-server" => |s| is(s, OsType::Windows).and_then(|()| text(UPDATE_SERVER));
    "meta-data/wsus-server/wu-status-server" => |s| is(s, OsType::Windows).and_then(|()| text(UPDATE_SERVER));
    "meta-data/zone-id" => |s| text(&s.instance.spec.zone_id);
    "user-data" => |s| s.instance.spec.user_data.as_deref().and_then(text);
};

/// Kbit/s of every instance type: the published example, since no source has the figures (inferred).
const MAX_NETBW: u32 = 1_228_800;

/// Where Windows asks for updates, and tells how they went (imds.md 3, documented).
const UPDATE_SERVER: &str = "http://update.cloud.aliyuncs.com";

/// What only an instance with this operating system has asks first (imds.md 3, documented).
fn is(s: &Subject<'_>, os_type: OsType) -> Option<()> {
    (s.instance.spec.os_type == os_type).then_some(())
}

#[expect(clippy::unnecessary_wraps, clippy::needless_pass_by_value, reason = "a row is a chain that ends here")]
fn text(value: impl ToString) -> Option<Found> {
    Some(Found::Text(value.to_string()))
}

/// The ids of VPC and vSwitch; what only an instance in a VPC has asks for them first.
fn vpc<'s>(s: &'s Subject<'_>) -> Option<(&'s str, &'s str)> {
    match &s.instance.spec.network {
        Network::Vpc { vpc_id, vswitch_id, .. } => Some((vpc_id, vswitch_id)),
        Network::Classic => None,
    }
}

/// Members in the order of the published example (imds.md 3).
fn identity_document(s: &Subject<'_>) -> String {
    let spec = &s.instance.spec;
    json!({
        "zone-id": spec.zone_id,
        "serial-number": s.instance.serial_number(s.id),
        "instance-id": s.id,
        "region-id": s.instance.region.id,
        "private-ipv4": s.instance.address(),
        "owner-account-id": s.instance.account,
        "mac": s.instance.mac(),
        "image-id": spec.image_id,
        "instance-type": spec.instance_type,
    })
    .to_string()
}

fn role_credentials(s: &Subject<'_>) -> Option<Found> {
    s.seen().role().map(|_| Found::Credentials)
}

/// What a part of a path in the table is for an instance; `None` where it has nothing of that name.
fn part<'s>(s: &'s Subject<'_>, part: &'static str) -> Option<Cow<'s, str>> {
    match part {
        "{mac}" => Some(s.instance.mac()),
        "{key pair}" => Some(Cow::Borrowed(&*s.instance.spec.key_pair_name)),
        "{role}" => s.seen().role().map(|role| Cow::Borrowed(role.as_str())),
        plain => Some(Cow::Borrowed(plain)),
    }
}

/// The one name that is written with a capital too, by pages and tools of the vendor (imds.md 3).
const RAM: &str = "ram";

/// The items whose paths begin with this text, which stand together.
fn beginning_with(text: &str) -> &'static [Item] {
    let rest = &ITEMS[ITEMS.partition_point(|item| item.path < text)..];
    &rest[..rest.partition_point(|item| item.path.starts_with(text))]
}

/// The item at a path below the version, or the listing of what stands below it: names without a line break at the
/// end, those of folders with a slash (imds.md 3).
pub(super) fn find(path: &str, s: &Subject<'_>) -> Option<Found> {
    let mut asked: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty()).collect();
    if let Some(second) = asked.get_mut(1).filter(|second| second.eq_ignore_ascii_case(RAM)) {
        *second = RAM;
    }
    if asked.starts_with(&["meta-data", RAM]) {
        s.roles.note_read(s.id);
    }
    let is_folder = path.is_empty() || path.ends_with('/');
    let mut names: Vec<String> = Vec::new();
    // Names that differ from instance to instance come further below.
    for item in beginning_with(&asked[..asked.len().min(2)].join("/")) {
        let mut parts = item.path.split('/');
        let is_below =
            asked.iter().all(|asked| parts.next().and_then(|name| part(s, name)).is_some_and(|name| name == *asked));
        if !is_below {
            continue;
        }
        let Some(name) = parts.next() else { return if is_folder { None } else { (item.value)(s) } };
        let Some(name) = part(s, name).filter(|_| (item.value)(s).is_some()) else { continue };
        let name = if parts.next().is_some() { format!("{name}/") } else { name.into_owned() };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| Found::Text(names.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_so_that_each_name_is_listed_once() {
        assert!(ITEMS.is_sorted_by(|a, b| a.path < b.path));
        assert!(ITEMS.iter().all(|item| item.path.split('/').take(2).all(|name| !name.starts_with('{'))));
    }
}
