//! `/_ecsim/chaos/faults`: rules of what goes wrong, in the form of LocalStack's chaos API and a little more.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::read::{self, LONGEST_NAME, Members, Mistakes};
use super::{action, millis, product, shortest};
use crate::api::action::Product;
use crate::api::error::Code;
use crate::control::extract::Text;
use crate::control::scope::{InNamespace, Scope, Target};
use crate::control::{Control, Refusal, RefusalCode, Refused};
use crate::policy::Place;
use crate::world::chaos::{
    Counted, Effect, Fault, FaultId, FaultsRefused, InjectedError, LONGEST_DELAY, METADATA, MOST_FAULTS, Operation,
};
use crate::world::seed::Mistake;
use crate::world::{AccountId, InstanceId, Namespace, Region, Space};

/// The rules of a namespace, in the order in which calls meet them.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::control) struct Faults {
    /// The version of this form.
    schema: u32,
    namespace: String,
    faults: Vec<FaultView>,
}

impl Faults {
    fn of(space: &Space, faults: &[Counted]) -> Self {
        let faults = faults.iter().map(FaultView::of).collect();
        Self { schema: 1, namespace: space.namespace.to_string(), faults }
    }
}

/// A rule with its counters.
#[derive(Debug, Serialize, ToSchema)]
struct FaultView {
    #[serde(flatten)]
    rule: Rule,
    /// How many calls it was for. A call that an earlier rule fires on is not looked at.
    matched: u64,
    fired: u64,
}

/// A rule: which calls it is for, when it fires, and what it does then. What it leaves out does not narrow it.
#[derive(Debug, Serialize, ToSchema)]
struct Rule {
    /// 1 to 64 letters, digits, `-`, `_` or `.`; made if it is left out.
    id: String,
    /// `ecs`, `ram`, `sts`, …; `imds` is the metadata service. `*` is every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// An action, or of `imds` the path of an item; `Describe*` is all that begin so, `*` every one. `action` says the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// That the call names, or its instance is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Of the caller, or of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// That the call names, or that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    /// That has signed the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    /// How likely it fires, from 0 to 1.
    #[serde(serialize_with = "shortest")]
    probability: f64,
    /// Makes the draws of `probability` repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// How many matching calls pass first.
    after: u64,
    /// How often it fires at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// How long the answer is held back; of `dribble` and `timeout`, how long they take.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    /// Header `x-acs-retry-after`, which clients take for throttling.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u32>,
    /// `error`, `partial`, `truncate`, `empty`, `reset`, `dribble` or `timeout`; left out where it only delays.
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorView>,
}

/// What a call is answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ErrorView {
    /// 400 to 599
    status_code: u16,
    code: String,
    message: String,
}

impl FaultView {
    fn of(Counted { id, fault, matched, fired }: &Counted) -> Self {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let error = fault.error.as_ref().map(|error| ErrorView {
            status_code: error.status,
            code: error.code.to_string(),
            message: error.message.to_string(),
        });
        let rule = Rule {
            id: id.to_string(),
            service: text(&fault.service),
            operation: fault.operation.as_ref().map(ToString::to_string),
            region: text(&fault.region),
            account: fault.account.map(|account| account.to_string()),
            instance_id: fault.instance.as_ref().map(ToString::to_string),
            access_key_id: text(&fault.key_id),
            probability: fault.probability,
            seed: fault.seed,
            after: fault.after,
            times: fault.times,
            delay_ms: fault.delay.map(millis),
            retry_after_ms: fault.retry_after,
            effect: fault.effect.map(Effect::name),
            error,
        };
        Self { rule, matched: *matched, fired: *fired }
    }
}

/// The rules of what goes wrong
///
/// In the order in which calls meet them: the first that matches and fires wins.
#[utoipa::path(get, path = "/_ecsim/chaos/faults", operation_id = "list_faults", params(InNamespace), responses((status = 200, body = Faults)))]
pub(in crate::control) async fn list(Scope(space): Scope) -> Json<Faults> {
    Json(Faults::of(&space, &space.chaos.faults()))
}

/// Puts rules in the place of those that there are
///
/// All of a body or, with every mistake reported, nothing. What GET answers is a body too.
#[utoipa::path(post, path = "/_ecsim/chaos/faults", operation_id = "set_faults", params(InNamespace), request_body = Vec<Rule>,
               responses((status = 200, body = Faults), (status = 422, body = Refused, description = "Mistakes")))]
pub(in crate::control) async fn set(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<Faults>, Refusal> {
    change(&control, &name, |space| set_faults(control.products, space, &body))
}

/// Puts the rules of a text in the place of those that there are.
///
/// # Errors
/// Every mistake; nothing has changed then.
pub(crate) fn set_faults(
    products: &'static [Product],
    space: &Space,
    text: &str,
) -> Result<Vec<Counted>, Vec<Mistake>> {
    space.chaos.set_faults(rules(products, text)?).map_err(|error| not_taken(&error))
}

/// Adds rules behind those that there are
#[utoipa::path(patch, path = "/_ecsim/chaos/faults", operation_id = "add_faults", params(InNamespace), request_body = Vec<Rule>,
               responses((status = 200, body = Faults), (status = 422, body = Refused, description = "Mistakes")))]
