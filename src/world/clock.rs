//! Time: the only place that reads the system's clock.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::sync::{Mutex, RwLock};

/// The two times that the emulator knows (decision 23).
pub trait Clock: Send + Sync + fmt::Debug {
    /// The world's time: expiry, policies and transitions follow it.
    fn now(&self) -> Timestamp;

    /// The machine's time: nonces age by it, and a client that signs by it is always in time.
    fn wall(&self) -> Timestamp {
        wall()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one reading of the system's clock")]
fn wall() -> Timestamp {
    Timestamp::now()
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall()
    }
}

/// A clock that stands still until a test moves it. Wall time stands still with it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock();
        *now = now.saturating_add(by).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

/// How the world's time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As the machine's.
    Real,
    /// That far ahead of the machine's, or behind.
    Offset(SignedDuration),
    /// Not at all.
    Frozen(Timestamp),
}

impl Pace {
    /// The world's time when it is `real` at pace `Real`.
    pub fn at(self, real: Timestamp) -> Timestamp {
        match self {
            Self::Real => real,
            Self::Offset(by) => {
                let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
                real.checked_add(by).unwrap_or(end)
            }
            Self::Frozen(at) => at,
        }
    }
}

/// The clock of a space: the machine's, moved or stopped.
#[derive(Debug)]
pub struct SpaceClock {
    machine: Arc<dyn Clock>,
    pace: RwLock<Pace>,
}

impl SpaceClock {
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, pace: RwLock::new(Pace::Real) }
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.at(self.real())
    }

    /// The world's time when it is `real` at pace `Real`.
    pub fn at(&self, real: Timestamp) -> Timestamp {
        self.pace().at(real)
    }

    /// What the world's time is at pace `Real`.
    pub fn real(&self) -> Timestamp {
        self.machine.now()
    }

    /// The machine's time: nonces age by it, and a client that signs by it is always in time.
    pub fn wall(&self) -> Timestamp {
        self.machine.wall()
    }

    pub fn pace(&self) -> Pace {
        *self.pace.read()
    }

    pub fn set(&self, pace: Pace) {
        *self.pace.write() = pace;
    }
}

/// Reads exactly `YYYY-MM-DDThh:mm:ssZ`: no fraction, no offset, no leap second, no short form
/// (protocol.md 3.1; fractions refused: inferred).
pub fn parse_utc(text: &str) -> Option<Timestamp> {
    const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";
    let same_form = text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(b, &form)| match form {
            b'0' => b.is_ascii_digit(),
            _ => b == form,
        });
    if !same_form {
        return None;
    }
    let number = |digits: Range<usize>| text.as_bytes()[digits].iter().fold(0, |n, d| n * 10 + i16::from(d - b'0'));
    let pair = |at: usize| number(at..at + 2) as i8;
    let time = DateTime::new(number(0..4), pair(5), pair(8), pair(11), pair(14), pair(17), 0).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// `YYYY-MM-DDThh:mm:ssZ`, the form of RAM and STS dates.
pub fn utc_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `YYYY-MM-DDThh:mmZ`, the form in which ECS prints instance times (ecs-supporting.md 4).
pub fn utc_minutes(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_of_a_time_is_read() {
        for good in ["2026-11-24T02:07:22Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z"] {
            let at = parse_utc(good).unwrap_or_else(|| panic!("{good} is well formed"));
            assert_eq!(utc_seconds(at), good);
        }
        for bad in [
            "",
            "2026-11-24T02:07:22.000Z",
            "2026-11-24T02:07:22+00:00",
            "2026-11-24 02:07:22Z",
            "2026-11-24t02:07:22z",
            "2026-1-2T3:4:5Z",
            "2026-02-30T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T23:59:60Z",
            "2026-11-24T02:07Z",
            "２026-11-24T02:07:2",
        ] {
            assert_eq!(parse_utc(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_time_of_that_form_is_the_one_that_the_library_reads(text in "[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z") {
            proptest::prop_assert_eq!(parse_utc(&text), text.parse().ok());
        }
    }
}
