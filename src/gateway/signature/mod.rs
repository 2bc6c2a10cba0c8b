//! Signatures as pure functions of plain values: no request type, no store, no clock.

pub mod acs3;
pub mod rpc_v1;

/// The given signature is not the one that we compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

/// Appends `text` percent-encoded: all but `A-Z a-z 0-9 - _ . ~` becomes `escape` and two upper-case hex
/// digits (protocol.md 4.1). With `%25` as `escape` it is encoded twice: only the `%` of the first round
/// changes in the second.
fn encode_into(out: &mut String, text: &str, escape: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if is_plain(byte) {
            continue;
        }
        // Between the bytes of one character there is nothing to copy, and no place to cut the text.
        if plain_from < at {
            out.push_str(&text[plain_from..at]);
        }
        out.push_str(escape);
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
        plain_from = at + 1;
    }
    out.push_str(&text[plain_from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_of_one_character() {
        for (raw, coded) in [
            (" ", "%20"),
            ("*", "%2A"),
            ("~", "~"),
            ("+", "%2B"),
            ("/", "%2F"),
            ("!'()", "%21%27%28%29"),
            ("-_.", "-_."),
            ("北", "%E5%8C%97"),
            ("\n", "%0A"),
            ("a1Z", "a1Z"),
        ] {
            let mut out = String::new();
            encode_into(&mut out, raw, "%");
            assert_eq!(out, coded, "encoding {raw:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_library_encodes_the_same_and_twice_is_twice(text in ".{0,40}") {
            use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
            const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
            let once = utf8_percent_encode(&text, STRICT).to_string();
            let twice = utf8_percent_encode(&once, STRICT).to_string();
            for (escape, expected) in [("%", once), ("%25", twice)] {
                let mut out = String::new();
                encode_into(&mut out, &text, escape);
                proptest::prop_assert_eq!(out, expected);
            }
        }
    }
}
