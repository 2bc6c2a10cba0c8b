//! `/_ecsim/requests`: the journal of a namespace, and why a call was refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Named, Query};
use super::matching::Members;
use super::scope::{InNamespace, Scope, Target};
use super::{Control, Refusal, RefusalCode};
use crate::api::action::Product;
use crate::api::error::{Code, Row};
use crate::api::explanation::Explanation;
use crate::api::station::{Station, Stations};
use crate::world::journal::{self, Kept, Parameter, Record};
use crate::world::{Namespace, Space};

/// The requests of a namespace, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Requests {
    /// The version of this form.
    schema: u32,
    namespace: String,
    /// That of the world. Another counts its requests from 1 again.
    generation: u64,
    /// How many are kept at most.
    most: usize,
    /// How many there were since the world was made. The latest has this number.
    seen: u64,
    /// How many of them newer ones have displaced.
    dropped: u64,
    requests: Vec<Request>,
}

/// One request, and how it was answered. Secrets, tokens and signatures are not kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Request {
    /// Counted from 1 in each namespace.
    seq: u64,
    /// The world's time when it was looked at, RFC 3339.
    at: String,
    /// How long the answer took, by the machine's clock.
    duration_us: u64,
    /// Of requests for metadata there is none.
    request_id: Option<String>,
    method: String,
    path: String,
    /// `V1`, `ACS3`, `ACS4`, `ROA`, `Bearer` or `anonymous`: how it is signed.
    style: Option<&'static str>,
    /// `imds` is the metadata service.
    product: Option<&'static str>,
    version: Option<String>,
    /// In the vendor's spelling, if it is known; else as it was written.
    action: Option<String>,
    format: Option<&'static str>,
    access_key_id: Option<String>,
    account: Option<String>,
    principal: Option<PrincipalView>,
    /// The instance that asked for its metadata.
    instance_id: Option<String>,
    region: Option<String>,
    /// Of query and body, by name.
    parameters: BTreeMap<String, String>,
    /// Of values of which only the beginning is kept, how many bytes they had.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    cut: BTreeMap<String, usize>,
    /// How many parameters are not kept.
    #[serde(skip_serializing_if = "is_zero")]
    parameters_left_out: u32,
    status: u16,
    /// `OK` if it was not refused.
    code: String,
    /// The id of the fault that it met; of a limit, `limit:` and its key.
    fault: Option<String>,
    /// What the client read; of a signature that does not match, without the string to sign.
    message: Option<String>,
    batch: Option<BatchView>,
    /// What `--ram soft` let pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    would_deny: Vec<String>,
    peer: Option<String>,
    user_agent: Option<String>,
    traceparent: Option<String>,
}

/// Who calls, as policies see it.
#[derive(Debug, Serialize, ToSchema)]
struct PrincipalView {
    /// `Account`, `SubUser` or `AssumedRoleUser`
    r#type: &'static str,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct BatchView {
    total: u32,
    fail: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Request {
    pub(super) fn of(record: &Record) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let parameter = |name| record.parameter(name).map(|parameter| parameter.value);
        let details = record.details.as_deref();
        Self {
            seq: record.seq,
            at: record.at.to_string(),
            duration_us: u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX),
            request_id: record.request_id.map(|id| id.to_string()),
            method: record.method().to_owned(),
            path: record.path().to_owned(),
            style: record.style,
            product: record.product,
            version: owned(record.version()),
            action: owned(record.action()),
            format: record.format,
            access_key_id: owned(record.access_key_id()),
            account: record.caller.as_ref().map(|caller| caller.account.to_string()),
            principal: record
                .caller
                .as_ref()
                .map(|caller| PrincipalView { r#type: caller.kind, name: caller.name.to_string() }),
            instance_id: owned(record.instance()),
            region: owned(parameter("RegionId")),
            parameters: record.parameters().map(|p| (p.name.to_owned(), p.value.to_owned())).collect(),
            cut: record.parameters().filter(Parameter::is_cut).map(|p| (p.name.to_owned(), p.bytes)).collect(),
            parameters_left_out: record.parameters_left_out,
            status: record.status,
            code: record.code().to_owned(),
            fault: owned(record.fault()),
            message: record.refusal().map(|refusal| refusal.message.clone()),
            batch: record.batch.map(|(total, fail)| BatchView { total, fail }),
            would_deny: details.map(|details| details.waived.clone()).unwrap_or_default(),
            peer: record.peer.map(|peer| peer.to_string()),
            user_agent: owned(record.user_agent()),
            traceparent: owned(record.trace_parent()),
        }
    }
}

/// Which requests are shown: those that have all that is said.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// In any case
    action: Option<String>,
    /// `OK` is success
    code: Option<String>,
    /// Of HTTP
    status: Option<u16>,
    access_key_id: Option<String>,
    /// In any case; `imds` is the metadata service
    product: Option<String>,
    /// An instance that the call names in its parameters, or that asked for its metadata
    instance: Option<String>,
    /// Only those with a greater number
    since: Option<u64>,
    /// At most so many: with `since` the first of them, so that nothing is missed, else the last
    limit: Option<usize>,
}

