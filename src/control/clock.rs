//! `/_ecsim/clock`: what time it is in the world, and moving it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, FromBody};
use super::scope::{InNamespace, Scope, Target};
use super::{Control, Refusal, RefusalCode};
use crate::world::{Pace, Space, SpaceClock, parse_utc, utc_seconds};

/// What a body says; what it leaves out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeChange {
    mode: Option<Mode>,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    now: Option<String>,
    /// Such as `57m` or `6h30m`, added to `now` or to the time that it is.
    advance: Option<String>,
}

impl FromBody for TimeChange {
    const CODE: RefusalCode = RefusalCode::InvalidClock;
    const HINT: &'static str = HINT;
}

/// How the world's time goes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// As the machine's
    Real,
    /// Not at all
    Frozen,
    /// As the machine's, from another time
    Offset,
}

impl Mode {
    pub(super) fn of(clock: &SpaceClock) -> Self {
        match clock.pace() {
            Pace::Real => Self::Real,
            Pace::Offset(_) => Self::Offset,
            Pace::Frozen(_) => Self::Frozen,
        }
    }
}

/// What time it is in the world
#[utoipa::path(get, path = "/_ecsim/clock", operation_id = "show_clock", params(InNamespace), responses((status = 200, body = Time)))]
pub(super) async fn show(Scope(space): Scope) -> Json<Time> {
    Json(Time::of(&space))
}

/// Moves the world's time
///
/// When it is answered, all that is due by then has happened.
#[utoipa::path(method(put, post), path = "/_ecsim/clock", operation_id = "move_clock", params(InNamespace), request_body = TimeChange,
               responses((status = 200, body = Time)))]
pub(super) async fn change(
    State(control): State<Arc<Control>>,
    Target(name): Target,
    Body(change): Body<TimeChange>,
) -> Result<Json<Time>, Refusal> {
    let refuse = |reason| Refusal::new(RefusalCode::InvalidClock, reason, HINT);
    let moved = |space: &Space| space.move_clock(|clock| change.pace(clock)).map_err(refuse);
    let (space, ()) = control.spaces.change(&name, moved)?;
    Ok(Json(Time::of(&space)))
}

const HINT: &str =
    r#"a body is such as {"advance":"57m"}, {"mode":"frozen","now":"2026-01-05T08:00:00Z"} or {"mode":"real"}"#;

impl TimeChange {
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

/// The time of a world.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Time {
    /// The version of this form.
    schema: u32,
    mode: Mode,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    now: String,
    /// By how much it is ahead of the machine's, which may be negative.
    ahead_seconds: i64,
}

impl Time {
    fn of(space: &Space) -> Self {
        let clock = &space.clock;
        let real = clock.real();
        let now = clock.at(real);
        let ahead_seconds = now.duration_since(real).as_secs();
        Self { schema: 1, mode: Mode::of(clock), now: utc_seconds(now), ahead_seconds }
    }
}
