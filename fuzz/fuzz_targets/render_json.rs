//! Whatever text an answer carries, its JSON is JSON and carries the same text.

#![no_main]

use arbitrary::Arbitrary;
use ecsim::api::render::{Format, failure, success};
use ecsim_fuzz::answer::{Refusal, Reply};
use ecsim_fuzz::leaves;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Reply(Reply),
    Refusal(Refusal),
}

fuzz_target!(|input: Input| {
    match input {
        Input::Reply(reply) => {
            let text = success(Format::Json, reply.action(), &reply.node, 0).expect("a reply can be rendered");
            assert_eq!(leaves::of_json(text.as_str()), reply.node.leaves());
        }
        Input::Refusal(refusal) => {
            let (request_id, error) = (refusal.request_id(), refusal.error());
            let text = failure(Format::Json, &error, request_id, &refusal.host, refusal.product());
            assert_eq!(leaves::of_json(text.as_str()), refusal.leaves());
        }
    }
});
