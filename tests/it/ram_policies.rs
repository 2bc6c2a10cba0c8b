//! Custom and system policies, and their versions (ram.md 4, clients.md 4.4).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{self, NOW, Server};

const DOCUMENT: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}"#;
const OTHER: &str = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"ecs:*","Resource":"*"}]}"#;
const CUSTOM: (&str, &str) = ("PolicyType", "Custom");

async fn create(server: &Server, name: &str) -> Value {
    server.ram_done("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", DOCUMENT)]).await
}

async fn add_version(server: &Server, name: &str, more: &[(&str, &str)]) -> Value {
    let given = [&[("PolicyName", name), ("PolicyDocument", OTHER)], more].concat();
    server.ram_done("CreatePolicyVersion", &given).await["PolicyVersion"].clone()
}

async fn versions(server: &Server, name: &str) -> Vec<(String, bool)> {
    let body = server.ram_done("ListPolicyVersions", &[("PolicyName", name), CUSTOM]).await;
    let list = body["PolicyVersions"]["PolicyVersion"].as_array().expect("a list");
    let version = |version: &Value| {
        (version["VersionId"].as_str().expect("an id").to_owned(), version["IsDefaultVersion"] == json!(true))
    };
    list.iter().map(version).collect()
}

fn not_found() -> (u16, String, String) {
    (404, "EntityNotExist.Policy".to_owned(), "The policy does not exist.".to_owned())
}

#[tokio::test]
async fn a_policy_is_created_shown_listed_and_deleted() {
    let server = support::start().await;
    let given = [("PolicyName", "My-Policy"), ("PolicyDocument", DOCUMENT), ("Description", "d")];
    let created = server.ram_done("CreatePolicy", &given).await;
    let mut policy = json!({
        "PolicyName": "My-Policy", "PolicyType": "Custom", "Description": "d", "DefaultVersion": "v1", "CreateDate": NOW,
    });
    assert_eq!(created["Policy"], policy);
    let shown = server.ram_done("GetPolicy", &[("PolicyName", "my-POLICY"), CUSTOM]).await;
    policy["UpdateDate"] = json!(NOW);
    policy["AttachmentCount"] = json!(0);
    assert_eq!(shown["Policy"], policy);
    let version = json!({ "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": NOW, "PolicyDocument": DOCUMENT });
    assert_eq!(shown["DefaultPolicyVersion"], version);
    let listed = server.ram_done("ListPolicies", &[CUSTOM]).await;
    policy["Tags"] = json!({ "Tag": [] });
    assert_eq!(listed["Policies"]["Policy"][0], policy);
    server.ram_done("DeletePolicy", &[("PolicyName", "my-policy")]).await;
    let gone = server.ram_refused("GetPolicy", &[("PolicyName", "My-Policy"), CUSTOM]).await;
    assert_eq!(gone, not_found());
}

#[tokio::test]
async fn a_policy_in_xml() {
    let server = support::start().await;
    create(&server, "p").await;
    let answer = server.ram("GetPolicy", &[("PolicyName", "p"), CUSTOM]).xml().send().await;
    let id = answer.header("x-acs-request-id");
    assert_eq!(
        answer.text,
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><GetPolicyResponse><RequestId>{id}</RequestId><Policy>\
             <PolicyName>p</PolicyName><PolicyType>Custom</PolicyType><DefaultVersion>v1</DefaultVersion>\
             <CreateDate>{NOW}</CreateDate><UpdateDate>{NOW}</UpdateDate><AttachmentCount>0</AttachmentCount></Policy>\
             <DefaultPolicyVersion><VersionId>v1</VersionId><IsDefaultVersion>true</IsDefaultVersion>\
             <CreateDate>{NOW}</CreateDate><PolicyDocument>{DOCUMENT}</PolicyDocument></DefaultPolicyVersion>\
             </GetPolicyResponse>"
        )
    );
}

