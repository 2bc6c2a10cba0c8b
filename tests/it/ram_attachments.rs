//! Policies on users and roles (ram.md 3 and 4, clients.md 4.4).

use serde_json::{Value, json};

use crate::support::{self, NOW, Server};

/// The two kinds that have policies: the actions, the parameter and the name of one in the default seed.
const KINDS: [(&str, &str, &str, &str, &str); 2] = [
    ("AttachPolicyToUser", "DetachPolicyFromUser", "ListPoliciesForUser", "UserName", "disabled"),
    ("AttachPolicyToRole", "DetachPolicyFromRole", "ListPoliciesForRole", "RoleName", "fc-role"),
];

const DOCUMENT: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}"#;

async fn create_policy(server: &Server, name: &str) {
    server.ram_done("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", DOCUMENT)]).await;
}

#[tokio::test]
async fn a_policy_goes_on_is_listed_and_comes_off() {
    for (attach, detach, list, parameter, name) in KINDS {
        let server = support::start().await;
        create_policy(&server, "Mine").await;
        let before = server.ram_done(list, &[(parameter, name)]).await["Policies"].clone();
        let (custom, system) = (("PolicyType", "Custom"), ("PolicyType", "System"));
        let mine = [custom, ("PolicyName", "mINE"), (parameter, name)];
        server.ram_done(attach, &mine).await;
        server.ram_done(attach, &[system, ("PolicyName", "AliyunRAMReadOnlyAccess"), (parameter, name)]).await;
        let body = server.ram_done(list, &[(parameter, &name.to_uppercase())]).await;
        let listed = body["Policies"]["Policy"].as_array().expect("a list");
        assert_eq!(
            listed[listed.len() - 2..],
            [
                json!({ "PolicyName": "Mine", "PolicyType": "Custom", "DefaultVersion": "v1", "AttachDate": NOW }),
                json!({
                    "PolicyName": "AliyunRAMReadOnlyAccess", "PolicyType": "System",
                    "Description": "Permissions to view RAM resources", "DefaultVersion": "v1", "AttachDate": NOW,
                }),
            ]
        );
        server.ram_done(detach, &mine).await;
        server.ram_done(detach, &[system, ("PolicyName", "AliyunRAMReadOnlyAccess"), (parameter, name)]).await;
        assert_eq!(server.ram_done(list, &[(parameter, name)]).await["Policies"], before);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_the_holder_first() {
    for (attach, detach, _, parameter, name) in KINDS {
        let server = support::start().await;
        for action in [attach, detach] {
            let refused = async |policy_type: &str, policy: &str, holder: &str| {
                let given = [("PolicyType", policy_type), ("PolicyName", policy), (parameter, holder)];
                server.ram_refused(action, &given).await
            };
            let (code, message) = if parameter == "UserName" {
                ("EntityNotExist.User", "The user does not exist.")
            } else {
                ("EntityNotExist.Role", "The role not exists: nobody.")
            };
            assert_eq!(refused("Custom", "none", "nobody").await, (404, code.to_owned(), message.to_owned()));
            let missing = (404, "EntityNotExist.Policy".to_owned(), "The policy does not exist.".to_owned());
            for (policy_type, policy) in [
                ("Custom", "none"),
                ("Custom", "ReadOnlyAccess"),
                ("System", "pass-any-role"),
                ("System", "readonlyaccess"),
            ] {
                assert_eq!(refused(policy_type, policy, name).await, missing, "{policy_type} {policy}");
            }
        }
    }
}

#[tokio::test]
async fn a_policy_is_attached_once_and_detached_once() {
    for (attach, detach, _, parameter, name) in KINDS {
        let server = support::start().await;
        let given = [("PolicyType", "System"), ("PolicyName", "ReadOnlyAccess"), (parameter, name)];
        server.ram_done(attach, &given).await;
        let kind = parameter.trim_end_matches("Name");
        let message = format!("The {} has already been attached this policy.", kind.to_lowercase());
        let refused = (409, format!("EntityAlreadyExists.{kind}.Policy"), message);
        assert_eq!(server.ram_refused(attach, &given).await, refused);
        server.ram_done(detach, &given).await;
        let message = match kind {
            "User" => "The indicate policy of the user does not exist.",
            _ => "The indicate policy attached to the role does not exist.",
        };
        let refused = (404, format!("EntityNotExist.{kind}.Policy"), message.to_owned());
        assert_eq!(server.ram_refused(detach, &given).await, refused);
    }
}

#[tokio::test]
async fn a_user_has_at_most_ten_custom_policies_and_a_role_five() {
    for ((attach, _, _, parameter, name), most, code, message) in [
        (
            KINDS[0],
            10,
            "LimitExceeded.User.Policy",
            "The policy count of the user attached policies beyond the current limits.",
        ),
        (
            KINDS[1],
            5,
            "LimitExceeded.Role.Policy",
            "The count of policies attached to the role beyond the current limits.",
        ),
    ] {
        let server = support::start().await;
        let given = |policy_type: &'static str, policy: String| {
            [("PolicyType", policy_type.to_owned()), ("PolicyName", policy), (parameter, name.to_owned())]
        };
        for number in 0..=most {
            create_policy(&server, &format!("p-{number}")).await;
        }
        for number in 0..most {
            let given = given("Custom", format!("p-{number}"));
            server.ram_done(attach, &given.each_ref().map(|(name, value)| (*name, &**value))).await;
        }
        let one_more = given("Custom", format!("p-{most}"));
        let one_more = one_more.each_ref().map(|(name, value)| (*name, &**value));
        assert_eq!(server.ram_refused(attach, &one_more).await, (409, code.to_owned(), message.to_owned()));
        let system = [("PolicyType", "System"), ("PolicyName", "ReadOnlyAccess"), (parameter, name)];
        server.ram_done(attach, &system).await;
    }
}

#[tokio::test]
async fn parameters_are_missing_or_out_of_bounds() {
    for (attach, detach, _, parameter, name) in KINDS {
        let server = support::start().await;
        for action in [attach, detach] {
            let full = [("PolicyType", "System"), ("PolicyName", "ReadOnlyAccess"), (parameter, name)];
            for (absent, _) in full {
                let given: Vec<_> = full.into_iter().filter(|(name, _)| *name != absent).collect();
                let refused = (400, format!("Missing{absent}"), format!("{absent} is mandatory for this action."));
                assert_eq!(server.ram_refused(action, &given).await, refused);
            }
            let message = "The parameter - \"PolicyType\" is incorrect.".to_owned();
            let refused = server.ram_refused(action, &[("PolicyType", "system"), full[1], full[2]]).await;
            assert_eq!(refused, (400, "InvalidParameter.PolicyType".to_owned(), message));
        }
    }
}

#[tokio::test]
async fn who_has_a_policy_is_listed_with_no_groups() {
    let server = support::start().await;
    create_policy(&server, "p").await;
    let empty = server.ram_done("ListEntitiesForPolicy", &[("PolicyType", "Custom"), ("PolicyName", "p")]).await;
    let lists = ["Groups", "Users", "Roles"].map(|list| empty[list].clone());
    assert_eq!(lists, [json!({ "Group": [] }), json!({ "User": [] }), json!({ "Role": [] })]);
    for (attach, _, _, parameter, name) in KINDS {
        server.ram_done(attach, &[("PolicyType", "Custom"), ("PolicyName", "p"), (parameter, name)]).await;
    }
    let id = |body: Value, kind: &str| body[kind][format!("{kind}Id")].clone();
    let user = id(server.ram_done("GetUser", &[("UserName", "disabled")]).await, "User");
    let role = id(server.ram_done("GetRole", &[("RoleName", "fc-role")]).await, "Role");
    let body = server.ram_done("ListEntitiesForPolicy", &[("PolicyType", "Custom"), ("PolicyName", "P")]).await;
    assert_eq!(
        body["Users"]["User"],
        json!([{
            "UserId": user, "UserName": "disabled", "DisplayName": "Has a key that may not sign", "AttachDate": NOW,
        }])
    );
    assert_eq!(
        body["Roles"]["Role"],
        json!([{
            "RoleId": role, "RoleName": "fc-role", "Arn": "acs:ram::1000000000000001:role/fc-role",
            "Description": "Trusts Function Compute only, so it cannot be attached", "AttachDate": NOW,
        }])
    );
    let shown = server.ram_done("GetPolicy", &[("PolicyType", "Custom"), ("PolicyName", "p")]).await;
    assert_eq!(shown["Policy"]["AttachmentCount"], json!(2));
    let listed = server.ram_done("ListPolicies", &[("PolicyType", "Custom")]).await;
    let of = |name: &str| {
        let list = listed["Policies"]["Policy"].as_array().expect("a list");
        list.iter().find(|policy| policy["PolicyName"] == name).map(|policy| policy["AttachmentCount"].clone())
    };
    assert_eq!(of("p"), Some(json!(2)));
}

#[tokio::test]
async fn what_is_attached_and_which_version_counts_decides_at_once() {
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "users": [{ "name": "ann", "keys": [{ "id": "ann", "secret": "ann" }] }],
        "instances": [{ "id": "i-1" }],
    }] }))
    .await;
    let may = async || {
        let call = server.call("DescribeInstanceAttribute").param("InstanceId", "i-1").key("ann", "ann");
        call.send().await.status == 200
    };
    assert!(!may().await);
    create_policy(&server, "p").await;
    let attachment = [("PolicyType", "Custom"), ("PolicyName", "p"), ("UserName", "ann")];
    server.ram_done("AttachPolicyToUser", &attachment).await;
    assert!(may().await);
    let denying = DOCUMENT.replace("Allow", "Deny");
    let version = [("PolicyName", "p"), ("PolicyDocument", &*denying), ("SetAsDefault", "true")];
    server.ram_done("CreatePolicyVersion", &version).await;
    assert!(!may().await);
    server.ram_done("SetDefaultPolicyVersion", &[("PolicyName", "p"), ("VersionId", "v1")]).await;
    assert!(may().await);
    server.ram_done("DetachPolicyFromUser", &attachment).await;
    assert!(!may().await);
}
