//! Users: shapes, bounds and refusals (ram.md 4).

use serde_json::{Value, json};

use crate::support::{self, NOW};

fn members(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn text(name: &str, problem: &str) -> String {
    format!("The parameter - \"{name}\" {problem}")
}

#[tokio::test]
async fn a_user_is_created_shown_listed_and_deleted() {
    let server = support::start().await;
    let given = [
        ("UserName", "Ann_1.x-y"),
        ("DisplayName", "小安 Ann@home"),
        ("MobilePhone", "86-18600008888"),
        ("Email", "ann@example.com"),
        ("Comments", "<first>"),
    ];
    let created = server.ram_done("CreateUser", &given).await;
    assert_eq!(members(&created), ["RequestId", "User"]);
    let id = created["User"]["UserId"].as_str().expect("a text").to_owned();
    assert!(id.len() == 18 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    let mut expected = json!({
        "UserId": id,
        "UserName": "Ann_1.x-y",
        "DisplayName": "小安 Ann@home",
        "MobilePhone": "86-18600008888",
        "Email": "ann@example.com",
        "Comments": "<first>",
        "CreateDate": NOW,
    });
    assert_eq!(created["User"], expected, "and no Arn");
    expected["UpdateDate"] = json!(NOW);
    let shown = server.ram_done("GetUser", &[("UserName", "ann_1.X-Y")]).await;
    assert_eq!(shown["User"], expected);
    let listed = server.ram_done("ListUsers", &[("MaxItems", "1")]).await;
    assert_eq!(members(&listed), ["RequestId", "Users", "IsTruncated", "Marker"]);
    assert_eq!(listed["Users"], json!({ "User": [expected] }));
    assert_eq!(members(&server.ram_done("DeleteUser", &[("UserName", "ANN_1.x-y")]).await), ["RequestId"]);
    let gone = (404, "EntityNotExist.User".to_owned(), "The user does not exist.".to_owned());
    for action in ["GetUser", "DeleteUser", "ListPoliciesForUser", "CreateAccessKey", "ListAccessKeys"] {
        assert_eq!(server.ram_refused(action, &[("UserName", "Ann_1.x-y")]).await, gone, "{action}");
    }
}

#[tokio::test]
async fn a_user_in_xml() {
    let server = support::start().await;
    let answer = server.ram("CreateUser", &[("UserName", "u"), ("Comments", "a & <b>")]).xml().send().await;
    let id = answer.header("x-acs-request-id");
    let user_id = server.ram_done("GetUser", &[("UserName", "u")]).await["User"]["UserId"].clone();
    assert_eq!(
        answer.text,
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><CreateUserResponse><RequestId>{id}</RequestId><User>\
             <UserId>{}</UserId><UserName>u</UserName><Comments>a &amp; &lt;b&gt;</Comments>\
             <CreateDate>{NOW}</CreateDate></User></CreateUserResponse>",
            user_id.as_str().expect("an id")
        )
    );
}

#[tokio::test]
async fn what_nobody_has_filled_in_is_left_out() {
    let server = support::start().await;
    let created = server.ram_done("CreateUser", &[("UserName", "u"), ("Email", "")]).await;
    assert_eq!(members(&created["User"]), ["UserId", "UserName", "CreateDate"]);
}

#[tokio::test]
async fn each_text_has_its_bounds() {
    let server = support::start().await;
    let long = "a".repeat(129);
    for (name, bad, code, problem) in [
        ("UserName", "a b", "UserName.InvalidChars", "contains invalid chars."),
        ("UserName", "a@b", "UserName.InvalidChars", "contains invalid chars."),
        ("UserName", &long[..65], "UserName.Length", "beyond the length limit."),
        ("DisplayName", "a;b", "DisplayName.InvalidChars", "contains invalid chars."),
        ("DisplayName", &long, "DisplayName.Length", "beyond the length limit."),
        ("Comments", &long, "Comments.Length", "beyond the length limit."),
    ] {
        let refused = (400, format!("InvalidParameter.{code}"), text(name, problem));
        assert_eq!(server.ram_refused("CreateUser", &[("UserName", "u"), (name, bad)]).await, refused, "{bad}");
    }
    for (name, bads) in [
        ("MobilePhone", &["18600008888", "86-", "-1", "+86-1", "86-1-1"][..]),
        ("Email", &["ann", "@example.com", "ann@", "ann@example", "a n@example.com", "a@b@example.com", "a@b..c"]),
    ] {
        for bad in bads {
            let message = format!("The format of the parameter - \"{name}\" is incorrect.");
            let refused = (400, format!("InvalidParameter.{name}.Format"), message);
            assert_eq!(server.ram_refused("CreateUser", &[("UserName", "u"), (name, bad)]).await, refused, "{bad}");
        }
    }
    for (name, bad) in
        [("MobilePhone", format!("86-{}", "1".repeat(126))), ("Email", format!("{}@b.c", "a".repeat(125)))]
    {
        let refused = (400, format!("InvalidParameter.{name}.Format"));
        let (status, code, _) = server.ram_refused("CreateUser", &[("UserName", "u"), (name, &bad)]).await;
        assert_eq!((status, code), refused);
        server
            .ram_done("CreateUser", &[("UserName", name), (name, &bad.replacen("11", "1", 1).replacen("aa", "a", 1))])
            .await;
    }
    let fits = [("UserName", &long[..64]), ("DisplayName", &long[..128]), ("Comments", &long[..128])];
    server.ram_done("CreateUser", &fits).await;
}

#[tokio::test]
async fn a_user_has_to_be_named() {
    let server = support::start().await;
    let missing = (400, "MissingUserName".to_owned(), "UserName is mandatory for this action.".to_owned());
    for action in ["CreateUser", "GetUser", "DeleteUser", "ListPoliciesForUser"] {
        assert_eq!(server.ram_refused(action, &[]).await, missing, "{action}");
    }
}

#[tokio::test]
async fn a_name_is_taken_in_every_case() {
    let server = support::start().await;
    let taken = (409, "EntityAlreadyExists.User".to_owned(), "The user does already EXIST.".to_owned());
    assert_eq!(server.ram_refused("CreateUser", &[("UserName", "READER")]).await, taken);
}

#[tokio::test]
async fn a_user_is_deleted_once_the_keys_and_then_the_policies_are_gone() {
    let server = support::start().await;
    let refused = async || server.ram_refused("DeleteUser", &[("UserName", "reader")]).await;
    let keys = "The user CAN NOT has any access key while deleting the user.".to_owned();
    assert_eq!(refused().await, (409, "DeleteConflict.User.AccessKey".to_owned(), keys));
    server.ram_done("DeleteAccessKey", &[("UserName", "reader"), ("UserAccessKeyId", "test-reader")]).await;
    let policies = "The user CAN NOT has any attached policy while deleting the user.".to_owned();
    assert_eq!(refused().await, (409, "DeleteConflict.User.Policy".to_owned(), policies));
    let attached = [("PolicyType", "System"), ("PolicyName", "ReadOnlyAccess"), ("UserName", "reader")];
    server.ram_done("DetachPolicyFromUser", &attached).await;
    server.ram_done("DeleteUser", &[("UserName", "reader")]).await;
}

#[tokio::test]
async fn an_account_has_at_most_1000_users_and_pages_hold_them_all() {
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "users": (0..999).map(|n| json!({ "name": format!("u-{n}") })).collect::<Vec<_>>(),
    }] }))
    .await;
    server.ram_done("CreateUser", &[("UserName", "the-last")]).await;
    let text = "The count of users beyond the current limits.".to_owned();
    let refused = server.ram_refused("CreateUser", &[("UserName", "one-more")]).await;
    assert_eq!(refused, (409, "LimitExceeded.User".to_owned(), text));
    let page = server.ram_done("ListUsers", &[]).await;
    assert_eq!(page["Users"]["User"].as_array().map(Vec::len), Some(100));
    let all = server.ram_done("ListUsers", &[("MaxItems", "1000")]).await;
    assert_eq!((all["Users"]["User"].as_array().map(Vec::len), &all["IsTruncated"]), (Some(1000), &json!(false)));
}
