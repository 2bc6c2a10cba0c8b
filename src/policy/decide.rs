//! Decisions, and the reasons for them.

use std::fmt;

use super::condition::Context;
use super::document::{Effect, PermissionPolicy};
use super::resource::Resource;

/// What somebody wants to do, in plain values.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Such as `ecs:DetachInstanceRamRole`.
    pub action: &'a str,
    pub resource: &'a Resource<'a>,
    pub context: &'a Context<'a>,
}

/// The sets of policies that are decided one by one (ram.md 5, documented). A set knows itself by
/// its place, the vendor by its `PolicyType` (ram.md 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The policy of a role session.
    Session,
    /// The policy that a role was attached to an instance with.
    Attachment,
    /// The policies of a user or role.
    Identity,
    /// The trust policy of a role.
    Trust,
}

/// The statement that decided. `T` is what the caller knows the policy by: its name, its type, whom
/// it is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground<T> {
    pub layer: Layer,
    pub policy: T,
    /// The place of the statement in its document, from 0.
    pub statement: usize,
}

/// What policies say about a request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    Allowed(Ground<T>),
    ExplicitDeny(Ground<T>),
    /// Nothing in this layer allows it.
    ImplicitDeny(Layer),
}

impl<T> Decision<T> {
    pub(super) fn of(layer: Layer, found: Option<(Effect, T, usize)>) -> Self {
        match found {
            Some((Effect::Allow, policy, statement)) => Self::Allowed(Ground { layer, policy, statement }),
            Some((Effect::Deny, policy, statement)) => Self::ExplicitDeny(Ground { layer, policy, statement }),
            None => Self::ImplicitDeny(layer),
        }
    }

    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The layer that decided.
    pub fn layer(&self) -> Layer {
        match self {
            Self::Allowed(ground) | Self::ExplicitDeny(ground) => ground.layer,
            Self::ImplicitDeny(layer) => *layer,
        }
    }

    /// The same with another name for the policy.
    pub fn map<U>(self, name: impl FnOnce(T) -> U) -> Decision<U> {
        let of = |Ground { layer, policy, statement }| Ground { layer, policy: name(policy), statement };
        match self {
            Self::Allowed(ground) => Decision::Allowed(of(ground)),
            Self::ExplicitDeny(ground) => Decision::ExplicitDeny(of(ground)),
            Self::ImplicitDeny(layer) => Decision::ImplicitDeny(layer),
        }
    }

    /// A layer that must allow before the next is asked: a session's policy, then its role's
    /// (ram.md 5, documented). That of an attachment stands with the session's (inferred).
    #[must_use]
    pub fn then(self, next: impl FnOnce() -> Self) -> Self {
        if self.is_allowed() { next() } else { self }
    }

    /// Two layers that are asked together, and must both allow: who assumes a role, and the role
    /// (ram.md 5, documented). Whichever denies, an explicit denial is the reason before an implicit
    /// one, and of two permissions the second.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let denies = |decision: &Self| matches!(decision, Self::ExplicitDeny(_));
        if denies(&other) && !denies(&self) { other } else { self.then(|| other) }
    }
}

/// The reason in words; statements are counted from 1.
impl<T: fmt::Display> fmt::Display for Decision<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(Ground { policy, statement, .. }) => {
                write!(f, "statement {} of {policy} allows it", statement + 1)
            }
            Self::ExplicitDeny(Ground { policy, statement, .. }) => {
                write!(f, "statement {} of {policy} denies it", statement + 1)
            }
            Self::ImplicitDeny(Layer::Session) => f.write_str("the session's policy does not allow it"),
            Self::ImplicitDeny(Layer::Attachment) => f.write_str("the policy of the attachment does not allow it"),
            Self::ImplicitDeny(Layer::Identity) => f.write_str("no policy allows it"),
            Self::ImplicitDeny(Layer::Trust) => f.write_str("the role's trust policy does not allow it"),
        }
    }
}

/// Decides over one set of policies: any statement that denies beats every one that allows; if none
/// matches, nothing is allowed (ram.md 5, documented). Of several grounds the first is named.
pub fn decide<'p, T>(
    layer: Layer,
    policies: impl IntoIterator<Item = (T, &'p PermissionPolicy)>,
    request: &Request<'_>,
) -> Decision<T> {
    let mut allowed = None;
    for (from, policy) in policies {
        let matching = policy.statements().iter().map(|statement| (statement.effect(), || statement.covers(request)));
        match first_match(matching) {
            Some((Effect::Deny, statement)) => return Decision::of(layer, Some((Effect::Deny, from, statement))),
            Some((Effect::Allow, statement)) if allowed.is_none() => allowed = Some((Effect::Allow, from, statement)),
            _ => {}
        }
    }
    Decision::of(layer, allowed)
}

