//! Trust policies: who may take on a role.

use super::condition::{Condition, Context};
use super::decide::{Decision, Layer, first_match};
use super::document::{Effect, read_conditions, read_effect, read_statements};
use super::json::{Node, Place, PolicyError};

/// Who asks to take on a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumer<'a> {
    /// A service such as `ecs.aliyuncs.com`.
    Service(&'a str),
    /// A user or a role, by its ARN; a session of a role by the role's.
    Ram(&'a str),
    /// An identity provider, by its ARN.
    Federated(&'a str),
}

/// A policy of statements about principals, as given and compiled.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    text: Box<str>,
    statements: Box<[Statement]>,
}

impl TrustPolicy {
    /// In characters. The vendor has a code for a longer one and publishes no figure (ram.md 8): that
    /// of permission policies (inferred).
    pub const LONGEST: usize = 6144;

    /// # Errors
    /// The first mistake.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let statements = read_statements(&Node::parse(text, Self::LONGEST)?, Statement::read)?;
        Ok(Self { text: text.into(), statements })
    }

    /// A policy that lets one service in.
    pub fn of_service(service: &str) -> Self {
        let statement = Statement {
            effect: Effect::Allow,
            principals: Box::new([Principal { kind: Kind::Service, name: service.into() }]),
            conditions: Box::default(),
        };
        let text = serde_json::json!({
            "Statement": [{ "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "Service": [service] } }],
            "Version": "1",
        });
        Self { text: text.to_string().into(), statements: Box::new([statement]) }
    }

    /// The document as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The users and roles that it names by ARN. The service refuses a document that names a user who
    /// does not exist (ram.md 5, documented); a role alike (inferred).
    pub fn named_identities(&self) -> impl Iterator<Item = &str> {
        let principals = self.statements.iter().flat_map(|statement| &statement.principals);
        principals.filter(|principal| principal.kind == Kind::Identity).map(|principal| &*principal.name)
    }

    /// Whether `assumer` may take on the role; `from` says whose policy this is.
    pub fn decide<T>(&self, from: T, assumer: Assumer<'_>, context: &Context<'_>) -> Decision<T> {
        let matching = self.statements.iter().map(|statement| {
            let covers = || {
                statement.principals.iter().any(|principal| principal.covers(assumer))
                    && statement.conditions.iter().all(|condition| condition.holds(context, &[]))
            };
            (statement.effect, covers)
        });
        let found = first_match(matching);
        Decision::of(Layer::Trust, found.map(|(effect, statement)| (effect, from, statement)))
    }

    /// Whether a service, such as `ecs.aliyuncs.com`, may take on the role
    /// (ecs-instance-ram-role.md 5.9, documented; that conditions count: inferred).
    pub fn trusts(&self, service: &str, context: &Context<'_>) -> bool {
        self.decide((), Assumer::Service(service), context).is_allowed()
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    effect: Effect,
    principals: Box<[Principal]>,
    conditions: Box<[Condition]>,
}

impl Statement {
    fn read(node: &Node, at: &Place<'_>) -> Result<Self, PolicyError> {
        let members = node.any_members(at)?;
        if members.get("Resource").is_some() {
            return Err(Place::Member(at, "Resource").wrong("a trust policy has no Resource"));
        }
        let members = node.members(at, &["Effect", "Action", "Principal", "Condition"])?;
        let effect = read_effect(members.required(at, "Effect")?, &Place::Member(at, "Effect"))?;
        members.required(at, "Action")?.each(&Place::Member(at, "Action"), read_action)?;
        let principals = read_principals(members.required(at, "Principal")?, &Place::Member(at, "Principal"))?;
        let conditions = read_conditions(members.get("Condition"), at)?;
        Ok(Self { effect, principals, conditions })
    }
}

/// `sts:AssumeRole` and nothing else (documented), in any case.
fn read_action(node: &Node, at: &Place<'_>) -> Result<(), PolicyError> {
    if node.text(at)?.eq_ignore_ascii_case("sts:AssumeRole") {
        Ok(())
    } else {
        Err(at.wrong("the action of a trust policy is sts:AssumeRole"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Principal {
    kind: Kind,
    /// Of an account: its ARN up to and with the last colon.
    name: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Service,
    Account,
    Identity,
    Federated,
}

impl Principal {
    /// Users and roles are found without regard to case, as elsewhere (ram.md 2, inferred); services and
    /// providers with it (inferred).
    fn covers(&self, assumer: Assumer<'_>) -> bool {
        match (self.kind, assumer) {
            (Kind::Account, Assumer::Ram(arn)) => arn.starts_with(&*self.name),
            (Kind::Identity, Assumer::Ram(arn)) => arn.eq_ignore_ascii_case(&self.name),
            (Kind::Service, Assumer::Service(name)) | (Kind::Federated, Assumer::Federated(name)) => {
                *name == *self.name
            }
            _ => false,
        }
    }
}

/// `RAM`, `Service` and `Federated`, each a string or a list (documented). No wildcard is
/// documented in them: none is taken (inferred). A service is any name; its ending is not checked
/// (inferred). A provider is one for SAML (documented) or OIDC (inferred).
fn read_principals(node: &Node, at: &Place<'_>) -> Result<Box<[Principal]>, PolicyError> {
    let members = node.members(at, &["RAM", "Service", "Federated"])?;
    if members.is_empty() {
        return Err(at.wrong("needs RAM, Service or Federated"));
    }
    let mut principals = Vec::new();
    for (element, names) in members.iter() {
        let read = match element {
            "RAM" => read_identity,
            "Service" => read_service,
            _ => read_provider,
        };
        principals.extend(names.each(&Place::Member(at, element), read)?);
    }
    Ok(principals.into())
}

fn read_service(node: &Node, at: &Place<'_>) -> Result<Principal, PolicyError> {
    match node.text(at)? {
        "" => Err(at.wrong("cannot be empty")),
        name if name.contains(['*', '?']) => Err(at.wrong("a service has no wildcards")),
        name => Ok(Principal { kind: Kind::Service, name: name.into() }),
    }
}

fn read_identity(node: &Node, at: &Place<'_>) -> Result<Principal, PolicyError> {
    let arn = node.text(at)?;
    match parts(arn) {
        Some((account, "root")) => Ok(Principal { kind: Kind::Account, name: account.into() }),
        Some((_, id)) if is_named(id, "user/") || is_named(id, "role/") => {
            Ok(Principal { kind: Kind::Identity, name: arn.into() })
        }
        _ => Err(at.wrong("must be acs:ram::<account>:root, :user/<name> or :role/<name>")),
    }
}

fn read_provider(node: &Node, at: &Place<'_>) -> Result<Principal, PolicyError> {
    let arn = node.text(at)?;
    let known = parts(arn).is_some_and(|(_, id)| is_named(id, "saml-provider/") || is_named(id, "oidc-provider/"));
    let principal = Principal { kind: Kind::Federated, name: arn.into() };
    known.then_some(principal).ok_or_else(|| at.wrong("must be acs:ram::<account>:saml-provider/<name>"))
}

/// `acs:ram::<account>:` and what follows; the account is decimal.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let (account, _) = arn.strip_prefix("acs:ram::")?.split_once(':')?;
    let decimal = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    decimal.then(|| arn.split_at("acs:ram::".len() + account.len() + 1))
}

fn is_named(id: &str, kind: &str) -> bool {
    id.strip_prefix(kind).is_some_and(|name| !name.is_empty() && !name.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::super::json::Fault;
    use super::*;

    const WEB: Assumer<'_> = Assumer::Ram("acs:ram::1000000000000001:role/web");
    const ANN: Assumer<'_> = Assumer::Ram("acs:ram::1000000000000001:user/ann");

    fn trust(statements: &str) -> Result<TrustPolicy, PolicyError> {
        TrustPolicy::parse(&format!(r#"{{"Version":"1","Statement":{statements}}}"#))
    }

    fn principal(principal: &str) -> Result<TrustPolicy, PolicyError> {
        trust(&format!(r#"[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}}}]"#))
    }

    /// The principals of ram.md 5: who is let in by each.
    #[test]
    fn each_principal_of_the_table() {
        let provider = Assumer::Federated("acs:ram::1000000000000001:saml-provider/corp");
        let oidc = Assumer::Federated("acs:ram::1000000000000001:oidc-provider/corp");
        let ecs = Assumer::Service("ecs.aliyuncs.com");
        for (text, allowed, refused) in [
            (r#"{"RAM":"acs:ram::1000000000000001:root"}"#, vec![ANN, WEB], vec![ecs, provider]),
            (r#"{"RAM":["acs:ram::100000000000000:root"]}"#, vec![], vec![ANN, WEB]),
            (r#"{"RAM":"acs:ram::1000000000000001:user/Ann"}"#, vec![ANN], vec![WEB, ecs]),
            (r#"{"RAM":"acs:ram::1000000000000001:role/web"}"#, vec![WEB], vec![ANN, ecs]),
            (r#"{"Service":["fc.aliyuncs.com","ecs.aliyuncs.com"]}"#, vec![ecs], vec![ANN, Assumer::Service("ecs")]),
            (r#"{"Federated":["acs:ram::1000000000000001:saml-provider/corp"]}"#, vec![provider], vec![ANN, ecs, oidc]),
            (r#"{"Federated":"acs:ram::1000000000000001:oidc-provider/corp"}"#, vec![oidc], vec![provider]),
            (
                r#"{"Service":"ecs.aliyuncs.com","RAM":"acs:ram::1000000000000001:user/ann"}"#,
                vec![ANN, ecs],
                vec![WEB, provider],
            ),
        ] {
            let policy = principal(text).expect(text);
            let decide = |who| policy.decide("the role's", who, &Context::default());
            assert!(allowed.iter().all(|who| decide(*who).is_allowed()), "{text}");
            assert!(refused.iter().all(|who| decide(*who) == Decision::ImplicitDeny(Layer::Trust)), "{text}");
        }
    }

    #[test]
    fn a_deny_wins_and_conditions_count() {
        let policy = trust(
            r#"[{"Effect":"Allow","Action":["STS:assumerole"],"Principal":{"RAM":"acs:ram::1000000000000001:root"},
                "Condition":{"Bool":{"acs:MFAPresent":"true"}}},
                {"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"RAM":"acs:ram::1000000000000001:user/ann"}}]"#,
        )
        .expect("a policy");
        let context = Context::default().with("acs:MFAPresent", true);
        assert!(policy.decide((), WEB, &context).is_allowed());
        assert!(!policy.decide((), WEB, &Context::default()).is_allowed());
        let Decision::ExplicitDeny(ground) = policy.decide("web", ANN, &context) else { panic!("not denied") };
        assert_eq!((ground.layer, ground.policy, ground.statement), (Layer::Trust, "web", 1));
        assert_eq!(policy.named_identities().collect::<Vec<_>>(), ["acs:ram::1000000000000001:user/ann"]);
    }

    #[test]
    fn the_policy_that_is_made_for_a_service_is_the_one_that_its_text_is() {
        let service = TrustPolicy::of_service("ecs.aliyuncs.com");
        assert_eq!(TrustPolicy::parse(service.text()).expect("a policy").statements, service.statements);
        let trusts = |name| service.trusts(name, &Context::default());
        assert!(trusts("ecs.aliyuncs.com") && !trusts("fc.aliyuncs.com") && !trusts("ECS.aliyuncs.com"));
    }

    #[test]
    fn a_document_has_at_most_6144_characters_and_no_wildcard_lets_anybody_in() {
        let of_length = |length: usize| {
            let around = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":""}}]}"#;
            around.replace(r#""Service":"""#, &format!(r#""Service":"{}""#, "s".repeat(length - around.len())))
        };
        assert!(TrustPolicy::parse(&of_length(6144)).is_ok());
        assert_eq!(TrustPolicy::parse(&of_length(6145)).expect_err("too long").fault, Fault::Length);
        for wildcard in [r#"{"Service":"*"}"#, r#"{"RAM":"acs:ram::*:root"}"#, r#"{"RAM":"acs:ram::1:role/a?"}"#] {
            assert!(principal(wildcard).is_err(), "{wildcard}");
        }
    }

    #[test]
    fn mistakes_say_where() {
        for (text, message) in [
            ("{}", "$.Statement[0].Principal: needs RAM, Service or Federated"),
            (r#""*""#, "$.Statement[0].Principal: must be an object"),
            (r#"{"Aws":"*"}"#, "$.Statement[0].Principal.Aws: no such element here; there are RAM, Service, Federated"),
            (r#"{"Service":""}"#, "$.Statement[0].Principal.Service: cannot be empty"),
            (r#"{"Service":["*"]}"#, "$.Statement[0].Principal.Service[0]: a service has no wildcards"),
            (r#"{"Service":"ec?.aliyuncs.com"}"#, "$.Statement[0].Principal.Service: a service has no wildcards"),
            (
                r#"{"RAM":["acs:ram::1:root","*"]}"#,
                "$.Statement[0].Principal.RAM[1]: must be acs:ram::<account>:root, :user/<name> or :role/<name>",
            ),
            (
                r#"{"RAM":"acs:ram::1:user/*"}"#,
                "$.Statement[0].Principal.RAM: must be acs:ram::<account>:root, :user/<name> or :role/<name>",
            ),
            (
                r#"{"Federated":"corp"}"#,
                "$.Statement[0].Principal.Federated: must be acs:ram::<account>:saml-provider/<name>",
            ),
        ] {
            assert_eq!(principal(text).expect_err(text).to_string(), message);
        }
        let ecs = r#""Principal":{"Service":"ecs.aliyuncs.com"}"#;
        for (text, message) in [
            (
                format!(r#"[{{"Effect":"Allow","Action":"sts:*",{ecs}}}]"#),
                "$.Statement[0].Action: the action of a trust policy is sts:AssumeRole",
            ),
            (format!(r#"[{{"Effect":"Allow",{ecs}}}]"#), "$.Statement[0]: needs Action"),
            (r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#.to_owned(), "$.Statement: needs Principal"),
            (
                format!(r#"[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*",{ecs}}}]"#),
                "$.Statement[0].Resource: a trust policy has no Resource",
            ),
        ] {
            assert_eq!(trust(&text).expect_err("a mistake").to_string(), message);
        }
    }
}
