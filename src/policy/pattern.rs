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
        let Some(rest) = self.first.after_start(text) else { return false };
        let Some((middle, last)) = &self.starred else { return rest.is_empty() };
        // Both ends first: most patterns that do not fit differ there.
        let Some(rest) = last.before_end(rest) else { return false };
        middle.iter().try_fold(rest, |rest, piece| piece.after_leftmost(rest)).is_some()
    }
}

/// A part of a pattern that has no `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: Box<str>,
    /// Whether there is a `?`.
    marked: bool,
    case: Case,
}

impl Piece {
    /// What follows the piece at the start of the text.
    fn after_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        if !self.marked {
            let (start, rest) = text.split_at_checked(self.text.len())?;
            return self.equals(start.as_bytes(), self.text.as_bytes()).then_some(rest);
        }
        let mut rest = text.chars();
        let folds = self.case == Case::Ignored;
        for wanted in self.text.chars() {
            let found = rest.next()?;
            if wanted != '?' && wanted != found && !(folds && wanted.eq_ignore_ascii_case(&found)) {
                return None;
            }
        }
        Some(rest.as_str())
    }

    /// What precedes the piece at the end of the text.
    fn before_end<'t>(&self, text: &'t str) -> Option<&'t str> {
        if self.text.is_empty() {
            return Some(text);
        }
        let at = if self.marked {
            text.char_indices().rev().nth(self.text.chars().count() - 1)?.0
        } else {
            text.len().checked_sub(self.text.len())?
        };
        let (rest, end) = text.split_at_checked(at)?;
        self.after_start(end).map(|_| rest)
    }

    /// What follows the first place where the piece fits.
    fn after_leftmost<'t>(&self, text: &'t str) -> Option<&'t str> {
        if self.marked {
            let first = self.text.chars().next()?;
            let mut starts = text.char_indices().filter(|(_, found)| first == '?' || first.eq_ignore_ascii_case(found));
            return starts.find_map(|(at, _)| self.after_start(&text[at..]));
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
            at += text.as_bytes().get(at..=last_start)?.iter().position(|byte| starts.contains(byte))?;
            let end = at + self.text.len();
            if self.equals(&text.as_bytes()[at + 1..end], others) {
                return Some(&text[end..]);
            }
            at += 1;
        }
    }

    fn equals(&self, found: &[u8], wanted: &[u8]) -> bool {
        match self.case {
            Case::Kept => found == wanted,
            Case::Ignored => found.eq_ignore_ascii_case(wanted),
        }
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
