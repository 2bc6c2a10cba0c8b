//! Roles: shapes, bounds and refusals (ram.md 3).

use serde_json::{Value, json};

use crate::support::{self, NOW, Server, TRUST};

fn members(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

async fn create(server: &Server, name: &str) -> Value {
    server.ram_done("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]).await
}

fn text(name: &str, problem: &str) -> String {
    format!("The parameter - \"{name}\" {problem}")
}

#[tokio::test]
async fn a_created_role_is_answered_with_the_document_as_given() {
    let server = support::start().await;
    let spaced = TRUST.replace(',', " ,\n");
    let given = [
        ("RoleName", "New-Role.1"),
        ("AssumeRolePolicyDocument", &*spaced),
        ("Description", "a <role>"),
        ("MaxSessionDuration", "43200"),
    ];
    let body = server.ram_done("CreateRole", &given).await;
    assert_eq!(members(&body), ["RequestId", "Role"]);
    let role = &body["Role"];
    let id = role["RoleId"].as_str().expect("a text");
    assert!(id.len() == 18 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    assert_eq!(
        *role,
        json!({
            "RoleId": id,
            "RoleName": "New-Role.1",
            "Arn": "acs:ram::1000000000000001:role/New-Role.1",
            "Description": "a <role>",
            "MaxSessionDuration": 43200,
            "AssumeRolePolicyDocument": spaced,
            "CreateDate": NOW,
            "AllowConsoleLogin": true,
        })
    );
}

#[tokio::test]
async fn a_role_in_xml_has_the_root_of_its_action_and_its_document_as_one_text() {
    let server = support::start_seeded(json!({ "accounts": [{ "keys": [{ "id": "test", "secret": "test" }] }] })).await;
    create(&server, "r").await;
    let role = server.ram_done("GetRole", &[("RoleName", "r")]).await;
    let role_id = role["Role"]["RoleId"].as_str().expect("an id");
    let get = server.ram("GetRole", &[("RoleName", "r")]).xml().send().await;
    let id = get.header("x-acs-request-id");
    let common = |document: &str| {
        format!(
            "<Role><RoleId>{role_id}</RoleId><RoleName>r</RoleName><Arn>acs:ram::1000000000000001:role/r</Arn>\
             <MaxSessionDuration>3600</MaxSessionDuration>{document}<CreateDate>{NOW}</CreateDate>\
             <UpdateDate>{NOW}</UpdateDate><AllowConsoleLogin>true</AllowConsoleLogin>"
        )
    };
    let role = common(&format!("<AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>"));
    assert_eq!(
        get.text,
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><GetRoleResponse><RequestId>{id}</RequestId>{role}\
             <RolePrincipalName>r@role.1000000000000001.onaliyunservice.com</RolePrincipalName>\
             <IsServiceLinkedRole>false</IsServiceLinkedRole></Role></GetRoleResponse>"
        )
    );
    create(&server, "s").await;
    let list = server.ram("ListRoles", &[("MaxItems", "1")]).xml().send().await;
    let (id, role) = (list.header("x-acs-request-id"), common(""));
    assert_eq!(
        list.text,
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><ListRolesResponse><RequestId>{id}</RequestId>\
             <IsTruncated>true</IsTruncated><Marker>cg</Marker><Roles>{role}<Tags/></Role></Roles></ListRolesResponse>"
        )
    );
    let deleted = server.ram("DeleteRole", &[("RoleName", "r")]).xml().send().await;
    let id = deleted.header("x-acs-request-id");
    let expected = format!("<DeleteRoleResponse><RequestId>{id}</RequestId></DeleteRoleResponse>");
    assert_eq!(deleted.text, format!("<?xml version='1.0' encoding='UTF-8'?>{expected}"));
}

#[tokio::test]
async fn get_role_knows_more_and_finds_the_role_in_any_case() {
    let server = support::start().await;
    create(&server, "Mixed").await;
    let body = server.ram_done("GetRole", &[("RoleName", "mIXED")]).await;
    assert_eq!(
        members(&body["Role"]),
        [
            "RoleId",
            "RoleName",
            "Arn",
            "MaxSessionDuration",
            "AssumeRolePolicyDocument",
            "CreateDate",
            "UpdateDate",
            "AllowConsoleLogin",
            "RolePrincipalName",
            "IsServiceLinkedRole",
        ]
    );
    assert_eq!(body["Role"]["RoleName"], "Mixed");
    assert_eq!(body["Role"]["RolePrincipalName"], "Mixed@role.1000000000000001.onaliyunservice.com");
    assert_eq!(body["Role"]["IsServiceLinkedRole"], json!(false));
    assert_eq!(body["Role"]["MaxSessionDuration"], json!(3600));
}

#[tokio::test]
async fn update_role_changes_what_it_names_and_keeps_the_rest() {
    let server = support::start().await;
    create(&server, "r").await;
    server.clock.advance(jiff::SignedDuration::from_secs(1));
    let other = TRUST.replace("ecs.", "fc.");
    for (name, value, member, changed) in [
        ("NewDescription", "d", "Description", json!("d")),
        ("NewMaxSessionDuration", "7200", "MaxSessionDuration", json!(7200)),
        ("NewAssumeRolePolicyDocument", &*other, "AssumeRolePolicyDocument", json!(other)),
        ("NewAllowConsoleLogin", "false", "AllowConsoleLogin", json!(false)),
    ] {
        let before = server.ram_done("GetRole", &[("RoleName", "r")]).await;
        let body = server.ram_done("UpdateRole", &[("RoleName", "R"), (name, value)]).await;
        let after = server.ram_done("GetRole", &[("RoleName", "r")]).await;
        let mut expected = before["Role"].clone();
        expected[member] = changed;
        expected["UpdateDate"] = json!("2026-11-24T02:07:23Z");
        assert_eq!(after["Role"], expected);
        for name in ["RolePrincipalName", "IsServiceLinkedRole"] {
            expected.as_object_mut().expect("an object").shift_remove(name);
        }
        assert_eq!(body["Role"], expected);
    }
}

#[tokio::test]
async fn list_roles_is_by_name_without_documents_and_of_one_account() {
    let server = support::start().await;
    create(&server, "Awk").await;
    let body = server.ram_done("ListRoles", &[]).await;
    let roles = body["Roles"]["Role"].as_array().expect("a list");
    let mut names: Vec<_> = roles.iter().map(|role| role["RoleName"].as_str().expect("a name")).collect();
    assert_eq!(names.first(), Some(&"Awk"));
    assert!(!names.contains(&"other-role"));
    names.sort_by_key(|name| name.to_ascii_lowercase());
    let listed: Vec<_> = roles.iter().map(|role| role["RoleName"].as_str().expect("a name")).collect();
    assert_eq!(listed, names);
    assert_eq!(body["IsTruncated"], json!(false));
    assert_eq!(body.get("Marker"), None);
    let expected =
        ["RoleId", "RoleName", "Arn", "MaxSessionDuration", "CreateDate", "UpdateDate", "AllowConsoleLogin", "Tags"];
    assert_eq!(members(&roles[0]), expected);
}

#[tokio::test]
async fn pages_follow_one_another_whatever_is_made_and_deleted_in_between() {
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "roles": (0..25).map(|n| json!({ "name": format!("{}-{n:02}", ["r", "R"][n % 2]) })).collect::<Vec<_>>(),
    }] }))
    .await;
    let (mut seen, mut marker) = (Vec::new(), None::<String>);
    for page in 0..3 {
        let mut params = vec![("MaxItems", "10")];
        params.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let body = server.ram_done("ListRoles", &params).await;
        let roles = body["Roles"]["Role"].as_array().expect("a list");
        seen.extend(roles.iter().map(|role| role["RoleName"].as_str().expect("a name").to_owned()));
        marker = body["Marker"].as_str().map(str::to_owned);
        assert_eq!(body["IsTruncated"], json!(marker.is_some()));
        assert_eq!(marker.is_some(), page < 2);
        if page == 0 {
            create(&server, "a-before").await;
            server.ram_done("DeleteRole", &[("RoleName", "R-09")]).await;
        }
    }
    let expected: Vec<_> = (0..25).map(|n| format!("{}-{n:02}", ["r", "R"][n % 2])).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_bounds_of_a_page() {
    let server = support::start().await;
    for (name, value) in [("MaxItems", "0"), ("MaxItems", "1001"), ("MaxItems", "ten"), ("Marker", "no marker!")] {
        for action in ["ListRoles", "ListUsers", "ListPolicies"] {
            let refused = (400, format!("InvalidParameter.{name}"), text(name, "is incorrect."));
            assert_eq!(server.ram_refused(action, &[(name, value)]).await, refused, "{action}");
        }
    }
    for fits in ["1", "1000"] {
        server.ram_done("ListRoles", &[("MaxItems", fits)]).await;
    }
}