/// The first statement that covers the request and denies, or else the first that allows.
pub(super) fn first_match<C: FnOnce() -> bool>(
    statements: impl Iterator<Item = (Effect, C)>,
) -> Option<(Effect, usize)> {
    let mut allowed = None;
    for (index, (effect, covers)) in statements.enumerate() {
        let matters = effect == Effect::Deny || allowed.is_none();
        if matters && covers() {
            if effect == Effect::Deny {
                return Some((effect, index));
            }
            allowed = Some((effect, index));
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    use super::super::document::Use;
    use super::*;

    const DETACH: &str = "ecs:DetachInstanceRamRole";
    const INSTANCE: &str = "acs:ecs:cn-hangzhou:1000000000000001:instance/i-1";

    fn policy(statements: &serde_json::Value) -> PermissionPolicy {
        let text = json!({ "Version": "1", "Statement": statements }).to_string();
        PermissionPolicy::parse(&text, Use::Identity).expect("a policy")
    }

    fn decide_on(policies: &[&PermissionPolicy], action: &str, arn: &str) -> Decision<usize> {
        let (resource, context) = (Resource::new(arn), Context::default());
        let policies = policies.iter().enumerate().map(|(index, policy)| (index, *policy));
        decide(Layer::Identity, policies, &Request { action, resource: &resource, context: &context })
    }

    fn ground(policy: usize, statement: usize) -> Ground<usize> {
        Ground { layer: Layer::Identity, policy, statement }
    }

    #[test]
    fn a_deny_beats_every_allow_and_the_reason_names_policy_and_statement() {
        let allow = policy(&json!([
            { "Effect": "Allow", "Action": "ram:*", "Resource": "*" },
            { "Effect": "Allow", "Action": "ecs:*", "Resource": "*" },
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
        ]));
        let deny = policy(&json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "ecs:detach*", "Resource": "*" },
        ]));
        assert_eq!(decide_on(&[&allow], DETACH, INSTANCE), Decision::Allowed(ground(0, 1)));
        assert_eq!(decide_on(&[&allow, &deny], DETACH, INSTANCE), Decision::ExplicitDeny(ground(1, 1)));
        assert_eq!(decide_on(&[&deny, &allow], DETACH, INSTANCE), Decision::ExplicitDeny(ground(0, 1)));
        assert_eq!(decide_on(&[], DETACH, INSTANCE), Decision::ImplicitDeny(Layer::Identity));
        let none = policy(&json!({ "Effect": "Allow", "Action": DETACH, "Resource": "acs:ecs:*:*:instance/i-2" }));
        assert_eq!(decide_on(&[&none], DETACH, INSTANCE), Decision::ImplicitDeny(Layer::Identity));
        let other_deny = policy(&json!({ "Effect": "Deny", "Action": "ram:*", "Resource": "*" }));
        assert_eq!(decide_on(&[&other_deny, &allow], DETACH, INSTANCE), Decision::Allowed(ground(1, 1)));
    }

    #[test]
    fn actions_ignore_case_and_resources_do_not() {
        let allow = policy(&json!({ "Effect": "Allow", "Action": "ECS:detachinstance*", "Resource": INSTANCE }));
        assert!(decide_on(&[&allow], DETACH, INSTANCE).is_allowed());
        assert!(!decide_on(&[&allow], DETACH, &INSTANCE.replace("i-1", "I-1")).is_allowed());
    }

    #[test]
    fn not_action_is_every_other_action() {
        let allow = policy(&json!({ "Effect": "Allow", "NotAction": ["ram:*", "ecs:Describe*"], "Resource": "*" }));
        assert!(decide_on(&[&allow], DETACH, INSTANCE).is_allowed());
        for action in ["ram:PassRole", "ecs:DescribeInstances"] {
            assert!(!decide_on(&[&allow], action, INSTANCE).is_allowed(), "{action}");
        }
    }

    #[test]
    fn a_role_is_known_with_and_without_a_region() {
        for (pattern, fits) in [
            ("*", true),
            ("acs:ram:*:*:role/web", true),
            ("acs:ram::1000000000000001:role/web", true),
            ("acs:ram:*:1000000000000001:role/*", true),
            ("acs:ram:cn-hangzhou:1000000000000001:role/web", true),
            ("acs:ram:cn-beijing:1000000000000001:role/web", false),
            ("acs:ram:cn-*:role/web", true),
            ("acs:ram::*:role/web", true),
            ("acs:ram:*::role/web", false),
            ("acs:ram::1000000000000001:role/db", false),
        ] {
            let allow = policy(&json!({ "Effect": "Allow", "Action": "ram:PassRole", "Resource": pattern }));
            let role = "acs:ram:cn-hangzhou:1000000000000001:role/web";
            assert_eq!(decide_on(&[&allow], "ram:PassRole", role).is_allowed(), fits, "{pattern}");
        }
        let allow = policy(&json!({ "Effect": "Allow", "Action": "*", "Resource": "acs:ecs::*:instance/i-1" }));
        assert!(!decide_on(&[&allow], DETACH, INSTANCE).is_allowed(), "instances have a region");
    }

    #[test]
    fn pass_role_may_be_bound_to_a_service() {
        let allow = policy(&json!({ "Effect": "Allow", "Action": "ram:PassRole", "Resource": "*",
            "Condition": { "StringEquals": { "acs:Service": "ecs.aliyuncs.com" } } }));
        let resource = Resource::new("acs:ram::1000000000000001:role/web");
        for (context, allowed) in [
            (Context::default().with("acs:Service", "ecs.aliyuncs.com"), true),
            (Context::default().with("acs:Service", "fc.aliyuncs.com"), false),
            (Context::default(), false),
        ] {
            let request = Request { action: "ram:PassRole", resource: &resource, context: &context };
            assert_eq!(decide(Layer::Identity, [((), &allow)], &request).is_allowed(), allowed);
        }
    }

    #[test]
    fn layers_are_asked_in_turn_and_the_first_that_does_not_allow_decides() {
        let on = |layer| move |effect| Decision::of(layer, effect);
        let (session, identity) = (on(Layer::Session), on(Layer::Identity));
        let (allow, deny) = (Some((Effect::Allow, 'a', 0)), Some((Effect::Deny, 'd', 1)));
        assert_eq!(session(allow).then(|| identity(allow)), identity(allow));
        assert_eq!(session(allow).then(|| identity(deny)), identity(deny));
        assert_eq!(session(allow).then(|| identity(None)), identity(None));
        assert_eq!(session(None).then(|| unreachable!("not asked")), Decision::ImplicitDeny(Layer::Session));
        assert_eq!(session(deny).then(|| unreachable!("not asked")), session(deny));
    }

    #[test]
    fn two_layers_must_both_allow_and_an_explicit_denial_is_named_first() {
        let on = |layer| move |effect| Decision::of(layer, effect);
        let (identity, trust) = (on(Layer::Identity), on(Layer::Trust));
        let (allow, deny) = (Some((Effect::Allow, 'a', 0)), Some((Effect::Deny, 'd', 1)));
        for (mine, theirs, expected) in [
            (allow, allow, trust(allow)),
            (allow, None, trust(None)),
            (None, allow, identity(None)),
            (None, None, identity(None)),
            (allow, deny, trust(deny)),
            (None, deny, trust(deny)),
            (deny, None, identity(deny)),
            (deny, deny, identity(deny)),
        ] {
            assert_eq!(identity(mine).and(trust(theirs)), expected);
        }
    }

    fn statements(effect: &'static [&'static str]) -> impl Strategy<Value = serde_json::Value> {
        let actions = select(vec!["*", "ecs:*", "ECS:Detach*", "ecs:DetachInstanceRamRol?", "ram:PassRole", "*:*Role"]);
        let resources =
            select(vec!["*", "acs:ecs:*", "acs:ecs:*:*:instance/i-?", "acs:ram:*:*:role/w*", "acs:ram::1:role/web"]);
        let conditions = select(vec![
            json!({}),
            json!({ "Bool": { "acs:MFAPresent": true } }),
            json!({ "NotIpAddress": { "acs:SourceIp": ["10.1.2.3/8", "::1"] } }),
            json!({ "StringLike": { "acs:Service": "*.aliyuncs.com" }, "NumericLessThan": { "n": [1.5, "7e0"] } }),
            json!({ "DateLessThan": { "acs:CurrentTime": "2026-01-05T16:00:00.5+08:00" } }),
            json!({ "StringNotEqualsIgnoreCase": { "k\"/~北": "A" } }),
        ]);
        let statement = (select(effect.to_vec()), any::<bool>(), vec(actions, 1..3), vec(resources, 1..3), conditions);
        statement.prop_map(|(effect, not, actions, resources, conditions)| {
            let action = if not { "NotAction" } else { "Action" };
            json!({ "Effect": effect, action: actions, "Resource": resources, "Condition": conditions })
        })
    }

    fn documents() -> impl Strategy<Value = Vec<serde_json::Value>> {
        vec(statements(&["Allow", "Deny"]), 1..6)
    }

    fn contexts() -> impl Strategy<Value = Context<'static>> {
        let times = select(vec!["2026-01-05T07:00:00Z", "2026-01-05T09:00:00Z"]);
        let values =
            (any::<Option<bool>>(), select(vec!["10.0.0.1", "::1", "1.1.1.1"]), times, select(vec!["1", "9", "x"]));
        values.prop_map(|(mfa, address, time, number)| {
            let context = Context::default().with("acs:SourceIp", address).with("acs:CurrentTime", time);
            let context = context.with("n", number).with("acs:Service", "ecs.aliyuncs.com").with("k\"/~北", number);
            if let Some(mfa) = mfa { context.with("acs:MFAPresent", mfa) } else { context }
        })
    }

    fn questions() -> impl Strategy<Value = (&'static str, &'static str)> {
        let actions = select(vec![DETACH, "ecs:DescribeInstances", "ram:PassRole", "oss:GetObject"]);
        let resources = select(vec![INSTANCE, "acs:ecs:cn-hangzhou:1:instance/i-22", "acs:ram:cn-hangzhou:1:role/web"]);
        (actions, resources)
    }

    fn ask(policy: &PermissionPolicy, (action, arn): (&str, &str), context: &Context<'_>) -> Decision<()> {
        let resource = Resource::new(arn);
        decide(Layer::Identity, [((), policy)], &Request { action, resource: &resource, context })
    }

    fn with(document: &[serde_json::Value], at: usize, statement: serde_json::Value) -> PermissionPolicy {
        let mut document = document.to_vec();
        document.insert(at % (document.len() + 1), statement);
        policy(&document.into())
    }

    proptest! {
        #[test]
        fn one_more_allow_never_takes_a_permission_away(
            document in documents(), more in statements(&["Allow"]), at: usize, question in questions(),
            context in contexts(),
        ) {
            let (before, after) = (policy(&document.clone().into()), with(&document, at, more));
            let (before, after) = (ask(&before, question, &context), ask(&after, question, &context));
            prop_assert!(!before.is_allowed() || after.is_allowed());
            let denied = |decision| matches!(decision, Decision::ExplicitDeny(_));
            prop_assert_eq!(denied(before), denied(after));
        }

        #[test]
        fn one_more_deny_never_grants(
            document in documents(), more in statements(&["Deny"]), at: usize, question in questions(),
            context in contexts(),
        ) {
            let (before, after) = (policy(&document.clone().into()), with(&document, at, more));
            prop_assert!(ask(&before, question, &context).is_allowed() || !ask(&after, question, &context).is_allowed());
        }

        #[test]
        fn the_reason_is_a_statement_of_that_effect(
            document in documents(), question in questions(), context in contexts(),
        ) {
            let given = policy(&document.clone().into());
            match ask(&given, question, &context) {
                Decision::Allowed(ground) => prop_assert_eq!(&document[ground.statement]["Effect"], "Allow"),
                Decision::ExplicitDeny(ground) => {
                    let alone = policy(&document[ground.statement]);
                    prop_assert!(matches!(ask(&alone, question, &context), Decision::ExplicitDeny(_)));
                }
                Decision::ImplicitDeny(_) => for statement in document {
                    prop_assert!(matches!(ask(&policy(&statement), question, &context), Decision::ImplicitDeny(_)));
                },
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:a-zA-Z1*/ \\\\]{0,60}") {
            let _ = PermissionPolicy::parse(&text, Use::Identity);
            let _ = super::super::trust::TrustPolicy::parse(&text);
        }

        #[test]
        fn no_text_in_a_document_makes_the_reader_or_a_decision_panic(
            texts in proptest::array::uniform4("(acs:(ram|ecs):|ecs:|\\*|\\?|:|/|[0-9]{1,3}\\.|[a-z北]|.){0,8}"),
            operator in select(&["StringLike", "NumericLessThan", "DateEquals", "Bool", "IpAddress"][..]),
            context in contexts(), question in questions(),
        ) {
            let [action, resource, key, value] = &texts;
            let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
            let conditional = json!({ "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": { operator: { key.as_str(): [value, "10.0.0.0/8"] } } });
            for statement in [statement, conditional] {
                let text = json!({ "Version": "1", "Statement": statement }).to_string();
                if let Ok(policy) = PermissionPolicy::parse(&text, Use::Identity) {
                    let _ = ask(&policy, question, &context.clone().with(key.as_str(), value.as_str()));
                }
            }
            for kind in ["RAM", "Service", "Federated"] {
                let text = json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": { kind: resource } }] });
                let _ = super::super::trust::TrustPolicy::parse(&text.to_string());
            }
        }
    }
}
