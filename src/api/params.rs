//! The decoded parameters of one call.
//!
//! What the real service does with repeats, gaps and empty values is decided here, once.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use memchr::{memchr, memchr2};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::Value;

use super::error::{ApiError, Code};

/// A name or value: borrowed from the request where nothing had to be decoded.
pub type Text<'a> = Cow<'a, str>;

/// Decodes form-encoded text (`+` is a space, `%XX` in either case, UTF-8) into pairs in their order.
///
/// A piece without `=` has an empty value; empty pieces are skipped (protocol.md 1.3, inferred).
///
/// Our own, because the signature depends on these bytes: form libraries put U+FFFD in place of what is
/// not UTF-8 and leave a bad escape as it is, without a word.
///
/// # Errors
/// `RequestParameterMalformed` for a `%` without two hex digits, for bytes that are not UTF-8, and for
/// escapes that do not make UTF-8 within their name or value (that bytes as they come are looked at by
/// themselves: inferred).
pub fn decode(text: &[u8]) -> Result<Vec<(Text<'_>, Text<'_>)>, ApiError> {
    let text = std::str::from_utf8(text).map_err(|_| Code::MalformedEncoding)?;
    let mut pairs = Vec::with_capacity(USUAL_PAIRS);
    let mut rest = Some(text);
    while let Some(text) = rest {
        let piece;
        (piece, rest) = split_at_byte(text, b'&');
        if !piece.is_empty() {
            let (name, value) = split_at_byte(piece, b'=');
            pairs.push((decode_text(name)?, decode_text(value.unwrap_or_default())?));
        }
    }
    Ok(pairs)
}

/// What is before the first such ASCII byte, and what is behind it if there is one.
fn split_at_byte(text: &str, byte: u8) -> (&str, Option<&str>) {
    match memchr(byte, text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// The pairs of a text that are well encoded, when some are not.
pub fn decode_good(text: &[u8]) -> Vec<(Text<'_>, Text<'_>)> {
    text.split(|&b| b == b'&').filter_map(|piece| decode(piece).ok()).flatten().collect()
}

/// Room for the pairs of most calls.
const USUAL_PAIRS: usize = 16;

fn decode_text(coded: &str) -> Result<Text<'_>, Code> {
    let mut rest = coded.as_bytes();
    let Some(mut at) = memchr2(b'%', b'+', rest) else { return Ok(Cow::Borrowed(coded)) };
    let mut bytes = Vec::with_capacity(coded.len());
    loop {
        bytes.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        // One escape often follows another.
        loop {
            rest = match *rest {
                [b'+', ref rest @ ..] => {
                    bytes.push(b' ');
                    rest
                }
                [b'%', high, low, ref rest @ ..] => {
                    let (high, low) = hex_digit(high).zip(hex_digit(low)).ok_or(Code::MalformedEncoding)?;
                    bytes.push(high << 4 | low);
                    rest
                }
                [b'%', ..] => return Err(Code::MalformedEncoding),
                _ => break,
            };
        }
        at = match memchr2(b'%', b'+', rest) {
            Some(at) => at,
            None => break bytes.extend_from_slice(rest),
        };
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Code::MalformedEncoding)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The parameters of one call, one value a name, sorted by the bytes of the name.
///
/// A name that repeats keeps its last value, and the body's wins over the query's, which is the
/// one that clients sign (protocol.md 1.1; within a query: inferred). Names are case-sensitive.
#[derive(Clone, Debug, Default)]
pub struct Params<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'a> Params<'a> {
    /// Merges pairs that stand in the order query, body.
    pub fn new(mut pairs: Vec<(Text<'a>, Text<'a>)>) -> Self {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        // Of equal names the last one stays: the sort kept their order.
        pairs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                std::mem::swap(next, kept);
            }
            same
        });
        Self(pairs)
    }

    /// The value as it came, empty or not.
    pub fn get(&self, name: &str) -> Option<&str> {
        // Of a dozen names most differ in length already: a search by order would read more of them.
        self.0.iter().find(|pair| pair.0 == name).map(|pair| &*pair.1)
    }

    /// The value unless it is absent or empty: clients send empty strings for what they leave out
    /// (clients.md 1.1).
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// # Errors
    /// `MissingParameter` if it is absent or empty (ecs-instance-ram-role.md 5.3, 5.7).
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.optional(name).ok_or_else(|| Code::MissingParameter.about(name))
    }

    /// A whole number, `default` if absent.
    ///
    /// # Errors
    /// `InvalidParameter` if it is no number or outside `bounds`.
    pub fn integer(&self, name: &str, bounds: RangeInclusive<u32>, default: u32) -> Result<u32, ApiError> {
        match self.optional(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| Code::InvalidParameter.about(name)),
        }
    }

    /// A boolean in any case, as Python clients write `True` (clients.md 1.1); `false` if absent.
    ///
    /// # Errors
    /// `InvalidParameter` for anything else.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.optional(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(Code::InvalidParameter.about(name)),
        }
    }

    /// A JSON array of non-empty strings in one parameter, repeats removed; `None` if absent.
    ///
    /// # Errors
    /// [`Malformed`] if it is anything else, or has a number of members (counted before repeats
    /// are removed) outside `bounds`. Which code that is depends on the action.
    pub fn json_list<T: Member>(&self, name: &str, bounds: RangeInclusive<usize>) -> Option<Result<Vec<T>, Malformed>> {
        let text = self.optional(name)?;
        Some(strings(text).filter(|list| bounds.contains(&list.len())).map(distinct).ok_or(Malformed))
    }

    /// The rows of a repeated parameter by rising number: `Tag.2.Key=b&Tag.1.Key=a` are two rows
    /// of one field each, `InstanceId.1=i` is a row whose field is the empty name.
    ///
    /// Gaps in the numbers are skipped over (inferred).
    ///
    /// # Errors
    /// `InvalidParameter` with the pair's name if its number is zero, a word or above 2³²-1.
    pub fn rows<'p>(&'p self, name: &str) -> Result<Vec<Vec<(&'p str, &'p str)>>, ApiError> {
        let mut rows: Vec<(u32, Vec<(&str, &str)>)> = Vec::new();
        let start = self.0.partition_point(|pair| &*pair.0 < name);
        let family = self.0[start..].iter().take_while(|pair| pair.0.starts_with(name));
        for (full, value) in family {
            let Some(rest) = full[name.len()..].strip_prefix('.') else { continue };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let number: u32 = number
                .parse()
                .ok()
                .filter(|number| digits && *number > 0)
                .ok_or_else(|| Code::InvalidParameter.about(full))?;
            match rows.iter_mut().find(|row| row.0 == number) {
                Some(row) => row.1.push((field, value)),
                None => rows.push((number, vec![(field, value)])),
            }
        }
        rows.sort_by_key(|row| row.0);
        Ok(rows.into_iter().map(|row| row.1).collect())
    }

    /// All pairs, sorted by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The value is not a list of the asked form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What the strings of a list are read as; they are compared as text is.
