//! Which permission each RAM action needs, on which resources (ram.md 4, last table).

use serde_json::{Value, json};

use crate::support::{self, Server, TRUST};

const ACCOUNT: &str = "acs:ram:*:1000000000000001:";
const NAMES: [(&str, &str); 8] = [
    ("RoleName", "WEB"),
    ("UserName", "ANN"),
    ("PolicyName", "MINE"),
    ("PolicyType", "Custom"),
    ("VersionId", "v1"),
    ("UserAccessKeyId", "k"),
    ("Status", "Active"),
    ("NewDescription", "d"),
];
const ALLOW: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}"#;

/// A world with one of each, and the caller `ann` with a policy of the given statements.
async fn start(statements: &Value) -> Server {
    let document = |statements: &Value| json!({ "Version": "1", "Statement": statements });
    let nothing = json!([{ "Effect": "Deny", "Action": "ecs:*", "Resource": "*" }]);
    support::start_seeded(json!({ "accounts": [{
        "policies": [
            { "name": "Mine", "document": document(&nothing) },
            { "name": "hers", "document": document(statements) },
        ],
        "users": [{ "name": "Ann", "policies": ["hers"], "keys": [{ "id": "ann", "secret": "ann" }] }],
        "roles": [{ "name": "Web" }],
    }] }))
    .await
}

/// What the call needs beyond what `ann` may: the texts of her refusal, if she is refused.
async fn refusal(server: &Server, action: &str, more: &[(&str, &str)]) -> Option<String> {
    let call = server.ram(action, &NAMES).param("AssumeRolePolicyDocument", TRUST).param("PolicyDocument", ALLOW);
    let call = more.iter().fold(call, |call, (name, value)| call.param(name, *value));
    let answer = call.key("ann", "ann").send().await;
    let body = answer.json();
    if body["Code"] != "NoPermission" {
        return None;
    }
    let (status, _, message) = answer.refusal();
    assert_eq!(status, 403);
    Some(message)
}

#[tokio::test]
async fn each_action_needs_the_permissions_of_the_table() {
    const ROLE: [(&str, &str); 2] = [("ResourceType", "role"), ("ResourceNames", r#"["web"]"#)];
    const POLICY: [(&str, &str); 2] = [("ResourceType", "policy"), ("ResourceNames", r#"["mine"]"#)];
    let system = [("PolicyType", "System"), ("PolicyName", "ReadOnlyAccess")];
    let mine = "policy/Mine";
    for (actions, more, resources) in [
        (&["CreateRole", "ListRoles"][..], &[][..], &["role/*"][..]),
        (&["GetRole", "UpdateRole", "DeleteRole", "ListPoliciesForRole"], &[], &["role/Web"]),
        (&["AttachPolicyToRole", "DetachPolicyFromRole"], &[], &["role/Web", mine]),
        (&["AttachPolicyToRole", "DetachPolicyFromRole"], &system, &["role/Web", "system"]),
        (&["CreateUser", "ListUsers"], &[], &["user/*"]),
        (&["GetUser", "DeleteUser", "ListPoliciesForUser"], &[], &["user/Ann"]),
        (
            &["CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed"],
            &[],
            &["user/Ann"],
        ),
        (&["CreateAccessKey", "ListAccessKeys"], &[("UserName", "")], &["user/Ann"]),
        (&["AttachPolicyToUser", "DetachPolicyFromUser"], &[], &["user/Ann", mine]),
        (&["AttachPolicyToUser", "DetachPolicyFromUser"], &system, &["user/Ann", "system"]),
        (&["CreatePolicy", "ListPolicies"], &[], &["policy/*"]),
        (
            &[
                "GetPolicy",
                "DeletePolicy",
                "CreatePolicyVersion",
                "GetPolicyVersion",
                "ListPolicyVersions",
                "SetDefaultPolicyVersion",
                "DeletePolicyVersion",
                "UpdatePolicyDescription",
                "ListEntitiesForPolicy",
            ],
            &[],
            &[mine],
        ),
        (&["GetPolicy", "GetPolicyVersion", "ListPolicyVersions", "ListEntitiesForPolicy"], &system, &["system"]),
        (&["TagResources", "ListTagResources"], &[ROLE[0], ROLE[1], ("Tag.1.Key", "k")], &["role/Web"]),
        (&["UntagResources"], &[ROLE[0], ROLE[1], ("All", "true")], &["role/Web"]),
        (&["TagResources", "ListTagResources"], &[POLICY[0], POLICY[1], ("Tag.1.Key", "k")], &[mine]),
        (&["ListTagResources"], &[ROLE[0]], &["role/*"]),
        (&["ListTagResources"], &[POLICY[0]], &["policy/*"]),
    ] {
        let arn = |resource: &&str| match *resource {
            "system" => "acs:ram:*:system:policy/ReadOnlyAccess".to_owned(),
            resource => format!("{ACCOUNT}{resource}"),
        };
        let arns: Vec<_> = resources.iter().map(arn).collect();
        for name in actions {
            let action = format!("ram:{name}");
            let statement = |resource: &str| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
            // The permissions one after the other: each refusal names the first that is lacking.
            for lacking in 0..=arns.len() {
                let mut statements = vec![json!({ "Effect": "Allow", "Action": "ecs:*", "Resource": "*" })];
                statements.extend(arns[..lacking].iter().map(|resource| statement(resource)));
                let server = start(&json!(statements)).await;
                let expected = arns.get(lacking).map(|resource| {
                    format!("You are not authorized to do this action. Resource: {resource} Action: {action}")
                });
                assert_eq!(refusal(&server, name, more).await, expected, "{name} {more:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_reader_reads_and_changes_nothing() {
    let server = support::start().await;
    let read = server.ram("ListRoles", &[]).key("test-reader", "test-reader").send().await;
    assert_eq!(read.status, 200);
    let write = server.ram("DeleteRole", &[("RoleName", "batch-role")]).key("test-reader", "test-reader").send().await;
    assert_eq!(write.code(), (403, "NoPermission".to_owned()));
    server.ram_done("GetRole", &[("RoleName", "batch-role")]).await;
}
