//! The vendor's rules, step by step and without a thought for speed (protocol.md 4 and 5).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use sm3::Sm3;

/// A name or value and what goes with it.
pub type Pair = (String, String);

/// Percent-encodes by the vendor's strict table (protocol.md 4.1), byte by byte.
pub fn encode(text: &str) -> String {
    let one = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(one).collect()
}

/// `name=value` in the given order, `&` between them: a query, or the body of a form.
pub fn encode_pairs(pairs: &[Pair]) -> String {
    pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

/// Text that no form holds.
#[derive(Clone, Copy, Debug)]
pub struct BadlyEncoded;

/// The pair of one piece of a form, none if it is empty.
///
/// # Errors
/// A percent sign without two digits, or what is no UTF-8.
pub fn decode_piece(piece: &[u8]) -> Result<Option<Pair>, BadlyEncoded> {
    if piece.is_empty() {
        return Ok(None);
    }
    // Bytes that are not UTF-8 as they came are refused even where an escape beside them would complete one.
    std::str::from_utf8(piece).map_err(|_| BadlyEncoded)?;
    let (name, value) = match piece.iter().position(|&b| b == b'=') {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &[][..]),
    };
    Ok(Some((decode_text(name)?, decode_text(value)?)))
}

fn decode_text(text: &[u8]) -> Result<String, BadlyEncoded> {
    let digit = |at: usize| text.get(at).and_then(|&b| char::from(b).to_digit(16)).ok_or(BadlyEncoded);
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'%' => {
                let byte = digit(at + 1)? * 16 + digit(at + 2)?;
                out.push(u8::try_from(byte).map_err(|_| BadlyEncoded)?);
                at += 2;
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
        at += 1;
    }
    String::from_utf8(out).map_err(|_| BadlyEncoded)
}

/// A hash that signatures are made with.
#[derive(Clone, Copy, Debug)]
pub enum Hash {
    Sha1,
    Sha256,
    Sm3,
}

impl Hash {
    pub fn of(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sm3 => Sm3::digest(data).to_vec(),
        }
    }

    /// RFC 2104. The blocks of all three are 64 bytes long.
    pub fn keyed(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut block = if key.len() > 64 { self.of(key) } else { key.to_vec() };
        block.resize(64, 0);
        let pad = |with: u8| block.iter().map(move |b| b ^ with);
        let inner: Vec<u8> = pad(0x36).chain(data.iter().copied()).collect();
        let outer: Vec<u8> = pad(0x5c).chain(self.of(&inner)).collect();
        self.of(&outer)
    }
}

pub fn hex(bytes: &[u8]) -> String {
    let digit = |b: u8| char::from_digit(u32::from(b), 16).unwrap_or_default();
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// What V1 signs (protocol.md 4.2 and 4.3).
pub fn v1_string_to_sign(method: &str, pairs: &[Pair]) -> String {
    let mut pairs = pairs.to_vec();
    pairs.retain(|(name, _)| name != "Signature");
    pairs.sort();
    format!("{method}&{}&{}", encode("/"), encode(&encode_pairs(&pairs)))
}

/// The signature of V1 (protocol.md 4.4).
pub fn v1_signature(hash: Hash, secret: &str, string_to_sign: &str) -> String {
    BASE64_STANDARD.encode(hash.keyed(format!("{secret}&").as_bytes(), string_to_sign.as_bytes()))
}

/// The query as ACS3 signs it (protocol.md 5.2).
pub fn acs3_query(pairs: &[Pair]) -> String {
    let mut pairs = pairs.to_vec();
    pairs.sort();
    encode_pairs(&pairs)
}

/// The canonical request of ACS3 (protocol.md 5.2): six parts, a line feed between them.
pub fn acs3_request(
    hash: Hash,
    method: &str,
    query: &str,
    headers: &[(String, Vec<u8>)],
    signed_headers: &str,
    body: &[u8],
) -> Vec<u8> {
    let mut canonical_headers = Vec::new();
    for name in signed_headers.split(';') {
        let mut values: Vec<_> = headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_ascii().to_vec())
            .collect();
        values.sort();
        canonical_headers.extend_from_slice(name.to_ascii_lowercase().as_bytes());
        canonical_headers.push(b':');
        canonical_headers.extend_from_slice(&values.join(&b','));
        canonical_headers.push(b'\n');
    }
    let parts = [
        method.as_bytes(),
        b"/",
        query.as_bytes(),
        &canonical_headers,
        signed_headers.as_bytes(),
        hex(&hash.of(body)).as_bytes(),
    ]
    .map(<[u8]>::to_vec);
    parts.join(&b'\n')
}

/// What ACS3 signs (protocol.md 5.3).
pub fn acs3_string_to_sign(algorithm: &str, hash: Hash, canonical_request: &[u8]) -> String {
    format!("{algorithm}\n{}", hex(&hash.of(canonical_request)))
}

/// The signature of ACS3 (protocol.md 5.3).
pub fn acs3_signature(hash: Hash, secret: &str, string_to_sign: &str) -> String {
    hex(&hash.keyed(secret.as_bytes(), string_to_sign.as_bytes()))
}