#[tokio::test]
async fn the_lists_of_each_type_add_up_and_pages_go_through_both() {
    let server = support::start().await;
    for name in ["b", "A", "AdministratorAccess"] {
        create(&server, name).await;
    }
    let names = |body: &Value| {
        let list = body["Policies"]["Policy"].as_array().expect("a list").clone();
        let name = |policy: &Value| format!("{} {}", policy["PolicyType"], policy["PolicyName"]).replace('"', "");
        list.iter().map(name).collect::<Vec<_>>()
    };
    let system = names(&server.ram_done("ListPolicies", &[("PolicyType", "System")]).await);
    assert_eq!(
        system,
        [
            "System AdministratorAccess",
            "System AliyunECSFullAccess",
            "System AliyunECSReadOnlyAccess",
            "System AliyunRAMFullAccess",
            "System AliyunRAMReadOnlyAccess",
            "System AliyunSTSAssumeRoleAccess",
            "System ReadOnlyAccess",
        ]
    );
    let custom = names(&server.ram_done("ListPolicies", &[CUSTOM]).await);
    assert_eq!(custom, ["Custom A", "Custom AdministratorAccess", "Custom b", "Custom pass-any-role"]);
    let all = [system, custom].concat();
    assert_eq!(names(&server.ram_done("ListPolicies", &[]).await), all);
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let body = server.ram_done("ListPolicies", &[("MaxItems", "3"), ("Marker", &marker)]).await;
        seen.extend(names(&body));
        match body["Marker"].as_str() {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_system_policy_is_shown_and_cannot_be_changed() {
    let server = support::start().await;
    let name = ("PolicyName", "AliyunRAMFullAccess");
    let body = server.ram_done("GetPolicy", &[name, ("PolicyType", "System")]).await;
    assert_eq!(
        (&body["Policy"]["PolicyType"], &body["DefaultPolicyVersion"]["VersionId"]),
        (&json!("System"), &json!("v1"))
    );
    for date in ["CreateDate", "UpdateDate"] {
        assert_eq!(body["Policy"][date], "2015-05-01T00:00:00Z", "{date}");
    }
    let document = body["DefaultPolicyVersion"]["PolicyDocument"].as_str().expect("a text");
    let document: Value = serde_json::from_str(document).expect("JSON");
    assert_eq!(document["Statement"][0]["Action"], "ram:*");
    for (action, more) in [
        ("DeletePolicy", &[][..]),
        ("CreatePolicyVersion", &[("PolicyDocument", DOCUMENT)]),
        ("SetDefaultPolicyVersion", &[("VersionId", "v1")]),
        ("DeletePolicyVersion", &[("VersionId", "v1")]),
        ("UpdatePolicyDescription", &[("NewDescription", "d")]),
    ] {
        assert_eq!(server.ram_refused(action, &[&[name], more].concat()).await, not_found(), "{action}");
    }
}

#[tokio::test]
async fn parameters_are_missing_or_out_of_bounds() {
    let server = support::start().await;
    create(&server, "p").await;
    let missing = |name: &str| (400, format!("Missing{name}"), format!("{name} is mandatory for this action."));
    let name = ("PolicyName", "p");
    for (action, given, absent) in [
        ("CreatePolicy", &[][..], "PolicyName"),
        ("CreatePolicy", &[name], "PolicyDocument"),
        ("GetPolicy", &[name], "PolicyType"),
        ("GetPolicy", &[CUSTOM], "PolicyName"),
        ("DeletePolicy", &[], "PolicyName"),
        ("CreatePolicyVersion", &[name], "PolicyDocument"),
        ("GetPolicyVersion", &[name, CUSTOM], "VersionId"),
        ("ListPolicyVersions", &[name], "PolicyType"),
        ("SetDefaultPolicyVersion", &[name], "VersionId"),
        ("DeletePolicyVersion", &[name], "VersionId"),
        ("UpdatePolicyDescription", &[name], "NewDescription"),
        ("ListEntitiesForPolicy", &[name], "PolicyType"),
    ] {
        assert_eq!(server.ram_refused(action, given).await, missing(absent), "{action}");
    }
    let long = "a".repeat(1025);
    let text = |name: &str, problem: &str| format!("The parameter - \"{name}\" {problem}");
    let document = ("PolicyDocument", DOCUMENT);
    for (action, given, code, problem) in [
        ("CreatePolicy", &[("PolicyName", "a_b"), document][..], "PolicyName.InvalidChars", "contains invalid chars."),
        ("GetPolicy", &[("PolicyName", "a.b"), CUSTOM], "PolicyName.InvalidChars", "contains invalid chars."),
        ("DeletePolicy", &[("PolicyName", &long[..129])], "PolicyName.Length", "beyond the length limit."),
        ("CreatePolicy", &[name, document, ("Description", &long)], "Description.Length", "beyond the length limit."),
        (
            "UpdatePolicyDescription",
            &[name, ("NewDescription", &long)],
            "NewDescription.Length",
            "beyond the length limit.",
        ),
        ("GetPolicy", &[name, ("PolicyType", "custom")], "PolicyType", "is incorrect."),
        ("ListPolicies", &[("PolicyType", "All")], "PolicyType", "is incorrect."),
        ("DeletePolicy", &[name, ("CascadingDelete", "yes")], "CascadingDelete", "is incorrect."),
        ("CreatePolicyVersion", &[name, document, ("SetAsDefault", "1")], "SetAsDefault", "is incorrect."),
        ("CreatePolicyVersion", &[name, document, ("RotateStrategy", "Oldest")], "RotateStrategy", "is incorrect."),
    ] {
        let parameter = code.split('.').next().expect("a name");
        let refused = (400, format!("InvalidParameter.{code}"), text(parameter, problem));
        assert_eq!(server.ram_refused(action, given).await, refused, "{action}");
    }
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        let message = "The format of the parameter - \"VersionId\" is incorrect.".to_owned();
        let refused = server.ram_refused(action, &[name, CUSTOM, ("VersionId", "1")]).await;
        assert_eq!(refused, (400, "InvalidParameter.VersionId.Format".to_owned(), message));
    }
    create(&server, &long[..128]).await;
}

#[tokio::test]
async fn a_document_has_a_grammar_and_a_length() {
    let server = support::start().await;
    create(&server, "p").await;
    let padded = |length: usize| format!("{DOCUMENT}{}", " ".repeat(length - DOCUMENT.len()));
    for action in ["CreatePolicy", "CreatePolicyVersion"] {
        let name = if action == "CreatePolicy" { "new" } else { "p" };
        let refused = async |document: &str| {
            server.ram_refused(action, &[("PolicyName", name), ("PolicyDocument", document)]).await
        };
        let message = "The policy document is invalid. $.Statement[0]: needs Resource".to_owned();
        let malformed = refused(&DOCUMENT.replace(",\"Resource\":\"*\"", "")).await;
        assert_eq!(malformed, (400, "MalformedPolicyDocument".to_owned(), message));
        let message = "The parameter - \"PolicyDocument\" beyond the length limit.".to_owned();
        let long = refused(&padded(6145)).await;
        assert_eq!(long, (400, "InvalidParameter.PolicyDocument.Length".to_owned(), message));
        let fits = padded(6144);
        let post = server.ram(action, &[("PolicyName", name)]).form("PolicyDocument", fits).send().await;
        assert_eq!(post.status, 200, "{}", post.text);
    }
}

#[tokio::test]
async fn a_name_is_taken_in_every_case() {
    let server = support::start().await;
    create(&server, "p").await;
    let taken = (409, "EntityAlreadyExists.Policy".to_owned(), "The group does already EXIST.".to_owned());
    let given = [("PolicyName", "P"), ("PolicyDocument", DOCUMENT)];
    assert_eq!(server.ram_refused("CreatePolicy", &given).await, taken);
}

#[tokio::test]
async fn versions_come_and_go_and_the_default_one_decides() {
    let server = support::start().await;
    create(&server, "p").await;
    server.clock.advance(SignedDuration::from_secs(1));
    let added = add_version(&server, "p", &[]).await;
    let later = "2026-11-24T02:07:23Z";
    let expected =
        json!({ "VersionId": "v2", "IsDefaultVersion": false, "CreateDate": later, "PolicyDocument": OTHER });
    assert_eq!(added, expected);
    let got = server.ram_done("GetPolicyVersion", &[("PolicyName", "p"), CUSTOM, ("VersionId", "v2")]).await;
    assert_eq!(got["PolicyVersion"], expected);
    assert_eq!(add_version(&server, "p", &[("SetAsDefault", "True")]).await["IsDefaultVersion"], json!(true));
    let own = |list: &[(&str, bool)]| list.iter().map(|(id, default)| ((*id).to_owned(), *default)).collect::<Vec<_>>();
    assert_eq!(versions(&server, "p").await, own(&[("v1", false), ("v2", false), ("v3", true)]));
    server.clock.advance(SignedDuration::from_secs(1));
    server.ram_done("SetDefaultPolicyVersion", &[("PolicyName", "p"), ("VersionId", "v2")]).await;
    let chosen = "2026-11-24T02:07:24Z";
    let shown = server.ram_done("GetPolicy", &[("PolicyName", "p"), CUSTOM]).await;
    assert_eq!((&shown["Policy"]["DefaultVersion"], &shown["Policy"]["UpdateDate"]), (&json!("v2"), &json!(chosen)));
    server.ram_done("DeletePolicyVersion", &[("PolicyName", "p"), ("VersionId", "v1")]).await;
    assert_eq!(versions(&server, "p").await, own(&[("v2", true), ("v3", false)]));
    let text = "The default policy version CAN NOT been deleted directly.".to_owned();
    let refused = server.ram_refused("DeletePolicyVersion", &[("PolicyName", "p"), ("VersionId", "v2")]).await;
    assert_eq!(refused, (409, "DeleteConflict.Policy.Version.Default".to_owned(), text));
    let text = "The policy version does not exist.".to_owned();
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        let refused = server.ram_refused(action, &[("PolicyName", "p"), CUSTOM, ("VersionId", "v1")]).await;
        assert_eq!(refused, (404, "EntityNotExist.Policy.Version".to_owned(), text.clone()), "{action}");
    }
}

