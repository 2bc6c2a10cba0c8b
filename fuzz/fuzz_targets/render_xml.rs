//! Whatever text an answer carries, its XML is XML and carries the same text, but for the
//! characters that XML cannot hold.

#![no_main]

use arbitrary::Arbitrary;
use ecsim::api::render::{Format, failure, success};
use ecsim_fuzz::answer::{DECLARATION, Refusal, Reply};
use ecsim_fuzz::leaves::{self, Leaf};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Reply(Reply),
    Refusal(Refusal),
}

fuzz_target!(|input: Input| {
    match input {
        Input::Reply(reply) => {
            let text = success(Format::Xml, reply.action(), &reply.node, 0).expect("a reply can be rendered");
            check(text.as_str(), &format!("{}Response", reply.action()), reply.node.leaves());
        }
        Input::Refusal(refusal) => {
            let (request_id, error) = (refusal.request_id(), refusal.error());
            let text = failure(Format::Xml, &error, request_id, &refusal.host, refusal.product());
            check(text.as_str(), "Error", refusal.leaves());
        }
    }
});

fn check(text: &str, root: &str, carried: Vec<Leaf>) {
    assert!(text.starts_with(&format!("{DECLARATION}<{root}")), "{text:?}");
    let expected: Vec<Leaf> = carried.into_iter().map(|(path, text)| (path, leaves::legal(&text))).collect();
    assert_eq!(leaves::of_xml(text), (root.to_owned(), expected));
}