#[tokio::test]
async fn a_deleted_role_is_gone_and_an_instance_may_still_carry_it() {
    let server = support::start().await;
    let body = server.ram_done("DeleteRole", &[("RoleName", "WEB-role")]).await;
    assert_eq!(members(&body), ["RequestId"]);
    assert_eq!(server.role_of("i-bp1ecsim0000000web01").as_deref(), Some("web-role"));
    let gone = (404, "EntityNotExist.Role".to_owned(), "The role not exists: web-role.".to_owned());
    for action in ["GetRole", "UpdateRole", "DeleteRole", "ListPoliciesForRole"] {
        assert_eq!(server.ram_refused(action, &[("RoleName", "web-role")]).await, gone, "{action}");
    }
}

#[tokio::test]
async fn a_role_that_is_made_again_is_another_one() {
    let server = support::start().await;
    let first = create(&server, "r").await;
    server.ram_done("DeleteRole", &[("RoleName", "r")]).await;
    let second = create(&server, "r").await;
    assert_ne!(first["Role"]["RoleId"], second["Role"]["RoleId"]);
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let server = support::start().await;
    for (action, given, name) in [
        ("CreateRole", &[][..], "RoleName"),
        ("CreateRole", &[("RoleName", "r")], "AssumeRolePolicyDocument"),
        ("CreateRole", &[("RoleName", ""), ("AssumeRolePolicyDocument", TRUST)], "RoleName"),
        ("GetRole", &[], "RoleName"),
        ("UpdateRole", &[], "RoleName"),
        ("DeleteRole", &[], "RoleName"),
        ("ListPoliciesForRole", &[], "RoleName"),
    ] {
        let refused = (400, format!("Missing{name}"), format!("{name} is mandatory for this action."));
        assert_eq!(server.ram_refused(action, given).await, refused, "{action}");
    }
}

