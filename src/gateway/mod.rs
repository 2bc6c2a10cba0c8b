//! What the cloud's gateway does for every product: from a request to a typed call, and back.

mod authenticate;
mod codes;
mod recording;
pub mod registry;
mod reply;
mod request;
pub mod signature;

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;

use crate::api::action::{Caller, Ctx, Done, Entry, Partial, Product, Signer};
use crate::api::error::{ApiError, Code};
use crate::api::permission::{Denial, Guard};
use crate::api::station::{Station, Stations};
use crate::settings::SettingsCell;
use crate::world::chaos::{Effect, Fired, Target, Throttled, Treatment};
use crate::world::{Namespace, NoSpace, NotOneNamespace, RequestId, Space, Spaces};
use authenticate::Asked;
use codes::Family;
use recording::End;
pub use reply::Answer;
use reply::Envelope;
use request::{Call, Style};

/// The gateway of an emulator.
#[derive(Debug)]
pub struct Gateway {
    pub spaces: Arc<Spaces>,
    pub settings: Arc<SettingsCell>,
    pub products: &'static [Product],
}

/// What is known of a call by the time that it is over, for log and journal.
#[derive(Default)]
struct Trail {
    peer: Option<IpAddr>,
    stations: Stations,
    /// The world's time by which it was looked at.
    now: Option<Timestamp>,
    product: Option<&'static Product>,
    action: Option<&'static str>,
    caller: Option<Caller>,
    waived: Vec<Denial>,
    disturbance: Option<Disturbance>,
    /// What becomes of the answer.
    treatment: Treatment,
}

/// What somebody has asked to go wrong with a call.
#[derive(Debug)]
struct Disturbance {
    /// The id of the fault; of a limit, `limit:` and its key.
    fault: Box<str>,
    retry_after: Option<u32>,
}

impl Gateway {
    /// Answers one call, whatever it is, in the vendor's envelope. `peer` is the address at the other end of the
    /// connection that it came by; a Unix socket has none. `is_page` tells by the headers whether a page of the web has sent
    /// it, which makes no namespace; it is asked where one would be made.
    pub fn answer(
        &self,
        head: Parts,
        body: &[u8],
        peer: Option<IpAddr>,
        is_page: impl FnOnce(&HeaderMap) -> bool,
    ) -> Answer {
        self.finish(head, body, Some(is_page), |call, space, trail, request_id| {
            trail.peer = peer;
            trail.stations.enter(Station::Namespace);
            let space = space?;
            let performed = catch_unwind(AssertUnwindSafe(|| self.perform(call, space, trail, request_id)));
            performed.unwrap_or_else(|_| {
                tracing::error!(rid = %request_id, "a call panicked");
                Err(Code::Internal.into())
            })
        })
    }

    /// Answers a call that the transport refuses, as far as the call can be read from its head.
    pub fn refuse(&self, head: Parts, error: &ApiError) -> Answer {
        self.finish(head, &[], None::<fn(&HeaderMap) -> bool>, |_, _, _, _| Err(error.clone()))
    }

