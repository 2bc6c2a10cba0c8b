//! The instance metadata service: what an instance reads about itself at `http://100.100.100.200` (imds.md).

mod items;
mod page;

use std::borrow::Cow;
use std::iter;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::IntoResponse;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::control;
use crate::settings::SettingsCell;
use crate::world::chaos::{FaultId, Fired, InjectedError, METADATA, Target, Treatment};
use crate::world::journal::Entry;
use crate::world::{
    CREDENTIAL_LIFETIME, Instance, InstanceId, NamedInstance, Namespace, NoSpace, NotOneNamespace, RoleCredentials,
    RoleName, RolesSeen, Seen, Space, Spaces, Standing, View, World, utc_seconds,
};
use items::{Found, Subject};
use page::Refusal;
pub(crate) use page::panicked;

/// The metadata service of an emulator.
#[derive(Debug)]
pub struct Metadata {
    pub spaces: Arc<Spaces>,
    pub settings: Settings,
    /// What can change while it runs.
    pub live: Arc<SettingsCell>,
}

/// The settings of a metadata service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The instance that whoever is nobody else is taken for.
    pub default_instance: Option<NamedInstance>,
    /// How long the credentials of a role live.
    pub credential_lifetime: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { default_instance: None, credential_lifetime: CREDENTIAL_LIFETIME }
    }
}

/// What can tell which instance asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// The one instance of the listener that the request came by.
    pub listener: Option<&'a NamedInstance>,
    /// The instance that the path names, `INSTANCE_ID[@NAMESPACE]`.
    pub path: Option<&'a str>,
    /// The address at the other end: that of an instance, where instances have addresses of their own.
    pub peer: Option<IpAddr>,
    /// Whether it meets only the spaces that there are: what is refused makes none, and neither does a page of the web.
    pub makes_none: bool,
}

/// The versions of the service; the dated one has the same items (imds.md 1; the alias inferred).
pub(crate) const VERSIONS: [&str; 2] = ["/latest", "/2016-01-01"];

/// Whether a path is one of a version of the service.
pub(crate) fn is_path(path: &str) -> bool {
    VERSIONS
        .iter()
        .filter_map(|version| path.strip_prefix(version))
        .any(|item| item.is_empty() || item.starts_with('/'))
}

const FAULT: HeaderName = HeaderName::from_static(FaultId::HEADER);
const TRACE_PARENT: HeaderName = HeaderName::from_static(Entry::TRACE_PARENT);
const TOKEN: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token");
const TOKEN_LIFETIME: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token-ttl-seconds");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Below the version and `meta-data/`, where the credentials of the role stand.
const CREDENTIALS: &str = "ram/security-credentials/";

/// How many seconds a token may live (imds.md 2, documented).
const TOKEN_SECONDS: RangeInclusive<i64> = 1..=21_600;

