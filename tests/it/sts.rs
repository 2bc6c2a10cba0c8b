//! STS: who calls, taking on a role, and what its temporary credentials are good for (sts.md).

use ecsim::emulator::Builder;
use ecsim::settings::{AuthMode, Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{self, Answer, Call, NOW, Server};

const STS: &str = "2015-04-01";
const ACCOUNT: &str = "1000000000000001";

fn sts(server: &Server, action: &str) -> Call {
    server.call(action).param("Version", STS)
}

fn allow_all() -> Value {
    json!({ "Effect": "Allow", "Action": "*", "Resource": "*" })
}

fn trust(effect: &str, principal: &Value) -> Value {
    json!({ "Effect": effect, "Action": "sts:AssumeRole", "Principal": principal })
}

fn document(statements: &Value) -> Value {
    json!({ "Version": "1", "Statement": statements })
}

/// A user `ann` who may assume roles, a user `bob` who may not, and roles: `web` trusts the account, `long` too and
/// for twelve hours, `ecs` trusts ECS, `not-ann` everybody but Ann, `outside` asks for an external id, and `theirs` of
/// another account trusts this one.
fn seed() -> Value {
    let root = json!({ "RAM": format!("acs:ram::{ACCOUNT}:root") });
    let ann = json!({ "RAM": format!("acs:ram::{ACCOUNT}:user/ann") });
    let mut outside = trust("Allow", &root);
    outside["Condition"] = json!({ "StringEquals": { "sts:ExternalId": "the-customer" } });
    let role = |name: &str, statements: Value| json!({ "name": name, "trust": document(&statements), "policies": ["AliyunECSReadOnlyAccess"] });
    let mut long = role("long", json!([trust("Allow", &root)]));
    long["max_session_duration"] = json!(43200);
    let user = |name: &str, policies: Value| {
        json!({ "name": name, "policies": policies,
        "keys": [{ "id": name, "secret": name }] })
    };
    json!({ "accounts": [
        { "id": ACCOUNT,
          "keys": [{ "id": "test", "secret": "test" }],
          "users": [user("ann", json!(["AliyunSTSAssumeRoleAccess"])), user("bob", json!(["ReadOnlyAccess"]))],
          "roles": [
            role("web", json!([trust("Allow", &root)])),
            long,
            role("ecs", json!([trust("Allow", &json!({ "Service": "ecs.aliyuncs.com" }))])),
            role("not-ann", json!([trust("Allow", &root), trust("Deny", &ann)])),
            role("only-ann", json!([trust("Allow", &ann)])),
            role("outside", json!([outside])),
            { "name": "chain", "trust": document(&json!([trust("Allow", &root)])),
              "policies": ["AliyunSTSAssumeRoleAccess"] },
            role("from-chain", json!([trust("Allow", &json!({ "RAM": format!("acs:ram::{ACCOUNT}:role/chain") }))])),
          ] },
        { "id": "2000000000000002",
          "roles": [role("theirs", json!([trust("Allow", &root)])),
                    role("closed", json!([trust("Allow", &json!({ "RAM": "acs:ram::2000000000000002:root" }))]))] },
    ] })
}

async fn start() -> Server {
    support::start_seeded(seed()).await
}

fn arn(role: &str) -> String {
    format!("acs:ram::{ACCOUNT}:role/{role}")
}

fn assume(server: &Server, role: &str) -> Call {
    let call = sts(server, "AssumeRole").key("ann", "ann").param("RoleArn", arn(role));
    call.param("RoleSessionName", "job-1")
}

/// A temporary key: id, secret, token.
struct Credentials([String; 3]);

impl Credentials {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let text = |name: &str| body["Credentials"][name].as_str().expect(name).to_owned();
        Self(["AccessKeyId", "AccessKeySecret", "SecurityToken"].map(text))
    }

    fn sign(&self, call: Call) -> Call {
        call.key(&self.0[0], &self.0[1]).param("SecurityToken", &*self.0[2])
    }
}

fn no_permission() -> (u16, String, String) {
    let text = "You are not authorized to do this action. You should be authorized by RAM.";
    (403, "NoPermission".to_owned(), text.to_owned())
}

