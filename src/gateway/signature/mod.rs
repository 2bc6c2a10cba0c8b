//! Signatures as pure functions of plain values: no request type, no store, no clock.

pub mod acs3;
pub mod rpc_v1;

/// The given signature is not the one that we compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

/// The bytes that stay as they are: `A-Z a-z 0-9 - _ . ~` (protocol.md 4.1).
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b'.' | b'~');
        byte += 1;
    }
    plain
};

/// Appends `text` percent-encoded: a byte that is not plain becomes `escape` and two upper-case hex digits.
/// With `%25` as `escape` it is encoded twice: only the `%` of the first round changes in the second.
fn encode_into<const N: usize>(out: &mut Vec<u8>, text: &str, escape: &[u8; N]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&b| !PLAIN[usize::from(b)]) {
        let byte = rest[at];
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(escape);
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// What has been put together from text and ASCII, as text.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
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
            let mut out = Vec::new();
            encode_into(&mut out, raw, b"%");
            assert_eq!(into_text(out), coded, "encoding {raw:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_library_encodes_the_same_and_twice_is_twice(text in ".{0,40}") {
            use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
            const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
            let once = utf8_percent_encode(&text, STRICT).to_string();
            let twice = utf8_percent_encode(&once, STRICT).to_string();
            let (mut first, mut second) = (Vec::new(), Vec::new());
            encode_into(&mut first, &text, b"%");
            encode_into(&mut second, &text, b"%25");
            proptest::prop_assert_eq!((into_text(first), into_text(second)), (once, twice));
        }
    }
}