impl Metadata {
    /// Answers one request; `path` is the part of it that begins with a version.
    pub fn answer(&self, head: &Parts, path: &str, asker: Asker<'_>) -> Response<Body> {
        let started = Instant::now();
        let found = self.who(&head.headers, asker);
        let item =
            VERSIONS.iter().find_map(|version| path.strip_prefix(version)).unwrap_or(path).trim_start_matches('/');
        let met = found.as_ref().map(|(space, id)| self.meet(space, id, Some(item))).unwrap_or_default();
        let answer = match (&found, met.error()) {
            (Ok(_), Some(error)) => Err(Refusal::injected(error.status)),
            (Ok((space, id)), None) => self.perform(head, path, space, id),
            (Err(refusal), _) => Err(refusal.clone()),
        };
        let status = answer.as_ref().map_or_else(|refusal| refusal.status, |_| StatusCode::OK);
        let asked = Asked { head, path, peer: asker.peer, fault: met.fault(), started };
        self.record(&asked, found.ok(), status);
        met.treated(match answer {
            Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static("text/plain"))], text).into_response(),
            Err(refusal) => refusal.page(),
        })
    }

    /// Answers a request that is refused before anybody looks what it asks for.
    pub(crate) fn refuse(&self, head: &Parts, path: &str, asker: Asker<'_>, status: StatusCode) -> Response<Body> {
        let asked = Asked { head, path, peer: asker.peer, fault: None, started: Instant::now() };
        let found = self.who(&head.headers, Asker { makes_none: true, ..asker });
        self.record(&asked, found.ok(), status);
        page::refused(status)
    }

    /// What somebody has asked to go wrong with a request for an item, or for the credentials of the role, once it is known
    /// who asks and before anything else is looked at.
    fn meet(&self, space: &Space, id: &InstanceId, item: Option<&str>) -> Met {
        if !space.chaos.is_armed() {
            return Met::default();
        }
        let delay = space.chaos.delay(&space.ids);
        let now = space.clock.now();
        let asked = space.store.read(|world| {
            let instance = world.instance(id.as_str())?;
            let operation = item.map_or_else(
                || {
                    let roles = self.roles_seen(world, now);
                    let role = roles.of(id, instance).role().map_or("", RoleName::as_str);
                    format!("{CREDENTIALS}{role}").into()
                },
                |item| Cow::Borrowed(item.strip_prefix("meta-data/").unwrap_or(item)),
            );
            Some((instance.account, instance.region, operation))
        });
        let fired = asked.and_then(|(account, region, operation)| {
            let target = Target {
                service: METADATA,
                operation: &operation,
                region: Some(region.id),
                account,
                key_id: None,
                names: &|named| named == id.as_str(),
            };
            space.chaos.strike(&target, &space.ids)
        });
        let its = fired.as_ref().map(Fired::treatment).unwrap_or_default();
        Met { fired, treatment: Treatment { delay: delay + its.delay, ..its } }
    }

    /// Writes a request into the journal of the space of who asks, and into the log.
    fn record(&self, asked: &Asked<'_>, found: Option<(Arc<Space>, InstanceId)>, status: StatusCode) {
        let (space, id) = found.map_or_else(|| (self.spaces.default_space(), None), |(space, id)| (space, Some(id)));
        let text = |name: &HeaderName| std::str::from_utf8(asked.head.headers.get(name)?.as_bytes()).ok();
        let entry = Entry {
            at: space.clock.now(),
            duration: asked.started.elapsed(),
            request_id: None,
            method: asked.head.method.as_str(),
            path: asked.path,
            style: None,
            product: Some(METADATA),
            version: None,
            action: None,
            format: None,
            access_key_id: None,
            caller: None,
            instance: id.as_ref().map(InstanceId::as_str),
            status: status.as_u16(),
            code: status.canonical_reason().unwrap_or_default(),
            fault: asked.fault,
            batch: None,
            peer: asked.peer,
            user_agent: text(&USER_AGENT),
            trace_parent: text(&TRACE_PARENT),
            passed: 0,
        };
        space.journal.record(&entry, iter::empty(), None);
        tracing::info!(
            method = %asked.head.method,
            path = asked.path,
            http = status.as_u16(),
            namespace = %space.namespace,
            fault = asked.fault,
            "metadata"
        );
    }

    /// The stations of a request once it is known who asks: whether the service answers it, then a token or an item.
    fn perform(&self, head: &Parts, path: &str, space: &Space, id: &InstanceId) -> Result<String, Refusal> {
        let now = space.clock.now();
        let path = VERSIONS.iter().find_map(|version| path.strip_prefix(version)).ok_or(Refusal::NOT_FOUND)?;
        let path = path.strip_prefix('/').unwrap_or(path);
        let found = space.store.read(|world| {
            let instance = world.instance(id.as_str()).ok_or(Refusal::NOT_FOUND)?;
            let options = instance.spec.metadata_options;
            if !options.enabled {
                return Err(Refusal::FORBIDDEN);
            }
            if path == "api/token" {
                let lifetime = token_lifetime(head)?;
                return Ok(Reading::Done(space.metadata_tokens.lock().issue(&space.ids, now, id.clone(), lifetime)));
            }
            if !matches!(head.method, Method::GET | Method::HEAD) {
                return Err(Refusal::METHOD_NOT_ALLOWED);
            }
            match head.headers.get(TOKEN) {
                None if options.tokens_required => return Err(Refusal::FORBIDDEN),
                // One that is shown has to be good, even where none is needed (imds.md 2, documented).
                Some(token) if !is_good(space, token, id, now) => return Err(Refusal::UNAUTHORIZED),
                _ => {}
            }
            let subject = Subject::new(id, instance, self.roles_seen(world, now));
            match items::find(path, &subject).ok_or(Refusal::NOT_FOUND)? {
                Found::Text(text) => Ok(Reading::Done(text)),
                Found::Credentials => Reading::of(world, instance, subject.seen(), now).ok_or(Refusal::NOT_FOUND),
            }
        })?;
        self.finish(space, id, found, now).ok_or(Refusal::NOT_FOUND)
    }

    fn roles_seen<'w>(&self, world: &'w World, now: Timestamp) -> RolesSeen<'w> {
        world.roles_seen(View::Metadata, self.live.get().metadata_propagation, now)
    }

    /// Makes credentials that are due, under the lock that writes.
    fn finish(&self, space: &Space, id: &InstanceId, reading: Reading, now: Timestamp) -> Option<String> {
        let (role, standing) = match reading {
            Reading::Done(text) => return Some(text),
            Reading::Due(role, standing) => (role, standing),
        };
        let lifetime = self.settings.credential_lifetime;
        let renewed = space.store.write(|world| {
            let renew = |world: &mut World, standing| {
                world.renew_role_credentials(&space.ids, now, id, (&role, standing), lifetime)
            };
            renew(world, standing).or_else(|| {
                // The role may have come off since, and the view not have learned of it.
                let seen = self.roles_seen(world, now).of(id, world.instance(id.as_str())?);
                let standing = seen.role()?.is(role.as_str()).then_some(seen.standing)?;
                renew(world, standing)
            })
        });
        renewed.map(document)
    }

    /// The instance that asks: that of listener or path, the one at the peer's address, the default, in this order.
    /// Nobody is taken for an instance by chance.
    fn who(&self, head: &HeaderMap, asker: Asker<'_>) -> Result<(Arc<Space>, InstanceId), Refusal> {
        let in_header = in_header(head)?;
        let by_path = asker.path.map(|path| {
            NamedInstance::parse(path).ok_or_else(|| Refusal::unknown_asker("The path names no instance."))
        });
        let by_path = by_path.transpose()?;
        if let (Some(listener), Some(path)) = (asker.listener, &by_path)
            && (listener.id != path.id || listener.namespace() != path.namespace())
        {
            let reason = format!("This listener is for instance {listener}, and the path names {path}.");
            return Err(Refusal::unknown_asker(&reason));
        }
        let in_header = in_header.as_ref();
        if let Some(named) = asker.listener.or(by_path.as_ref()) {
            return self.named(named, in_header, asker.makes_none);
        }
        let namespace = in_header.cloned().unwrap_or(Namespace::DEFAULT);
        let Some(default) = &self.settings.default_instance else {
            let peer = asker.peer.map_or_else(|| "a Unix socket".to_owned(), |peer| peer.to_string());
            let nobody = || Refusal::unknown_asker(&format!("No instance has the address of who asks, {peer}."));
            return self.space(&namespace, asker.makes_none, |space| at_address(space, asker.peer)?.ok_or_else(nobody));
        };
        let (space, id) = self.space(&namespace, asker.makes_none, |space| match at_address(space, asker.peer)? {
            None if namespace_of(default, in_header)? == namespace => is_in(space, default).map(Some),
            id => Ok(id),
        })?;
        // Where the header says nothing, it may be in another space than the one of addresses.
        id.map_or_else(|| self.named(default, in_header, asker.makes_none), |id| Ok((space, id)))
    }

    fn named(
        &self,
        named: &NamedInstance,
        in_header: Option<&Namespace>,
        makes_none: bool,
    ) -> Result<(Arc<Space>, InstanceId), Refusal> {
        let namespace = namespace_of(named, in_header)?;
        self.space(&namespace, makes_none, |space| is_in(space, named))
    }

    /// The space of a name with what is found there. One in which nothing is found is not made.
    fn space<T>(
        &self,
        name: &Namespace,
        makes_none: bool,
        find: impl Fn(&Space) -> Result<T, Refusal>,
    ) -> Result<(Arc<Space>, T), Refusal> {
        if !makes_none {
            return self.spaces.change(name, find);
        }
        let none = || Refusal::unknown_asker(&format!("There is no namespace {name}, and a web page makes none."));
        let space = self.spaces.get(name).ok_or_else(none)?;
        let found = find(&space)?;
        Ok((space, found))
    }

    /// The credentials of an instance's role for SDKs that cannot reach the service, in the shape that they expect of
    /// `ALIBABA_CLOUD_CREDENTIALS_URI` (imds.md 6). Ours: it wants no token, and says in words what is missing.
    /// `path` names the instance, or says why what stands there names none.
    pub(crate) fn credentials(&self, head: &Parts, path: Result<&str, &str>, asker: Asker<'_>) -> Response<Body> {
        let started = Instant::now();
        let found = self.who(&head.headers, Asker { path: Some(path.unwrap_or_default()), ..asker });
        let met = found.as_ref().map(|(space, id)| self.meet(space, id, None)).unwrap_or_default();
        let credentials = match (&found, met.error()) {
            (Ok(_), Some(error)) => Err(failed(error)),
            (Ok((space, id)), None) => self
                .credentials_of(space, id)
                .map_err(|reason| no_credentials(&format!("{}: {reason}", path.unwrap_or_default()))),
            (Err(refusal), _) if refusal.status == StatusCode::BAD_REQUEST => Err(no_namespace(refusal.reason())),
            (Err(refusal), _) => Err(no_credentials(path.err().unwrap_or_else(|| refusal.reason()))),
        };
        let answer = credentials.map_or_else(IntoResponse::into_response, |credentials| {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], credentials).into_response()
        });
        let asked = Asked { head, path: head.uri.path(), peer: asker.peer, fault: met.fault(), started };
        self.record(&asked, found.ok(), answer.status());
        met.treated(answer)
    }

    fn credentials_of(&self, space: &Space, id: &InstanceId) -> Result<String, &'static str> {
        let now = space.clock.now();
        let found = space.store.read(|world| {
            let instance = world.instance(id.as_str()).ok_or("there is no such instance")?;
            if !instance.spec.metadata_options.enabled {
                return Err("the instance's metadata service is disabled");
            }
            let roles = self.roles_seen(world, now);
            roles.note_read(id);
            let seen = roles.of(id, instance);
            Reading::of(world, instance, seen, now).ok_or("no role is attached to the instance")
        });
        let gone = "the attached role is deleted, or does not trust ECS";
        self.finish(space, id, found?, now).ok_or(gone)
    }
}

