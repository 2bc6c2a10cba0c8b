//! ACS3 signatures: the header is read as a plain reader reads it, the canonical request is what
//! the vendor's steps make of any request, the signature that they lead to passes, and no other.

#![no_main]

use arbitrary::Arbitrary;
use ecsim::gateway::signature::{Mismatch, acs3};
use ecsim::world::Secret;
use ecsim_fuzz::by_the_book::{self, Hash, Pair};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::{Corpus, fuzz_target};

#[derive(Arbitrary, Debug)]
struct Input {
    /// What somebody sends for a signature, and for a header.
    signature: String,
    authorization: String,
    method: String,
    pairs: Vec<Pair>,
    headers: Vec<(Name, Vec<u8>)>,
    signed_headers: Vec<Name>,
    /// What stands in `SignedHeaders` beside names of headers.
    odd_signed_header: Option<String>,
    body: Vec<u8>,
    secret: String,
    other_secret: String,
    /// Which byte of the right signature is changed, and how.
    change: (usize, u8),
}

/// The name of a header, often one that clients send.
#[derive(Arbitrary, Debug)]
enum Name {
    Known(u8),
    Any(String),
}

impl Name {
    fn text(&self) -> &str {
        const KNOWN: [&str; 8] = [
            "host",
            "Host",
            "x-acs-action",
            "x-acs-version",
            "x-acs-date",
            "X-ACS-Date",
            "x-acs-content-sha256",
            "accept",
        ];
        match self {
            Self::Known(which) => KNOWN[usize::from(*which) % KNOWN.len()],
            Self::Any(text) => text,
        }
    }
}

fuzz_target!(|data: &[u8]| -> Corpus {
    // A value as it stands in a request is an input too: seeds are such.
    if let Ok(text) = std::str::from_utf8(data) {
        check_authorization(text);
    }
    let mut bytes = arbitrary::Unstructured::new(data);
    let Ok(input) = Input::arbitrary(&mut bytes) else { return Corpus::Reject };
    check_authorization(&input.authorization);
    for (name, hash) in [("ACS3-HMAC-SHA256", Hash::Sha256), ("ACS3-HMAC-SM3", Hash::Sm3)] {
        check_signature(&input, name, hash);
    }
    Corpus::Keep
});

fn check_authorization(value: &str) {
    let parsed = acs3::parse_authorization(value);
    let book = authorization(value);
    let joined = parsed.as_ref().map(|parsed| parsed.signed_headers.join(";"));
    let parts = parsed.as_ref().zip(joined.as_deref());
    assert_eq!(parts.map(|(p, names)| [p.algorithm, p.credential, names, p.signature]), book, "{value:?}");
    if let Some([algorithm, credential, signed_headers, signature]) = book {
        let written =
            format!("{algorithm} Signature={signature}, SignedHeaders={signed_headers},Credential={credential}");
        assert_eq!(acs3::parse_authorization(&written), parsed, "{written:?}");
        let known = ["ACS3-HMAC-SHA256", "ACS3-HMAC-SM3"].contains(&algorithm);
        assert_eq!(acs3::Algorithm::parse(algorithm).is_some(), known);
    }
}

/// Algorithm, credential, signed headers and signature of a value (protocol.md 5.1).
fn authorization(value: &str) -> Option<[&str; 4]> {
    let (algorithm, rest) = value.trim().split_once(' ')?;
    let parts: Vec<(&str, &str)> = rest.split(',').map(|part| part.trim().split_once('=')).collect::<Option<_>>()?;
    let part = |wanted: &str| parts.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let (credential, signed_headers, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let names: Vec<_> = signed_headers.split(';').collect();
    let is_repeated = |(at, name): (usize, &&str)| names[..at].iter().any(|other| other.eq_ignore_ascii_case(name));
    let good = parts.len() == 3
        && !credential.is_empty()
        && !signed_headers.is_empty()
        && !names.iter().enumerate().any(is_repeated);
    good.then_some([algorithm, credential, signed_headers, signature])
}

fn check_signature(input: &Input, name: &str, hash: Hash) {
    let Input { method, body, secret, .. } = input;
    let algorithm = acs3::Algorithm::parse(name).expect("an algorithm of ours");

    let book_query = by_the_book::acs3_query(&input.pairs);
    assert_eq!(acs3::canonical_query(&input.pairs), book_query);
    let reversed: Vec<_> = input.pairs.iter().rev().cloned().collect();
    assert_eq!(acs3::canonical_query(&reversed), book_query);

    let mut headers = HeaderMap::new();
    let mut book_headers = Vec::new();
    for (name, value) in &input.headers {
        let header = (HeaderName::from_bytes(name.text().as_bytes()), HeaderValue::from_bytes(value));
        if let (Ok(name), Ok(value)) = header {
            book_headers.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
            headers.append(name, value);
        }
    }
    let names = input.signed_headers.iter().map(Name::text).chain(input.odd_signed_header.as_deref());
    let signed_headers = names.collect::<Vec<_>>().join(";");
    let names: Vec<_> = signed_headers.split(';').collect();
    let canonical = acs3::canonical_request(algorithm, method, &book_query, &headers, &names, body);
    let book = by_the_book::acs3_request(hash, method, &book_query, &book_headers, &signed_headers, body);
    assert_eq!(String::from_utf8_lossy(&canonical), String::from_utf8_lossy(&book));
    assert_eq!(canonical, book);

    let text = acs3::string_to_sign(algorithm, &canonical);
    assert_eq!(text, by_the_book::acs3_string_to_sign(name, hash, &canonical));
    let right = by_the_book::acs3_signature(hash, secret, &text);
    let verify = |secret: &str, signature: &str| acs3::verify(&Secret::new(secret), algorithm, &text, signature);
    assert_eq!(verify(secret, &right), Ok(()));
    // Hex is read in either case.
    assert_eq!(verify(secret, &right.to_uppercase()), Ok(()));
    let is_right = input.signature.eq_ignore_ascii_case(&right);
    assert_eq!(verify(secret, &input.signature), if is_right { Ok(()) } else { Err(Mismatch) });
    let (at, by) = input.change;
    let mut changed = right.clone().into_bytes();
    changed[at % right.len()] ^= by;
    if let Ok(changed) = String::from_utf8(changed)
        && !changed.eq_ignore_ascii_case(&right)
    {
        assert_eq!(verify(secret, &changed), Err(Mismatch));
    }
    // HMAC fills short keys up with zeros, so secrets that differ only by them at the end are one.
    if secret.trim_end_matches('\0') != input.other_secret.trim_end_matches('\0') {
        assert_eq!(verify(&input.other_secret, &right), Err(Mismatch));
    }
}