#[tokio::test]
async fn a_policy_has_at_most_five_versions_and_can_rotate() {
    let server = support::start().await;
    create(&server, "p").await;
    for _ in 0..4 {
        add_version(&server, "p", &[]).await;
    }
    let text = "The count of policy version beyond the current limits.".to_owned();
    let given = [("PolicyName", "p"), ("PolicyDocument", OTHER)];
    let refused = (409, "LimitExceeded.Policy.Version".to_owned(), text);
    assert_eq!(server.ram_refused("CreatePolicyVersion", &given).await, refused);
    let none = [given[0], given[1], ("RotateStrategy", "None")];
    assert_eq!(server.ram_refused("CreatePolicyVersion", &none).await, refused);
    let rotate = ("RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded");
    add_version(&server, "p", &[rotate]).await;
    let ids: Vec<_> = versions(&server, "p").await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["v1", "v3", "v4", "v5", "v6"], "the default one stays");
}

#[tokio::test]
async fn a_description_is_changed() {
    let server = support::start().await;
    create(&server, "p").await;
    server.clock.advance(SignedDuration::from_secs(1));
    let body = server.ram_done("UpdatePolicyDescription", &[("PolicyName", "P"), ("NewDescription", "new")]).await;
    assert_eq!(
        body["Policy"],
        json!({
            "PolicyName": "p", "PolicyType": "Custom", "Description": "new", "DefaultVersion": "v1",
            "CreateDate": NOW, "UpdateDate": "2026-11-24T02:07:23Z",
        })
    );
}

