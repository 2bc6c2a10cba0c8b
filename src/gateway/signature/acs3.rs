//! The ACS3 signature: HMAC over the hash of a canonical request (protocol.md 5).

use hmac::digest::KeyInit;
use hmac::{EagerHash, Hmac, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use sm3::Sm3;

use super::{Mismatch, ONCE, encode_into, into_text};
use crate::world::{Secret, keyed};

/// An algorithm that we verify. `ACS3-RSA-SHA256` and others are recognised by their absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    HmacSha256,
    /// Every hash of the signature is SM3, the one of the body included.
    HmacSm3,
}

impl Algorithm {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::HmacSha256, Self::HmacSm3].into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "ACS3-HMAC-SHA256",
            Self::HmacSm3 => "ACS3-HMAC-SM3",
        }
    }

    fn hash_into(self, out: &mut Vec<u8>, data: &[u8]) {
        let mut digits = [0; 64];
        let written = match self {
            Self::HmacSha256 => hex::encode_to_slice(Sha256::digest(data), &mut digits),
            Self::HmacSm3 => hex::encode_to_slice(Sm3::digest(data), &mut digits),
        };
        debug_assert!(written.is_ok(), "both hashes have 32 bytes");
        out.extend_from_slice(&digits);
    }
}

/// The parts of an `Authorization` value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization<'a> {
    pub algorithm: &'a str,
    pub credential: &'a str,
    /// The names of the signed headers, as written and in that order.
    pub signed_headers: Vec<&'a str>,
    pub signature: &'a str,
}

impl Authorization<'_> {
    /// Whether a header is among the signed ones, in any case.
    pub fn covers(&self, name: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed.eq_ignore_ascii_case(name))
    }
}

/// Reads `<algorithm> Credential=…,SignedHeaders=…,Signature=…`; spaces after commas pass
/// (protocol.md 5.1, inferred). `None` if a part is absent, anything else is in it, or a header is
/// named twice: each name copies its value, so that repeats could make a small request huge.
pub fn parse_authorization(value: &str) -> Option<Authorization<'_>> {
    let (algorithm, rest) = value.trim().split_once(' ')?;
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for part in rest.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        let place = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return None,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    let signed_headers: Vec<_> = signed_headers.filter(|names| !names.is_empty())?.split(';').collect();
    if has_repeats(&signed_headers) {
        return None;
    }
    let credential = credential.filter(|id| !id.is_empty())?;
    Some(Authorization { algorithm, credential, signed_headers, signature: signature? })
}

/// Whether two names are the same in any case. Clients sort them, so that one pass nearly always tells.
fn has_repeats(names: &[&str]) -> bool {
    fn lower(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().map(|b| b.to_ascii_lowercase())
    }
    let ascends = |names: &[&str]| names.is_sorted_by(|a, b| lower(a).lt(lower(b)));
    if ascends(names) {
        return false;
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable_by(|a, b| lower(a).cmp(lower(b)));
    !ascends(&sorted)
}

/// The decoded query pairs, sorted and encoded; repeats stay (protocol.md 5.2).
pub fn canonical_query<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    pairs.sort_unstable();
    let mut query = Vec::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push(b'&');
        }
        encode_into(&mut query, name, &ONCE);
        query.push(b'=');
        encode_into(&mut query, value, &ONCE);
    }
    into_text(query)
}

/// The six parts (protocol.md 5.2). The path is always `/`. The body is hashed as received,
/// whatever `x-acs-content-sha256` says.
pub fn canonical_request(
    algorithm: Algorithm,
    method: &str,
    canonical_query: &str,
    headers: &HeaderMap,
    signed_headers: &[&str],
    body: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(768 + canonical_query.len());
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(b"\n/\n");
    out.extend_from_slice(canonical_query.as_bytes());
    out.push(b'\n');
    for name in signed_headers {
        let start = out.len();
        out.extend_from_slice(name.as_bytes());
        out[start..].make_ascii_lowercase();
        out.push(b':');
        header_value(&mut out, headers, name);
        out.push(b'\n');
    }
    out.push(b'\n');
    for (index, name) in signed_headers.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b'\n');
    algorithm.hash_into(&mut out, body);
    out
}