#[tokio::test]
async fn names_have_bounds_in_every_action_that_takes_one() {
    let server = support::start().await;
    for action in ["CreateRole", "GetRole", "UpdateRole", "DeleteRole", "ListPoliciesForRole"] {
        let refused = async |name: &str| {
            server.ram_refused(action, &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]).await
        };
        for bad in ["a b", "a/b", "角色", "a@b"] {
            let code = "InvalidParameter.RoleName.InvalidChars".to_owned();
            assert_eq!(refused(bad).await, (400, code, text("RoleName", "contains invalid chars.")));
        }
        let code = "InvalidParameter.RoleName.Length".to_owned();
        assert_eq!(refused(&"r".repeat(65)).await, (400, code, text("RoleName", "beyond the length limit.")));
    }
    create(&server, &"r".repeat(64)).await;
}

#[tokio::test]
async fn an_underscore_is_in_no_new_name_but_may_be_in_one_of_a_seed() {
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "roles": [{ "name": "old_role" }],
    }] }))
    .await;
    let given = [("RoleName", "new_role"), ("AssumeRolePolicyDocument", TRUST)];
    let code = "InvalidParameter.RoleName.InvalidChars".to_owned();
    let refused = (400, code, text("RoleName", "contains invalid chars."));
    assert_eq!(server.ram_refused("CreateRole", &given).await, refused);
    server.ram_done("GetRole", &[("RoleName", "old_role")]).await;
    server.ram_done("DeleteRole", &[("RoleName", "old_role")]).await;
}

#[tokio::test]
async fn descriptions_and_session_durations_have_bounds() {
    let server = support::start().await;
    create(&server, "r").await;
    let (fits, long) = ("角".repeat(1024), "角".repeat(1025));
    server.ram_done("UpdateRole", &[("RoleName", "r"), ("NewDescription", &fits)]).await;
    for (action, prefix) in [("CreateRole", ""), ("UpdateRole", "New")] {
        let role = if prefix.is_empty() { "new" } else { "r" };
        let given = [("RoleName", role), ("AssumeRolePolicyDocument", TRUST)];
        let refused =
            async |name: &str, value: &str| server.ram_refused(action, &[given[0], given[1], (name, value)]).await;
        let description = format!("{prefix}Description");
        assert_eq!(
            refused(&description, &long).await,
            (400, format!("InvalidParameter.{description}.Length"), text(&description, "beyond the length limit."))
        );
        let duration = format!("{prefix}MaxSessionDuration");
        for bad in ["3599", "43201", "-1", "1h"] {
            assert_eq!(
                refused(&duration, bad).await,
                (400, format!("InvalidParameter.{duration}"), text(&duration, "is incorrect."))
            );
        }
        let login = format!("{prefix}AllowConsoleLogin");
        assert_eq!(
            refused(&login, "yes").await,
            (400, format!("InvalidParameter.{login}"), text(&login, "is incorrect."))
        );
    }
}

