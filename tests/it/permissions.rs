//! Who may do what: the three role actions by everybody, and what policies can ask of a call
//! (ram.md 5 to 7; ecs-instance-ram-role.md 5.8 and 7, D11, D12, A10).

use ecsim::emulator::Builder;
use ecsim::settings::{RamMode, Settings};
use ecsim::world::AccountId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use tokio::net::UnixStream;

use crate::support::{self, Answer, Call, NOW, Server, TRUST};
use crate::transport::Wire;

const WEB: &str = "i-bp1ecsim0000000web01";
const PLAIN: &str = "i-bp1ecsim00000plain01";
const FORBIDDEN: (u16, &str) = (403, "Forbidden.RAM");
const PASS_FORBIDDEN: (u16, &str) = (403, "InvalidUser.PassRoleForbidden");
const NO_ROLE: (u16, &str) = (404, "InvalidRamRole.NotFound");
const NO_INSTANCE: (u16, &str) = (404, "InvalidInstanceId.NotFound");
const OK: (u16, &str) = (200, "");

/// A key with its secret and, for a temporary one, its token.
type Key<'k> = (&'k str, &'k str, Option<&'k str>);

const OWNER: Key<'_> = ("test", "test", None);
const FULL: Key<'_> = ("test-full", "test-full", None);
const NO_PASS: Key<'_> = ("test-no-pass", "test-no-pass", None);
const READER: Key<'_> = ("test-reader", "test-reader", None);
const SESSION: Key<'_> = ("STS.test-session", "test-session", Some("test-session-token"));
const FOREIGN: Key<'_> = ("test2", "test2", None);

fn v1(server: &Server, key: Key<'_>, action: &str) -> Call {
    let call = server.call(action).key(key.0, key.1);
    if let Some(token) = key.2 { call.param("SecurityToken", token) } else { call }
}

async fn acs3(server: &Server, key: Key<'_>, action: &str, params: &[(&str, &str)]) -> Answer {
    let mut call = server.acs3(action).key(key.0, key.1);
    if let Some(token) = key.2 {
        call = call.header("x-acs-security-token", token);
    }
    params.iter().fold(call, |call, (name, value)| call.param(name, value)).send().await
}

fn outcome(answer: &Answer) -> (u16, String) {
    if answer.status == 200 { (200, String::new()) } else { answer.code() }
}

