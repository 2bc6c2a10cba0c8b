//! The V1 signature: HMAC over the sorted, twice encoded parameters (protocol.md 4).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Mismatch, encode_into};
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

/// What an escape begins with once it has been escaped itself.
const ENCODED_PERCENT: &str = "%25";

/// `<METHOD>&%2F&<enc(canonical query)>` over all parameters but `Signature`, in any order.
pub fn string_to_sign<'a>(method: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut pairs: Vec<_> = params.into_iter().filter(|(name, _)| *name != "Signature").collect();
    pairs.sort_unstable();
    let length: usize = pairs.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
    let mut text = String::with_capacity(method.len() + length * 3 / 2);
    text.push_str(method);
    text.push_str("&%2F&");
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            text.push_str("%26");
        }
        encode_into(&mut text, name, ENCODED_PERCENT);
        text.push_str("%3D");
        encode_into(&mut text, value, ENCODED_PERCENT);
    }
    text
}

/// Compares in constant time on the decoded bytes.
///
/// # Errors
/// [`Mismatch`] also for a signature that is no base64.
pub fn verify(secret: &Secret, algorithm: Algorithm, text: &str, signature: &str) -> Result<(), Mismatch> {
    let given = BASE64_STANDARD.decode(signature).map_err(|_| Mismatch)?;
    match algorithm {
        Algorithm::HmacSha1 => secret.v1_sha1().chain_update(text).verify_slice(&given),
        Algorithm::HmacSha256 => {
            keyed::<Hmac<Sha256>>(&format!("{}&", secret.expose())).chain_update(text).verify_slice(&given)
        }
    }
    .map_err(|_| Mismatch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str) -> String {
        let mut coded = String::new();
        encode_into(&mut coded, text, "%");
        coded
    }

    /// As the vendor describes it, step by step (protocol.md 4.2 and 4.3).
    fn by_the_book(method: &str, pairs: &[(String, String)]) -> String {
        let mut pairs: Vec<_> = pairs.iter().filter(|(name, _)| name != "Signature").collect();
        pairs.sort();
        let query: Vec<_> = pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        format!("{method}&%2F&{}", encode(&query.join("&")))
    }

    proptest! {
        #[test]
        fn one_pass_is_the_same_as_the_vendor_s_steps(pairs in proptest::collection::vec((".{0,6}", ".{0,12}"), 0..8)) {
            let refs = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
            prop_assert_eq!(string_to_sign("GET", refs), by_the_book("GET", &pairs));
        }

        #[test]
        fn the_order_of_pairs_never_changes_the_string(
            pairs in proptest::collection::vec(("[A-c.]{1,4}", ".{0,4}"), 1..8).prop_shuffle(),
        ) {
            let refs = || pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
            prop_assert_eq!(string_to_sign("POST", refs()), string_to_sign("POST", refs().rev()));
        }

        #[test]
        fn no_signature_makes_verify_panic_or_pass(signature in ".{0,40}") {
            prop_assert_eq!(verify(&Secret::new("s"), Algorithm::HmacSha1, "text", &signature), Err(Mismatch));
        }
    }
}