#[tokio::test]
async fn a_trust_policy_has_a_grammar_and_a_length() {
    let server = support::start().await;
    create(&server, "r").await;
    let long = format!("{TRUST}{}", " ".repeat(6145 - TRUST.len()));
    for (action, name) in [("CreateRole", "AssumeRolePolicyDocument"), ("UpdateRole", "NewAssumeRolePolicyDocument")] {
        let role = if action == "CreateRole" { "new" } else { "r" };
        let refused = async |document: &str| server.ram_refused(action, &[("RoleName", role), (name, document)]).await;
        for (document, reason) in [
            (r#"{"Statement":[]}"#, "$: needs Version"),
            ("{", "$: not JSON: EOF while parsing an object at line 1 column 1"),
            (
                &*TRUST.replace("sts:AssumeRole", "sts:*"),
                "$.Statement[0].Action: the action of a trust policy is sts:AssumeRole",
            ),
        ] {
            let message = format!("The policy document is invalid. {reason}");
            assert_eq!(refused(document).await, (400, "MalformedPolicyDocument".to_owned(), message));
        }
        let code = format!("InvalidParameter.{name}.Length");
        assert_eq!(refused(&long).await, (400, code, text(name, "beyond the length limit.")));
    }
}

#[tokio::test]
async fn whom_a_trust_policy_names_has_to_exist() {
    let server = support::start().await;
    let trusting = |arn: &str| {
        json!({ "Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "RAM": [arn] },
        }] })
        .to_string()
    };
    for (number, fits) in [
        "1000000000000001:root",
        "1000000000000001:user/READER",
        "1000000000000001:role/web-role",
        "2000000000000002:user/anybody",
    ]
    .into_iter()
    .enumerate()
    {
        let (name, document) = (format!("r{number}"), trusting(&format!("acs:ram::{fits}")));
        server.ram_done("CreateRole", &[("RoleName", &name), ("AssumeRolePolicyDocument", &document)]).await;
    }
    for (action, name, role) in
        [("CreateRole", "AssumeRolePolicyDocument", "new"), ("UpdateRole", "NewAssumeRolePolicyDocument", "r0")]
    {
        for nobody in ["user/nobody", "role/nobody"] {
            let arn = format!("acs:ram::1000000000000001:{nobody}");
            let message = format!("The policy document is invalid. {arn} does not exist");
            let given = [("RoleName", role), (name, &*trusting(&arn))];
            let refused = (400, "MalformedPolicyDocument".to_owned(), message);
            assert_eq!(server.ram_refused(action, &given).await, refused);
        }
    }
}

#[tokio::test]
async fn a_name_is_taken_in_every_case_but_not_in_another_account() {
    let server = support::start().await;
    create(&server, "other-role").await;
    let taken = (409, "EntityAlreadyExists.Role".to_owned(), "The role does already EXIST.".to_owned());
    let given = [("RoleName", "OTHER-role"), ("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(server.ram_refused("CreateRole", &given).await, taken);
}

#[tokio::test]
async fn a_role_with_a_policy_cannot_be_deleted() {
    let server = support::start().await;
    let attached = [("PolicyType", "System"), ("PolicyName", "ReadOnlyAccess"), ("RoleName", "web-role")];
    server.ram_done("AttachPolicyToRole", &attached).await;
    let text = "The role CAN NOT has any attached policy while deleting the role.".to_owned();
    let refused = (409, "DeleteConflict.Role.Policy".to_owned(), text);
    assert_eq!(server.ram_refused("DeleteRole", &[("RoleName", "web-role")]).await, refused);
    server.ram_done("DetachPolicyFromRole", &attached).await;
    server.ram_done("DeleteRole", &[("RoleName", "web-role")]).await;
}

#[tokio::test]
async fn an_account_has_at_most_1000_roles() {
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "roles": (0..999).map(|n| json!({ "name": format!("r-{n}") })).collect::<Vec<_>>(),
    }, { "id": "2000000000000002", "roles": [{ "name": "theirs" }] }] }))
    .await;
    create(&server, "the-last").await;
    let text = "The count of roles beyond the current limits.".to_owned();
    let given = [("RoleName", "one-more"), ("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(server.ram_refused("CreateRole", &given).await, (409, "LimitExceeded.Role".to_owned(), text));
}

#[tokio::test]
async fn a_role_of_another_account_does_not_exist() {
    let server = support::start().await;
    let answer = server.ram("GetRole", &[("RoleName", "web-role")]).key("test2", "test2").send().await;
    assert_eq!(answer.code(), (404, "EntityNotExist.Role".to_owned()));
}

#[tokio::test]
async fn ram_is_told_by_its_version_on_any_host_in_any_form() {
    let server = support::start().await;
    let form = server.call("GetRole").param("Version", "2015-05-01").form("RoleName", "web-role").send().await;
    let acs3 = server.acs3("GetRole").header("x-acs-version", "2015-05-01").param("RoleName", "web-role").send().await;
    for answer in [form, acs3] {
        assert_eq!(answer.json()["Role"]["RoleName"], "web-role");
    }
}
