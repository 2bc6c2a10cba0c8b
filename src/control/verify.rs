//! `/_ecsim/verify`: whether the calls came that a test expects.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, FromBody};
use super::matching::{Difference, Members};
use super::scope::{InNamespace, Target};
use super::{Control, Refusal, RefusalCode};
use crate::world::Space;
use crate::world::journal::Record;

/// How many expectations there may be, and how many requests a miss names.
const MOST_EXPECTATIONS: usize = 100;
const MOST_NAMED: usize = 10;

/// What is expected of the requests that are kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    /// The version of this form: 1.
    schema: Option<u32>,
    /// At most 100. A request counts for each expectation that it meets.
    calls: Vec<Expected>,
    /// Each expectation's calls, as many as there have to be at least, come after those of the one before.
    #[serde(default)]
    in_order: bool,
    /// Every request meets an expectation.
    #[serde(default)]
    nothing_else: bool,
    /// Only requests with a greater number are looked at.
    #[serde(default)]
    since: u64,
}

/// What requests have, and how many there are of them: without a number, at least one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(flatten)]
    members: Members,
    /// Exactly so many.
    times: Option<u64>,
    at_least: Option<u64>,
    at_most: Option<u64>,
}

impl FromBody for Verification {
    const CODE: RefusalCode = RefusalCode::InvalidVerification;
    const HINT: &'static str = HINT;
}

const HINT: &str = r#"a body is such as {"calls":[{"action":"DetachInstanceRamRole","parameters":{"RamRoleName":"web-role"},"times":1}]}"#;

/// What was counted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Verified {
    /// The version of this form.
    schema: u32,
    namespace: String,
    /// How many requests were looked at.
    requests: usize,
    /// For each expectation, in their order.
    calls: Vec<Counted>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Counted {
    matched: usize,
}

/// An expectation that is not met.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Miss {
    /// The place of the expectation in `calls`, from 0; `null` for `nothing_else`.
    call: Option<usize>,
    reason: Unmet,
    /// For people.
    pub(super) message: String,
    /// How many requests meet it; of `nothing_else`, how many meet none.
    matched: usize,
    /// The numbers of these requests, at most ten.
    seqs: Vec<u64>,
    /// If there are too few, the request that differs in the fewest members; of several, the latest.
    nearest: Option<Near>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Unmet {
    TooFew,
    TooMany,
    OutOfOrder,
    /// Of `nothing_else`
    NotExpected,
    /// Nobody can tell: older requests were dropped
    Dropped,
    /// Nobody can tell: parameters of a request are not kept, or not whole
    NotKept,
}

/// A request that nearly meets an expectation.
#[derive(Debug, Serialize, ToSchema)]
struct Near {
    seq: u64,
    request_id: Option<String>,
    differences: Vec<Difference>,
}

/// Checks which calls came
///
/// 200 with what was counted, or 417 with every expectation that is not met and the request that comes nearest to it.
#[utoipa::path(post, path = "/_ecsim/verify", params(InNamespace), request_body = Verification,
               responses((status = 200, body = Verified)))]
pub(super) async fn verify(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Body(wanted): Body<Verification>,
) -> Result<Json<Verified>, Refusal> {
    wanted.check().map_err(|reason| Refusal::new(Verification::CODE, format!("the body: {reason}"), HINT))?;
    let (_, verified) = control.spaces.change(&name, |space| wanted.verify(space))?;
    Ok(Json(verified))
}

impl Verification {
    fn verify(&self, space: &Space) -> Result<Verified, Refusal> {
        // Calls wait while the journal is looked at: a copy of it does not hold them up.
        let (records, is_whole) = space.journal.look(|kept| {
            let records: Vec<_> = kept.records().filter(|record| record.seq > self.since).collect();
            (records, kept.dropped_through() <= self.since)
        });
        let (calls, misses) = self.judge(&records, is_whole);
        if misses.is_empty() {
            let calls = calls.into_iter().map(|matched| Counted { matched }).collect();
            return Ok(Verified { schema: 1, namespace: space.namespace.to_string(), requests: records.len(), calls });
        }
        let hint = "GET /_ecsim/requests shows what came; /_ecsim/requests/{request_id}/explain why a call was refused";
        Err(Refusal::misses(RefusalCode::VerificationFailed, misses, hint))
    }

    fn check(&self) -> Result<(), String> {
        if self.schema.is_some_and(|schema| schema != 1) {
            return Err("schema is 1".to_owned());
        }
        if self.calls.len() > MOST_EXPECTATIONS {
            return Err(format!("{} calls, of at most {MOST_EXPECTATIONS}", self.calls.len()));
        }
        if self.calls.is_empty() && !self.nothing_else {
            return Err("calls is empty, so that nothing is expected".to_owned());
        }
        for (place, call) in self.calls.iter().enumerate() {
            let Expected { times, at_least, at_most, .. } = call;
            if times.is_some() && (at_least.is_some() || at_most.is_some()) {
                return Err(format!("calls[{place}]: times says it all, leave out at_least and at_most"));
            }
            if at_least.zip(*at_most).is_some_and(|(least, most)| least > most) {
                return Err(format!("calls[{place}]: at_least is more than at_most"));
            }
        }
        Ok(())
    }

