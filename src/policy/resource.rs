//! Resources, and the patterns that policies name them by.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::Serializer;

use super::pattern::{Case, Pattern};

const RAM: &str = "acs:ram:";

/// One resource, under each ARN that a policy may know it by.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    arn: Arn<'a>,
    without_region: Option<Arn<'static>>,
}

impl<'a> Resource<'a> {
    /// RAM belongs to no region: policies leave that part of its ARNs empty or write `*`, some pages
    /// name the region of the call. All of them fit (ram.md 7, inferred).
    pub fn new(arn: impl Into<Cow<'a, str>>) -> Self {
        let arn = arn.into();
        let without_region = arn.strip_prefix(RAM).and_then(|rest| {
            let (region, rest) = rest.split_once(':')?;
            (!region.is_empty()).then(|| Arn::new(format!("{RAM}:{rest}").into()))
        });
        Self { arn: Arn::new(arn), without_region }
    }

    pub fn arn(&self) -> &str {
        &self.arn.text
    }
}

/// How many parts an ARN has: `acs:<ram-code>:<region>:<account>:<relative-id>`.
const PARTS: usize = 5;

#[derive(Clone, Debug)]
struct Arn<'a> {
    text: Cow<'a, str>,
    /// Where each part begins and ends, if there are as many as an ARN has.
    parts: Option<[(usize, usize); PARTS]>,
}

impl<'a> Arn<'a> {
    fn new(text: Cow<'a, str>) -> Self {
        let mut at = 0;
        let bounds = text.split(':').map(|part| {
            let start = at;
            at += part.len() + 1;
            (start, start + part.len())
        });
        let parts = bounds.collect::<Vec<_>>().try_into().ok();
        Self { text, parts }
    }
}

/// A pattern of resources; they are compared with case (ram.md 5, inferred).
///
/// A pattern and an ARN with equally many colons can only fit part by part, because each colon of
/// the pattern needs one of the ARN's and none is left for a wildcard. That is most of them, and
/// several times faster than to look for the colons.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResourcePattern {
    whole: Pattern,
    /// The parts other than `*` with their places, the last first as the one that tells most apart.
    parts: Option<Box<[(usize, Pattern)]>>,
    /// Whether it may fit the ARN of a role without its region and not the one with it. A pattern whose
    /// first `*` stands where the region does cannot: whatever follows fits behind a region too.
    spells_region: bool,
}

impl ResourcePattern {
    pub(super) fn new(text: &str) -> Self {
        let parts: Vec<_> = text.split(':').enumerate().collect();
        let parts = (parts.len() == PARTS).then(|| {
            let telling = parts.into_iter().rev().filter(|(_, part)| *part != "*");
            telling.map(|(place, part)| (place, Pattern::new(part, Case::Kept))).collect()
        });
        let spells_region = text.find('*') != Some(RAM.len());
        Self { whole: Pattern::new(text, Case::Kept), parts, spells_region }
    }

    pub(super) fn matches(&self, resource: &Resource<'_>) -> bool {
        let without_region = resource.without_region.as_ref().filter(|_| self.spells_region);
        self.fits(&resource.arn) || without_region.is_some_and(|arn| self.fits(arn))
    }

    fn fits(&self, arn: &Arn<'_>) -> bool {
        match (&self.parts, &arn.parts) {
            (Some(patterns), Some(parts)) => patterns.iter().all(|(place, pattern)| {
                let (start, end) = parts[*place];
                pattern.matches(&arn.text[start..end])
            }),
            _ => self.whole.matches(&arn.text),
        }
    }
}

impl Serialize for ResourcePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.whole.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn part_by_part_is_as_on_the_whole(pattern in "[a:*?北]{0,9}", text in "[a:北]{0,9}") {
            let expected = Pattern::new(&pattern, Case::Kept).matches(&text);
            prop_assert_eq!(ResourcePattern::new(&pattern).matches(&Resource::new(&*text)), expected);
        }

        #[test]
        fn part_by_part_is_as_on_the_whole_with_as_many_parts(
            pattern in "[a*?北]{0,3}(:[a*?北]{0,3}){4}",
            text in "[a北]{0,3}(:[a北]{0,3}){4}",
        ) {
            let expected = Pattern::new(&pattern, Case::Kept).matches(&text);
            prop_assert_eq!(ResourcePattern::new(&pattern).matches(&Resource::new(&*text)), expected);
        }

        #[test]
        fn a_role_fits_as_if_both_its_spellings_were_matched(
            pattern in "(acs:ram:|acs:r\\?m:|a\\*)[:*?1cn-]{0,5}(:1:role/w)?\\*?",
        ) {
            let (with, without) = ("acs:ram:cn:1:role/w", "acs:ram::1:role/w");
            let whole = Pattern::new(&pattern, Case::Kept);
            let expected = whole.matches(with) || whole.matches(without);
            prop_assert_eq!(ResourcePattern::new(&pattern).matches(&Resource::new(with)), expected);
        }
    }
}
