//! Texts with wildcards, compiled once.

use serde::Serialize;
use serde::ser::Serializer;

/// Whether letters of the other case match too. Only ASCII letters have two cases here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Ignored,
}

/// A text in which `*` is any run of characters, also none, and `?` exactly one (ram.md 5,
/// documented). Both match every character, `:` and `/` too (inferred).
///
/// A match takes at most the length of the pattern times that of the text; there is no going back
/// over an earlier `*`, because the leftmost fit of a piece leaves most room for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: Box<str>,
    case: Case,
    /// Whether there is a `?`.
    marked: bool,
    pieces: Option<Pieces>,
}

/// What stands between the stars of a pattern that has some.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pieces {
    first: Box<str>,
    middle: Box<[Box<str>]>,
    last: Box<str>,
}

impl Pattern {
    pub(super) fn new(text: &str, case: Case) -> Self {
        let mut split = text.split('*');
        let first = split.next().unwrap_or_default();
        let pieces = split.next_back().map(|last| Pieces {
            first: first.into(),
            middle: split.filter(|piece| !piece.is_empty()).map(Into::into).collect(),
            last: last.into(),
        });
        Self { text: text.into(), case, marked: text.contains('?'), pieces }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(Pieces { first, middle, last }) = &self.pieces else {
            return self.after_start(&self.text, text).is_some_and(str::is_empty);
        };
        // Both ends first: most patterns that do not fit differ there.
        let Some(rest) = self.after_start(first, text) else { return false };
        let Some(rest) = self.before_end(last, rest) else { return false };
        middle.iter().try_fold(rest, |rest, piece| self.after_leftmost(piece, rest)).is_some()
    }

    /// What follows the piece at the start of the text.
    fn after_start<'t>(&self, piece: &str, text: &'t str) -> Option<&'t str> {
        match (self.marked, self.case) {
            (false, Case::Kept) => text.strip_prefix(piece),
            (false, Case::Ignored) => {
                let (start, rest) = text.split_at_checked(piece.len())?;
                start.eq_ignore_ascii_case(piece).then_some(rest)
            }
            (true, _) => {
                let mut rest = text.chars();
                for wanted in piece.chars() {
                    let found = rest.next()?;
                    if wanted != '?' && wanted != found && !(self.folds() && wanted.eq_ignore_ascii_case(&found)) {
                        return None;
                    }
                }
                Some(rest.as_str())
            }
        }
    }

    /// What precedes the piece at the end of the text.
    fn before_end<'t>(&self, piece: &str, text: &'t str) -> Option<&'t str> {
        if piece.is_empty() {
            return Some(text);
        }
        let at = if self.marked {
            text.char_indices().rev().nth(piece.chars().count() - 1)?.0
        } else {
            text.len().checked_sub(piece.len())?
        };
        let (rest, end) = text.split_at_checked(at)?;
        self.after_start(piece, end).map(|_| rest)
    }

    /// What follows the first place where the piece fits.
    fn after_leftmost<'t>(&self, piece: &str, text: &'t str) -> Option<&'t str> {
        if self.marked {
            return text.char_indices().find_map(|(at, _)| self.after_start(piece, &text[at..]));
        }
        // Names and ARNs are short: a plain search beats one that prepares itself.
        let (first, others) = piece.as_bytes().split_first()?;
        let last_start = text.len().checked_sub(piece.len())?;
        let fits = |at: &usize| {
            let (start, rest) = (text.as_bytes()[*at], &text.as_bytes()[at + 1..at + piece.len()]);
            if self.folds() {
                start.eq_ignore_ascii_case(first) && rest.eq_ignore_ascii_case(others)
            } else {
                start == *first && rest == others
            }
        };
        (0..=last_start).find(fits).map(|at| &text[at + piece.len()..])
    }

    fn folds(&self) -> bool {
        self.case == Case::Ignored
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The meaning of a pattern, without regard to time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => naive(rest, text) || !text.is_empty() && naive(pattern, &text[1..]),
            ([wanted, pattern @ ..], [found, text @ ..]) => (*wanted == '?' || wanted == found) && naive(pattern, text),
            _ => false,
        }
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn wildcards() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "acs:ecs:*:*:instance/i-1", true),
            ("ecs:Describe*", "ecs:DescribeInstances", true),
            ("ecs:Describe*", "ecs:Describe", true),
            ("ecs:Describe*", "ecs:DetachInstanceRamRole", false),
            ("*:Describe*", "ecs:DescribeInstances", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**c", "ac", true),
            ("a*a", "a", false),
            ("ab*bc", "abc", false),
            ("?", "北", true),
            ("?", "", false),
            ("??", "北", false),
            ("*?", "北", true),
            ("*北?", "x北y", true),
            ("*b", "北b", true),
            ("*??", "北", false),
            ("acs:ecs:*:*:instance/i-?", "acs:ecs:cn-hangzhou:1:instance/i-1", true),
            ("acs:ecs:*:*:instance/i-?", "acs:ecs:cn-hangzhou:1:instance/i-10", false),
            ("acs:ecs:*", "acs:ecs:cn-hangzhou:1:instance/i-1", true),
        ] {
            assert_eq!(Pattern::new(pattern, Case::Kept).matches(text), fits, "{pattern} on {text}");
            assert_eq!(naive(&chars(pattern), &chars(text)), fits, "{pattern} on {text}");
        }
    }

    #[test]
    fn case_is_kept_or_ignored() {
        for (pattern, text) in
            [("ecs:describe*", "ECS:DescribeInstances"), ("E?S:*INSTANCE*", "ecs:DescribeInstances"), ("A", "a")]
        {
            assert!(!Pattern::new(pattern, Case::Kept).matches(text), "{pattern} on {text}");
            assert!(Pattern::new(pattern, Case::Ignored).matches(text), "{pattern} on {text}");
        }
        assert!(!Pattern::new("é", Case::Ignored).matches("É"));
        assert!(!Pattern::new("*ab", Case::Ignored).matches("北b"));
    }

    #[test]
    fn many_stars_on_a_long_text_take_no_time() {
        let pattern = Pattern::new(&"*a?".repeat(2000), Case::Ignored);
        assert!(!pattern.matches(&format!("{}b", "a".repeat(6000))[..3999]));
        assert!(pattern.matches(&"a".repeat(4000)));
    }

    proptest! {
        #[test]
        fn patterns_mean_what_the_naive_matcher_says(pattern in "[ab*?北]{0,7}", text in "[ab北]{0,9}") {
            let expected = naive(&chars(&pattern), &chars(&text));
            prop_assert_eq!(Pattern::new(&pattern, Case::Kept).matches(&text), expected);
            prop_assert_eq!(Pattern::new(&pattern, Case::Ignored).matches(&text), expected);
        }

        #[test]
        fn without_case_patterns_mean_what_the_naive_matcher_says_of_lower_case(
            pattern in "[abAB*?北]{0,7}",
            text in "[abAB北]{0,9}",
        ) {
            let (low_pattern, low_text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
            let expected = naive(&chars(&low_pattern), &chars(&low_text));
            prop_assert_eq!(Pattern::new(&pattern, Case::Ignored).matches(&text), expected);
        }
    }
}