/// A request, as far as the journal keeps it.
struct Asked<'a> {
    head: &'a Parts,
    path: &'a str,
    peer: Option<IpAddr>,
    fault: Option<&'a str>,
    started: Instant,
}

/// What goes wrong with a request because somebody has asked for it.
#[derive(Default)]
struct Met {
    fired: Option<Fired>,
    treatment: Treatment,
}

impl Met {
    /// What is answered in place of what was asked for.
    fn error(&self) -> Option<&InjectedError> {
        self.fired.as_ref()?.error().map(|error| &**error)
    }

    fn fault(&self) -> Option<&str> {
        self.fired.as_ref().map(|fired| fired.id.as_str())
    }

    /// The answer, with what is to become of it on its way.
    fn treated(self, mut answer: Response<Body>) -> Response<Body> {
        // An id is visible ASCII.
        if let Some(Ok(id)) = self.fault().map(HeaderValue::from_str) {
            answer.headers_mut().insert(FAULT, id);
        }
        if !self.treatment.is_none() {
            answer.extensions_mut().insert(self.treatment);
        }
        answer
    }
}

/// The space of an instance; where its name is left out, the header may say it.
fn namespace_of(named: &NamedInstance, in_header: Option<&Namespace>) -> Result<Namespace, Refusal> {
    let namespace = named.namespace.as_ref().or(in_header).cloned().unwrap_or(Namespace::DEFAULT);
    if in_header.is_some_and(|other| *other != namespace) {
        let reason = format!("The instance is {named}, and the header x-ecsim-namespace names another namespace.");
        return Err(Refusal::namespace(&reason));
    }
    Ok(namespace)
}

