//! Bodies read member by member, so that all mistakes are told and not only the first.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::policy::Place;
use crate::world::Unique;
use crate::world::seed::Mistake;

/// The mistakes that were found so far.
#[derive(Debug, Default)]
pub(super) struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, at: &Place<'_>, reason: impl Into<String>) {
        self.0.push(Mistake { file: "the body".to_owned(), place: at.to_string(), reason: reason.into() });
    }

    /// # Errors
    /// All mistakes, if there are any.
    pub(super) fn or<T>(self, good: T) -> Result<T, Vec<Mistake>> {
        if self.0.is_empty() { Ok(good) } else { Err(self.0) }
    }
}

/// A body as JSON.
///
/// # Errors
/// Where it stops being that.
pub(super) fn json(text: &str) -> Result<Value, Vec<Mistake>> {
    serde_json::from_str(text).map(|Unique(value)| value).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        vec![Mistake { file: "the body".to_owned(), place, reason: error.to_string() }]
    })
}

/// The members of an object that are still to be read.
pub(super) struct Members<'m> {
    at: &'m Place<'m>,
    members: &'m Map<String, Value>,
    mistakes: &'m mut Mistakes,
}

impl<'m> Members<'m> {
    /// An object of which no member has another name; `None` with a mistake for anything else.
    pub(super) fn of(value: &'m Value, at: &'m Place<'m>, known: &[&str], mistakes: &'m mut Mistakes) -> Option<Self> {
        let Value::Object(members) = value else {
            mistakes.add(at, "must be an object");
            return None;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let known: Vec<_> = known.iter().map(|&name| name.to_owned()).collect();
            mistakes.add(&Place::Member(at, name), none_of("member", name, &known));
        }
        Some(Self { at, members, mistakes })
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'m Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn wrong(&mut self, name: &str, reason: impl Into<String>) {
        self.mistakes.add(&Place::Member(self.at, name), reason);
    }

    /// The members of a member that is an object.
    pub(super) fn object<T>(
        &mut self,
        name: &str,
        known: &[&str],
        read: impl FnOnce(&mut Members<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        let at = Place::Member(self.at, name);
        read(&mut Members::of(value, &at, known, self.mistakes)?)
    }

    /// What `read` makes of a member; `what` is what it must be.
    pub(super) fn read<T>(&mut self, name: &str, what: &str, read: impl FnOnce(&'m Value) -> Option<T>) -> Option<T> {
        let value = self.get(name)?;
        let read = read(value);
        if read.is_none() {
            self.wrong(name, format!("must be {what}"));
        }
        read
    }

    /// A text of 1 to `longest` bytes.
    pub(super) fn text(&mut self, name: &str, longest: usize) -> Option<&'m str> {
        let what = format!("a text of 1 to {longest} bytes");
        self.read(name, &what, |value| value.as_str().filter(|text| (1..=longest).contains(&text.len())))
    }

    /// A text that `check` makes something of, or says what is wrong with it.
    pub(super) fn checked<T>(
        &mut self,
        name: &str,
        longest: usize,
        check: impl FnOnce(&'m str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name, longest)?;
        check(text).map_err(|reason| self.wrong(name, reason)).ok()
    }

    pub(super) fn whole(&mut self, name: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let what = match (*bounds.start(), *bounds.end()) {
            (start, u64::MAX) => format!("a whole number from {start}"),
            (start, end) => format!("a whole number from {start} to {end}"),
        };
        self.read(name, &what, |value| value.as_u64().filter(|number| bounds.contains(number)))
    }

    pub(super) fn number(&mut self, name: &str, bounds: RangeInclusive<f64>) -> Option<f64> {
        let what = format!("a number from {} to {}", bounds.start(), bounds.end());
        self.read(name, &what, |value| value.as_f64().filter(|number| bounds.contains(number)))
    }
}

/// How many bytes a name has at most.
pub(super) const LONGEST_NAME: usize = 128;

/// What to say of a name that is none of those that there are. One that is longer than any is compared with none: that
/// costs the product of the lengths.
pub(super) fn none_of(noun: &str, name: &str, known: &[String]) -> String {
    if name.len() > LONGEST_NAME {
        return format!("there is no {noun} of {} bytes; a name has at most {LONGEST_NAME}", name.len());
    }
    let lower = name.to_lowercase();
    let near = known.iter().map(|one| (strsim::damerau_levenshtein(&one.to_lowercase(), &lower), one));
    // A third of the name.
    let nearest = near.min_by_key(|(distance, _)| *distance).filter(|(distance, one)| *distance <= one.len() / 3);
    match nearest {
        Some((_, nearest)) => format!("there is no {noun} {name:?}; did you mean {nearest}?"),
        None if known.len() > 25 => format!("there is no {noun} {name:?}; `ecsim actions` lists them"),
        None => format!("there is no {noun} {name:?}; there are {}", known.join(", ")),
    }
}