pub trait Member: for<'a> From<&'a str> + Ord {}

impl<T: for<'a> From<&'a str> + Ord> Member for T {}

/// The strings of a JSON array. Single quotes are taken for double ones where the text has no
/// double ones, since the vendor tells callers to write so (ecs-instance-ram-role.md 5.3, inferred).
fn strings<T: Member>(text: &str) -> Option<Vec<T>> {
    let list: Vec<NonEmpty<T>> = match serde_json::from_str(text) {
        Ok(list) => list,
        Err(_) if text.contains('\'') && !text.contains('"') => serde_json::from_str(&text.replace('\'', "\"")).ok()?,
        Err(_) => return None,
    };
    Some(list.into_iter().map(|NonEmpty(member)| member).collect())
}

/// A string that is not empty, read without a copy between.
struct NonEmpty<T>(T);

impl<'de, T: Member> Deserialize<'de> for NonEmpty<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<T: Member> Visitor<'_> for Read<T> {
            type Value = NonEmpty<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text that is not empty")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<NonEmpty<T>, E> {
                if text.is_empty() { Err(E::invalid_length(0, &self)) } else { Ok(NonEmpty(text.into())) }
            }
        }
        deserializer.deserialize_str(Read(PhantomData))
    }
}

/// Keeps the first of equal members, in their order.
fn distinct<T: Ord>(list: Vec<T>) -> Vec<T> {
    // As most callers have them.
    if list.is_sorted_by(|a, b| a < b) {
        return list;
    }
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|&a, &b| match list[a].cmp(&list[b]) {
        Ordering::Equal => a.cmp(&b),
        other => other,
    });
    let mut repeated = vec![false; list.len()];
    for pair in order.windows(2) {
        repeated[pair[1]] = list[pair[0]] == list[pair[1]];
    }
    list.into_iter().zip(repeated).filter_map(|(member, again)| (!again).then_some(member)).collect()
}