fn is_in(space: &Space, named: &NamedInstance) -> Result<InstanceId, Refusal> {
    let is_there = space.store.read(|world| world.instance(named.id.as_str()).is_some());
    let none = || Refusal::unknown_asker(&format!("There is no instance {named}."));
    is_there.then(|| named.id.clone()).ok_or_else(none)
}

/// The one instance that has the address of who asks.
fn at_address(space: &Space, peer: Option<IpAddr>) -> Result<Option<InstanceId>, Refusal> {
    let Some(IpAddr::V4(address)) = peer.map(|peer| peer.to_canonical()) else { return Ok(None) };
    space.store.read(|world| match world.instances_at(address)[..] {
        [] => Ok(None),
        [(id, _)] => Ok(Some(id.clone())),
        ref several => {
            let ids = several.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ");
            Err(Refusal::unknown_asker(&format!("Several instances have the address {address}: {ids}.")))
        }
    })
}

impl From<NoSpace> for Refusal {
    fn from(none: NoSpace) -> Self {
        match none {
            NoSpace::TooMany(most) => Self::unknown_asker(&format!("There are {most} namespaces already.")),
            NoSpace::Seed(_) => {
                tracing::error!("no space for a request for metadata: {none}");
                Self::INTERNAL
            }
        }
    }
}

