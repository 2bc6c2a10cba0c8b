//! Permission policies: what their holder may do.

use super::condition::Condition;
use super::decide::Request;
use super::json::{Node, Place, PolicyError};
use super::pattern::{Case, Pattern};
use super::resource::ResourcePattern;

/// What a permission policy is for; each use has its own longest text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A custom policy of users and roles (ram.md 4, documented).
    Identity,
    /// `Policy` of AssumeRole, which narrows one session (sts.md 4, documented).
    Session,
    /// `Policy` of AttachInstanceRamRole, which narrows the role on one instance
    /// (ecs-instance-ram-role.md 7, A11).
    Attachment,
}

impl Use {
    /// In characters.
    pub const fn longest(self) -> usize {
        match self {
            Self::Identity => 6144,
            Self::Session => 2048,
            Self::Attachment => 1024,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// A policy of statements about actions and resources, as given and compiled.
#[derive(Clone, Debug)]
pub struct PermissionPolicy {
    text: Box<str>,
    statements: Box<[Statement]>,
}

impl PermissionPolicy {
    /// # Errors
    /// The first mistake.
    pub fn parse(text: &str, purpose: Use) -> Result<Self, PolicyError> {
        let statements = read_statements(&Node::parse(text, purpose.longest())?, Statement::read)?;
        Ok(Self { text: text.into(), statements })
    }

    /// The policy that an instance's role was attached with. Any JSON object is taken there
    /// (ecs-instance-ram-role.md 7, A11, inferred); one that is no policy document allows nothing (inferred).
    ///
    /// # Errors
    /// Not a JSON object, or too long.
    pub fn attached(text: &str) -> Result<Self, PolicyError> {
        let node = Node::parse(text, Use::Attachment.longest())?;
        if !matches!(node, Node::Object(_)) {
            return Err(Place::Root.wrong("must be an object"));
        }
        let statements = read_statements(&node, Statement::read).unwrap_or_default();
        Ok(Self { text: text.into(), statements })
    }

    /// The document as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

/// One statement of a permission policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    effect: Effect,
    actions: Actions,
    resources: Box<[ResourcePattern]>,
    conditions: Box<[Condition]>,
}

/// Actions are compared without case, "in most cases" (ram.md 5, documented; always, inferred).
#[derive(Clone, Debug, PartialEq)]
enum Actions {
    These(Box<[Pattern]>),
    AllBut(Box<[Pattern]>),
}

impl Statement {
    fn read(node: &Node, at: &Place<'_>) -> Result<Self, PolicyError> {
        let members = node.any_members(at)?;
        if members.get("Principal").is_some() {
            return Err(Place::Member(at, "Principal").wrong("only a trust policy has a Principal"));
        }
        let members = node.members(at, &["Effect", "Action", "NotAction", "Resource", "Condition"])?;
        let effect = read_effect(members.required(at, "Effect")?, &Place::Member(at, "Effect"))?;
        let read_actions = |name: &str, node: &Node| node.each(&Place::Member(at, name), read_action);
        let actions = match (members.get("Action"), members.get("NotAction")) {
            (Some(actions), None) => Actions::These(read_actions("Action", actions)?),
            (None, Some(actions)) => Actions::AllBut(read_actions("NotAction", actions)?),
            (None, None) => return Err(at.wrong("needs Action or NotAction")),
            (Some(_), Some(_)) => return Err(at.wrong("has Action or NotAction, not both")),
        };
        let resources = members.required(at, "Resource")?.each(&Place::Member(at, "Resource"), read_resource)?;
        let conditions = read_conditions(members.get("Condition"), at)?;
        Ok(Self { effect, actions, resources, conditions })
    }

    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether the statement is about this request.
    pub(super) fn covers(&self, request: &Request<'_>) -> bool {
        let among = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(request.action));
        let acts = match &self.actions {
            Actions::These(patterns) => among(patterns),
            Actions::AllBut(patterns) => !among(patterns),
        };
        // Patterns of resources take longest.
        acts && self.conditions.iter().all(|condition| condition.holds(request.context, request.resource.tags))
            && self.resources.iter().any(|pattern| pattern.matches(request.resource))
    }
}

/// `<ram-code>:<Api>`, or `*` alone (documented).
fn read_action(node: &Node, at: &Place<'_>) -> Result<Pattern, PolicyError> {
    let text = node.text(at)?;
    let named = text.split_once(':').is_some_and(|(code, api)| !code.is_empty() && !api.is_empty());
    if named || text == "*" {
        Ok(Pattern::new(text, Case::Ignored))
    } else {
        Err(at.wrong("an action is * or such as ecs:DescribeInstances"))
    }
}

/// `acs:<ram-code>:<region>:<account>:<relative-id>`, or `*` alone (documented). How many parts a
/// pattern must spell out before a `*` is not: any text after `acs:` is taken (inferred).
fn read_resource(node: &Node, at: &Place<'_>) -> Result<ResourcePattern, PolicyError> {
    let text = node.text(at)?;
    if text == "*" || text.starts_with("acs:") {
        Ok(ResourcePattern::new(text))
    } else {
        Err(at.wrong("a resource is * or such as acs:ecs:*:*:instance/i-1"))
    }
}

/// Reads what both kinds of document have around their statements. `Version` can only be `"1"` and
/// must be there; `Statement` is a list (ram.md 5, documented) or a single object (inferred).
pub(super) fn read_statements<T>(
    node: &Node,
    read: impl FnMut(&Node, &Place<'_>) -> Result<T, PolicyError>,
) -> Result<Box<[T]>, PolicyError> {
    let root = Place::Root;
    let members = node.members(&root, &["Version", "Statement"])?;
    let at = Place::Member(&root, "Version");
    if members.required(&root, "Version")?.text(&at)? != "1" {
        return Err(at.wrong("must be \"1\""));
    }
    members.required(&root, "Statement")?.each(&Place::Member(&root, "Statement"), read)
}

/// With this case (inferred).
pub(super) fn read_effect(node: &Node, at: &Place<'_>) -> Result<Effect, PolicyError> {
    match node.text(at)? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        _ => Err(at.wrong("must be Allow or Deny")),
    }
}

pub(super) fn read_conditions(node: Option<&Node>, at: &Place<'_>) -> Result<Box<[Condition]>, PolicyError> {
    let at = Place::Member(at, "Condition");
    node.map_or_else(|| Ok(Box::default()), |node| Condition::read_all(node, &at))
}

#[cfg(test)]
mod tests {
    use super::super::json::Fault;
    use super::*;

    fn mistake(text: &str) -> String {
        PermissionPolicy::parse(text, Use::Identity).expect_err(text).to_string()
    }

    /// The elements of ram.md 5, each with what it refuses.
    #[test]
    fn each_element_of_the_table_says_what_is_wrong_and_where() {
        for (statement, message) in [
            // Effect
            (r#"{"Action":"*","Resource":"*"}"#, "$.Statement[0]: needs Effect"),
            (r#"{"Effect":"allow","Action":"*","Resource":"*"}"#, "$.Statement[0].Effect: must be Allow or Deny"),
            (r#"{"Effect":["Allow"],"Action":"*","Resource":"*"}"#, "$.Statement[0].Effect: must be a string"),
            // Action and NotAction
            (r#"{"Effect":"Allow","Resource":"*"}"#, "$.Statement[0]: needs Action or NotAction"),
            (
                r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#,
                "$.Statement[0]: has Action or NotAction, not both",
            ),
            (
                r#"{"Effect":"Allow","Action":["ecs:*","Describe*"],"Resource":"*"}"#,
                "$.Statement[0].Action[1]: an action is * or such as ecs:DescribeInstances",
            ),
            (r#"{"Effect":"Allow","NotAction":[],"Resource":"*"}"#, "$.Statement[0].NotAction: cannot be empty"),
            (r#"{"Effect":"Allow","Action":1,"Resource":"*"}"#, "$.Statement[0].Action: must be a string"),
            // Resource
            (r#"{"Effect":"Allow","Action":"*"}"#, "$.Statement[0]: needs Resource"),
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"i-1"}"#,
                "$.Statement[0].Resource: a resource is * or such as acs:ecs:*:*:instance/i-1",
            ),
            (r#"{"Effect":"Allow","Action":"*","Resource":["*",[]]}"#, "$.Statement[0].Resource[1]: must be a string"),
            // Condition
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"yes"}}}"#,
                "$.Statement[0].Condition.Bool.acs:MFAPresent: must be true or false",
            ),
            // Principal
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":{}}"#,
                "$.Statement[0].Principal: only a trust policy has a Principal",
            ),
            // Others
            (
                r#"{"Effect":"Allow","Action":"*","NotResource":"*"}"#,
                "$.Statement[0].NotResource: no such element here; there are Effect, Action, NotAction, Resource, Condition",
            ),
            (
                r#"{"Effect":"Deny","Action":"*","Resource":"*","Effect":"Allow"}"#,
                "$.Statement[0].Effect: is there twice",
            ),
            ("[]", "$.Statement[0]: must be an object"),
        ] {
            assert_eq!(mistake(&format!(r#"{{"Version":"1","Statement":[{statement}]}}"#)), message);
        }
        let fine = r#"{"Effect":"Deny","NotAction":"ecs:*","Resource":["*"]}"#;
        let second = format!(r#"{{"Version":"1","Statement":[{fine},{{"Effect":1}}]}}"#);
        assert_eq!(mistake(&second), "$.Statement[1].Effect: must be a string");
    }

    #[test]
    fn the_document_around_statements() {
        for (text, message) in [
            ("[]", "$: must be an object"),
            ("{", "$: not JSON: EOF while parsing an object at line 1 column 1"),
            (r#"{"Statement":[]}"#, "$: needs Version"),
            (r#"{"Version":1}"#, "$.Version: must be a string"),
            (r#"{"Version":"2012-10-17"}"#, "$.Version: must be \"1\""),
            (r#"{"Version":"1"}"#, "$: needs Statement"),
            (r#"{"Version":"1","Statement":[]}"#, "$.Statement: cannot be empty"),
            (r#"{"Version":"1","Statement":{"Effect":"No"}}"#, "$.Statement.Effect: must be Allow or Deny"),
            (r#"{"Version":"1","Id":"a"}"#, "$.Id: no such element here; there are Version, Statement"),
        ] {
            assert_eq!(mistake(text), message);
        }
    }

    #[test]
    fn each_use_has_its_longest_text_in_characters() {
        let head = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"acs:"#;
        for (purpose, longest) in [(Use::Identity, 6144), (Use::Session, 2048), (Use::Attachment, 1024)] {
            let of_length = |length: usize| format!("{head}{}\"}}]}}", "北".repeat(length - head.len() - 4));
            assert!(PermissionPolicy::parse(&of_length(longest), purpose).is_ok());
            let error = PermissionPolicy::parse(&of_length(longest + 1), purpose).expect_err("too long");
            assert_eq!((error.fault, error.place.as_str()), (Fault::Length, "$"));
        }
    }

    #[test]
    fn spellings_that_mean_the_same_are_read_the_same_and_the_text_is_kept() {
        let text = r#"{"Statement":{"Condition":{"Bool":{"acs:MFAPresent":true},"IpAddress":{"acs:SourceIp":["10.1.2.3/8","::1"]},
            "NumericLessThan":{"n":5e-1},"DateLessThan":{"acs:CurrentTime":"2026-01-05T16:00:00+08:00"}},
            "Resource":"*","NotAction":"ecs:Describe*","Effect":"Deny"},"Version":"1"}"#;
        let policy = PermissionPolicy::parse(text, Use::Identity).expect("a policy");
        assert_eq!(policy.text(), text);
        let usual = r#"{"Version":"1","Statement":[{"Effect":"Deny","NotAction":["ecs:Describe*"],"Resource":["*"],"Condition":{"#
            .to_owned()
            + r#""Bool":{"acs:MFAPresent":["true"]},"IpAddress":{"acs:SourceIp":["10.0.0.0/8","::1/128"]},"#
            + r#""NumericLessThan":{"n":["0.5"]},"DateLessThan":{"acs:CurrentTime":["2026-01-05T08:00:00Z"]}}}]}"#;
        let again = PermissionPolicy::parse(&usual, Use::Identity).expect("a policy");
        assert_eq!(again.statements(), policy.statements());
    }

    #[test]
    fn what_an_instance_is_attached_with_is_any_object_and_allows_nothing_if_it_is_no_policy() {
        let statements = |text: &str| PermissionPolicy::attached(text).map(|policy| policy.statements().len());
        assert_eq!(statements(r#"{"a":1}"#), Ok(0));
        let policy = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        assert_eq!(statements(policy), Ok(1));
        for text in ["", "x", "[]", "1"] {
            assert!(statements(text).is_err(), "{text}");
        }
    }
}
