//! The vendor's own policies, as far as tests of ECS, RAM and STS need them.

use std::sync::LazyLock;

use super::document::{PermissionPolicy, Use};

/// A policy that every account has and nobody can change.
#[derive(Debug)]
pub struct SystemPolicy {
    pub name: &'static str,
    pub description: &'static str,
    pub policy: PermissionPolicy,
}

/// Every system policy, by name.
pub fn system_policies() -> &'static [SystemPolicy] {
    static POLICIES: LazyLock<Box<[SystemPolicy]>> = LazyLock::new(|| {
        let compiled = DOCUMENTS.iter().map(|(name, description, statements)| {
            let text = format!(r#"{{"Version":"1","Statement":[{statements}]}}"#);
            let policy = PermissionPolicy::parse(&text, Use::Identity).expect("a test parses each");
            SystemPolicy { name, description, policy }
        });
        compiled.collect()
    });
    &POLICIES
}

/// The system policy of that name, spelled with this case (inferred).
pub fn system_policy(name: &str) -> Option<&'static SystemPolicy> {
    system_policies().iter().find(|policy| policy.name == name)
}

/// Name, description, statements. Names are documented (ram.md 4). The two documents of ECS are on
/// https://www.alibabacloud.com/help/doc-detail/273911.htm; the other documents, and every
/// description but theirs, are our reading of the names (inferred).
const DOCUMENTS: [(&str, &str, &str); 7] = [
    ("AdministratorAccess", "Permissions to manage all resources", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
    (
        "AliyunECSFullAccess",
        "Permissions to manage ECS resources",
        r#"{"Action":"ecs:*","Resource":"*","Effect":"Allow"},
        {"Action":["vpc:DescribeVpcs","vpc:DescribeVSwitches"],"Resource":"*","Effect":"Allow"}"#,
    ),
    (
        "AliyunECSReadOnlyAccess",
        "Permissions to view ECS resources",
        r#"{"Action":"ecs:Describe*","Resource":"*","Effect":"Allow"},
        {"Action":"ecs:List*","Resource":"*","Effect":"Allow"},
        {"Action":["vpc:DescribeVpcs","vpc:DescribeVSwitches"],"Resource":"*","Effect":"Allow"}"#,
    ),
    (
        "AliyunRAMFullAccess",
        "Permissions to manage RAM resources",
        r#"{"Effect":"Allow","Action":"ram:*","Resource":"*"}"#,
    ),
    (
        "AliyunRAMReadOnlyAccess",
        "Permissions to view RAM resources",
        r#"{"Effect":"Allow","Action":["ram:Get*","ram:List*"],"Resource":"*"}"#,
    ),
    (
        "AliyunSTSAssumeRoleAccess",
        "Permission to assume roles",
        r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#,
    ),
    (
        "ReadOnlyAccess",
        "Permissions to view all resources",
        r#"{"Effect":"Allow","Action":["*:Describe*","*:List*","*:Get*"],"Resource":"*"}"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::super::decide::{Layer, Request, decide};
    use super::super::{Context, Resource};
    use super::*;

    #[test]
    fn each_system_policy_parses_and_allows_what_its_name_says() {
        for (name, allowed, refused) in [
            ("AdministratorAccess", &["ecs:RunInstances", "ram:PassRole", "sts:AssumeRole"][..], &[][..]),
            (
                "AliyunECSFullAccess",
                &["ecs:AttachInstanceRamRole", "vpc:DescribeVSwitches"],
                &["ram:PassRole", "vpc:DeleteVpc"],
            ),
            ("AliyunECSReadOnlyAccess", &["ecs:DescribeInstanceRamRole"], &["ecs:DetachInstanceRamRole"]),
            ("AliyunRAMFullAccess", &["ram:PassRole", "ram:CreateRole"], &["ecs:DescribeInstances"]),
            ("AliyunRAMReadOnlyAccess", &["ram:GetRole", "ram:ListRoles"], &["ram:PassRole"]),
            ("AliyunSTSAssumeRoleAccess", &["sts:AssumeRole"], &["ram:GetRole"]),
            (
                "ReadOnlyAccess",
                &["ecs:DescribeInstances", "ram:GetRole", "ram:ListRoles"],
                &["ecs:DetachInstanceRamRole"],
            ),
        ] {
            let system = system_policy(name).expect(name);
            let (resource, context) = (Resource::new("acs:ecs:cn-hangzhou:1:instance/i-1"), Context::default());
            let allows = |action| {
                let request = Request { action, resource: &resource, context: &context };
                decide(Layer::Identity, [((), &system.policy)], &request).is_allowed()
            };
            assert!(allowed.iter().all(|action| allows(action)), "{name}");
            assert!(!refused.iter().any(|action| allows(action)), "{name}");
        }
        assert!(system_policies().is_sorted_by_key(|policy| policy.name));
        assert!(system_policy("administratoraccess").is_none());
    }
}