/// The trimmed values of a header, sorted and joined by commas; nothing if it is absent.
fn header_value(out: &mut Vec<u8>, headers: &HeaderMap, name: &str) {
    let mut values = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii());
    let (Some(first), second) = (values.next(), values.next()) else { return };
    let Some(second) = second else { return out.extend_from_slice(first) };
    let mut values: Vec<_> = [first, second].into_iter().chain(values).collect();
    values.sort_unstable();
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value);
    }
}

/// `<algorithm>\n<hex(hash(canonical request))>` (protocol.md 5.3).
pub fn string_to_sign(algorithm: Algorithm, canonical_request: &[u8]) -> String {
    let mut text = algorithm.name().as_bytes().to_vec();
    text.push(b'\n');
    algorithm.hash_into(&mut text, canonical_request);
    into_text(text)
}

/// Compares in constant time on the decoded bytes. The key is the bare secret.
///
/// # Errors
/// [`Mismatch`] also for a signature that is no hex.
pub fn verify(secret: &Secret, algorithm: Algorithm, text: &str, signature: &str) -> Result<(), Mismatch> {
    let mut given = [0; 32];
    hex::decode_to_slice(signature, &mut given).map_err(|_| Mismatch)?;
    match algorithm {
        Algorithm::HmacSha256 => secret.acs3_sha256().chain_update(text).verify_slice(&given),
        Algorithm::HmacSm3 => hmac_of::<Sm3>(secret).chain_update(text).verify_slice(&given),
    }
    .map_err(|_| Mismatch)
}

fn hmac_of<D: EagerHash>(secret: &Secret) -> Hmac<D>
where
    Hmac<D>: KeyInit,
{
    keyed(secret.expose())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_authorization_value_has_three_parts() {
        let good = "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=host;x-acs-date,Signature=ab";
        let parsed = parse_authorization(good).expect("well formed");
        assert_eq!((parsed.algorithm, parsed.credential, parsed.signature), ("ACS3-HMAC-SHA256", "k", "ab"));
        assert_eq!(parsed.signed_headers, ["host", "x-acs-date"]);
        assert_eq!(parse_authorization(&good.replace(',', ", ")), Some(parsed));
        assert!(
            parse_authorization("A Credential=k,SignedHeaders=h,Signature=").is_some(),
            "an empty signature is one"
        );
        for bad in [
            "",
            "ACS3-HMAC-SHA256",
            "ACS3-HMAC-SHA256 ",
            "A Credential=k,Signature=s",
            "A Credential=,SignedHeaders=h,Signature=s",
            "A Credential=k,SignedHeaders=h,Signature=s,Signature=t",
            "A Credential=k,SignedHeaders=h,Signature=s,Other=x",
            "A Credential=k SignedHeaders=h Signature=s",
            "A Credential=k,SignedHeaders=host;x-a;Host,Signature=s",
            "A Credential=k,SignedHeaders=host;HOST,Signature=s",
        ] {
            assert_eq!(parse_authorization(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn values_of_one_header_are_trimmed_sorted_and_joined() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", http::HeaderValue::from_static(" b  c "));
        headers.append("x-a", http::HeaderValue::from_static("a"));
        let canonical = canonical_request(Algorithm::HmacSha256, "GET", "", &headers, &["X-A", "x-none"], b"");
        let text = String::from_utf8(canonical).expect("text");
        assert!(text.starts_with("GET\n/\n\nx-a:a,b  c\nx-none:\n\nX-A;x-none\ne3b0c442"), "{text}");
    }

    proptest! {
        #[test]
        fn the_order_of_pairs_never_changes_the_query(
            pairs in proptest::collection::vec(("[A-c.]{1,4}", ".{0,4}"), 0..8),
        ) {
            let reversed: Vec<_> = pairs.iter().rev().cloned().collect();
            prop_assert_eq!(canonical_query(&pairs), canonical_query(&reversed));
        }

        #[test]
        fn no_text_makes_the_parser_or_verify_panic(text in ".{0,80}") {
            let _ = parse_authorization(&text);
            for algorithm in [Algorithm::HmacSha256, Algorithm::HmacSm3] {
                prop_assert_eq!(verify(&Secret::new("s"), algorithm, "text", &text), Err(Mismatch));
            }
        }
    }
}
