//! Signatures as pure functions of plain values: no request type, no store, no clock.

pub mod acs3;
pub mod rpc_v1;

/// The given signature is not the one that we compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

/// Whether a byte stays as it is: `A-Z a-z 0-9 - _ . ~` (protocol.md 4.1).
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

/// For each byte that is not plain, `escape` and its two upper-case hex digits: `N` bytes. A plain one has none.
const fn escapes<const N: usize>(escape: &[u8]) -> [Option<[u8; N]>; 256] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    assert!(N == escape.len() + 2);
    let mut escapes = [None; 256];
    let mut byte = 0;
    while byte < 256 {
        if !is_plain(byte as u8) {
            let mut coded = [0; N];
            let mut at = 0;
            while at < escape.len() {
                coded[at] = escape[at];
                at += 1;
            }
            coded[at] = DIGITS[byte >> 4];
            coded[at + 1] = DIGITS[byte & 15];
            escapes[byte] = Some(coded);
        }
        byte += 1;
    }
    escapes
}

/// How each byte is encoded that is not plain.
type Escapes<const N: usize> = [Option<[u8; N]>; 256];

static ONCE: Escapes<3> = escapes(b"%");

/// Encoded twice: only the `%` of the first round changes in the second.
static TWICE: Escapes<5> = escapes(b"%25");

/// Appends text percent-encoded.
fn encode_into<const N: usize>(out: &mut Vec<u8>, text: &str, escapes: &Escapes<N>) {
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        if let Some(escape) = &escapes[usize::from(*first)] {
            out.extend_from_slice(escape);
            rest = behind;
        } else {
            let plain = rest.iter().position(|&byte| escapes[usize::from(byte)].is_some()).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
        }
    }
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
            encode_into(&mut out, raw, &ONCE);
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
            encode_into(&mut first, &text, &ONCE);
            encode_into(&mut second, &text, &TWICE);
            proptest::prop_assert_eq!((into_text(first), into_text(second)), (once, twice));
        }
    }
}
