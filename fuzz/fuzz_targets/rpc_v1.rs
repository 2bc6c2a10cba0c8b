//! V1 signatures: what is signed is what the vendor's steps make of any parameters, in any order;
//! the signature that they lead to passes, and no other does.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use ecsim::api::params::Params;
use ecsim::gateway::signature::{Mismatch, rpc_v1};
use ecsim::world::Secret;
use ecsim_fuzz::by_the_book::{self, Hash, Pair};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    method: String,
    pairs: Vec<Pair>,
    /// Where the pairs are cut and put together the other way round.
    cut: usize,
    secret: String,
    other_secret: String,
    /// What somebody sends for a signature.
    signature: String,
    /// Which byte of the right signature is changed, and how.
    change: (usize, u8),
    signature_method: String,
}

fuzz_target!(|input: Input| {
    let Input { method, secret, .. } = &input;
    let pairs: Vec<Pair> = input.pairs.iter().cloned().collect::<BTreeMap<_, _>>().into_iter().collect();
    let text = by_the_book::v1_string_to_sign(method, &pairs);
    let (front, back) = pairs.split_at(input.cut % (pairs.len() + 1));
    for order in
        [refs(&pairs).collect::<Vec<_>>(), refs(back).chain(refs(front)).collect(), refs(&pairs).rev().collect()]
    {
        let params = Params::new(order.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        assert_eq!(rpc_v1::string_to_sign(method, params.pairs()), text);
    }

    for (name, hash) in [("HMAC-SHA1", Hash::Sha1), ("HMAC-SHA256", Hash::Sha256)] {
        let algorithm = rpc_v1::Algorithm::parse(name).expect("an algorithm of ours");
        let right = by_the_book::v1_signature(hash, secret, &text);
        let verify = |secret: &str, text: &str, signature: &str| {
            rpc_v1::verify(&Secret::new(secret), algorithm, text, signature)
        };
        assert_eq!(verify(secret, &text, &right), Ok(()));
        assert_eq!(
            verify(secret, &text, &input.signature),
            if input.signature == right { Ok(()) } else { Err(Mismatch) }
        );
        assert_eq!(verify(secret, &format!("{text}."), &right), Err(Mismatch));
        if let Some(changed) = changed(&right, input.change) {
            assert_eq!(verify(secret, &text, &changed), Err(Mismatch));
        }
        if *secret != input.other_secret {
            assert_eq!(verify(&input.other_secret, &text, &right), Err(Mismatch));
        }
    }
    let known = ["HMAC-SHA1", "HMAC-SHA256"].contains(&&*input.signature_method);
    assert_eq!(rpc_v1::Algorithm::parse(&input.signature_method).is_some(), known);
});

fn refs(pairs: &[Pair]) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    pairs.iter().map(|(name, value)| (&**name, &**value))
}

/// The signature with another byte at a place, if it is text then.
fn changed(signature: &str, (at, by): (usize, u8)) -> Option<String> {
    let mut bytes = signature.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes[at] ^= by;
    String::from_utf8(bytes).ok().filter(|changed| changed != signature)
}