#[tokio::test]
async fn get_caller_identity_names_the_owner_a_user_and_a_session() {
    let server = support::start().await;
    let (user, role) = server.world(|world| {
        let account = ecsim::world::AccountId::DEFAULT;
        let role = world.role(account, "operator").expect("a role").id().to_string();
        (world.user(account, "reader").expect("a user").id().to_string(), role)
    });
    let identity = |call: Call| async move {
        let mut body = call.send().await.json();
        body.as_object_mut().expect("an object").shift_remove("RequestId");
        body
    };
    assert_eq!(
        identity(sts(&server, "GetCallerIdentity")).await,
        json!({ "IdentityType": "Account", "AccountId": ACCOUNT, "PrincipalId": ACCOUNT, "UserId": ACCOUNT,
            "Arn": format!("acs:ram::{ACCOUNT}:root") })
    );
    assert_eq!(
        identity(sts(&server, "GetCallerIdentity").key("test-reader", "test-reader")).await,
        json!({ "IdentityType": "RAMUser", "AccountId": ACCOUNT, "PrincipalId": user, "UserId": user,
            "Arn": format!("acs:ram::{ACCOUNT}:user/reader") })
    );
    let session = || {
        let call = sts(&server, "GetCallerIdentity").key("STS.test-session", "test-session");
        call.param("SecurityToken", "test-session-token")
    };
    let expected = json!({ "IdentityType": "AssumedRoleUser", "AccountId": ACCOUNT,
        "PrincipalId": format!("{role}:demo"), "RoleId": role,
        "Arn": format!("acs:ram::{ACCOUNT}:assumed-role/operator/demo") });
    assert_eq!(identity(session()).await, expected);
    let xml = session().xml().send().await.text;
    assert!(xml.contains("<GetCallerIdentityResponse><IdentityType>AssumedRoleUser</IdentityType>"), "{xml}");
    let headers = server.acs3("GetCallerIdentity").key("STS.test-session", "test-session");
    let headers = headers.header("x-acs-version", STS).header("x-acs-security-token", "test-session-token");
    assert_eq!(headers.send().await.json()["Arn"], expected["Arn"]);
}

#[tokio::test]
async fn assume_role_answers_credentials_of_the_documented_shapes() {
    let server = start().await;
    let answer = assume(&server, "web").send().await;
    let body = answer.json();
    let role =
        server.world(|world| world.role(ecsim::world::AccountId::DEFAULT, "web").expect("a role").id().to_string());
    let user = json!({ "Arn": format!("acs:ram::{ACCOUNT}:role/web/job-1"), "AssumedRoleId": format!("{role}:job-1") });
    assert_eq!(body["AssumedRoleUser"], user);
    assert_eq!(body.get("SourceIdentity"), None);
    assert_eq!(body["Credentials"]["Expiration"], "2026-11-24T03:07:22Z", "an hour from {NOW}");
    let Credentials([id, secret, token]) = Credentials::of(&answer);
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    assert!(id.strip_prefix("STS.").is_some_and(|id| id.len() == 20 && plain(id)), "{id}");
    assert!(secret.len() == 44 && plain(&secret));
    assert!(token.starts_with("CAIS"));
    let other = Credentials::of(&assume(&server, "web").send().await);
    assert!(other.0.iter().zip([id, secret, token]).all(|(one, other)| *one != other));
    let xml = assume(&server, "web").param("SourceIdentity", "alice").xml().send().await.text;
    let [start, end] =
        ["<AssumeRoleResponse><RequestId>", "<SourceIdentity>alice</SourceIdentity></AssumeRoleResponse>"];
    assert!(xml.contains(start) && xml.ends_with(end), "{xml}");
    assert!(xml.contains("<Credentials><AccessKeyId>STS."), "{xml}");
}

