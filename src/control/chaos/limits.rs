//! `/_ecsim/chaos/limits`: how often calls of a namespace may come.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::read::{self, Members, Mistakes};
use super::{action, faults, millis, product, shortest};
use crate::api::action::Product;
use crate::api::error::Code;
use crate::control::extract::Text;
use crate::control::scope::{InNamespace, Scope, Target};
use crate::control::{Control, Refusal, RefusalCode, Refused};
use crate::policy::Place;
use crate::world::chaos::{LONGEST_DELAY, Limit, LimitKey, LimitState, MOST_LIMITS, Rate, TooManyLimits};
use crate::world::seed::Mistake;
use crate::world::{Namespace, Space};

/// The limits of a namespace by their keys, `product:Action`, `product:*` or `*`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::control) struct CallLimits {
    /// The version of this form.
    schema: u32,
    namespace: String,
    limits: BTreeMap<String, LimitView>,
}

/// A limit and how full it is.
#[derive(Debug, Serialize, ToSchema)]
struct LimitView {
    /// Calls a second, by the world's clock.
    #[serde(serialize_with = "shortest")]
    qps: f64,
    /// Calls at once.
    burst: u32,
    /// `Throttling.User`, `Throttling.Api` or `Throttling`.
    code: String,
    /// Header `x-acs-retry-after` of what is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u32>,
    /// How many calls it has refused.
    refused: u64,
    /// How many calls may come now: by account with `Throttling.User`, else of `all`. Whoever is not here has all of `burst`.
    left: BTreeMap<String, u32>,
}

impl From<LimitState> for LimitView {
    fn from(LimitState { limit, refused, tokens }: LimitState) -> Self {
        let left = tokens
            .into_iter()
            .map(|(account, left)| (account.map_or_else(|| "all".to_owned(), |account| account.to_string()), left));
        Self {
            qps: limit.rate.qps,
            burst: limit.rate.burst,
            code: limit.error.code.to_string(),
            retry_after_ms: limit.retry_after,
            refused,
            left: left.collect(),
        }
    }
}

impl CallLimits {
    fn of(space: &Space) -> Json<Self> {
        let limits = space.chaos.limits(space.clock.now());
        let limits = limits.into_iter().map(|state| (state.limit.key.to_string(), state.into())).collect();
        Json(Self { schema: 1, namespace: space.namespace.to_string(), limits })
    }
}

/// How often calls may come
#[utoipa::path(get, path = "/_ecsim/chaos/limits", operation_id = "list_limits", params(InNamespace), responses((status = 200, body = CallLimits)))]
pub(in crate::control) async fn list(Scope(space): Scope) -> Json<CallLimits> {
    CallLimits::of(&space)
}

/// Puts limits in the place of those that there are
///
/// They begin full. A key is an action, `sts:AssumeRole`, `sts:*` or `*`; a call needs a token of each limit that is for it.
#[utoipa::path(method(post, put), path = "/_ecsim/chaos/limits", operation_id = "set_limits", params(InNamespace), request_body = Object,
               responses((status = 200, body = CallLimits), (status = 422, body = Refused, description = "Mistakes")))]
pub(in crate::control) async fn set(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<CallLimits>, Refusal> {
    change(&control, &name, &body, |space, limits| space.chaos.set_limits(limits))
}

/// Adds limits, in the place of those with the same key
#[utoipa::path(patch, path = "/_ecsim/chaos/limits", operation_id = "add_limits", params(InNamespace), request_body = Object,
               responses((status = 200, body = CallLimits), (status = 422, body = Refused, description = "Mistakes")))]
