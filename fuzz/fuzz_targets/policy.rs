//! Policies: whatever the text, it is a document or a mistake with its place; a document decides what the book says;
//! and one more statement only does what its effect says.

#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use ecsim::policy::{
    Decision, Effect, Layer, PermissionPolicy, PolicyError, Request, Resource, TrustPolicy, Use, decide,
};
use ecsim_fuzz::policies::{self, Case, Question};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

// A zero byte begins what is put together; all else is the text of a document.
fuzz_target!(|data: &[u8]| -> Corpus {
    if let Some((0, rest)) = data.split_first() {
        let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(rest)) else { return Corpus::Reject };
        check_case(&case);
    } else {
        let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
        check_text(text);
    }
    Corpus::Keep
});

fn decision(policy: &PermissionPolicy, question: &Question) -> Decision<()> {
    let (resource, context) = (Resource::new(question.resource.as_str()), question.context());
    let request = Request { action: &question.action, resource: &resource, context: &context };
    decide(Layer::Identity, [((), policy)], &request)
}

fn effect(decision: Decision<()>) -> Option<Effect> {
    match decision {
        Decision::Allowed(_) => Some(Effect::Allow),
        Decision::ExplicitDeny(_) => Some(Effect::Deny),
        Decision::ImplicitDeny(_) => None,
    }
}

fn parse(statements: &[Value]) -> Option<PermissionPolicy> {
    match PermissionPolicy::parse(&policies::document(statements).to_string(), Use::Identity) {
        Ok(policy) => Some(policy),
        // Any texts may make it too long.
        Err(error) => {
            assert_eq!(error.fault, ecsim::policy::Fault::Length, "{error}");
            None
        }
    }
}

fn check_case(case: &Case) {
    let question = &case.question;
    let Some(policy) = parse(&case.statements) else { return };
    let before = decision(&policy, question);
    check_document(&policies::document(&case.statements), &policy, question);
    match before {
        Decision::Allowed(ground) => assert_eq!(case.statements[ground.statement]["Effect"], "Allow"),
        Decision::ExplicitDeny(ground) => assert_eq!(case.statements[ground.statement]["Effect"], "Deny"),
        Decision::ImplicitDeny(_) => {}
    }
    let Some(after) = parse(&[&case.statements[..], std::slice::from_ref(&case.more)].concat()) else { return };
    let after = decision(&after, question);
    if case.more["Effect"] == "Deny" {
        assert!(before.is_allowed() || !after.is_allowed(), "one more Deny grants");
    } else {
        assert!(after.is_allowed() || !before.is_allowed(), "one more Allow takes away");
    }
}

fn check_text(text: &str) {
    for purpose in [Use::Identity, Use::Session] {
        match PermissionPolicy::parse(text, purpose) {
            Ok(policy) => {
                let document = serde_json::from_str(text).expect("JSON");
                check_document(&document, &policy, &usual());
            }
            Err(error) => check_mistake(&error),
        }
    }
    if let Ok(policy) = PermissionPolicy::attached(text) {
        // One that is no document allows nothing.
        assert!(!decision(&policy, &usual()).is_allowed() || PermissionPolicy::parse(text, Use::Attachment).is_ok());
    }
    match TrustPolicy::parse(text) {
        Ok(policy) => assert_eq!(policy.text(), text),
        Err(error) => check_mistake(&error),
    }
}

/// A question that documents of the corpus speak of.
fn usual() -> Question {
    Question {
        action: "ecs:DetachInstanceRamRole".to_owned(),
        resource: "acs:ecs:cn-hangzhou:1000000000000001:instance/i-1".to_owned(),
        facts: Vec::new(),
    }
}

fn check_document(document: &Value, policy: &PermissionPolicy, question: &Question) {
    let decided = decision(policy, question);
    assert_eq!(effect(decided), policies::answer(document, question), "{document} on {question:?}");
}

fn check_mistake(error: &PolicyError) {
    assert!(error.place.starts_with('$') && !error.reason.is_empty(), "{error}");
}