#[tokio::test]
async fn a_policy_is_deleted_once_nobody_has_it_and_its_versions_are_gone() {
    let server = support::start().await;
    create(&server, "p").await;
    add_version(&server, "p", &[]).await;
    let on_user = [CUSTOM, ("PolicyName", "p"), ("UserName", "reader")];
    let on_role = [CUSTOM, ("PolicyName", "p"), ("RoleName", "web-role")];
    server.ram_done("AttachPolicyToUser", &on_user).await;
    server.ram_done("AttachPolicyToRole", &on_role).await;
    let refused = async |cascading: &str| {
        server.ram_refused("DeletePolicy", &[("PolicyName", "p"), ("CascadingDelete", cascading)]).await
    };
    for cascading in ["false", "true"] {
        let text = "The policy CAN NOT been attached to any user while deleting the policy.".to_owned();
        assert_eq!(refused(cascading).await, (409, "DeleteConflict.Policy.User".to_owned(), text));
    }
    server.ram_done("DetachPolicyFromUser", &on_user).await;
    let text = "The policy cannot be attached to any role when you delete it.".to_owned();
    assert_eq!(refused("true").await, (409, "DeleteConflict.Policy.Role".to_owned(), text));
    server.ram_done("DetachPolicyFromRole", &on_role).await;
    let text = "The policy CAN NOT has any version except the default version.".to_owned();
    assert_eq!(refused("false").await, (409, "DeleteConflict.Policy.Version".to_owned(), text));
    server.ram_done("DeletePolicy", &[("PolicyName", "p"), ("CascadingDelete", "true")]).await;
}

#[tokio::test]
async fn an_account_has_at_most_1500_custom_policies() {
    let document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "policies": (0..1499).map(|n| json!({ "name": format!("p-{n}"), "document": document })).collect::<Vec<_>>(),
    }] }))
    .await;
    create(&server, "the-last").await;
    let text = "The count of policy beyond the current limits.".to_owned();
    let given = [("PolicyName", "one-more"), ("PolicyDocument", DOCUMENT)];
    assert_eq!(server.ram_refused("CreatePolicy", &given).await, (409, "LimitExceeded.Policy".to_owned(), text));
}