pub(in crate::control) async fn add(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<Faults>, Refusal> {
    change(&control, &name, |space| {
        space.chaos.add_faults(rules(control.products, &body)?).map_err(|error| not_taken(&error))
    })
}

/// Removes rules
///
/// Those of the body: one with an id by that alone, one without by all that it says. Without a body, every one.
#[utoipa::path(delete, path = "/_ecsim/chaos/faults", operation_id = "remove_faults", params(InNamespace), request_body = Option<Vec<Rule>>,
               responses((status = 200, body = Faults, description = "What stays"), (status = 422, body = Refused, description = "Mistakes")))]
pub(in crate::control) async fn remove(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<Faults>, Refusal> {
    change(&control, &name, |space| {
        if body.trim().is_empty() {
            return space.chaos.set_faults(Vec::new()).map_err(|error| not_taken(&error));
        }
        Ok(space.chaos.remove_faults(&rules(control.products, &body)?))
    })
}

/// Changes the rules of a namespace, or nothing: `change` says which there are then.
fn change(
    control: &Control,
    name: &Namespace,
    change: impl Fn(&Space) -> Result<Vec<Counted>, Vec<Mistake>>,
) -> Result<Json<Faults>, Refusal> {
    let (space, faults) = control.spaces.change(name, |space| change(space).map_err(|mistakes| refused(&mistakes)))?;
    Ok(Json(Faults::of(&space, &faults)))
}

const EXAMPLE: &str = r#"[{"service":"ecs","operation":"DescribeInstances","times":2,"error":{"statusCode":503,"code":"ServiceUnavailable"}}]"#;

fn refused(mistakes: &[Mistake]) -> Refusal {
    super::refused(RefusalCode::InvalidFaults, mistakes, EXAMPLE)
}

fn not_taken(error: &FaultsRefused) -> Vec<Mistake> {
    let mut mistakes = Mistakes::default();
    match error {
        FaultsRefused::TooMany => mistakes.add(&Place::Root, error.to_string()),
        FaultsRefused::SameId(positions) => {
            for position in positions {
                let at = Place::Element(&Place::Root, *position);
                mistakes.add(&Place::Member(&at, "id"), error.to_string());
            }
        }
    }
    mistakes.0
}

const MEMBERS: [&str; 18] = [
    "id",
    "service",
    "operation",
    "action",
    "region",
    "account",
    "instance_id",
    "access_key_id",
    "probability",
    "seed",
    "after",
    "times",
    "delay_ms",
    "retry_after_ms",
    "effect",
    "error",
    // Of a listing that is given back; they are not read.
    "matched",
    "fired",
];

/// Reads rules: an array of them, or what a listing answers.
///
/// # Errors
/// Every mistake.
fn rules(products: &'static [Product], text: &str) -> Result<Vec<(Option<FaultId>, Fault)>, Vec<Mistake>> {
    let body = read::json(text)?;
    let mut mistakes = Mistakes::default();
    let listed = body.get("faults").filter(|_| body.get("schema") == Some(&Value::from(1)));
    let Value::Array(list) = listed.unwrap_or(&body) else {
        mistakes.add(&Place::Root, "must be an array of rules");
        return mistakes.or(Vec::new());
    };
    if list.len() > MOST_FAULTS {
        mistakes.add(&Place::Root, format!("has {} rules; there may be {MOST_FAULTS}", list.len()));
        return mistakes.or(Vec::new());
    }
    let root = Place::Root;
    let list_at = if listed.is_some() { Place::Member(&root, "faults") } else { root };
    let mut rules = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let at = Place::Element(&list_at, index);
        if let Some(mut members) = Members::of(value, &at, &MEMBERS, &mut mistakes) {
            rules.push(rule(products, &mut members));
        }
    }
    mistakes.or(rules)
}

/// Longest texts.
const LONGEST_MESSAGE: usize = 1024;

