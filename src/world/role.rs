//! RAM roles, as far as instances need them.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// The name of a role. Two spellings that differ in case name one role (ram.md 2, inferred); the
/// stored spelling is the one that is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct RoleName(Arc<str>);

impl RoleName {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` names the same role.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// 1 to 64 letters, digits, `.`, `-` or `_` (ecs-instance-ram-role.md 9: `_` in older texts).
    pub fn is_well_formed(name: &str) -> bool {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may take on a role: the document as written, and the services that it lets in.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    pub document: String,
    services: Vec<String>,
}

impl TrustPolicy {
    /// A policy that lets one service in.
    pub fn of_service(service: &str) -> Self {
        let document = serde_json::json!({
            "Statement": [{ "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "Service": [service] } }],
            "Version": "1",
        });
        Self { document: document.to_string(), services: vec![service.to_owned()] }
    }

    /// Reads the statements of a trust policy document.
    ///
    /// # Errors
    /// What is wrong with it, for a person to read.
    pub fn read(document: &Value) -> Result<Self, String> {
        let statements = document.get("Statement").ok_or("a trust policy needs a Statement")?;
        let mut services = Vec::new();
        for statement in one_or_many(statements) {
            let effect = statement.get("Effect").and_then(Value::as_str);
            if !matches!(effect, Some("Allow" | "Deny")) {
                return Err("the Effect of a statement is Allow or Deny".to_owned());
            }
            let action = statement.get("Action").ok_or("a statement needs an Action")?;
            let assume =
                one_or_many(action).any(|a| a.as_str().is_some_and(|a| a.eq_ignore_ascii_case("sts:AssumeRole")));
            let principal =
                statement.get("Principal").and_then(Value::as_object).ok_or("a statement needs a Principal")?;
            if effect == Some("Allow") && assume {
                let named = principal.get("Service").into_iter().flat_map(one_or_many);
                services.extend(named.filter_map(Value::as_str).map(str::to_owned));
            }
        }
        Ok(Self { document: document.to_string(), services })
    }

    /// Whether a service, such as `ecs.aliyuncs.com`, may take on the role
    /// (ecs-instance-ram-role.md 5.9, documented).
    pub fn trusts(&self, service: &str) -> bool {
        self.services.iter().any(|s| s == service)
    }
}

fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(many) => many.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}

/// A role of an account.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: RoleName,
    pub description: String,
    pub trust: TrustPolicy,
    pub created: Timestamp,
}
