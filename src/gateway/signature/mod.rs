//! Signatures as pure functions of plain values: no request type, no store, no clock.

pub mod acs3;
pub mod rpc_v1;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// Everything but `A-Z a-z 0-9 - _ . ~` (protocol.md 4.1).
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The given signature is not the one that we compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

/// Appends `text`, percent-encoded by the strict table.
fn encode_into(out: &mut String, text: &str) {
    out.extend(percent_encoding::utf8_percent_encode(text, STRICT));
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
            encode_into(&mut out, raw);
            assert_eq!(out, coded, "encoding {raw:?}");
        }
    }
}