/// The latest requests, oldest first
#[utoipa::path(get, path = "/_ecsim/requests", operation_id = "requests", params(InNamespace, Wanted),
               responses((status = 200, body = Requests)))]
pub(super) async fn list(Query(wanted): Query<Wanted>, Scope(space): Scope) -> Json<Requests> {
    let Wanted { action, code, status, access_key_id, product, instance, since, limit } = wanted;
    let limit = limit.unwrap_or(usize::MAX);
    let members = Members { action, product, code, status, access_key_id, instance_id: instance, ..Members::default() };
    Json(space.journal.look(|kept| {
        let newer = kept.records().filter(|record| record.seq > since.unwrap_or_default());
        let matching = newer.filter(|record| members.differences(record).is_empty());
        let requests = if since.is_some() {
            matching.take(limit).map(|record| Request::of(&record)).collect()
        } else {
            let mut latest: Vec<_> = matching.rev().take(limit).map(|record| Request::of(&record)).collect();
            latest.reverse();
            latest
        };
        Requests {
            schema: 1,
            namespace: space.namespace.to_string(),
            generation: space.generation,
            most: space.journal.most(),
            seen: kept.seen(),
            dropped: kept.dropped(),
            requests,
        }
    }))
}

/// What has gone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cleared {
    /// The version of this form.
    schema: u32,
    namespace: String,
    /// How many requests were forgotten.
    cleared: usize,
}

/// Forgets the requests of a namespace
///
/// Their numbers are not used again.
#[utoipa::path(delete, path = "/_ecsim/requests", operation_id = "clear_requests", params(InNamespace),
               responses((status = 200, body = Cleared)))]
pub(super) async fn clear(Scope(space): Scope) -> Json<Cleared> {
    Json(Cleared { schema: 1, namespace: space.namespace.to_string(), cleared: space.journal.clear() })
}

/// One request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneRequest {
    /// The version of this form.
    schema: u32,
    #[serde(flatten)]
    request: Request,
}

/// One request, by its RequestId
#[utoipa::path(get, path = "/_ecsim/requests/{request_id}", operation_id = "request",
               params(InNamespace, ("request_id" = String, Path, description = "As the answer has it")),
               responses((status = 200, body = OneRequest)))]
pub(super) async fn show(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Named(id): Named,
) -> Result<Json<OneRequest>, Refusal> {
    let (_, record) = found(&control, &name, &id)?;
    Ok(Json(OneRequest { schema: 1, request: Request::of(&record) }))
}

/// Why a call ended as it did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explained {
    /// The version of this form.
    schema: u32,
    request_id: String,
    /// The check that refused it; `null` if it was answered.
    station: Option<&'static str>,
    /// The checks that it has passed, in their order. What was not looked at is not among them.
    passed: Vec<&'static str>,
    /// For people.
    explanation: String,
    /// What to do about it, where that is obvious.
    hint: Option<String>,
    /// What was compared, by name.
    facts: BTreeMap<&'static str, String>,
    /// What is known of the code that it was refused with; `null` for one that a fault or limit has it be.
    code: Option<CodeView>,
    request: Request,
}

/// A row of the table of codes.
#[derive(Debug, Serialize, ToSchema)]
struct CodeView {
    code: &'static str,
    status: u16,
    /// The standard text, with `{}` for what the answer tells there.
    text: &'static str,
    /// `documented`, `recorded`, `client` or `inferred`
    evidence: &'static str,
    source: &'static str,
}

/// Why a call ended as it did
#[utoipa::path(get, path = "/_ecsim/requests/{request_id}/explain", operation_id = "explain",
               params(InNamespace, ("request_id" = String, Path, description = "As the answer has it")),
               responses((status = 200, body = Explained)))]
