//! Long lists, a page at a time.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::api::action::FromParams;
use crate::api::error::{ApiError, Code};
use crate::api::params::Params;

/// The part of a list that a call asks for: what comes after the last thing of the page before. What is made or
/// deleted in between neither repeats nor hides anything else.
#[derive(Debug)]
pub(super) struct Paging {
    after: Option<String>,
    size: usize,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Opaque to callers; there exactly if there is more (ram.md 4, documented).
    pub(super) marker: Option<String>,
}

/// `Marker` and `MaxItems`: 1 to 1000, 100 if absent (ram.md 3, documented).
impl FromParams for Paging {
    fn from_params(params: &Params<'_>) -> Result<Self, ApiError> {
        Self::read(params, ("Marker", Code::MarkerIncorrect), ("MaxItems", 1000, Code::MaxItemsIncorrect))
    }
}

impl Paging {
    /// The same under other names, each with the code for a wrong value, and with another largest page.
    pub(super) fn read(params: &Params<'_>, marker: (&str, Code), size: (&str, u32, Code)) -> Result<Self, ApiError> {
        let read = |text| String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let after = params.optional(marker.0).map(|text| read(text).ok_or(marker.1)).transpose()?;
        let size = params.integer(size.0, 1..=size.1, 100).map_err(|_| size.2)? as usize;
        Ok(Self { after, size })
    }

    /// Cuts the page out of a list that stands in the order of its keys.
    pub(super) fn cut<T>(&self, list: impl Iterator<Item = T>, key: impl Fn(&T) -> String) -> Page<T> {
        let is_before = |item: &T| self.after.as_ref().is_some_and(|after| key(item) <= *after);
        let mut rest = list.skip_while(is_before);
        let items: Vec<_> = rest.by_ref().take(self.size).collect();
        let more = rest.next().is_some();
        let marker = items.last().filter(|_| more).map(|last| BASE64_URL_SAFE_NO_PAD.encode(key(last)));
        Page { items, marker }
    }
}