/// The space that the header names, once at most: two that differ would be two askers.
fn in_header(head: &HeaderMap) -> Result<Option<Namespace>, Refusal> {
    let values = head.get_all(Namespace::HEADER).iter().map(HeaderValue::as_bytes);
    Namespace::in_headers(values).map_err(|not_one| {
        Refusal::namespace(match not_one {
            NotOneNamespace::Several => "The header x-ecsim-namespace is there twice, with two names.",
            NotOneNamespace::None(_) => "The header x-ecsim-namespace names no namespace.",
        })
    })
}

/// What a look at the world has found.
enum Reading {
    /// The answer.
    Done(String),
    /// Credentials of the role that was seen there, which have to be made.
    Due(RoleName, Standing),
}

impl Reading {
    /// The credentials of what an instance is seen to carry; `None` if that is nothing.
    fn of(world: &World, instance: &Instance, seen: Seen<'_>, now: Timestamp) -> Option<Self> {
        let attachment = seen.attachment?;
        let current = world.role_credentials(instance.account, attachment, now).map(document).map(Self::Done);
        Some(current.unwrap_or_else(|| Self::Due(attachment.role.clone(), seen.standing)))
    }
}

/// The control API's refusal of credentials.
fn no_credentials(message: &str) -> control::Refusal {
    let hint = "GET / with action DescribeInstanceRamRole says which role an instance has";
    control::Refusal::new(control::RefusalCode::NoCredentials, message, hint)
}

/// The same where it cannot be told in which namespace they would be.
fn no_namespace(message: &str) -> control::Refusal {
    let hint = format!("leave out header {}, or let it say what the path says", Namespace::HEADER);
    control::Refusal::new(control::RefusalCode::InvalidNamespace, message, hint)
}