fn rule(products: &'static [Product], members: &mut Members<'_>) -> (Option<FaultId>, Fault) {
    let id = members.read("id", "1 to 64 letters, digits, '-', '_' or '.'", |id| FaultId::parse(id.as_str()?));
    let service = members
        .checked("service", LONGEST_NAME, |name| match name {
            "*" => Ok(None),
            name if name.eq_ignore_ascii_case(METADATA) => Ok(Some(METADATA.to_owned())),
            name => product(products, name).map(|product| Some(product.name.to_lowercase())),
        })
        .flatten();
    if members.get("operation").is_some() && members.get("action").is_some() {
        members.wrong("action", "says the same as operation: leave out one of them");
    }
    let name = if members.get("operation").is_some() { "operation" } else { "action" };
    let operation = members.checked(name, LONGEST_NAME, |name| operation(products, service.as_deref(), name)).flatten();
    let region = members.checked("region", LONGEST_NAME, |id| match (id, Region::find(id)) {
        ("*", _) => Ok(None),
        (_, Some(region)) => Ok(Some(region.id)),
        (id, None) => Err(format!("there is no region {id:?}; DescribeRegions lists them")),
    });
    let account = members.read("account", "16 digits", |account| match account.as_str()? {
        "*" => Some(None),
        digits => AccountId::parse(digits).map(Some),
    });
    let account = account.flatten();
    let narrows = |name: &&str| *name != "*";
    let instance = members.text("instance_id", LONGEST_NAME).filter(narrows).map(InstanceId::new);
    let key_id = members.text("access_key_id", LONGEST_NAME).filter(narrows).map(Box::from);
    let longest = millis(LONGEST_DELAY);
    let delay = members.whole("delay_ms", 0..=longest).map(Duration::from_millis);
    let effect = members.checked("effect", LONGEST_NAME, |name| {
        let found = Effect::ALL.into_iter().find(|effect| effect.name() == name);
        found.ok_or_else(|| read::none_of("effect", name, &Effect::ALL.map(|effect| effect.name().to_owned())))
    });
    let error = members.object("error", &["statusCode", "code", "message"], error);
    let says_error = members.get("error").is_some();
    let effect = match effect {
        Some(effect) if says_error && !effect.is_error() => {
            members
                .wrong("error", format!("the effect {} has the call performed and no error answered", effect.name()));
            Some(effect)
        }
        None if delay.is_some() && !says_error => None,
        effect => Some(effect.unwrap_or(Effect::Error)),
    };
    let error = effect
        .is_some_and(Effect::is_error)
        .then(|| Arc::new(error.unwrap_or_else(|| of_code(Code::ServiceUnavailable, None, None))));
    let fault = Fault {
        service: service.map(Into::into),
        operation,
        region: region.flatten().map(Into::into),
        account,
        instance,
        key_id,
        probability: members.number("probability", 0.0..=1.0).unwrap_or(1.0),
        seed: members.whole("seed", 0..=u64::MAX),
        after: members.whole("after", 0..=u64::MAX).unwrap_or_default(),
        times: members.whole("times", 1..=u64::MAX),
        delay,
        retry_after: members.whole("retry_after_ms", 1..=longest).and_then(|millis| u32::try_from(millis).ok()),
        effect,
        error,
    };
    (id, fault)
}

/// Items of the metadata service are named with or without this.
const ITEMS: &str = "meta-data/";

fn operation(products: &'static [Product], service: Option<&str>, name: &str) -> Result<Option<Operation>, String> {
    if service == Some(METADATA) {
        // Of paths, any can be asked for; but none begins so below its version.
        if name.starts_with('/') {
            return Err("an item is named below its version, without a slash before: such as instance-id".to_owned());
        }
        return Ok(Operation::read(name.strip_prefix(ITEMS).unwrap_or(name)));
    }
    let candidates: Vec<_> = match service {
        Some(service) => vec![product(products, service)?],
        None => products.iter().collect(),
    };
    let operation = Operation::read(name);
    match &operation {
        None => {}
        Some(Operation::Named(name)) => {
            return action(&candidates, name).map(|name| Some(Operation::Named(name.into())));
        }
        Some(Operation::Beginning(_)) => {
            let mut actions = candidates.iter().flat_map(|product| product.actions);
            if !actions.any(|entry| operation.as_ref().is_some_and(|operation| operation.has(entry.name))) {
                return Err(format!("no action that is emulated begins like {name:?}; `ecsim actions` lists them"));
            }
        }
    }
    Ok(operation)
}

/// What a code of the table has is its row's, unless it is said.
fn error(members: &mut Members<'_>) -> Option<InjectedError> {
    let status = members.whole("statusCode", 400..=599).map(|status| status as u16);
    let message = members.text("message", LONGEST_MESSAGE);
    let what = format!("a text of 1 to {LONGEST_NAME} letters, digits, '.', '-', '_' and ' '");
    let code = members.read("code", &what, |code| {
        let is_known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b' ');
        code.as_str().filter(|code| (1..=LONGEST_NAME).contains(&code.len()) && code.bytes().all(is_known))
    });
    let Some(code) = code else { return Some(of_code(Code::ServiceUnavailable, status, message)) };
    if let Some(known) = Code::ALL.iter().copied().find(|known| known.row().wire == code) {
        return Some(of_code(known, status, message));
    }
    if status.is_none() && members.get("statusCode").is_none() {
        members.wrong("statusCode", format!("is needed for {code}, which is no code of `ecsim fidelity`"));
    }
    Some(InjectedError { status: status?, code: code.into(), message: message.unwrap_or(code).into() })
}

/// A row of the table as an injected error; what its text would echo is `?`.
pub(super) fn of_code(code: Code, status: Option<u16>, message: Option<&str>) -> InjectedError {
    let row = code.row();
    let message = message.map_or_else(|| row.text.replace("{}", "?"), str::to_owned);
    InjectedError { status: status.unwrap_or(row.status), code: row.wire.into(), message: message.into() }
}