    /// Without `is_page` it is a call that the transport refuses.
    fn finish(
        &self,
        mut head: Parts,
        body: &[u8],
        is_page: Option<impl FnOnce(&HeaderMap) -> bool>,
        perform: impl FnOnce(&Call<'_>, Result<&Space, ApiError>, &mut Trail, RequestId) -> Result<Done, ApiError>,
    ) -> Answer {
        let started = Instant::now();
        let call = Call::read(&head, body);
        let is_whole = is_page.is_some();
        let found = self.space(&call, |headers| is_page.is_some_and(|is_page| !is_page(headers)));
        let space = found.as_ref().map_or_else(|_| self.spaces.default_space(), Arc::clone);
        // What is no call of a space leaves the ids that its calls draw as they are, and does not wait as they do.
        let is_of_space = is_whole && found.is_ok();
        let ids = if is_of_space { &space.ids } else { self.spaces.ids_of_none() };
        let (request_id, trace_id) = ids.call();
        let mut trail = Trail::default();
        if is_of_space && space.chaos.is_armed() {
            trail.treatment.delay = space.chaos.delay(&space.ids);
        }
        let outcome = perform(&call, found.as_deref().map_err(Clone::clone), &mut trail, request_id);
        let outcome = outcome.map_err(|error| match (error.code, trail.product) {
            (Code::Internal, Some(product)) => product.failure.into(),
            _ => error,
        });
        let envelope = Envelope {
            format: call.format().unwrap_or_else(|(format, _)| format),
            // Without a known version, as for Ecs (decision 26).
            product: trail.product.map_or("Ecs", |product| product.name),
            request_id,
            trace_id,
            waived: &trail.waived,
            disturbance: trail.disturbance.as_ref(),
        };
        if tracing::enabled!(tracing::Level::INFO) {
            log(&trail, &outcome, &space, request_id, started);
        }
        let format = envelope.format;
        recording::record(&space, &call, &trail, &End { outcome: &outcome, request_id, format, started });
        for denial in &trail.waived {
            tracing::warn!(rid = %request_id, reason = %denial, "would be refused");
        }
        let (status, text) = match outcome {
            Ok(done) => (StatusCode::OK, done.body),
            Err(error) => envelope.failure(&error, call.host_id()),
        };
        drop(call);
        // The answer's headers take the place of the request's, which nobody needs any more.
        head.headers.clear();
        let mut answer = envelope.respond(status, text, head.headers);
        if !trail.treatment.is_none() {
            answer.treat(trail.treatment);
        }
        answer
    }

    /// The space that key id or header name; neither is `default`.
    ///
    /// # Errors
    /// The two name different ones, the header names none that could be, or there are too many; or there is none of the
    /// name, and the call makes none.
    fn space(&self, call: &Call<'_>, makes_one: impl FnOnce(&HeaderMap) -> bool) -> Result<Arc<Space>, ApiError> {
        let of_key = call.access_key_id().and_then(|id| Namespace::split(id).1);
        let in_header = call.namespace().map_err(|not_one| match not_one {
            NotOneNamespace::None(_) => Code::InvalidNamespace,
            NotOneNamespace::Several => Code::NamespaceMismatch,
        })?;
        if let (Some(of_key), Some(in_header)) = (&of_key, &in_header)
            && of_key != in_header
        {
            return Err(Code::NamespaceMismatch.into());
        }
        let Some(name) = in_header.or(of_key) else { return Ok(self.spaces.default_space()) };
        if let Some(space) = self.spaces.get(&name) {
            return Ok(space);
        }
        if !makes_one(&call.head.headers) {
            return Err(Code::NamespaceNotFound.about(&name));
        }
        self.spaces.of(&name).map_err(|none| match none {
            NoSpace::TooMany(most) => Code::TooManyNamespaces.about(most),
            NoSpace::Seed(_) => {
                tracing::error!(namespace = %name, "{none}");
                Code::Internal.into()
            }
        })
    }

    /// The stations of a call, and the order of its checks (protocol.md 12, inferred; decision 21).
    fn perform(
        &self,
        call: &Call<'_>,
        space: &Space,
        trail: &mut Trail,
        request_id: RequestId,
    ) -> Result<Done, ApiError> {
        let settings = self.settings.get();

        // 1. Encoding, method, path.
        trail.stations.enter(Station::Encoding);
        call.well_formed(settings.max_params)?;
        trail.stations.enter(Station::Method);
        if !matches!(call.head.method, Method::GET | Method::POST) {
            return Err(Code::UnsupportedMethod.into());
        }
        if call.head.uri.path() != "/" || call.style == Style::Roa {
            return Err(Code::ActionNotFound.into());
        }

        // 2. Format.
        trail.stations.enter(Station::Format);
        let format = call.format().map_err(|(_, code)| code)?;

        // 3. Action, version, product.
        trail.stations.enter(Station::Action);
        let product = registry::product(self.products, call.version());
        trail.product = product.as_ref().ok().copied().flatten();
        let name = call.action().ok_or(Code::ActionNotFound)?;
        let product = product?;
        let family = Family::of(&settings, product.map_or("Ecs", |product| product.name), call);
        let product = product.ok_or_else(|| family.missing("Version"))?;
        let entry = registry::entry(product, name).inspect_err(|_| trail.action = product.vendor_name(name))?;
        trail.action = Some(entry.name);

        // 4 to 10. Common parameters, key, time, signature, nonce, token.
        let now = space.clock.now();
        trail.now = Some(now);
        let asked = Asked { call, space, settings: &settings, family, now, stations: &trail.stations };
        let (caller, signer) = asked.authenticate()?;
        trail.caller = Some(caller.clone());

        // 11. Limits, and what else somebody has asked to go wrong.
        let fired = if space.chaos.is_armed() {
            trail.stations.enter(Station::Fault);
            disturb(call, space, trail, (product, entry), signer.as_ref(), now)?
        } else {
            None
        };

        // 12 to 15. The action's own checks, permissions among them, under one lock.
        let guard = Guard::new(settings.ram, settings.detach_pass_role, product.refusal, trail.peer);
        let ctx = Ctx {
            caller: &caller,
            signer: signer.as_ref(),
            request_id,
            stations: &trail.stations,
            authority: call.authority(),
            now,
            ids: &space.ids,
            guard: &guard,
            detach_revokes: settings.detach_revokes,
            describe_propagation: settings.describe_propagation,
            partial: fired
                .as_ref()
                .and_then(|fired| Some(Partial { instance: fired.fault.instance.as_ref(), error: fired.error()? })),
        };
        let outcome = entry.perform(&ctx, &space.store, &call.params, format);
        trail.waived = guard.into_waived();
        outcome.inspect_err(|error| {
            // Of a batch whose every part fails, the fault has the whole fail.
            if error.is_injected() {
                trail.stations.go_back(Station::Fault);
            }
        })
    }
}

/// Has a call meet the limits and the faults of its space: those that let it through, or leave the action to fail in part.
///
/// # Errors
/// What a limit or a fault has it answered.
fn disturb(
    call: &Call<'_>,
    space: &Space,
    trail: &mut Trail,
    (product, entry): (&Product, &Entry),
    signer: Option<&Signer<'_>>,
    now: Timestamp,
) -> Result<Option<Fired>, ApiError> {
    let Some(account) = trail.caller.as_ref().map(|caller| caller.account) else { return Ok(None) };
    space.chaos.admit(now, account, product.name, entry.name).map_err(|Throttled { key, error, retry_after }| {
        trail.disturbance = Some(Disturbance { fault: format!("limit:{key}").into(), retry_after });
        ApiError::injected(&error)
    })?;
    let target = Target {
        service: product.name,
        operation: entry.name,
        region: call.params.optional("RegionId"),
        account,
        key_id: signer.map(|signer| &*signer.id).or_else(|| call.access_key_id()),
        names: &|id| call.names_instance(id),
    };
    let Some(fired) = space.chaos.strike(&target, &space.ids) else { return Ok(None) };
    let treatment = fired.treatment();
    trail.treatment = Treatment { delay: trail.treatment.delay + treatment.delay, ..treatment };
    trail.disturbance = Some(Disturbance { fault: fired.id.as_str().into(), retry_after: fired.fault.retry_after });
    match fired.error() {
        Some(error) if fired.fault.effect == Some(Effect::Error) || !entry.is_batch => Err(ApiError::injected(error)),
        _ => Ok(Some(fired)),
    }
}

/// One line a call: what, by whom, how it ended, how long it took.
fn log(trail: &Trail, outcome: &Result<Done, ApiError>, space: &Space, request_id: RequestId, started: Instant) {
    let (code, http, batch) = match outcome {
        Ok(done) => ("OK", 200, done.batch),
        Err(error) => (error.wire(), error.status(), None),
    };
    tracing::info!(
        product = trail.product.map(|product| product.name),
        action = trail.action,
        code,
        http,
        total = batch.map(|batch| batch.total),
        fail = batch.map(|batch| batch.fail),
        rid = %request_id,
        account = trail.caller.as_ref().map(|caller| tracing::field::display(caller.account)),
        namespace = %space.namespace,
        fault = trail.disturbance.as_ref().map(|disturbance| &*disturbance.fault),
        dur_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "call"
    );
    if let Err(error) = outcome {
        tracing::debug!(rid = %request_id, reason = error.loggable(), "refused");
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;

    use super::*;
    use crate::api::action::{Action, FromParams, Reply, Write, writes};
    use crate::api::params::Params;
    use crate::api::permission::Permission;
    use crate::settings::{AuthMode, Settings};
    use crate::world::{Origin, SpaceLimits, World};

    struct Panics;

    #[derive(serde::Serialize)]
    struct Nothing;

    impl Reply for Nothing {}

    impl FromParams for Nothing {
        fn from_params(_: &Params<'_>) -> Result<Self, ApiError> {
            Ok(Self)
        }
    }

    impl Action for Panics {
        const NAME: &'static str = "Panics";
        type Input = Nothing;
        type Reply = Nothing;

        fn needs(_: &Ctx<'_>, _: &Nothing, _: &World) -> Vec<Permission> {
            Vec::new()
        }
    }

    impl Write for Panics {
        fn call(_: &Ctx<'_>, world: &mut World, _: Nothing) -> Result<Nothing, ApiError> {
            panic!("under the lock, with {} instances", world.instance_count())
        }
    }

    const BROKEN_ECS: Product = Product {
        name: "Ecs",
        version: "2014-05-26",
        actions: &[writes::<Panics>()],
        refusal: Code::ForbiddenRam,
        failure: Code::Internal,
        vendor_names: "",
    };

    static BROKEN: [Product; 2] =
        [BROKEN_ECS, Product { name: "Sts", version: "2015-04-01", failure: Code::StsInternal, ..BROKEN_ECS }];

    #[tokio::test]
    async fn a_panic_under_the_lock_is_a_500_in_the_asked_format_and_the_next_call_is_answered() {
        let seeds = vec![("empty".to_owned(), "{}".to_owned())];
        let origin = Origin { seeds, ..Origin::default() };
        let spaces = Spaces::new(origin, SpaceLimits::default()).expect("a good seed");
        let settings = Settings { auth: AuthMode::Off, ..Settings::default() };
        let gateway =
            Gateway { spaces: Arc::new(spaces), settings: SettingsCell::new(settings).into(), products: &BROKEN };
        for (format, version, quote) in [
            ("JSON", "2014-05-26", "\"Code\":\"InternalError\""),
            ("XML", "2014-05-26", "<Code>InternalError</Code>"),
            ("JSON", "2014-05-26", "RequestId"),
            ("JSON", "2015-04-01", "\"Message\":\"STS Server Internal Error happened.\""),
        ] {
            let target = format!("/?Action=Panics&Version={version}&Format={format}");
            let (head, ()) = Request::get(target).body(()).expect("a request").into_parts();
            let answer = gateway.answer(head, &[], None, |_| false).whole();
            assert_eq!(answer.status(), 500);
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            let body = std::str::from_utf8(&body).expect("text");
            assert!(body.contains(quote), "{body}");
        }
    }
}
