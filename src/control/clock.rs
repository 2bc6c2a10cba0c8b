//! `/_ecsim/clock`: what time it is in the world, and moving it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Control, error};
use crate::world::{Pace, Space, SpaceClock, parse_utc, utc_seconds};

/// What a body says; what it leaves out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    mode: Option<Mode>,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    now: Option<String>,
    /// Such as `57m` or `6h30m`, added to `now` or to the time that it is.
    advance: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Real,
    Frozen,
    Offset,
}

pub(super) async fn show(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(shown(&control.spaces.default_space()))
}

/// Moves the clock and answers as [`show`]; by then all is done that is due.
pub(super) async fn change(State(control): State<Arc<Control>>, body: Bytes) -> Response {
    let space = control.spaces.default_space();
    let change = serde_json::from_slice::<Change>(&body).map_err(|error| format!("the body: {error}"));
    match change.and_then(|change| space.move_clock(|clock| change.pace(clock))) {
        Ok(()) => Json(shown(&space)).into_response(),
        Err(reason) => error(StatusCode::BAD_REQUEST, "InvalidClock", &reason, HINT),
    }
}

const HINT: &str =
    r#"a body is such as {"advance":"57m"}, {"mode":"frozen","now":"2026-01-05T08:00:00Z"} or {"mode":"real"}"#;

impl Change {
    /// The pace that it makes of the one that is.
    fn pace(&self, clock: &SpaceClock) -> Result<Pace, String> {
        if self.mode.is_none() && self.now.is_none() && self.advance.is_none() {
            return Err("there is neither mode, now nor advance".to_owned());
        }
        let mode = self.mode.unwrap_or(match clock.pace() {
            Pace::Frozen(_) => Mode::Frozen,
            Pace::Real | Pace::Offset(_) => Mode::Offset,
        });
        if matches!(mode, Mode::Real) && (self.now.is_some() || self.advance.is_some()) {
            return Err(
                "the machine's clock cannot be moved: leave out now and advance, or take another mode".to_owned()
            );
        }
        // One look at the machine's clock, which goes on between two.
        let real = clock.real();
        let at = self.target(clock.at(real))?;
        Ok(match mode {
            Mode::Real => Pace::Real,
            Mode::Frozen => Pace::Frozen(at),
            Mode::Offset => Pace::Offset(at.duration_since(real)),
        })
    }

    /// Where the world's clock is to stand that stands at `now`.
    fn target(&self, now: Timestamp) -> Result<Timestamp, String> {
        let now = match &self.now {
            None => now,
            Some(text) => {
                parse_utc(text).ok_or_else(|| format!("now: {text:?} is no time such as 2026-01-05T08:00:00Z"))?
            }
        };
        let Some(text) = &self.advance else { return Ok(now) };
        let by = text.parse::<SignedDuration>().ok().filter(|by| !by.is_negative());
        let by = by.ok_or_else(|| format!("advance: {text:?} is no duration such as 250ms, 5s or 57m"))?;
        now.checked_add(by).map_err(|_| format!("advance: {text} from {} is beyond all time", utc_seconds(now)))
    }
}

fn shown(space: &Space) -> Value {
    let clock = &space.clock;
    let mode = match clock.pace() {
        Pace::Real => "real",
        Pace::Offset(_) => "offset",
        Pace::Frozen(_) => "frozen",
    };
    let real = clock.real();
    let now = clock.at(real);
    json!({ "schema": 1, "mode": mode, "now": utc_seconds(now), "ahead_seconds": now.duration_since(real).as_secs() })
}