pub(super) async fn explain(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Named(id): Named,
) -> Result<Json<Explained>, Refusal> {
    let (space, record) = found(&control, &name, &id)?;
    let passed = Stations::of(record.passed).map(Station::name).collect();
    let request_id = record.request_id.map(|id| id.to_string()).unwrap_or_default();
    let request = Request::of(&record);
    let refused = record.refusal().and_then(|refusal| {
        // One that somebody has asked for stands in no table.
        let code = refusal.row.and_then(|row| Code::ALL.get(usize::from(row)).copied());
        Some((refusal, Station::numbered(refusal.station)?, code))
    });
    let Some((refusal, station, code)) = refused else {
        let waived = record.details.iter().flat_map(|details| &details.waived);
        let waived = waived.map(|waived| format!(" It would have been refused but for --ram soft: {waived}."));
        return Ok(Json(Explained {
            schema: 1,
            request_id,
            station: None,
            passed,
            explanation: format!("The call was answered.{}", waived.collect::<String>()),
            hint: None,
            facts: BTreeMap::new(),
            code: None,
            request,
        }));
    };
    let explanation = Explanation::of(station, code.unwrap_or(Code::ServiceUnavailable));
    let hint = code
        .and_then(|code| suggestion(&control, &space, &record, station, code))
        .or_else(|| Some(explanation.hint.to_owned()).filter(|hint| !hint.is_empty()));
    Ok(Json(Explained {
        schema: 1,
        request_id,
        station: Some(station.name()),
        passed,
        explanation: explanation.sentence(&refusal.facts),
        hint,
        facts: refusal.facts.iter().cloned().collect(),
        code: code.map(|code| {
            let Row { status, wire, text, evidence, source } = code.row();
            CodeView { code: wire, status, text, evidence: evidence.name(), source }
        }),
        request,
    }))
}

/// The record of a request, and the space that it is in.
fn found(control: &Control, name: &Namespace, id: &str) -> Result<(Arc<Space>, Record), Refusal> {
    control.spaces.change(name, |space| find(space, id).ok_or_else(|| no_such(control, space, id)))
}

fn find(space: &Space, id: &str) -> Option<Record> {
    let is_it = |record: &Record| record.request_id.is_some_and(|own| own.as_str().eq_ignore_ascii_case(id));
    space.journal.look(|kept| kept.records().rev().find(is_it))
}

fn no_such(control: &Control, space: &Space, id: &str) -> Refusal {
    let elsewhere = control.spaces.all().into_iter().find(|other| find(other, id).is_some());
    let hint = match (elsewhere, space.journal.look(Kept::dropped)) {
        (Some(other), _) => format!("it is one of namespace {0}: add ?namespace={0}", other.namespace),
        (None, _) if space.journal.most() == 0 => "--journal-max is 0: no request is kept".to_owned(),
        (None, 0) => "GET /_ecsim/requests lists those that there are; a reset forgets them".to_owned(),
        (None, dropped) => format!("{dropped} older requests were dropped; --journal-max keeps more"),
    };
    let message = format!("there is no request {id:?} in namespace {}", space.namespace);
    Refusal::new(RefusalCode::NoSuchRequest, message, hint)
}

/// A next step that depends on what there is now.
fn suggestion(control: &Control, space: &Space, record: &Record, station: Station, code: Code) -> Option<String> {
    match (station, code) {
        (Station::Action, Code::ActionNotFound) => action_near(control.products, record),
        (Station::Action, Code::NotEmulated) => None,
        (Station::Action, _) => {
            let versions = control.products.iter().map(|product| format!("{} {}", product.name, product.version));
            Some(format!("the versions are {}", versions.collect::<Vec<_>>().join(", ")))
        }
        (Station::Key, Code::AccessKeyNotFound) => key_near(control, space, record.access_key_id()?),
        _ => None,
    }
}

/// The same action of another product, or one of a name that is nearly the same.
fn action_near(products: &'static [Product], record: &Record) -> Option<String> {
    let Some(name) = record.action() else { return Some("send the parameter Action".to_owned()) };
    if let Some(other) = products.iter().find(|product| product.names().any(|own| own.eq_ignore_ascii_case(name))) {
        return Some(format!("{name} is an action of {}: send Version={}", other.name, other.version));
    }
    let product = products.iter().find(|product| Some(product.name) == record.product)?;
    nearest(name, product.names()).map(|near| format!("did you mean {near}?"))
}

/// The namespaces that have the key, or else a key of nearly the same id in the one where it was looked for.
fn key_near(control: &Control, space: &Space, id: &str) -> Option<String> {
    let bare = Namespace::split(id).0;
    let has = |other: &Space| {
        other.store.read(|world| world.key(&other.ids.key_id(bare)).or_else(|| world.key(id)).is_some())
    };
    let elsewhere = control.spaces.all().into_iter().find(|other| other.namespace != space.namespace && has(other));
    if let Some(other) = elsewhere {
        let (key, name) = (other.ids.key_id(bare), &other.namespace);
        return Some(format!(
            "it is a key of namespace {name}: sign with {key}, or send header x-ecsim-namespace: {name}"
        ));
    }
    space.store.read(|world| {
        let near = nearest(bare, world.keys().map(|(id, _)| space.ids.bare_key_id(id)))?;
        Some(format!("did you mean the key {}?", space.ids.key_id(near)))
    })
}

/// The name that is nearest, in any case, if a third of it or less is otherwise.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > journal::LONGEST_TEXT {
        return None;
    }
    let lower = name.to_lowercase();
    let distances = names.map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &lower), known));
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= known.len().max(3) / 3).then_some(known)
}
