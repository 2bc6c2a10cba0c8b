//! `/_ecsim/chaos/effects`: how long every answer of a namespace is held back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::read::{self, Members, Mistakes};
use super::{millis, shortest};
use crate::control::extract::Text;
use crate::control::scope::{InNamespace, Scope, Target};
use crate::control::{Control, Refusal, RefusalCode, Refused};
use crate::policy::Place;
use crate::world::Space;
use crate::world::chaos::{LONGEST_DELAY, Latency};
use crate::world::seed::Mistake;

/// The effects of a namespace.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::control) struct Effects {
    /// The version of this form.
    schema: u32,
    namespace: String,
    /// `null` without any.
    latency: Option<LatencyView>,
}

/// Milliseconds, or a distribution of them in WireMock's words.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum LatencyView {
    Fixed(#[serde(serialize_with = "shortest")] f64),
    Distribution(Distribution),
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Distribution {
    Uniform {
        #[serde(serialize_with = "shortest")]
        lower: f64,
        #[serde(serialize_with = "shortest")]
        upper: f64,
    },
    Lognormal {
        #[serde(serialize_with = "shortest")]
        median: f64,
        /// The standard deviation of the logarithm.
        #[serde(serialize_with = "shortest")]
        sigma: f64,
    },
}

impl From<Latency> for LatencyView {
    fn from(latency: Latency) -> Self {
        match latency {
            Latency::Fixed(millis) => Self::Fixed(millis),
            Latency::Uniform { lower, upper } => Self::Distribution(Distribution::Uniform { lower, upper }),
            Latency::Lognormal { median, sigma } => Self::Distribution(Distribution::Lognormal { median, sigma }),
        }
    }
}

impl Effects {
    fn of(space: &Space) -> Json<Self> {
        let latency = space.chaos.latency().map(LatencyView::from);
        Json(Self { schema: 1, namespace: space.namespace.to_string(), latency })
    }
}

/// How long answers are held back
#[utoipa::path(get, path = "/_ecsim/chaos/effects", operation_id = "show_effects", params(InNamespace), responses((status = 200, body = Effects)))]
pub(in crate::control) async fn show(Scope(space): Scope) -> Json<Effects> {
    Effects::of(&space)
}

/// Holds answers back
///
/// Those of calls and of the metadata service. `latency` is milliseconds, at most ten minutes, or a distribution; `null` or 0 is none.
#[utoipa::path(method(post, put), path = "/_ecsim/chaos/effects", operation_id = "set_effects", params(InNamespace), request_body = Object,
               responses((status = 200, body = Effects), (status = 422, body = Refused, description = "Mistakes")))]
pub(in crate::control) async fn set(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Text(body): Text,
) -> Result<Json<Effects>, Refusal> {
    let latency = latency(&body).map_err(|mistakes| super::refused(RefusalCode::InvalidEffects, &mistakes, EXAMPLE))?;
    let space = control.spaces.of(&name)?;
    space.chaos.set_latency(latency);
    Ok(Effects::of(&space))
}

/// Holds nothing back any more
#[utoipa::path(delete, path = "/_ecsim/chaos/effects", operation_id = "clear_effects", params(InNamespace), responses((status = 200, body = Effects)))]
pub(in crate::control) async fn clear(Scope(space): Scope) -> Json<Effects> {
    space.chaos.set_latency(None);
    Effects::of(&space)
}

const EXAMPLE: &str = r#"{"latency":50}, {"latency":{"type":"uniform","lower":20,"upper":80}} or {"latency":{"type":"lognormal","median":50,"sigma":0.3}}"#;

fn latency(text: &str) -> Result<Option<Latency>, Vec<Mistake>> {
    let body = read::json(text)?;
    let mut mistakes = Mistakes::default();
    // The rest is what GET answers.
    let known = ["latency", "schema", "namespace"];
    let mut latency = None;
    if let Some(mut members) = Members::of(&body, &Place::Root, &known, &mut mistakes) {
        let longest = millis(LONGEST_DELAY) as f64;
        latency = match members.get("latency") {
            Some(Value::Object(_)) => {
                let known = ["type", "lower", "upper", "median", "sigma"];
                members.object("latency", &known, |members| distribution(members, longest))
            }
            Some(_) => members.number("latency", 0.0..=longest).filter(|millis| *millis > 0.0).map(Latency::Fixed),
            None => None,
        };
    }
    mistakes.or(latency)
}

/// The most of `sigma`: draws are cut at the longest delay long before.
const MOST_SIGMA: f64 = 10.0;

fn distribution(members: &mut Members<'_>, longest: f64) -> Option<Latency> {
    let kind = members.read("type", "uniform or lognormal", |kind| {
        kind.as_str().filter(|kind| matches!(*kind, "uniform" | "lognormal"))
    });
    let needed: [(&str, f64); 2] = match kind {
        Some("uniform") => [("lower", longest), ("upper", longest)],
        Some(_) => [("median", longest), ("sigma", MOST_SIGMA)],
        None => {
            if members.get("type").is_none() {
                members.wrong("type", "is needed: uniform or lognormal");
            }
            return None;
        }
    };
    let [first, second] = needed.map(|(name, most)| {
        if members.get(name).is_none() {
            members.wrong(name, "is needed");
        }
        members.number(name, 0.0..=most)
    });
    for name in ["lower", "upper", "median", "sigma"] {
        if members.get(name).is_some() && !needed.iter().any(|(needed, _)| *needed == name) {
            members.wrong(name, format!("is nothing of {}", kind.unwrap_or_default()));
        }
    }
    let (first, second) = (first?, second?);
    if kind == Some("lognormal") {
        return Some(Latency::Lognormal { median: first, sigma: second });
    }
    if second < first {
        members.wrong("upper", "must not be below lower");
    }
    Some(Latency::Uniform { lower: first, upper: second })
}
