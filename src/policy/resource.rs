//! Resources, and the patterns that policies name them by.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::pattern::{Case, Pattern};

const RAM: &str = "acs:ram:";

/// How many parts an ARN has: `acs:<ram-code>:<region>:<account>:<relative-id>`.
const PARTS: usize = 5;

/// Where the region stands among them.
const REGION: usize = 2;

/// Where each part of an ARN begins and ends.
type Parts = [(usize, usize); PARTS];

/// A tag's key and value.
pub type Tag = (Box<str>, Box<str>);

/// One resource, under each ARN that a policy may know it by, and its tags.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    arn: Cow<'a, str>,
    /// Told apart when a pattern asks for it: `*` does not.
    parts: OnceCell<Option<Parts>>,
    pub(super) tags: &'a [Tag],
}

impl<'a> Resource<'a> {
    pub fn new(arn: impl Into<Cow<'a, str>>) -> Self {
        Self { arn: arn.into(), parts: OnceCell::new(), tags: &[] }
    }

    /// The same with tags, which conditions can ask for.
    #[must_use]
    pub fn with_tags(self, tags: &'a [Tag]) -> Self {
        Self { tags, ..self }
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// If there are as many as an ARN has.
    fn parts(&self) -> Option<&Parts> {
        self.parts.get_or_init(|| parts(&self.arn)).as_ref()
    }

    /// What follows the region of a RAM ARN that names one, with the colon before it.
    ///
    /// RAM belongs to no region: policies leave that part of its ARNs empty or write `*`, some pages
    /// name the region of the call. All of them fit (ram.md 7, inferred).
    fn after_region(&self) -> Option<&str> {
        let region_and_after = self.arn.strip_prefix(RAM)?;
        region_and_after.find(':').filter(|length| *length > 0).map(|length| &region_and_after[length..])
    }
}

fn parts(arn: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    let (mut count, mut start) = (0, 0);
    for (at, _) in arn.bytes().enumerate().filter(|(_, byte)| *byte == b':') {
        *parts.get_mut(count)? = (start, at);
        (count, start) = (count + 1, at + 1);
    }
    *parts.get_mut(count)? = (start, arn.len());
    (count + 1 == PARTS).then_some(parts)
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
        let arn = resource.arn();
        let after_region = || if self.spells_region { resource.after_region() } else { None };
        let Some((patterns, parts)) = self.parts.as_ref().and_then(|own| Some((own, resource.parts()?))) else {
            let without_region = |rest: &str| [RAM, rest].concat();
            return self.whole.matches(arn)
                || after_region().is_some_and(|rest| self.whole.matches(&without_region(rest)));
        };
        let fits = |parts: &Parts| {
            let part = |place: usize| &arn[parts[place].0..parts[place].1];
            patterns.iter().all(|(place, pattern)| pattern.matches(part(*place)))
        };
        fits(parts)
            || after_region().is_some() && {
                let mut parts = *parts;
                parts[REGION] = (0, 0);
                fits(&parts)
            }
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
