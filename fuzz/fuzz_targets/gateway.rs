//! Whole calls: whatever comes, the answer is the vendor's envelope in a format that can be read;
//! what is signed by the book passes once; a refused call changes nothing.

#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use ecsim::api::error::Code;
use ecsim::gateway::Gateway;
use ecsim::settings::AuthMode;
use ecsim_fuzz::answer::Answer;
use ecsim_fuzz::call::{self, Sent, Session};
use ecsim_fuzz::worlds::{self, WORLD};
use http::request::Parts;
use libfuzzer_sys::{Corpus, fuzz_target};

/// Codes that a call which is signed by the book is never refused with.
const BADLY_SIGNED: [&str; 6] = [
    "IncompleteSignature",
    "SignatureDoesNotMatch",
    "InvalidSignatureMethod",
    "InvalidAccessKeyId.NotFound",
    "InvalidTimeStamp.Expired",
    "IllegalTimestamp",
];

// A zero byte begins what is put together; all else is a request as it is on the wire.
fuzz_target!(|data: &[u8]| -> Corpus {
    if let Some((0, rest)) = data.split_first() {
        let Ok(session) = Session::arbitrary_take_rest(Unstructured::new(rest)) else { return Corpus::Reject };
        check_session(&session);
    } else {
        let Some((head, body)) = call::of_bytes(data) else { return Corpus::Reject };
        check_request(&head, body);
    }
    Corpus::Keep
});

fn check_request(head: &Parts, body: &[u8]) {
    let answer = |auth| {
        let gateway = worlds::gateway(WORLD.clone(), worlds::settings(auth));
        let answer = answer(&gateway, head, body);
        Answer::of(gateway.refuse(head.clone(), &Code::BodyTooLarge.about(1)).whole());
        answer
    };
    let strict = answer(AuthMode::Strict);
    let lenient = answer(AuthMode::Lenient);
    let off = answer(AuthMode::Off);
    // Whoever passes more checks is answered the same by those who check less.
    if strict.status == 200 {
        assert_eq!(strict, lenient);
    }
    if lenient.status == 200 {
        assert_eq!(lenient, off);
    }
}

fn check_session(session: &Session) {
    let gateway = worlds::gateway(WORLD.clone(), session.settings());
    for (number, call) in session.calls().enumerate() {
        let Some(Sent { head, body, key }) = call.send(number) else { continue };
        let signs = || key.is_some_and(|id| worlds::has_active_key(&gateway, id));
        let signed = signs();
        let first = answer(&gateway, &head, &body);
        if signed {
            let code = first.code.as_deref().unwrap_or_default();
            assert!(!BADLY_SIGNED.contains(&code), "{head:?} {:?} {first:?}", String::from_utf8_lossy(&body));
            // Unless the call has taken its own key away.
            if first.status == 200 && session.is_strict() && signs() {
                let again = answer(&gateway, &head, &body);
                assert_eq!(again.code.as_deref(), Some("SignatureNonceUsed"));
            }
        }
    }
}

fn answer(gateway: &Gateway, head: &Parts, body: &[u8]) -> Answer {
    let before = worlds::state(gateway);
    let answer = Answer::of(gateway.answer(head.clone(), body, None, |_| false).whole());
    if answer.status != 200 {
        assert_eq!(worlds::state(gateway), before, "a refused call has changed something");
    }
    gateway.spaces.default_space().store.read(worlds::check);
    answer
}