#[tokio::test]
async fn temporary_credentials_sign_calls_of_every_product_in_query_form_and_headers() {
    let server = start().await;
    let credentials = Credentials::of(&assume(&server, "web").send().await);
    let [id, secret, token] = &credentials.0;
    for (version, action) in [("2014-05-26", "DescribeRegions"), (STS, "GetCallerIdentity")] {
        let query = credentials.sign(server.call(action).param("Version", version));
        assert_eq!(query.send().await.status, 200, "{action} in the query");
        let form = server.call(action).param("Version", version).key(id, secret).form("SecurityToken", token.as_str());
        assert_eq!(form.send().await.status, 200, "{action} in a form");
        let headers = server.acs3(action).header("x-acs-version", version).key(id, secret);
        assert_eq!(headers.header("x-acs-security-token", token).send().await.status, 200, "{action} in headers");
    }
    // The role may look at ECS and nothing else.
    let detach =
        server.call("DetachInstanceRamRole").param("RegionId", "cn-hangzhou").param("InstanceIds", "[\"i-1\"]");
    assert_eq!(credentials.sign(detach).send().await.code(), (403, "Forbidden.RAM".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_has_its_code_in_each_family() {
    let server = start().await;
    let mine = Credentials::of(&assume(&server, "web").send().await);
    let other = Credentials::of(&assume(&server, "web").param("DurationSeconds", "900").send().await);
    let [id, secret, _] = &mine.0;
    let ecs = |what: &str| format!("The specified parameter \"SecurityToken.{what}\" is not valid.");
    for (given, general) in [
        (None, "MissingSecurityToken"),
        (Some("nonsense"), "InvalidSecurityToken.Malformed"),
        (Some(&*other.0[2]), "InvalidSecurityToken.MismatchWithAccessKey"),
    ] {
        let v1 = |version: &str, action: &str| {
            let call = server.call(action).param("Version", version).key(id, secret);
            if let Some(given) = given { call.param("SecurityToken", given) } else { call }
        };
        let in_headers = |version: &str, action: &str| {
            let call = server.acs3(action).header("x-acs-version", version).key(id, secret);
            if let Some(given) = given { call.header("x-acs-security-token", given) } else { call }
        };
        assert_eq!(v1(STS, "GetCallerIdentity").send().await.code(), (400, general.to_owned()));
        assert_eq!(in_headers(STS, "GetCallerIdentity").send().await.code(), (400, general.to_owned()));
        assert_eq!(in_headers("2014-05-26", "DescribeRegions").send().await.code(), (400, general.to_owned()));
        let (status, code, message) = v1("2014-05-26", "DescribeRegions").send().await.refusal();
        let expected = match general.strip_prefix("InvalidSecurityToken.") {
            None => (
                "MissingParameter",
                "The input parameter \"SecurityToken\" that is mandatory for processing this request is not supplied."
                    .to_owned(),
            ),
            Some(what) => ("InvalidParameter", ecs(what)),
        };
        assert_eq!((status, &*code, message), (400, expected.0, expected.1));
    }
    // Both live side by side, until each expires.
    server.clock.advance(SignedDuration::from_secs(900));
    let now = "2026-11-24T02:22:22Z";
    let call = |credentials: &Credentials, version: &str, action: &str| {
        credentials.sign(server.call(action).param("Version", version).param("Timestamp", now)).send()
    };
    assert_eq!(call(&mine, STS, "GetCallerIdentity").await.status, 200);
    let expired = (400, "InvalidSecurityToken.Expired".to_owned());
    assert_eq!(call(&other, STS, "GetCallerIdentity").await.code(), expired);
    let (_, code, message) = call(&other, "2014-05-26", "DescribeRegions").await.refusal();
    assert_eq!((&*code, message), ("InvalidParameter", ecs("Expired")));
    let headers = server.acs3("DescribeRegions").key(&other.0[0], &other.0[1]).header("x-acs-date", now);
    assert_eq!(headers.header("x-acs-security-token", &other.0[2]).send().await.code(), expired);
}

#[tokio::test]
async fn each_parameter_of_assume_role_has_its_bounds() {
    let server = start().await;
    let long = |character: &str, count: usize| character.repeat(count);
    let policy = |length: usize| {
        let around = document(&json!([allow_all()])).to_string();
        around.replace("\"*\",\"Res", &format!("\"*{}\",\"Res", long(":", length - around.len())))
    };
    let (ok, none) = ("", "");
    for (name, value, code) in [
        ("RoleArn", none.to_owned(), "MissingRoleArn"),
        ("RoleSessionName", none.to_owned(), "MissingRoleSessionName"),
        ("RoleArn", "web".to_owned(), "InvalidParameter.RoleArn"),
        ("RoleArn", format!("acs:ram:cn-hangzhou:{ACCOUNT}:role/web"), "InvalidParameter.RoleArn"),
        ("RoleArn", format!("acs:ram::{ACCOUNT}:user/ann"), "InvalidParameter.RoleArn"),
        ("RoleArn", format!("acs:ram::{ACCOUNT}:role/"), "InvalidParameter.RoleArn"),
        ("RoleArn", "acs:ram::1:role/web".to_owned(), "InvalidParameter.RoleArn"),
        ("RoleArn", arn("WEB"), ok),
        ("RoleSessionName", "a".to_owned(), "InvalidParameter.RoleSessionName"),
        ("RoleSessionName", "ab".to_owned(), ok),
        ("RoleSessionName", long("a", 64), ok),
        ("RoleSessionName", long("a", 65), "InvalidParameter.RoleSessionName"),
        ("RoleSessionName", "A.z@9-_".to_owned(), ok),
        ("RoleSessionName", "a b".to_owned(), "InvalidParameter.RoleSessionName"),
        ("DurationSeconds", "899".to_owned(), "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "900".to_owned(), ok),
        ("DurationSeconds", "3600".to_owned(), ok),
        ("DurationSeconds", "3601".to_owned(), "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "an hour".to_owned(), "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "99999999999999999999".to_owned(), "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", none.to_owned(), ok),
        ("Policy", policy(2048), ok),
        ("Policy", policy(2049), "InvalidParameter.PolicySize"),
        ("Policy", "{}".to_owned(), "InvalidParameter.PolicyGrammar"),
        ("Policy", "Allow".to_owned(), "InvalidParameter.PolicyGrammar"),
        ("Policy", none.to_owned(), ok),
        ("ExternalId", "x".to_owned(), "InvalidParameter.ExternalId"),
        ("ExternalId", "aZ_+=,.@:/-".to_owned(), ok),
        ("ExternalId", long("x", 1224), ok),
        ("ExternalId", long("x", 1225), "InvalidParameter.ExternalId"),
        ("ExternalId", "a b".to_owned(), "InvalidParameter.ExternalId"),
        ("SourceIdentity", "a b".to_owned(), "InvalidParameter.SourceIdentity"),
    ] {
        let answer = assume(&server, "web").post().param(name, value.clone()).send().await;
        let expected = if code.is_empty() { (200, String::new()) } else { (400, code.to_owned()) };
        let got = if answer.status == 200 { (200, String::new()) } else { answer.code() };
        assert_eq!(got, expected, "{name}={value} {}", answer.text);
    }
    let text = "The Min/Max value of DurationSeconds is 15min/1hr.";
    assert_eq!(assume(&server, "web").param("DurationSeconds", "1").send().await.refusal().2, text);
    for (seconds, status) in [("43200", 200), ("43201", 400)] {
        let answer = assume(&server, "long").param("DurationSeconds", seconds).send().await;
        assert_eq!(answer.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn the_owner_may_not_assume_a_role() {
    let server = start().await;
    let answer = assume(&server, "web").key("test", "test").send().await;
    let text = "Roles may not be assumed by root accounts.";
    assert_eq!(answer.refusal(), (403, "NoPermission".to_owned(), text.to_owned()));
    let odd = assume(&server, "web").key("test", "test").param("RoleArn", "web");
    assert_eq!(odd.send().await.code(), (400, "InvalidParameter.RoleArn".to_owned()), "parameters come first");
}

#[tokio::test]
async fn without_signatures_everybody_is_an_owner_and_assumes_no_role() {
    let settings = Settings { auth: AuthMode::Off, ..Settings::default() };
    let server = support::start_with(|builder: Builder| builder.settings(settings)).await;
    for key in ["test-full", "STS.test-session", "anything"] {
        let answer = assume(&server, "operator").key(key, "x").send().await;
        assert_eq!(answer.refusal().2, "Roles may not be assumed by root accounts.", "{key}");
    }
}

#[tokio::test]
async fn both_the_caller_s_policies_and_the_role_s_must_allow_it() {
    let server = start().await;
    let (identity, role) = ("AccountLevelIdentityBasedPolicy", "AssumeRolePolicy");
    for (user, name, refused) in [
        ("ann", "web", None),
        ("bob", "web", Some((identity, "ImplicitDeny"))),
        ("ann", "ecs", Some((role, "ImplicitDeny"))),
        ("ann", "not-ann", Some((role, "ExplicitDeny"))),
        ("bob", "not-ann", Some((identity, "ImplicitDeny"))),
        ("ann", "only-ann", None),
        ("bob", "only-ann", Some((identity, "ImplicitDeny"))),
        ("ann", "outside", Some((role, "ImplicitDeny"))),
        ("ann", "from-chain", Some((role, "ImplicitDeny"))),
        // Whether there is such a role is nobody's business who may not assume it.
        ("bob", "nobody", Some((identity, "ImplicitDeny"))),
    ] {
        let answer = assume(&server, name).key(user, user).send().await;
        assert_eq!(answer.status == 200, refused.is_none(), "{user} {name} {}", answer.text);
        if let Some((policy, kind)) = refused {
            assert_eq!(answer.refusal(), no_permission());
            let detail = &answer.json()["AccessDeniedDetail"];
            let got = (&detail["PolicyType"], &detail["NoPermissionType"], &detail["AuthAction"]);
            assert_eq!(got, (&json!(policy), &json!(kind), &json!("sts:AssumeRole")), "{user} {name}");
        }
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_named_by_its_arn() {
    let server = start().await;
    let text = format!("The role not exists: {}", arn("nobody"));
    assert_eq!(assume(&server, "nobody").send().await.refusal(), (404, "EntityNotExist.Role".to_owned(), text));
}

#[tokio::test]
async fn an_external_id_opens_the_role_that_asks_for_it() {
    let server = start().await;
    for (id, status) in [("the-customer", 200), ("another", 403)] {
        assert_eq!(assume(&server, "outside").param("ExternalId", id).send().await.status, status, "{id}");
    }
}

#[tokio::test]
async fn a_role_of_another_account_can_be_assumed_if_it_trusts_this_one() {
    let server = start().await;
    let call = |name: &str| assume(&server, "web").param("RoleArn", format!("acs:ram::2000000000000002:role/{name}"));
    assert_eq!(call("closed").send().await.refusal(), no_permission());
    let credentials = Credentials::of(&call("theirs").send().await);
    let identity = credentials.sign(sts(&server, "GetCallerIdentity")).send().await.json();
    assert_eq!(identity["Arn"], "acs:ram::2000000000000002:assumed-role/theirs/job-1");
    assert_eq!(identity["AccountId"], "2000000000000002");
}

#[tokio::test]
async fn a_session_assumes_a_role_that_trusts_its_own() {
    let server = start().await;
    let chain = Credentials::of(&assume(&server, "chain").send().await);
    let next = |name: &str| {
        let call = sts(&server, "AssumeRole").param("RoleArn", arn(name)).param("RoleSessionName", "job-2");
        chain.sign(call).send()
    };
    let credentials = Credentials::of(&next("from-chain").await);
    let identity = credentials.sign(sts(&server, "GetCallerIdentity")).send().await.json();
    assert_eq!(identity["Arn"], format!("acs:ram::{ACCOUNT}:assumed-role/from-chain/job-2"));
    assert_eq!(next("only-ann").await.refusal(), no_permission());
}

#[tokio::test]
async fn a_session_policy_narrows_and_never_widens() {
    let server = start().await;
    let session = |policy: Value| {
        let call = assume(&server, "web").param("Policy", document(&json!([policy])).to_string());
        async { Credentials::of(&call.send().await) }
    };
    let zones = session(json!({ "Effect": "Allow", "Action": "ecs:DescribeZones", "Resource": "*" })).await;
    let all = session(allow_all()).await;
    let call = |credentials: &Credentials, action: &str| {
        credentials.sign(server.call(action).param("RegionId", "cn-hangzhou").param("InstanceIds", "[\"i-1\"]")).send()
    };
    assert_eq!(call(&zones, "DescribeZones").await.status, 200);
    let denied = call(&zones, "DescribeRegions").await;
    assert_eq!(denied.json()["AccessDeniedDetail"]["PolicyType"], "SessionPolicy");
    assert_eq!(call(&all, "DescribeRegions").await.status, 200);
    let denied = call(&all, "DetachInstanceRamRole").await;
    assert_eq!(denied.json()["AccessDeniedDetail"]["PolicyType"], "AccountLevelIdentityBasedPolicy");
}
