//! Texts with wildcards, compiled once.

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
    first: Piece,
    /// What follows the first `*`, if there is one: what stands between stars, and after the last.
    starred: Option<(Box<[Piece]>, Piece)>,
}

impl Pattern {
    pub(super) fn new(text: &str, case: Case) -> Self {
        let piece = |text: &str| Piece { text: text.into(), marked: text.contains('?'), case };
        let mut split = text.split('*');
        let first = piece(split.next().unwrap_or_default());
        let starred = split.next_back().map(|last| {
            let middle = split.filter(|text| !text.is_empty()).map(piece).collect();
            (middle, piece(last))
        });
        Self { first, starred }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(rest) = self.first.after_start(text.as_bytes()) else { return false };
        let Some((middle, last)) = &self.starred else { return rest.is_empty() };
        // Both ends first: most patterns that do not fit differ there.
        let Some(rest) = last.before_end(rest) else { return false };
        middle.iter().try_fold(rest, |rest, piece| piece.after_leftmost(rest)).is_some()
    }
}

/// A part of a pattern that has no `*`. It is looked for in the bytes of a text: both are UTF-8, so that where one fits
/// the other, characters begin and end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: Box<str>,
    /// Whether there is a `?`.
    marked: bool,
    case: Case,
}

impl Piece {
    /// What follows the piece at the start of the text.
    fn after_start<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        if !self.marked {
            let (start, rest) = text.split_at_checked(self.text.len())?;
            return self.equals(start, self.text.as_bytes()).then_some(rest);
        }
        let mut rest = text;
        for wanted in self.text.bytes() {
            let (found, others) = rest.split_first()?;
            rest = match wanted {
                b'?' => &others[others.iter().take_while(|byte| !begins(**byte)).count()..],
                _ if self.equals(&[*found], &[wanted]) => others,
                _ => return None,
            };
        }
        Some(rest)
    }

    /// What precedes the piece at the end of the text.
    fn before_end<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let at = if self.marked {
            let mut starts = (0..text.len()).rev().filter(|at| begins(text[*at]));
            starts.nth(self.text.chars().count() - 1)?
        } else {
            text.len().checked_sub(self.text.len())?
        };
        let (rest, end) = text.split_at(at);
        self.after_start(end).map(|_| rest)
    }

    /// What follows the first place where the piece fits.
    fn after_leftmost<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        if self.marked {
            let mut starts = (0..text.len()).filter(|at| begins(text[*at]));
            return starts.find_map(|at| self.after_start(&text[at..]));
        }
        // Names and ARNs are short: a plain search beats one that prepares itself.
        let (first, others) = self.text.as_bytes().split_first()?;
        let starts = match self.case {
            Case::Kept => [*first; 2],
            Case::Ignored => [first.to_ascii_lowercase(), first.to_ascii_uppercase()],
        };
        let last_start = text.len().checked_sub(self.text.len())?;
        let mut at = 0;
        loop {
            at += text.get(at..=last_start)?.iter().position(|byte| starts.contains(byte))?;
            let end = at + self.text.len();
            if self.equals(&text[at + 1..end], others) {
                return Some(&text[end..]);
            }
            at += 1;
        }
    }

    fn equals(&self, found: &[u8], wanted: &[u8]) -> bool {
        match self.case {
            Case::Kept => found == wanted,
            Case::Ignored => equals_in_any_case(found, wanted),
        }
    }
}

/// `eq_ignore_ascii_case`, faster where both are spelled alike or differ at once, as nearly all do here.
fn equals_in_any_case(found: &[u8], wanted: &[u8]) -> bool {
    // What else can tell two bytes apart than the bit that tells the cases apart.
    const NOT_CASE: u64 = u64::from_ne_bytes([!0x20; 8]);
    let start = |text: &[u8]| text.first_chunk().map(|start| u64::from_ne_bytes(*start) & NOT_CASE);
    found == wanted || start(found) == start(wanted) && found.eq_ignore_ascii_case(wanted)
}

/// Whether a character of a text begins with the byte.
fn begins(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
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
        assert!(!pattern.matches(&"a".repeat(3999)));
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