    /// How many records meet each expectation, and what is missed. `is_whole`: none of those that are looked at was
    /// dropped.
    fn judge(&self, records: &[Record], is_whole: bool) -> (Vec<usize>, Vec<Miss>) {
        let (mut counts, mut misses) = (Vec::new(), Vec::new());
        let mut is_expected = vec![false; records.len()];
        // Where the calls of the expectations so far end.
        let mut from = 0;
        for (place, call) in self.calls.iter().enumerate() {
            let places: Vec<_> = (0..records.len()).filter(|at| call.is_met_by(&records[*at])).collect();
            for at in &places {
                is_expected[*at] = true;
            }
            counts.push(places.len());
            let matched: Vec<_> = places.iter().map(|at| &records[*at]).collect();
            let (least, most) = call.bounds();
            let count = places.len() as u64;
            let too_few = count < least;
            let unknown: Vec<_> =
                records.iter().filter(|record| most.is_some() && call.may_be_met_by(record)).collect();
            let reason = match most {
                _ if too_few => Some(Unmet::TooFew),
                Some(most) if count > most => Some(Unmet::TooMany),
                // Those that were dropped could have been more, and so could those that are not kept as a whole.
                Some(_) if !is_whole => Some(Unmet::Dropped),
                Some(most) if count + unknown.len() as u64 > most => Some(Unmet::NotKept),
                _ => None,
            };
            let mut miss = |reason: Unmet, what: &str| {
                let nearest = matches!(reason, Unmet::TooFew).then(|| call.nearest(records)).flatten();
                let near = nearest.as_ref().map(Near::to_string).unwrap_or_default();
                let message = format!("calls[{place}]{}: {what}{near}", call.title());
                let (matched, seqs) = (matched.len(), seqs(&matched));
                misses.push(Miss { call: Some(place), reason, message, matched, seqs, nearest });
            };
            if let Some(reason) = reason {
                let what = match reason {
                    Unmet::Dropped => {
                        "older requests were dropped, so that nobody can tell how many there were".to_owned()
                    }
                    Unmet::NotKept => {
                        let (number, seqs) = (call.number(), seqs(&unknown));
                        format!(
                            "there have to be {number}, there are {count}, and nobody can tell of the requests {seqs:?}, of which not all is kept"
                        )
                    }
                    _ => format!("there have to be {}, and there are {count}", call.number()),
                };
                miss(reason, &what);
            }
            if self.in_order && !too_few {
                let after: Vec<_> = places.iter().copied().filter(|at| *at >= from).collect();
                match (least as usize).checked_sub(1).map(|last| after.get(last)) {
                    None => {}
                    Some(Some(last)) => from = last + 1,
                    Some(None) => {
                        let what = format!("{} of {least} come after those of the calls before", after.len());
                        miss(Unmet::OutOfOrder, &what);
                    }
                }
            }
        }
        if self.nothing_else {
            let others: Vec<_> = records.iter().zip(&is_expected).filter(|(_, is)| !**is).map(|(r, _)| r).collect();
            let miss = |reason, message| Miss {
                call: None,
                reason,
                message,
                matched: others.len(),
                seqs: seqs(&others),
                nearest: None,
            };
            if let Some(first) = others.first() {
                let message = format!("nothing_else: {} more, the first of them {}", others.len(), line(first));
                misses.push(miss(Unmet::NotExpected, message));
            } else if !is_whole {
                let message = "nothing_else: older requests were dropped, so that nobody can tell what they were";
                misses.push(miss(Unmet::Dropped, message.to_owned()));
            }
        }
        (counts, misses)
    }
}

impl Expected {
    fn is_met_by(&self, record: &Record) -> bool {
        self.members.differences(record).is_empty()
    }

    /// Whether a record does not meet it for no other reason than that not all of it is kept.
    fn may_be_met_by(&self, record: &Record) -> bool {
        let differences = self.members.differences(record);
        !differences.is_empty() && differences.iter().all(|difference| difference.is_unknown)
    }

    /// The fewest and the most that there may be.
    fn bounds(&self) -> (u64, Option<u64>) {
        match (self.times, self.at_least, self.at_most) {
            (Some(times), ..) => (times, Some(times)),
            (None, None, None) => (1, None),
            (None, least, most) => (least.unwrap_or(0), most),
        }
    }

    fn number(&self) -> String {
        match self.bounds() {
            (least, Some(most)) if least == most => format!("exactly {least}"),
            (0, Some(most)) => format!("at most {most}"),
            (least, Some(most)) => format!("{least} to {most}"),
            (least, None) => format!("at least {least}"),
        }
    }

    fn title(&self) -> String {
        let title = self.members.action.as_ref().or(self.members.path.as_ref());
        title.map(|title| format!(" {title}")).unwrap_or_default()
    }

    /// The request that differs in the fewest members; of several, one of the same action before others, then the latest.
    fn nearest(&self, records: &[Record]) -> Option<Near> {
        let near = records.iter().rev().map(|record| (record, self.members.differences(record)));
        let unmet = near.filter(|(_, differences)| !differences.is_empty());
        let (record, differences) = unmet.min_by_key(|(_, differences)| {
            (differences.len(), differences.iter().any(|difference| difference.member == "action"))
        })?;
        let request_id = record.request_id.map(|id| id.to_string());
        Some(Near { seq: record.seq, request_id, differences })
    }
}

impl std::fmt::Display for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "; the nearest is request {}", self.seq)?;
        let text =
            |text: &Option<String>| text.as_ref().map_or_else(|| "absent".to_owned(), |text| format!("{text:?}"));
        for (place, Difference { member, wanted, seen, .. }) in self.differences.iter().enumerate() {
            let comma = if place == 0 { ":" } else { "," };
            write!(f, "{comma} {member} is {}, not {}", text(seen), text(wanted))?;
        }
        Ok(())
    }
}

fn seqs(records: &[&Record]) -> Vec<u64> {
    records.iter().take(MOST_NAMED).map(|record| record.seq).collect()
}

/// What a request was, in a few words.
fn line(record: &Record) -> String {
    // It ends up in a terminal.
    let what = record.action().unwrap_or_else(|| record.path()).escape_debug();
    format!("request {}, {} {what} => {} {}", record.seq, record.method(), record.status, record.code())
}
