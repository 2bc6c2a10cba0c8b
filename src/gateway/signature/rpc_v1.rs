//! The V1 signature: HMAC over the sorted, twice encoded parameters (protocol.md 4).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Mismatch, TWICE, encode_into, into_text};
use crate::world::{Secret, keyed};

/// A `SignatureMethod` that we verify. `SHA256withRSA` and others are recognised by their absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    HmacSha1,
    /// Optional by the sources (protocol.md 4.6, inferred).
    HmacSha256,
}

impl Algorithm {
    pub fn parse(signature_method: &str) -> Option<Self> {
        match signature_method {
            "HMAC-SHA1" => Some(Self::HmacSha1),
            "HMAC-SHA256" => Some(Self::HmacSha256),
            _ => None,
        }
    }
}

/// Room for the longest signature, as it is decoded.
const LONGEST: usize = 33;

/// `<METHOD>&%2F&<enc(canonical query)>` over all parameters but `Signature`. They come sorted by the
/// bytes of their names, as [`Params`](crate::api::params::Params) has them.
pub fn string_to_sign<'a>(method: &str, sorted: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    debug_assert!(sorted.clone().is_sorted_by(|a, b| a.0 < b.0));
    let signed = sorted.filter(|(name, _)| *name != "Signature");
    let length: usize = signed.clone().map(|(name, value)| name.len() + value.len() + 8).sum();
    let mut text = Vec::with_capacity(method.len() + length * 3 / 2);
    text.extend_from_slice(method.as_bytes());
    text.extend_from_slice(b"&%2F&");
    for (index, (name, value)) in signed.enumerate() {
        if index > 0 {
            text.extend_from_slice(b"%26");
        }
        encode_into(&mut text, name, &TWICE);
        text.extend_from_slice(b"%3D");
        encode_into(&mut text, value, &TWICE);
    }
    into_text(text)
}

/// Compares in constant time on the decoded bytes.
///
/// # Errors
/// [`Mismatch`] also for a signature that is no base64.
pub fn verify(secret: &Secret, algorithm: Algorithm, text: &str, signature: &str) -> Result<(), Mismatch> {
    let mut given = [0; LONGEST];
    let length = BASE64_STANDARD.decode_slice(signature, &mut given).map_err(|_| Mismatch)?;
    let given = &given[..length];
    match algorithm {
        Algorithm::HmacSha1 => secret.v1_sha1().chain_update(text).verify_slice(given),
        Algorithm::HmacSha256 => {
            keyed::<Hmac<Sha256>>(&format!("{}&", secret.expose())).chain_update(text).verify_slice(given)
        }
    }
    .map_err(|_| Mismatch)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::super::ONCE;
    use super::*;
    use crate::api::params::Params;

    fn encode(text: &str) -> String {
        let mut coded = Vec::new();
        encode_into(&mut coded, text, &ONCE);
        into_text(coded)
    }

    /// As the vendor describes it, step by step (protocol.md 4.2 and 4.3).
    fn by_the_book(method: &str, pairs: &BTreeMap<String, String>) -> String {
        let pairs = pairs.iter().filter(|(name, _)| *name != "Signature");
        let query: Vec<_> = pairs.map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        format!("{method}&%2F&{}", encode(&query.join("&")))
    }

    proptest! {
        #[test]
        fn one_pass_over_pairs_in_any_order_is_the_same_as_the_vendor_s_steps(
            pairs in btree_map("[A-c.]{1,4}|.{0,6}|Signature", ".{0,12}", 0..8),
            shuffle in any::<proptest::sample::Index>(),
        ) {
            let mut given: Vec<_> = pairs.iter().map(|(n, v)| (n.into(), v.into())).collect();
            let middle = shuffle.index(given.len() + 1);
            given.rotate_left(middle);
            let params = Params::new(given);
            prop_assert_eq!(string_to_sign("GET", params.pairs()), by_the_book("GET", &pairs));
        }

        #[test]
        fn no_signature_makes_verify_panic_or_pass(signature in ".{0,40}") {
            prop_assert_eq!(verify(&Secret::new("s"), Algorithm::HmacSha1, "text", &signature), Err(Mismatch));
        }
    }
}
