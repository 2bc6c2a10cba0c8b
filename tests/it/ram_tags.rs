//! Tags of roles and policies (ram.md 1, clients.md 4.1).

use serde_json::{Value, json};

use crate::support::{self, Server, TRUST};

const WEB: [(&str, &str); 2] = [("ResourceType", "role"), ("ResourceNames", r#"["web-role"]"#)];

async fn tags(server: &Server, given: &[(&str, &str)]) -> Value {
    server.ram_done("ListTagResources", given).await["TagResources"].clone()
}

fn row(name: &str, key: &str, value: &str) -> Value {
    json!({ "ResourceName": name, "ResourceType": "role", "TagKey": key, "TagValue": value })
}

#[tokio::test]
async fn tags_go_on_are_listed_as_a_plain_array_and_come_off() {
    let server = support::start().await;
    assert_eq!(tags(&server, &WEB).await, json!([]));
    let json = r#"[{"Key":"a","Value":"1"},{"Key":"b"}]"#;
    server.ram_done("TagResources", &[WEB[0], WEB[1], ("Tag", json)]).await;
    let rows = [("Tag.1.Key", "a"), ("Tag.1.Value", "2"), ("Tag.2.Key", "c"), ("Tag.2.Value", "3")];
    server.ram_done("TagResources", &[&WEB[..], &rows].concat()).await;
    let all = json!([row("web-role", "a", "2"), row("web-role", "b", ""), row("web-role", "c", "3")]);
    assert_eq!(tags(&server, &WEB).await, all);
    assert_eq!(tags(&server, &[WEB[0]]).await, all, "without names, of all");
    assert_eq!(
        tags(&server, &[WEB[0], ("Tag", r#"[{"Key":"c","Value":"3"}]"#)]).await,
        json!([row("web-role", "c", "3")])
    );
    server.ram_done("UntagResources", &[WEB[0], WEB[1], ("TagKeys", r#"["a","nothing"]"#), ("TagKey.1", "a")]).await;
    server.ram_done("UntagResources", &[WEB[0], WEB[1], ("TagKey.1", "b")]).await;
    assert_eq!(tags(&server, &WEB).await, json!([row("web-role", "c", "3")]));
    server.ram_done("UntagResources", &[WEB[0], WEB[1], ("All", "true")]).await;
    assert_eq!(tags(&server, &WEB).await, json!([]));
}

#[tokio::test]
async fn the_array_in_xml_repeats_its_element() {
    let server = support::start().await;
    let (tag, type_) =
        (("Tag", r#"[{"Key":"k","Value":"v"},{"Key":"l","Value":"w"}]"#), "<ResourceType>role</ResourceType>");
    server.ram_done("TagResources", &[WEB[0], WEB[1], tag]).await;
    let answer = server.ram("ListTagResources", &WEB).xml().send().await;
    let id = answer.header("x-acs-request-id");
    let element = |key, value| {
        format!(
            "<TagResources><ResourceName>web-role</ResourceName>{type_}\
             <TagKey>{key}</TagKey><TagValue>{value}</TagValue></TagResources>"
        )
    };
    assert_eq!(
        answer.text,
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><ListTagResourcesResponse><RequestId>{id}</RequestId>{}{}\
             </ListTagResourcesResponse>",
            element("k", "v"),
            element("l", "w")
        )
    );
}

#[tokio::test]
async fn roles_and_policies_are_made_with_tags_and_found_by_them() {
    let server = support::start().await;
    let allow = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}"#;
    for (create, list, lists, element, name, document) in [
        ("CreateRole", "ListRoles", "Roles", "Role", "RoleName", ("AssumeRolePolicyDocument", TRUST)),
        ("CreatePolicy", "ListPolicies", "Policies", "Policy", "PolicyName", ("PolicyDocument", allow)),
    ] {
        for (thing, tag) in
            [("x", r#"[{"Key":"k","Value":"1"},{"Key":"l","Value":"1"}]"#), ("y", r#"[{"Key":"k","Value":"2"}]"#)]
        {
            server.ram_done(create, &[(name, thing), document, ("Tag", tag)]).await;
        }
        let found = async |tag: &str| {
            let body = server.ram_done(list, &[("Tag", tag)]).await;
            body[lists][element].as_array().expect("a list").clone()
        };
        let names = |list: &[Value]| list.iter().map(|thing| thing[name].clone()).collect::<Vec<_>>();
        let both = found(r#"[{"Key":"k"}]"#).await;
        assert_eq!(names(&both), ["x", "y"]);
        assert_eq!(both[1]["Tags"], json!({ "Tag": [{ "TagKey": "k", "TagValue": "2" }] }));
        assert_eq!(names(&found(r#"[{"Key":"k","Value":"1"}]"#).await), ["x"]);
        assert_eq!(names(&found(r#"[{"Key":"k"},{"Key":"l","Value":"1"}]"#).await), ["x"]);
        assert!(found(r#"[{"Key":"K"}]"#).await.is_empty());
    }
    let tagged = tags(&server, &[("ResourceType", "policy")]).await;
    let names: Vec<_> = tagged.as_array().expect("a list").iter().map(|row| row["ResourceName"].clone()).collect();
    assert_eq!(names, ["x", "x", "y"]);
}

#[tokio::test]
async fn pages_of_tags_hold_each_once() {
    let roles = ["a", "a-b", "a.b", "B"];
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "roles": roles.map(|name| json!({ "name": name })),
    }] }))
    .await;
    let names = json!(roles).to_string();
    let tag = r#"[{"Key":"k","Value":"1"},{"Key":"l","Value":"1"}]"#;
    server.ram_done("TagResources", &[WEB[0], ("ResourceNames", &names), ("Tag", tag)]).await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let body = server.ram_done("ListTagResources", &[WEB[0], ("PageSize", "3"), ("NextToken", &token)]).await;
        let rows = body["TagResources"].as_array().expect("an array");
        seen.extend(rows.iter().map(|row| format!("{} {}", row["ResourceName"], row["TagKey"]).replace('"', "")));
        match body["NextToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, ["a k", "a l", "a-b k", "a-b l", "a.b k", "a.b l", "B k", "B l"]);
}

#[tokio::test]
async fn what_cannot_be_tagged_changes_nothing() {
    let server = support::start().await;
    let tag = ("Tag", r#"[{"Key":"k","Value":"v"}]"#);
    server.ram_done("TagResources", &[WEB[0], WEB[1], ("Tag", r#"[{"Key":"z","Value":"v"}]"#)]).await;
    let before = tags(&server, &WEB).await;
    let names = ("ResourceNames", r#"["web-role","nobody"]"#);
    let missing = (404, "EntityNotExist.Role".to_owned(), "The role not exists: nobody.".to_owned());
    for (action, more) in [("TagResources", tag), ("UntagResources", ("All", "true")), ("ListTagResources", tag)] {
        assert_eq!(server.ram_refused(action, &[WEB[0], names, more]).await, missing, "{action}");
        assert_eq!(tags(&server, &WEB).await, before, "{action}");
    }
    let twice = [WEB[0], ("ResourceNames", r#"["web-role","WEB-ROLE"]"#)];
    assert_eq!(tags(&server, &twice).await, before, "one role under two names");
    let missing = (404, "EntityNotExist.Policy".to_owned(), "The policy does not exist.".to_owned());
    let system = [("ResourceType", "policy"), ("ResourceNames", r#"["ReadOnlyAccess"]"#), tag];
    assert_eq!(server.ram_refused("TagResources", &system).await, missing);
}

#[tokio::test]
async fn a_resource_has_at_most_20_tags() {
    let server = support::start().await;
    let tag = |range: std::ops::Range<u32>| {
        json!(range.map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect::<Vec<_>>()).to_string()
    };
    server.ram_done("TagResources", &[WEB[0], WEB[1], ("Tag", &tag(0..20))]).await;
    server.ram_done("TagResources", &[WEB[0], WEB[1], ("Tag", &tag(5..10))]).await;
    let refused = (409, "LimitExceeded.Tag".to_owned(), "The count of tags beyond the current limits.".to_owned());
    assert_eq!(server.ram_refused("TagResources", &[WEB[0], WEB[1], ("Tag", &tag(19..21))]).await, refused);
}

#[tokio::test]
async fn parameters_are_missing_or_incorrect() {
    let server = support::start().await;
    let missing = |name: &str| (400, format!("Missing{name}"), format!("{name} is mandatory for this action."));
    for (action, given, absent) in [
        ("TagResources", &[WEB[1]][..], "ResourceType"),
        ("TagResources", &[WEB[0]], "ResourceNames"),
        ("TagResources", &WEB, "Tag"),
        ("UntagResources", &[WEB[0]], "ResourceNames"),
        ("UntagResources", &WEB, "TagKeys"),
        ("ListTagResources", &[], "ResourceType"),
    ] {
        assert_eq!(server.ram_refused(action, given).await, missing(absent), "{action}");
    }
    let (long, many) = ("k".repeat(129), json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>()).to_string());
    let long = json!([{ "Key": long, "Value": "v" }]).to_string();
    for (action, name, value) in [
        ("TagResources", "ResourceType", "user"),
        ("TagResources", "ResourceNames", "web-role"),
        ("TagResources", "ResourceNames", "[1]"),
        ("TagResources", "Tag", "k"),
        ("TagResources", "Tag", r#"[{"Value":"v"}]"#),
        ("TagResources", "Tag", r#"[{"Key":"","Value":"v"}]"#),
        ("TagResources", "Tag", r#"[{"Key":"k","Value":"v"},{"Key":"k","Value":"w"}]"#),
        ("TagResources", "Tag", &long),
        ("UntagResources", "TagKeys", "k"),
        ("UntagResources", "TagKeys", &many),
        ("UntagResources", "All", "1"),
        ("ListTagResources", "PageSize", "0"),
        ("ListTagResources", "PageSize", "101"),
        ("ListTagResources", "NextToken", "?"),
    ] {
        let refused = (400, format!("InvalidParameter.{name}"), format!("The parameter - \"{name}\" is incorrect."));
        assert_eq!(server.ram_refused(action, &[WEB[0], WEB[1], (name, value)]).await, refused, "{action} {value}");
    }
}
