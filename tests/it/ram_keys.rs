//! Access keys of users: what they are, what they may, when they were used (ram.md 4).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{self, NOW, Server};

fn no_such_key() -> (u16, String, String) {
    (404, "EntityNotExist.User.AccessKey".to_owned(), "The user access key does not exist.".to_owned())
}

/// A user without keys, who may do everything.
async fn start() -> Server {
    support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "users": [{ "name": "ann", "policies": ["AdministratorAccess"] }, { "name": "bob" }],
        "instances": [{ "id": "i-1" }],
    }] }))
    .await
}

async fn key_of(server: &Server, user: &str) -> (String, String) {
    let key = server.ram_done("CreateAccessKey", &[("UserName", user)]).await["AccessKey"].clone();
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    (text("AccessKeyId"), text("AccessKeySecret"))
}

#[tokio::test]
async fn a_key_is_created_with_its_secret_and_listed_without() {
    let server = start().await;
    let body = server.ram_done("CreateAccessKey", &[("UserName", "ANN")]).await;
    let key = &body["AccessKey"];
    let text = |name: &str| key[name].as_str().expect("a text");
    let members: Vec<_> = key.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["AccessKeyId", "AccessKeySecret", "Status", "CreateDate"]);
    assert!(text("AccessKeyId").starts_with("LTAI") && text("AccessKeyId").len() == 24);
    assert_eq!(text("AccessKeySecret").len(), 30);
    assert_eq!((text("Status"), text("CreateDate")), ("Active", NOW));
    let listed = server.ram_done("ListAccessKeys", &[("UserName", "ann")]).await;
    let expected = json!({ "AccessKeyId": text("AccessKeyId"), "Status": "Active", "CreateDate": NOW });
    assert_eq!(listed["AccessKeys"], json!({ "AccessKey": [expected] }));
}

#[tokio::test]
async fn a_new_key_signs_until_it_is_inactive_or_deleted() {
    let server = start().await;
    let (id, secret) = key_of(&server, "ann").await;
    let call = async || server.call("DescribeRegions").key(&id, &secret).send().await;
    assert_eq!(call().await.status, 200);
    let update = async |status: &str| {
        server.ram_done("UpdateAccessKey", &[("UserAccessKeyId", &id), ("UserName", "ann"), ("Status", status)]).await
    };
    update("Inactive").await;
    assert_eq!(call().await.code(), (400, "InvalidAccessKeyId.Inactive".to_owned()));
    update("Active").await;
    assert_eq!(call().await.status, 200);
    server.ram_done("DeleteAccessKey", &[("UserAccessKeyId", &id), ("UserName", "ann")]).await;
    assert_eq!(call().await.code(), (404, "InvalidAccessKeyId.NotFound".to_owned()));
}

#[tokio::test]
async fn a_user_has_at_most_two_keys() {
    let server = start().await;
    for _ in 0..2 {
        key_of(&server, "ann").await;
    }
    let text = "The access key count of the user access keys beyond the current limits.".to_owned();
    let refused = server.ram_refused("CreateAccessKey", &[("UserName", "ann")]).await;
    assert_eq!(refused, (409, "LimitExceeded.User.AccessKey".to_owned(), text));
    key_of(&server, "bob").await;
}

#[tokio::test]
async fn without_a_user_name_the_keys_are_the_caller_s_own() {
    let server = start().await;
    let (id, secret) = key_of(&server, "ann").await;
    let ids = |body: &Value| {
        let keys = body["AccessKeys"]["AccessKey"].as_array().expect("a list").clone();
        keys.iter().map(|key| key["AccessKeyId"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let own = server.ram("ListAccessKeys", &[]).key(&id, &secret).send().await.json();
    assert_eq!(ids(&own), [&*id]);
    let made = server.ram("CreateAccessKey", &[]).key(&id, &secret).send().await.json();
    let ann = ids(&server.ram_done("ListAccessKeys", &[("UserName", "ann")]).await);
    assert!(ann.len() == 2 && ann.iter().any(|id| *id == made["AccessKey"]["AccessKeyId"]), "{ann:?}");
    assert_eq!(ids(&server.ram_done("ListAccessKeys", &[]).await), ["test"], "of the account");
    server.ram_done("CreateAccessKey", &[]).await;
    let (status, code, _) = server.ram_refused("CreateAccessKey", &[]).await;
    assert_eq!((status, &*code), (409, "LimitExceeded.User.AccessKey"), "the account's own are two as well");
}

#[tokio::test]
async fn the_key_of_anybody_else_does_not_exist() {
    let server = start().await;
    let (id, _) = key_of(&server, "ann").await;
    for whose in [&[("UserName", "bob")][..], &[]] {
        for action in ["UpdateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed"] {
            let given = [whose, &[("UserAccessKeyId", &*id), ("Status", "Inactive")]].concat();
            assert_eq!(server.ram_refused(action, &given).await, no_such_key(), "{action}");
        }
    }
    let given = [("UserAccessKeyId", "LTAInone"), ("UserName", "ann")];
    assert_eq!(server.ram_refused("DeleteAccessKey", &given).await, no_such_key());
}

#[tokio::test]
async fn the_parameters_of_a_key_have_bounds() {
    let server = start().await;
    let missing = |name: &str| (400, format!("Missing{name}"), format!("{name} is mandatory for this action."));
    for action in ["UpdateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed"] {
        assert_eq!(server.ram_refused(action, &[]).await, missing("UserAccessKeyId"), "{action}");
    }
    assert_eq!(server.ram_refused("UpdateAccessKey", &[("UserAccessKeyId", "test")]).await, missing("Status"));
    for bad in ["active", "Deleted"] {
        let message = "The parameter - \"Status\" is incorrect.".to_owned();
        let refused = server.ram_refused("UpdateAccessKey", &[("UserAccessKeyId", "test"), ("Status", bad)]).await;
        assert_eq!(refused, (400, "InvalidParameter.Status".to_owned(), message));
    }
}

#[tokio::test]
async fn a_key_knows_when_it_last_signed() {
    let server = start().await;
    let (id, secret) = key_of(&server, "ann").await;
    let used = async || {
        let given = [("UserAccessKeyId", &*id), ("UserName", "ann")];
        server.ram_done("GetAccessKeyLastUsed", &given).await["AccessKeyLastUsed"].clone()
    };
    assert_eq!(used().await, json!({}));
    server.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(server.call("DescribeRegions").key(&id, "wrong").send().await.status, 400);
    assert_eq!(used().await, json!({}), "it did not sign");
    assert_eq!(server.call("DescribeRegions").key(&id, &secret).send().await.status, 200);
    assert_eq!(used().await, json!({ "LastUsedDate": "2026-11-24T02:08:22Z" }));
    server.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(used().await, json!({ "LastUsedDate": "2026-11-24T02:08:22Z" }));
}