/// The same for what a fault has it be.
fn failed(error: &InjectedError) -> control::Refusal {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let hint = "a fault has it so; GET /_ecsim/chaos/faults lists them";
    control::Refusal::of_others(status, &error.code, &error.message, hint)
}

/// What a request for a token asks for (imds.md 2; that X-Forwarded-For comes first: inferred).
fn token_lifetime(head: &Parts) -> Result<SignedDuration, Refusal> {
    if head.method != Method::PUT {
        return Err(Refusal::METHOD_NOT_ALLOWED);
    }
    if head.headers.contains_key(FORWARDED_FOR) {
        return Err(Refusal::FORBIDDEN);
    }
    let text = head.headers.get(TOKEN_LIFETIME).and_then(|value| value.to_str().ok());
    let digits = text.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let seconds = digits.and_then(|text| text.parse().ok()).filter(|seconds| TOKEN_SECONDS.contains(seconds));
    seconds.map(SignedDuration::from_secs).ok_or(Refusal::INVALID)
}

fn is_good(space: &Space, token: &HeaderValue, id: &InstanceId, now: Timestamp) -> bool {
    token.to_str().is_ok_and(|token| space.metadata_tokens.lock().accepts(token, id, now))
}

/// Credentials as clients read them, members in documented order (imds.md 4).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RamCredentials {
    access_key_id: String,
    access_key_secret: String,
    expiration: String,
    security_token: String,
    last_updated: String,
    /// `Success`
    code: &'static str,
}

fn document(RoleCredentials { credentials, issued, expires }: RoleCredentials) -> String {
    let document = RamCredentials {
        access_key_id: credentials.access_key_id,
        access_key_secret: credentials.access_key_secret,
        expiration: utc_seconds(expires),
        security_token: credentials.security_token,
        last_updated: utc_seconds(issued),
        code: "Success",
    };
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Origin, Propagation, SpaceLimits, parse_utc};

    #[test]
    fn a_path_is_below_a_version_or_none_of_the_service() {
        for version in VERSIONS {
            assert!(["", "/", "//", "/meta-data/x"].iter().all(|item| is_path(&format!("{version}{item}"))));
        }
        assert!(!["", "/", "/latestx", "/x/latest", "latest", "/Latest/"].into_iter().any(is_path));
    }

    #[test]
    fn a_role_that_comes_off_between_the_look_and_the_making_of_credentials_is_shown_as_long_as_the_view_shows_it() {
        const WEB: &str = "i-bp1ecsim0000000web01";
        for (propagation, is_shown) in [
            (Propagation::IMMEDIATE, false),
            (Propagation::Time(SignedDuration::from_secs(30)), true),
            (Propagation::Reads(1), true),
        ] {
            let now = parse_utc("2026-11-24T02:07:22Z");
            let spaces = Spaces::new(Origin { now, frozen: Some(true), ..Origin::default() }, SpaceLimits::default());
            let live = crate::settings::Settings { metadata_propagation: propagation, ..Default::default() };
            let metadata = Metadata {
                spaces: Arc::new(spaces.expect("a good seed")),
                settings: Settings::default(),
                live: Arc::new(SettingsCell::new(live)),
            };
            let (space, now) = (metadata.spaces.default_space(), now.expect("a time"));
            let id = NamedInstance::parse(WEB).expect("an id").id;
            let seen = space.store.read(|world| {
                let instance = world.instance(WEB).expect("an instance");
                let seen = metadata.roles_seen(world, now).of(&id, instance);
                Reading::of(world, instance, seen, now).expect("a role")
            });
            assert!(matches!(seen, Reading::Due(_, Standing::Now)));
            assert!(space.store.write(|world| world.detach_role(now, WEB)));
            assert_eq!(metadata.finish(&space, &id, seen, now).is_some(), is_shown, "{propagation}");
        }
    }
}