pub(in crate::control) async fn add(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<CallLimits>, Refusal> {
    change(&control, &name, &body, |space, limits| space.chaos.add_limits(limits))
}

/// Does with the limits of a body what there is to do with them, or nothing.
fn change(
    control: &Control,
    name: &Namespace,
    body: &str,
    take: impl Fn(&Space, Vec<Limit>) -> Result<(), TooManyLimits>,
) -> Result<Json<CallLimits>, Refusal> {
    let limits = limits(control.products, body).map_err(|mistakes| refused(&mistakes))?;
    let taken = |space: &Space| take(space, limits.clone()).map_err(|error| refused(&not_taken(error)));
    let (space, ()) = control.spaces.change(name, taken)?;
    Ok(CallLimits::of(&space))
}

/// Limits nothing any more
#[utoipa::path(delete, path = "/_ecsim/chaos/limits", operation_id = "clear_limits", params(InNamespace), responses((status = 200, body = CallLimits)))]
pub(in crate::control) async fn clear(Scope(space): Scope) -> Result<Json<CallLimits>, Refusal> {
    space.chaos.set_limits(Vec::new()).map_err(|error| refused(&not_taken(error)))?;
    Ok(CallLimits::of(&space))
}

const EXAMPLE: &str = r#"{"DetachInstanceRamRole":{"qps":10,"burst":20,"code":"Throttling.User"},"sts:*":{"qps":100}}"#;

fn refused(mistakes: &[Mistake]) -> Refusal {
    super::refused(RefusalCode::InvalidLimits, mistakes, EXAMPLE)
}

fn not_taken(error: TooManyLimits) -> Vec<Mistake> {
    let mut mistakes = Mistakes::default();
    mistakes.add(&Place::Root, error.to_string());
    mistakes.0
}

fn limits(products: &'static [Product], text: &str) -> Result<Vec<Limit>, Vec<Mistake>> {
    let body = read::json(text)?;
    let mut mistakes = Mistakes::default();
    let listed = body.get("limits").filter(|_| body.get("schema") == Some(&Value::from(1)));
    let Value::Object(named) = listed.unwrap_or(&body) else {
        mistakes.add(&Place::Root, "must be an object of limits");
        return mistakes.or(Vec::new());
    };
    if named.len() > MOST_LIMITS {
        mistakes.add(&Place::Root, format!("has {} limits; there may be {MOST_LIMITS}", named.len()));
        return mistakes.or(Vec::new());
    }
    let root = Place::Root;
    let named_at = if listed.is_some() { Place::Member(&root, "limits") } else { root };
    let mut limits: Vec<Limit> = Vec::new();
    for (name, value) in named {
        let at = Place::Member(&named_at, name);
        let key = key(products, name).map_err(|reason| mistakes.add(&at, reason)).ok();
        if let Some(key) = &key
            && limits.iter().any(|limit| limit.key == *key)
        {
            mistakes.add(&at, format!("is {key}, which is there already"));
        }
        // The last two are of a listing that is given back; they are not read.
        let known = ["qps", "burst", "code", "retry_after_ms", "refused", "left"];
        if let Some(mut members) = Members::of(value, &at, &known, &mut mistakes) {
            limits.extend(limit(&mut members).zip(key).map(|(make, key)| make(key)));
        }
    }
    mistakes.or(limits)
}

fn key(products: &'static [Product], name: &str) -> Result<LimitKey, String> {
    let Some((service, named)) = name.split_once(':') else {
        if name == "*" {
            return Ok(LimitKey::All);
        }
        let all: Vec<_> = products.iter().collect();
        let action = action(&all, name)?;
        let product = products.iter().find(|product| product.entry(action).is_some());
        let product = product.map(|product| product.name.to_lowercase()).unwrap_or_default();
        return Ok(LimitKey::Action(product.into(), action.into()));
    };
    let product = product(products, service)?;
    let of = product.name.to_lowercase().into();
    match named {
        "*" => Ok(LimitKey::Product(of)),
        named => action(&[product], named).map(|action| LimitKey::Action(of, action.into())),
    }
}

/// What a call too many is answered; of the first, the quota is the account's (protocol.md 11.2; sts.md 4).
const CODES: [Code; 3] = [Code::ThrottlingUser, Code::ThrottlingApi, Code::Throttling];

fn limit(members: &mut Members<'_>) -> Option<impl FnOnce(LimitKey) -> Limit + use<>> {
    if members.get("qps").is_none() {
        members.wrong("qps", "is needed: calls a second");
    }
    let qps = members.number("qps", 0.001..=1e6);
    let burst = members.whole("burst", 1..=1_000_000);
    let code = members.checked("code", 128, |name| {
        let found = CODES.into_iter().find(|code| code.row().wire == name);
        found.ok_or_else(|| read::none_of("code of a limit", name, &CODES.map(|code| code.row().wire.to_owned())))
    });
    let retry_after = members.whole("retry_after_ms", 1..=millis(LONGEST_DELAY));
    let qps = qps?;
    // Without one, the calls of a second.
    let burst = burst.map_or_else(|| u32::try_from(qps.ceil() as i64), u32::try_from);
    let rate = Rate::new(qps, burst.ok()?)?;
    let code = code.unwrap_or(Code::ThrottlingUser);
    let retry_after = retry_after.and_then(|millis| u32::try_from(millis).ok());
    Some(move |key| {
        let error = Arc::new(faults::of_code(code, None, None));
        Limit::new(key, rate, error, code == Code::ThrottlingUser, retry_after)
    })
}