/// The matrix of the three role actions.
#[tokio::test]
async fn each_caller_may_do_what_its_policies_say_with_either_signature() {
    let attach: &[_] = &[("RamRoleName", "web-role"), ("InstanceIds", r#"["i-bp1ecsim00000plain01"]"#)];
    let detach: &[_] = &[("RamRoleName", "web-role"), ("InstanceIds", r#"["i-bp1ecsim0000000web01"]"#)];
    let describe: &[_] = &[("InstanceIds", r#"["i-bp1ecsim0000000web01"]"#)];
    let actions =
        [("AttachInstanceRamRole", attach), ("DetachInstanceRamRole", detach), ("DescribeInstanceRamRole", describe)];
    for (key, expected) in [
        (OWNER, [OK, OK, OK]),
        (FULL, [OK, OK, OK]),
        (NO_PASS, [PASS_FORBIDDEN, PASS_FORBIDDEN, OK]),
        (READER, [FORBIDDEN, FORBIDDEN, OK]),
        (SESSION, [OK, OK, OK]),
        (FOREIGN, [NO_ROLE, NO_ROLE, NO_INSTANCE]),
    ] {
        for ((action, params), (status, code)) in actions.into_iter().zip(expected) {
            for in_headers in [false, true] {
                let server = support::start().await;
                let region = [("RegionId", "cn-hangzhou")];
                let params: Vec<_> = region.iter().chain(params).copied().collect();
                let answer = if in_headers {
                    acs3(&server, key, action, &params).await
                } else {
                    let call = v1(&server, key, action);
                    params.iter().fold(call, |call, (name, value)| call.param(name, *value)).send().await
                };
                let case = format!("{} {action} in headers: {in_headers}", key.0);
                assert_eq!(outcome(&answer), (status, code.to_owned()), "{case}: {}", answer.text);
                // What is refused changes nothing; what passes has done its work.
                let passed = |done: &str| status == 200 && action == done;
                let on = |instance: &str| server.role_of(instance).is_some();
                assert_eq!((on(PLAIN), on(WEB)), (passed(actions[0].0), !passed(actions[1].0)), "{case}");
            }
        }
    }
}

/// A world of one user, `u`, with one policy of these statements; a role `web` on `i-1`, which is tagged, and one free
/// instance `i-2`.
fn seed(statements: &Value) -> Value {
    json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "policies": [{ "name": "p", "document": { "Version": "1", "Statement": statements } }],
        "users": [{ "name": "u", "policies": ["p"], "keys": [{ "id": "u", "secret": "u" }] }],
        "roles": [{ "name": "web" }],
        "instances": [{ "id": "i-1", "role": "web", "tags": { "tier": "web" } }, { "id": "i-2" }],
    }] })
}

async fn start(statements: &Value, settings: Settings) -> Server {
    support::start_with(|builder: Builder| builder.seed("test.json", seed(statements).to_string()).settings(settings))
        .await
}

fn role_call(server: &Server, action: &str, ids: &str) -> Call {
    server.call(action).key("u", "u").param("RegionId", "cn-hangzhou").param("InstanceIds", ids)
}

fn detach(server: &Server) -> Call {
    role_call(server, "DetachInstanceRamRole", r#"["i-1"]"#).param("RamRoleName", "web")
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

/// What a user of these statements gets for a detach of `web` from `i-1`.
async fn detaching(statements: Value) -> (u16, String) {
    outcome(&detach(&start(&statements, Settings::default()).await).send().await)
}

fn is(expected: (u16, &str)) -> (u16, String) {
    (expected.0, expected.1.to_owned())
}

#[tokio::test]
async fn d11_both_instance_and_role_must_be_allowed() {
    let pass = allow("ram:PassRole", "*");
    let instance = allow("ecs:DetachInstanceRamRole", "acs:ecs:cn-hangzhou:1000000000000001:instance/i-1");
    let role = allow("ecs:*", "acs:ram:*:*:role/web");
    let denied = json!({ "Effect": "Deny", "Action": "*", "Resource": "acs:ecs:*:*:instance/i-1" });
    for (statements, expected) in [
        (json!([pass, instance, role]), OK),
        (json!([pass, instance]), FORBIDDEN),
        (json!([pass, role]), FORBIDDEN),
        (json!([pass, instance, role, denied]), FORBIDDEN),
        (json!([pass, allow("ecs:*", "acs:ecs:cn-beijing:*"), role]), FORBIDDEN),
    ] {
        assert_eq!(detaching(statements.clone()).await, is(expected), "{statements}");
    }
}

#[tokio::test]
async fn describe_asks_for_the_instances_and_the_role_that_it_is_called_with_and_no_other() {
    let (role, instance) =
        (allow("ecs:Describe*", "acs:ram:*:*:role/web"), allow("ecs:Describe*", "acs:ecs:*:*:instance/*"));
    for (statements, [by_role, by_id, by_both]) in [
        (json!([role]), [OK, FORBIDDEN, FORBIDDEN]),
        (json!([instance]), [FORBIDDEN, OK, FORBIDDEN]),
        (json!([role, instance]), [OK, OK, OK]),
    ] {
        let server = start(&statements, Settings::default()).await;
        let call = || server.call("DescribeInstanceRamRole").key("u", "u").param("RegionId", "cn-hangzhou");
        let ids = ("InstanceIds", r#"["i-1"]"#);
        for (call, expected) in [
            (call().param("RamRoleName", "web"), by_role),
            (call().param(ids.0, ids.1), by_id),
            (call().param("RamRoleName", "web").param(ids.0, ids.1), by_both),
        ] {
            assert_eq!(outcome(&call.send().await), is(expected), "{statements}");
        }
    }
}

#[tokio::test]
async fn d11_one_forbidden_instance_refuses_the_call_and_changes_nothing() {
    let statements =
        json!([allow("*", "*"), { "Effect": "Deny", "Action": "*", "Resource": "acs:ecs:*:*:instance/i-2" }]);
    let server = start(&statements, Settings::default()).await;
    let answer = role_call(&server, "DetachInstanceRamRole", r#"["i-1","i-2"]"#).send().await;
    assert_eq!(answer.code(), is(FORBIDDEN));
    assert_eq!(server.role_of("i-1").as_deref(), Some("web"));
}

#[tokio::test]
async fn d12_and_a10_the_role_must_be_passed_to_ecs_by_any_of_its_spellings() {
    let ecs = allow("ecs:*", "*");
    for (resource, expected) in [
        ("*", OK),
        ("acs:ram:*:*:role/web", OK),
        ("acs:ram::1000000000000001:role/web", OK),
        ("acs:ram:*:1000000000000001:role/w*", OK),
        ("acs:ram::1000000000000001:role/db", PASS_FORBIDDEN),
        ("acs:ram:*:*:user/web", PASS_FORBIDDEN),
    ] {
        let statements = json!([ecs, allow("ram:PassRole", resource)]);
        assert_eq!(detaching(statements.clone()).await, is(expected), "detach, {resource}");
        let server = start(&statements, Settings::default()).await;
        let attach = role_call(&server, "AttachInstanceRamRole", r#"["i-2"]"#).param("RamRoleName", "web");
        assert_eq!(outcome(&attach.send().await), is(expected), "attach, {resource}");
        assert_eq!(server.role_of("i-2").is_some(), expected == OK, "{resource}");
    }
    for (service, expected) in [("ecs.aliyuncs.com", OK), ("fc.aliyuncs.com", PASS_FORBIDDEN)] {
        let mut pass = allow("ram:PassRole", "*");
        pass["Condition"] = json!({ "StringEquals": { "acs:Service": service } });
        assert_eq!(detaching(json!([ecs, pass])).await, is(expected), "{service}");
    }
}

#[tokio::test]
async fn d12_without_a_name_each_attached_role_must_be_passed() {
    let statements = json!([allow("ecs:*", "*")]);
    let server = start(&statements, Settings::default()).await;
    let call = |ids| role_call(&server, "DetachInstanceRamRole", ids);
    assert_eq!(outcome(&call(r#"["i-1"]"#).send().await), is(PASS_FORBIDDEN));
    assert_eq!(outcome(&call(r#"["i-2"]"#).send().await), is(OK), "there is nothing to pass");
}

#[tokio::test]
async fn a_denied_role_cannot_be_named_in_another_case() {
    let statements =
        json!([allow("*", "*"), { "Effect": "Deny", "Action": "ecs:*", "Resource": "acs:ram:*:*:role/web" }]);
    let server = start(&statements, Settings::default()).await;
    for name in ["web", "WEB"] {
        let call = role_call(&server, "DetachInstanceRamRole", r#"["i-1"]"#).param("RamRoleName", name);
        assert_eq!(outcome(&call.send().await), is(FORBIDDEN), "{name}");
    }
}

#[tokio::test]
async fn a_role_that_was_made_again_in_another_case_is_passed_as_ram_spells_it() {
    let statements =
        json!([allow("*", "*"), { "Effect": "Deny", "Action": "ram:*", "Resource": "acs:ram:*:*:role/WEB" }]);
    let server = start(&statements, Settings::default()).await;
    server.ram_done("DeleteRole", &[("RoleName", "web")]).await;
    server.ram_done("CreateRole", &[("RoleName", "WEB"), ("AssumeRolePolicyDocument", TRUST)]).await;
    assert_eq!(server.role_of("i-1").as_deref(), Some("web"));
    let detach = role_call(&server, "DetachInstanceRamRole", r#"["i-1"]"#);
    assert_eq!(outcome(&detach.send().await), is(PASS_FORBIDDEN));
}

#[tokio::test]
async fn detach_needs_no_pass_role_where_the_setting_says_so_but_attach_does() {
    let settings = Settings { detach_pass_role: false, ..Settings::default() };
    let server = start(&json!([allow("ecs:*", "*")]), settings).await;
    let attach = role_call(&server, "AttachInstanceRamRole", r#"["i-2"]"#).param("RamRoleName", "web");
    assert_eq!(outcome(&attach.send().await), is(PASS_FORBIDDEN));
    assert_eq!(outcome(&detach(&server).send().await), is(OK));
}

#[tokio::test]
async fn the_role_is_looked_for_before_it_is_passed_and_after_the_call_is_allowed() {
    let server = start(&json!([allow("ecs:*", "*")]), Settings::default()).await;
    let unknown = role_call(&server, "AttachInstanceRamRole", r#"["i-2"]"#).param("RamRoleName", "nobody");
    assert_eq!(outcome(&unknown.send().await), is(NO_ROLE));
    let server = start(&json!([allow("ecs:Describe*", "*")]), Settings::default()).await;
    let unknown = role_call(&server, "AttachInstanceRamRole", r#"["i-9"]"#).param("RamRoleName", "nobody");
    assert_eq!(outcome(&unknown.send().await), is(FORBIDDEN));
    let malformed = role_call(&server, "AttachInstanceRamRole", "i-9").param("RamRoleName", "nobody");
    assert_eq!(outcome(&malformed.send().await), (400, "InvalidInstanceIds.Malformed".to_owned()));
}

#[tokio::test]
async fn conditions_see_the_address_the_time_and_the_transport_of_the_call() {
    let conditional = |operator: &str, key: &str, value: &str| {
        let mut all = allow("*", "*");
        all["Condition"] = json!({ operator: { key: value } });
        json!([all])
    };
    for (operator, key, value, allowed) in [
        ("IpAddress", "acs:SourceIp", "127.0.0.0/8", true),
        ("IpAddress", "acs:SourceIp", "10.0.0.0/8", false),
        ("NotIpAddress", "acs:SourceIp", "127.0.0.1", false),
        ("Bool", "acs:SecureTransport", "false", true),
        ("Bool", "acs:SecureTransport", "true", false),
        ("Bool", "acs:MFAPresent", "true", false),
        ("Bool", "acs:MFAPresent", "false", true),
        ("DateEquals", "acs:CurrentTime", NOW, true),
        ("DateGreaterThan", "acs:CurrentTime", NOW, false),
        ("StringEquals", "acs:Nothing", "x", false),
    ] {
        let expected = if allowed { OK } else { FORBIDDEN };
        assert_eq!(detaching(conditional(operator, key, value)).await, is(expected), "{operator} {key} {value}");
    }
    let server = start(&conditional("DateLessThanEquals", "acs:CurrentTime", NOW), Settings::default()).await;
    server.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(outcome(&detach(&server).send().await), is(FORBIDDEN), "the world's clock counts");
}

#[tokio::test]
async fn conditions_see_the_tags_of_the_instance() {
    for key in ["ecs:tag/tier", "acs:ResourceTag/tier"] {
        let mut tagged = allow("ecs:Describe*", "*");
        tagged["Condition"] = json!({ "StringEquals": { key: "web" } });
        let server = start(&json!([tagged]), Settings::default()).await;
        for (ids, expected) in [(r#"["i-1"]"#, OK), (r#"["i-2"]"#, FORBIDDEN), (r#"["i-1","i-2"]"#, FORBIDDEN)] {
            let answer = role_call(&server, "DescribeInstanceRamRole", ids).send().await;
            assert_eq!(outcome(&answer), is(expected), "{key} {ids}");
        }
    }
}

#[tokio::test]
async fn a_call_over_a_unix_socket_has_no_address() {
    let path = std::env::temp_dir().join(format!("ecsim-permissions-{}.sock", std::process::id()));
    let mut anywhere = allow("ecs:*", "*");
    anywhere["Condition"] = json!({ "IpAddress": { "acs:SourceIp": "0.0.0.0/0" } });
    let seed = seed(&json!([anywhere])).to_string();
    let server =
        support::start_with(|b| b.seed("test.json", seed).listen(([127, 0, 0, 1], 0).into()).unix(&path)).await;
    let query = server.call("DescribeRegions").key("u", "u").query();
    let mut wire = Wire::over(UnixStream::connect(&path).await.expect("connects"));
    wire.send(format!("GET /?{query} HTTP/1.1\r\nHost: ecs.example\r\n\r\n")).await;
    assert_eq!(wire.answer().await.status, 403);
}

#[tokio::test]
async fn an_instance_that_is_not_there_is_asked_for_as_one_of_the_account_in_any_region() {
    let allowed = allow("ecs:DescribeInstanceAttribute", "acs:ecs:*:1000000000000001:instance/i-*");
    let mut seed = seed(&json!([allowed]));
    let accounts = seed["accounts"].as_array_mut().expect("a list");
    accounts.push(json!({ "id": "2000000000000002", "instances": [{ "id": "i-foreign" }] }));
    let server = support::start_seeded(seed).await;
    for (id, expected) in [("i-1", OK), ("i-9", NO_INSTANCE), ("i-foreign", NO_INSTANCE), ("other", FORBIDDEN)] {
        let call = server.call("DescribeInstanceAttribute").key("u", "u").param("InstanceId", id);
        assert_eq!(outcome(&call.send().await), is(expected), "{id}");
    }
}

#[tokio::test]
async fn an_unauthorised_list_is_refused_and_not_empty() {
    let server = start(&json!([allow("ram:*", "*")]), Settings::default()).await;
    for action in ["DescribeInstances", "DescribeInstanceStatus", "DescribeRegions"] {
        let call = server.call(action).key("u", "u").param("RegionId", "cn-hangzhou");
        assert_eq!(call.send().await.code(), is(FORBIDDEN), "{action}");
    }
}

#[tokio::test]
async fn a_user_without_policies_may_do_nothing_but_what_needs_no_permission() {
    let user = json!({ "name": "u", "keys": [{ "id": "u", "secret": "u" }] });
    let server = support::start_seeded(json!({ "accounts": [{ "users": [user] }] })).await;
    let call = |action: &str| server.call(action).key("u", "u").param("RegionId", "cn-hangzhou");
    assert_eq!(call("DescribeRegions").send().await.code(), is(FORBIDDEN));
    let endpoints = call("DescribeEndpoints").param("Version", "2015-06-12").param("Id", "cn-hangzhou");
    let endpoints = endpoints.param("ServiceCode", "ecs").param("Type", "openAPI");
    assert_eq!(endpoints.send().await.status, 200);
}

fn detail(action: &str, kind: &str, name: &str, no_permission: &str, policy: &str, message: &Value) -> Value {
    json!({ "AuthAction": action, "AuthPrincipalType": kind, "AuthPrincipalOwnerId": "1000000000000001",
        "AuthPrincipalDisplayName": name, "NoPermissionType": no_permission, "PolicyType": policy,
        "EncodedDiagnosticMessage": message })
}

#[tokio::test]
async fn a_denial_of_ecs_says_who_was_denied_what_and_by_which_kind_of_policy() {
    let deny = json!({ "Effect": "Deny", "Action": "*", "Resource": "*" });
    for (statements, no_permission) in
        [(json!([allow("ram:*", "*")]), "ImplicitDeny"), (json!([allow("*", "*"), deny]), "ExplicitDeny")]
    {
        let server = start(&statements, Settings::default()).await;
        let answer = detach(&server).send().await;
        let text = "User not authorized to operate on the specified resource, or this API doesn't support RAM.";
        assert_eq!(answer.refusal(), (403, "Forbidden.RAM".to_owned(), text.to_owned()));
        let body = answer.json();
        let uid = server.world(|world| world.users(AccountId::DEFAULT).next().map(|u| u.id().to_string()));
        let message = &body["AccessDeniedDetail"]["EncodedDiagnosticMessage"];
        assert!(message.as_str().is_some_and(|message| message.starts_with("AQE")), "{body}");
        let policy = "AccountLevelIdentityBasedPolicy";
        let action = "ecs:DetachInstanceRamRole";
        let expected = detail(action, "SubUser", &uid.expect("a user"), no_permission, policy, message);
        assert_eq!(body["AccessDeniedDetail"], expected);
        let members: Vec<_> = body.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["RequestId", "HostId", "Code", "Message", "Recommend", "AccessDeniedDetail"]);

        let xml = detach(&server).xml().send().await.text;
        let element = |name: &str, value: &str| format!("<{name}>{value}</{name}>");
        for (name, value) in expected.as_object().expect("an object").iter().take(6) {
            assert!(xml.contains(&element(name, value.as_str().expect("a text"))), "{name} in {xml}");
        }
        assert!(xml.ends_with("</EncodedDiagnosticMessage></AccessDeniedDetail></Error>"), "{xml}");
    }
}

#[tokio::test]
async fn a_refusal_of_something_else_has_no_detail() {
    let server = support::start().await;
    let body = server.call("DetachInstanceRamRole").send().await.json();
    assert_eq!((&body["Code"], body.get("AccessDeniedDetail")), (&json!("MissingParameter"), None));
}

/// A session of a role that may do everything on ECS and pass roles, narrowed.
async fn narrowed(policy: Value) -> Server {
    let session = json!({ "id": "STS.s", "secret": "s", "security_token": "t", "expires": "2099-01-01T00:00:00Z",
        "name": "job", "policy": { "Version": "1", "Statement": policy } });
    let role = json!({ "name": "web", "policies": ["AliyunECSFullAccess"], "sessions": [session] });
    support::start_seeded(json!({ "accounts": [{ "roles": [role], "instances": [{ "id": "i-1", "role": "web" }] }] }))
        .await
}

#[tokio::test]
async fn a_session_may_do_what_both_its_policy_and_its_role_allow() {
    for (policy, action, layer) in [
        (json!([allow("*", "*")]), "DescribeRegions", None),
        (json!([allow("ecs:DescribeRegions", "*")]), "DescribeRegions", None),
        (json!([allow("ecs:DescribeZones", "*")]), "DescribeRegions", Some("SessionPolicy")),
        // The role does not allow it, whatever the session's policy says.
        (json!([allow("*", "*")]), "DetachInstanceRamRole", Some("AccountLevelIdentityBasedPolicy")),
    ] {
        let server = narrowed(policy.clone()).await;
        let key = ("STS.s", "s", Some("t"));
        let call = v1(&server, key, action).param("RegionId", "cn-hangzhou").param("InstanceIds", r#"["i-1"]"#);
        let answer = call.send().await;
        assert_eq!(answer.status == 200, layer.is_none(), "{policy} {}", answer.text);
        if let Some(layer) = layer {
            let detail = &answer.json()["AccessDeniedDetail"];
            assert_eq!(
                (&detail["PolicyType"], &detail["AuthPrincipalType"]),
                (&json!(layer), &json!("AssumedRoleUser"))
            );
            assert_eq!(detail["AuthPrincipalDisplayName"], "web:job");
        }
    }
}

#[tokio::test]
async fn softly_a_denied_call_passes_and_a_header_says_what_was_denied() {
    let settings = Settings { ram: RamMode::Soft, ..Settings::default() };
    let server = start(&json!([allow("ecs:*", "acs:ecs:*")]), settings).await;
    let answer = detach(&server).send().await;
    assert_eq!(outcome(&answer), is(OK));
    assert_eq!(server.role_of("i-1"), None);
    let role = "acs:ram:cn-hangzhou:1000000000000001:role/web";
    assert_eq!(answer.header("x-ecsim-would-deny"), format!("ecs:DetachInstanceRamRole {role}, ram:PassRole {role}"));
    // What fails for another reason says so all the same.
    let odd = role_call(&server, "DetachInstanceRamRole", r#"["i-9"]"#).param("RamRoleName", "北\r\nx: y");
    let answer = odd.send().await;
    assert_eq!(answer.code(), is(NO_ROLE));
    let header = answer.header("x-ecsim-would-deny");
    assert_eq!(header, format!("ecs:DetachInstanceRamRole {}", role.replace("web", r"\u{5317}\r\nx: y")));
    let allowed = server.call("DescribeRegions").send().await;
    assert_eq!(allowed.headers.get("x-ecsim-would-deny"), None, "the owner is asked nothing");
}

#[tokio::test]
async fn with_policies_off_or_without_signatures_nobody_is_denied() {
    let settings = Settings { ram: RamMode::Off, ..Settings::default() };
    let unsigned = Settings { auth: ecsim::settings::AuthMode::Off, ..Settings::default() };
    for settings in [settings, unsigned] {
        let server = start(&json!([allow("oss:*", "*")]), settings).await;
        let answer = detach(&server).send().await;
        assert_eq!(outcome(&answer), is(OK));
        assert_eq!(answer.headers.get("x-ecsim-would-deny"), None);
    }
}

fn ram(server: &Server, action: &str) -> Call {
    server.call(action).param("Version", "2015-05-01")
}

#[tokio::test]
async fn a_denial_of_ram_names_resource_and_action() {
    let server = support::start().await;
    let document = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for (call, action, resource) in [
        (ram(&server, "CreatePolicy").param("PolicyDocument", document), "CreatePolicy", "policy/*"),
        (ram(&server, "DeleteUser").param("UserName", "FULL"), "DeleteUser", "user/full"),
        (ram(&server, "DeleteRole").param("RoleName", "nobody"), "DeleteRole", "role/nobody"),
    ] {
        let answer = call.param("PolicyName", "p").key("test-reader", "test-reader").send().await;
        let text = format!(
            "You are not authorized to do this action. Resource: acs:ram:*:1000000000000001:{resource} Action: ram:{action}"
        );
        assert_eq!(answer.refusal(), (403, "NoPermission".to_owned(), text));
        assert_eq!(answer.json()["AccessDeniedDetail"]["AuthAction"], format!("ram:{action}"));
    }
    for (action, status) in [("ListRoles", 200), ("ListUsers", 200)] {
        assert_eq!(ram(&server, action).key("test-reader", "test-reader").send().await.status, status);
    }
}

#[tokio::test]
async fn a_change_of_policies_counts_from_the_next_call_on() {
    let server = support::start().await;
    let describe = || server.call("DescribeRegions").key("test-no-pass", "test-no-pass").send();
    let change = |action: &str| {
        let call = ram(&server, action).param("PolicyType", "System").param("PolicyName", "AliyunECSFullAccess");
        call.param("UserName", "no-pass").send()
    };
    assert_eq!(describe().await.status, 200);
    assert_eq!(change("DetachPolicyFromUser").await.status, 200);
    assert_eq!(describe().await.code(), is(FORBIDDEN));
    assert_eq!(change("AttachPolicyToUser").await.status, 200);
    assert_eq!(describe().await.status, 200);
}

#[tokio::test]
async fn a_session_ends_with_its_role_and_does_not_come_back_with_another_of_that_name() {
    let server = support::start().await;
    let call = || v1(&server, SESSION, "DescribeRegions").send();
    assert_eq!(call().await.status, 200);
    let gone = (404, "InvalidAccessKeyId.NotFound".to_owned());
    for (kind, policy) in [("System", "AliyunECSFullAccess"), ("Custom", "pass-any-role")] {
        let detach = ram(&server, "DetachPolicyFromRole").param("PolicyType", kind).param("PolicyName", policy);
        assert_eq!(detach.param("RoleName", "operator").send().await.status, 200);
    }
    assert_eq!(call().await.code(), is(FORBIDDEN), "the session is there, its permissions are not");
    assert_eq!(ram(&server, "DeleteRole").param("RoleName", "operator").send().await.status, 200);
    assert_eq!(call().await.code(), gone);
    assert_eq!(acs3(&server, SESSION, "DescribeRegions", &[]).await.code(), gone);
    let again = ram(&server, "CreateRole").param("RoleName", "operator").param("AssumeRolePolicyDocument", TRUST);
    assert_eq!(again.send().await.status, 200);
    assert_eq!(call().await.code(), gone);
}