/// The top-level members of a JSON body as pairs: a string stays as it is, anything else becomes
/// its compact JSON text (protocol.md 1.2; the second part inferred).
///
/// # Errors
/// `RequestParameterMalformed` if it is no JSON object.
pub fn decode_json(text: &[u8]) -> Result<Vec<(Text<'static>, Text<'static>)>, ApiError> {
    let Ok(Value::Object(members)) = serde_json::from_slice(text) else {
        return Err(Code::MalformedEncoding.into());
    };
    let value = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(members.into_iter().map(|(name, v)| (Cow::Owned(name), Cow::Owned(value(v)))).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(query: &str) -> Params<'_> {
        Params::new(decode(query.as_bytes()).expect("well encoded"))
    }

    #[test]
    fn decoding_follows_forms() {
        let pairs = |query| decode(query).map(|p| p.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>());
        assert_eq!(
            pairs(b"a=1+2&b=%e5%8C%97&&c&=x&d=a=b").expect("well encoded"),
            ["a=1 2", "b=北", "c=", "=x", "d=a=b"]
        );
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%FF", b"a=\xFF", b"%E5%8C=1", b"a=%C3&b=%28"] {
            assert_eq!(pairs(bad), Err(Code::MalformedEncoding.into()), "{bad:?}");
        }
    }

    #[test]
    fn of_equal_names_the_last_value_counts() {
        let p = params("a=1&b=2&a=3&a=");
        assert_eq!((p.get("a"), p.get("b"), p.len()), (Some(""), Some("2"), 2));
        assert_eq!(p.optional("a"), None);
        assert_eq!(p.get("A"), None, "names are case-sensitive");
    }

    #[test]
    fn a_json_list_is_an_array_of_strings() {
        let list = |value: &str| {
            let p = Params::new(vec![("L".into(), value.to_owned().into())]);
            p.json_list::<String>("L", 1..=3)
        };
        assert_eq!(list(""), None);
        assert_eq!(list(r#"["a", "b"]"#), Some(Ok(vec!["a".into(), "b".into()])));
        assert_eq!(list("['a','b']"), Some(Ok(vec!["a".into(), "b".into()])));
        assert_eq!(list(r#"["b","a","b"]"#), Some(Ok(vec!["b".into(), "a".into()])));
        assert_eq!(list(r#"["\u5317"]"#), Some(Ok(vec!["北".into()])));
        for bad in ["i-a", "[i-a]", "\"a\"", "{}", "null", "1", "[]", "[1]", "[null]", "[\"\"]", "[\"a\",]", "['a\"]"] {
            assert_eq!(list(bad), Some(Err(Malformed)), "{bad}");
        }
        assert_eq!(list(r#"["a","a","a","a"]"#), Some(Err(Malformed)), "counted before repeats are removed");
    }

    #[test]
    fn rows_go_by_rising_number() {
        let p = params("Tag.10.Key=j&Tag.2.Key=b&Tag.1.Value=v&Tag.1.Key=a&Tags.1.Key=x&TagKey=y&Tag=z");
        let rows = p.rows("Tag").expect("rows");
        assert_eq!(rows, [vec![("Key", "a"), ("Value", "v")], vec![("Key", "b")], vec![("Key", "j")]]);
        assert_eq!(
            params("InstanceId.2=b&InstanceId.1=a").rows("InstanceId").expect("rows"),
            [[("", "a")], [("", "b")]]
        );
        for bad in ["Tag.0.Key=a", "Tag.x.Key=a", "Tag.+1.Key=a", "Tag..Key=a", "Tag.99999999999.Key=a"] {
            assert!(params(bad).rows("Tag").is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_and_booleans_have_bounds() {
        let p = params("a=5&b=51&c=-1&d=x&e=&t=True&f=FALSE&n=1");
        assert_eq!(p.integer("a", 1..=50, 10), Ok(5));
        assert_eq!(p.integer("e", 1..=50, 10), Ok(10));
        for bad in ["b", "c", "d"] {
            assert_eq!(p.integer(bad, 1..=50, 10), Err(Code::InvalidParameter.about(bad)));
        }
        assert_eq!((p.flag("t"), p.flag("f"), p.flag("e")), (Ok(true), Ok(false), Ok(false)));
        assert_eq!(p.flag("n"), Err(Code::InvalidParameter.about("n")));
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(pairs in proptest::collection::vec((".{1,8}", ".{0,8}"), 0..8)) {
            let text = serde_urlencoded::to_string(&pairs).expect("encodes");
            let back = decode(text.as_bytes()).expect("decodes");
            let back: Vec<_> = back.into_iter().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
            prop_assert_eq!(back, pairs);
        }

        #[test]
        fn where_it_decodes_a_library_does_the_same(text in "([a%+&=]|%[0-9a-f]{2}|[%=&]?北){0,24}") {
            if let Ok(pairs) = decode(text.as_bytes()) {
                let library: Vec<(String, String)> = serde_urlencoded::from_str(&text).expect("decodes");
                let ours: Vec<_> = pairs.into_iter().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
                prop_assert_eq!(ours, library);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(pairs) = decode(&text) {
                let params = Params::new(pairs);
                let _ = params.rows("");
                let _ = params.json_list::<String>("", 1..=100);
                prop_assert!(params.0.is_sorted_by(|a, b| a.0 < b.0));
            }
            let _ = decode_json(&text);
        }

        #[test]
        fn a_map_agrees_on_the_last_value(pairs in proptest::collection::vec(("[ab.1]{0,3}", "[xy]{0,2}"), 0..12)) {
            let map: std::collections::BTreeMap<_, _> = pairs.iter().cloned().collect();
            let params = Params::new(pairs.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into())).collect());
            let got: Vec<_> = params.pairs().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(got, map.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn repeats_are_removed_and_nothing_else(list in proptest::collection::vec("[abc]{1,2}", 1..20)) {
            let mut first: Vec<String> = Vec::new();
            for member in &list {
                if !first.contains(member) {
                    first.push(member.clone());
                }
            }
            let got = distinct(list.iter().map(|m| Cow::Borrowed(m.as_str())).collect());
            prop_assert_eq!(got, first);
        }
    }
}
