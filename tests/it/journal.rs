//! The journal: which requests came, why they were refused, and whether those came that were expected.

use ecsim::http::Limits;
use ecsim::settings::{AuthMode, RamMode, Settings};
use serde_json::{Value, json};

use super::command_line::{FREE, Folder, Running, ecsim, end};
use super::support::{self, Answer, Call, NOW, Server, client};

const WEB: &str = "i-bp1ecsim0000000web01";

async fn ask(server: &Server, method: &str, path: &str, body: &str) -> (u16, Value) {
    let method = method.parse().expect("a method");
    let answer = Answer::of(client().request(method, format!("{}/_ecsim{path}", server.url())).body(body.to_owned()));
    let answer = answer.await;
    (answer.status, serde_json::from_str(&answer.text).expect("JSON"))
}

impl Server {
    async fn journal(&self, query: &str) -> Value {
        let (status, answer) = ask(self, "GET", &format!("/requests{query}"), "").await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// One member of each recorded request.
    async fn recorded(&self, query: &str, member: &str) -> Vec<Value> {
        let journal = self.journal(query).await;
        journal["requests"].as_array().expect("a list").iter().map(|request| request[member].clone()).collect()
    }

    async fn explained(&self, request_id: &str) -> Value {
        let (status, answer) = ask(self, "GET", &format!("/requests/{request_id}/explain"), "").await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn take_off(&self, role: &str) -> Call {
        let call = self.call("DetachInstanceRamRole").param("RegionId", "cn-hangzhou").param("RamRoleName", role);
        call.param("InstanceIds", json!([WEB]).to_string())
    }

    async fn verified(&self, body: Value) -> (u16, Value) {
        ask(self, "POST", "/verify", &body.to_string()).await
    }
}

fn id_of(answer: &Answer) -> String {
    answer.header("x-acs-request-id").to_owned()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_call_is_recorded_with_what_it_asked_and_how_it_was_answered() {
    let server = support::start().await;
    let url = format!("{}/?{}", server.url(), server.take_off("web-role").query());
    let request = client().get(url).header("user-agent", "tests/1").header("traceparent", "00-0a-0b-01");
    let id = id_of(&Answer::of(request).await);
    let journal = server.journal("").await;
    assert_eq!([&journal["most"], &journal["seen"], &journal["dropped"]], [&json!(1000), &json!(1), &json!(0)]);
    let mut request = journal["requests"][0].clone();
    assert!(request["duration_us"].as_u64().is_some_and(|micros| micros < 60_000_000), "{request}");
    let parameters = request["parameters"].as_object_mut().expect("an object");
    assert!(parameters.remove("SignatureNonce").is_some() && parameters.remove("Signature").is_none());
    request.as_object_mut().expect("an object").remove("duration_us");
    let expected = json!({
        "seq": 1, "at": NOW, "request_id": id, "method": "GET", "path": "/", "style": "V1", "product": "Ecs",
        "version": "2014-05-26", "action": "DetachInstanceRamRole", "format": "JSON", "access_key_id": "test",
        "account": "1000000000000001", "principal": { "type": "Account", "name": "1000000000000001" },
        "instance_id": null, "region": "cn-hangzhou",
        "parameters": {
            "AccessKeyId": "test", "Action": "DetachInstanceRamRole", "Format": "JSON",
            "InstanceIds": json!([WEB]).to_string(), "RamRoleName": "web-role", "RegionId": "cn-hangzhou",
            "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "Timestamp": NOW, "Version": "2014-05-26",
        },
        "status": 200, "code": "OK", "fault": null, "message": null, "batch": { "total": 1, "fail": 0 },
        "peer": "127.0.0.1", "user_agent": "tests/1", "traceparent": "00-0a-0b-01",
    });
    assert_eq!(request, expected);
    let (status, one) = ask(&server, "GET", &format!("/requests/{}", id.to_lowercase()), "").await;
    assert_eq!((status, &one["request_id"], &one["schema"]), (200, &json!(id), &json!(1)));
}

#[tokio::test]
async fn what_is_refused_is_recorded_too_wherever_it_was() {
    let server =
        support::start_with(|builder| builder.limits(Limits { max_body_size: 1024, ..Limits::default() })).await;
    server.call("describeregions").send().await;
    server.call("NoSuchAction").send().await;
    server.raw("GET /elsewhere HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    let large = client().post(format!("{}/?Action=DescribeRegions", server.url())).body("x".repeat(2000));
    assert_eq!(Answer::of(large).await.status, 413);
    server.call("DescribeRegions").key("test@a", "test").param("x", "y").send().await;
    server.acs3("DescribeRegions").key("test-full", "wrong").send().await;
    let refused = server.call("DescribeRegions").send().await; // Another namespace has taken nothing from it.
    assert_eq!(refused.status, 200);
    let of = async |member| server.recorded("", member).await;
    assert_eq!(of("status").await, [200, 404, 404, 413, 400, 200]);
    assert_eq!(
        of("action").await,
        [
            json!("DescribeRegions"),
            json!("NoSuchAction"),
            Value::Null,
            json!("DescribeRegions"),
            json!("DescribeRegions"),
            json!("DescribeRegions")
        ]
    );
    assert_eq!(of("style").await, ["V1", "V1", "anonymous", "anonymous", "ACS3", "V1"]);
    let codes = ["OK", "InvalidAction.NotFound", "InvalidAction.NotFound", "RequestEntityTooLarge"];
    assert_eq!(of("code").await, [&codes[..], &["SignatureDoesNotMatch", "OK"]].concat());
    assert_eq!(of("path").await, ["/", "/", "/elsewhere", "/", "/", "/"]);
    assert_eq!(of("seq").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(server.recorded("?namespace=a", "access_key_id").await, ["test@a"]);
}

#[tokio::test]
async fn a_query_shows_those_that_have_all_that_it_says() {
    let server = support::start().await;
    server.take_off("web-role").send().await;
    server.take_off("db-role").send().await;
    server.call("DescribeRegions").send().await;
    server.call("DescribeRegions").key("nobody", "x").send().await;
    Answer::of(client().get(format!("{}/_ecsim/instances/{WEB}/latest/meta-data/mac", server.url()))).await;
    for (query, seqs) in [
        ("?action=detachinstanceramrole", vec![1, 2]),
        ("?action=DetachInstanceRamRole&code=OK", vec![1]),
        ("?code=InvalidAccessKeyId.NotFound", vec![4]),
        ("?status=404", vec![2, 4]),
        ("?access_key_id=test", vec![1, 2, 3]),
        ("?product=ecs", vec![1, 2, 3, 4]),
        ("?product=imds", vec![5]),
        (&format!("?instance={WEB}"), vec![1, 2, 5]),
        ("?instance=i-bp1ecsim0000000web0", vec![]),
        ("?since=3", vec![4, 5]),
        ("?since=1&limit=2", vec![2, 3]),
        ("?limit=2", vec![4, 5]),
        ("?limit=0", vec![]),
        ("?since=99", vec![]),
    ] {
        assert_eq!(server.recorded(query, "seq").await, seqs, "{query}");
    }
    for bad in ["?status=x", "?since=-1", "?limit=x", "?limit=1&limit=2", "?actions=x", "?status=99999"] {
        assert_eq!(code(&ask(&server, "GET", &format!("/requests{bad}"), "").await), (400, "InvalidQuery"), "{bad}");
    }
}

#[tokio::test]
async fn beyond_the_bound_the_oldest_go_and_are_counted_and_emptying_counts_none() {
    let server = support::start_with(|builder| builder.journal_max(2)).await;
    let first = id_of(&server.call("DescribeRegions").send().await);
    for _ in 0..3 {
        server.call("DescribeRegions").send().await;
    }
    let journal = server.journal("").await;
    assert_eq!([&journal["most"], &journal["seen"], &journal["dropped"]], [2, 4, 2]);
    assert_eq!(server.recorded("", "seq").await, [3, 4]);
    let (status, answer) = ask(&server, "GET", &format!("/requests/{first}/explain"), "").await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("NoSuchRequest")));
    assert_eq!(answer["error"]["hint"], "2 older requests were dropped; --journal-max keeps more");
    let cleared = ask(&server, "DELETE", "/requests", "").await;
    assert_eq!(cleared, (200, json!({ "schema": 1, "namespace": "default", "cleared": 2 })));
    server.call("DescribeRegions").send().await;
    let journal = server.journal("").await;
    assert_eq!([&journal["seen"], &journal["dropped"], &journal["requests"][0]["seq"]], [5, 2, 5]);

    let server = support::start_with(|builder| builder.journal_max(0)).await;
    let id = id_of(&server.call("DescribeRegions").send().await);
    assert!(server.recorded("", "seq").await.is_empty());
    let (_, answer) = ask(&server, "GET", &format!("/requests/{id}"), "").await;
    assert_eq!(answer["error"]["hint"], "--journal-max is 0: no request is kept");
}

#[tokio::test]
async fn a_namespace_sees_its_own_requests_alone_and_a_reset_begins_a_new_journal() {
    let server = support::start().await;
    let mut ids = Vec::new();
    for namespace in ["default", "gw0", "gw1"] {
        let call = server.call("DescribeRegions").key(&format!("test@{namespace}"), "test");
        ids.push(id_of(&call.send().await));
    }
    for (namespace, id) in ["default", "gw0", "gw1"].iter().zip(&ids) {
        assert_eq!(server.recorded(&format!("?namespace={namespace}"), "request_id").await, [&**id]);
    }
    let (status, answer) = ask(&server, "GET", &format!("/requests/{}", ids[1]), "").await;
    let hint = "it is one of namespace gw0: add ?namespace=gw0";
    assert_eq!((status, &answer["error"]["hint"]), (404, &json!(hint)));
    assert_eq!(ask(&server, "POST", "/reset?namespace=gw0", "").await.0, 200);
    let older = server.journal("?namespace=gw1").await;
    let journal = server.journal("?namespace=gw0").await;
    assert_eq!([&journal["seen"], &journal["requests"]], [&json!(0), &json!([])]);
    assert!(older["generation"].as_u64() < journal["generation"].as_u64(), "{older} {journal}");
    assert_eq!(server.recorded("", "request_id").await, [&*ids[0]]);
    // What names no namespace that could be is in `default`.
    server.acs3("DescribeRegions").key("test@gw1", "test").header("x-ecsim-namespace", "gw0").send().await;
    assert_eq!(server.recorded("?code=InvalidNamespace.Mismatch", "seq").await, [2]);
    let snapshot = Answer::of(client().get(format!("{}/_ecsim/snapshot", server.url()))).await;
    assert!(!snapshot.text.contains(&ids[0]), "a journal is no part of a snapshot");
}

#[tokio::test]
async fn a_long_value_is_cut_and_said_to_be() {
    let server = support::start().await;
    let ids = json!((0..500).map(|n| format!("i-bp1ecsim{n:010}")).collect::<Vec<_>>()).to_string();
    let call = server.call("DescribeInstances").param("RegionId", "cn-hangzhou").param("InstanceIds", &ids).post();
    let answer = call.form("UserData", "u".repeat(5000)).send().await;
    let (_, request) = ask(&server, "GET", &format!("/requests/{}", id_of(&answer)), "").await;
    assert_eq!(request["cut"]["InstanceIds"], ids.len(), "{request}");
    let kept = request["parameters"]["InstanceIds"].as_str().expect("a text");
    assert!(kept.len() == 4096 && ids.starts_with(kept));
    assert_eq!(request["parameters_left_out"], 1, "there is no room for the other");
    // As far as it is kept, it can be expected.
    let expected = |ids: &str| json!({ "calls": [{ "parameters": { "InstanceIds": ids } }] });
    assert_eq!(server.verified(expected(&ids)).await.0, 200);
    assert_eq!(server.verified(expected(kept)).await.0, 417);
    assert_eq!(server.recorded("?instance=i-bp1ecsim0000000007", "seq").await, [1]);
}

#[tokio::test]
async fn secrets_never_reach_the_journal() {
    let keys = json!([{ "id": "test", "secret": "hush-permanent" }]);
    let session = json!({ "id": "temporary", "secret": "hush-temporary", "security_token": "hush-token",
        "expires": "2999-01-01T00:00:00Z", "name": "test" });
    let roles = json!([{ "name": "any", "sessions": [session] }]);
    let server = support::start_seeded(json!({ "accounts": [{ "keys": keys, "roles": roles }] })).await;
    let mut answers = Vec::new();
    for secret in ["hush-temporary", "hush-wrong"] {
        for (version, action) in [("2014-05-26", "DescribeRegions"), ("2015-04-01", "GetCallerIdentity")] {
            let call = || server.call(action).param("Version", version).key("temporary", secret);
            answers.push(call().param("SecurityToken", "hush-token").send().await);
            answers.push(call().param("Attributes", r#"{"a":[{"Password":"hush"}]}"#).send().await);
            answers.push(call().param("SecurityToken", "hush-token-of-nobody").param("Password", "hush").send().await);
            answers
                .push(call().param("SecurityToken", "hush-token").unsigned("Signature", "hush/signature").send().await);
        }
        let call = || server.acs3("GetCallerIdentity").header("x-acs-version", "2015-04-01").key("temporary", secret);
        answers.push(call().header("x-acs-security-token", "hush-token").send().await);
        answers.push(call().param("SecurityToken", "hush-token").param("Signature", "hush-sign").send().await);
        answers.push(call().header("x-acs-security-token", "hush-other").param("LoginPassword", "hush").send().await);
    }
    assert!(answers.iter().filter(|answer| answer.status == 200).count() >= 2);
    let mut shown = server.journal("").await.to_string();
    for answer in &answers {
        let explained = server.explained(&id_of(answer)).await;
        if explained["station"] == "signature" {
            assert!(explained["facts"]["string_to_sign"].is_string(), "{explained}");
        }
        shown += &explained.to_string();
    }
    let (status, misses) = server.verified(json!({ "calls": [{ "parameters": { "SecurityToken": "x" } }] })).await;
    assert_eq!(status, 417);
    shown += &misses.to_string();
    let typed = server.emulator.requests().expect("it is there");
    let shown = format!("{shown}{typed:?}");
    assert!(!shown.contains("hush"), "{}", &shown[shown.find("hush").unwrap_or(0).saturating_sub(300)..]);
    assert!(shown.contains("***"));
    let signature = server.call("DescribeRegions").query().split("Signature=").last().expect("it is last").to_owned();
    assert!(signature.len() > 20 && !shown.contains("\"Signature\""));
}

/// A refused call: what is sent, its station, what the explanation says, and the hint.
type Case = (Answer, &'static str, &'static str, &'static str);

#[tokio::test]
async fn every_refusal_is_explained_by_its_station_and_what_was_compared() {
    let session = |id: &str, token: &str, expires: &str| json!({ "id": id, "secret": "s", "security_token": token, "expires": expires, "name": id });
    let sessions =
        [session("STS.good", "good", "2999-01-01T00:00:00Z"), session("STS.old", "old", "2026-11-24T01:00:00Z")];
    let document = json!({ "Version": "1", "Statement": [
        { "Effect": "Allow", "Action": "ecs:Describe*", "Resource": "*" },
        { "Effect": "Deny", "Action": "ecs:DetachInstanceRamRole", "Resource": "*" },
    ] });
    let seed = json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }, { "id": "sleeps", "secret": "s", "status": "inactive" }],
        "policies": [{ "name": "p", "document": document }],
        "users": [{ "name": "u", "keys": [{ "id": "of-user", "secret": "s" }],
            "policies": [{ "type": "Custom", "name": "p" }] }],
        "roles": [{ "name": "web-role", "trust": serde_json::from_str::<Value>(support::TRUST).expect("JSON"), "sessions": sessions }],
        "instances": [{ "id": WEB, "role": "web-role" }],
    }] });
    let server = support::start_seeded(seed).await;
    server.call("DescribeRegions").key("of-user@gw0", "s").send().await;
    let regions = || server.call("DescribeRegions");
    let used = support::nonce();
    assert_eq!(regions().param("SignatureNonce", &*used).send().await.status, 200);
    let of_user = |call: Call| call.key("of-user", "s");
    let acs3 = server.acs3("DescribeRegions");
    let cases: Vec<Case> = vec![
        (
            regions().param("Signature", "").param("x", "y").without("Version").send().await,
            "action",
            "no action",
            "the versions are Ecs 2014-05-26, Ram",
        ),
        (
            server.call("DescribeRegion").send().await,
            "action",
            "Ecs has no action DescribeRegion.",
            "did you mean DescribeRegions?",
        ),
        (
            server.call("ListRoles").send().await,
            "action",
            "Ecs has no action ListRoles.",
            "ListRoles is an action of Ram: send Version=2015-05-01",
        ),
        (server.call("RunInstances").send().await, "action", "The vendor has this action", "coverage"),
        (regions().param("Version", "2000-01-01").send().await, "action", "version 2000-01-01", "Sts 2015-04-01"),
        (
            regions().without("SignatureNonce").send().await,
            "common_parameters",
            "SignatureNonce is absent",
            "--auth off",
        ),
        (regions().key("tset", "x").send().await, "key", "No key has the id tset", "did you mean the key test?"),
        (regions().key("sleeps", "s").send().await, "key", "sleeps is there, and inactive", "Status=Active"),
        (regions().param("Timestamp", "yesterday").send().await, "time", "yesterday", "UTC"),
        (
            regions().param("Timestamp", "2026-11-24T01:00:00Z").send().await,
            "time",
            "signed for 2026-11-24T01:00:00Z. It is 2026-11-24T02:07:22Z",
            "--clock-skew",
        ),
        (regions().param("SignatureMethod", "MD5").send().await, "signature", "of the method MD5", "HMAC-SHA1"),
        (regions().key("test", "other").send().await, "signature", "is not the one", "string_to_sign"),
        (acs3.key("test", "other").send().await, "signature", "is not the one", "canonical_request"),
        (regions().param("SignatureNonce", &*used).send().await, "nonce", "used this nonce before", "--auth lenient"),
        (regions().key("STS.good", "s").send().await, "token", "SecurityToken is absent", "one answer"),
        (
            regions().key("STS.good", "s").param("SecurityToken", "old").send().await,
            "token",
            "is that of another key",
            "one answer",
        ),
        (
            regions().key("STS.good", "s").param("SecurityToken", "x").send().await,
            "token",
            "is none of this namespace",
            "one answer",
        ),
        (
            regions().key("STS.old", "s").param("SecurityToken", "old").send().await,
            "token",
            "expired at 2026-11-24T01:00:00Z",
            "before they expire",
        ),
        (server.take_off("web-role").without("RegionId").send().await, "parameters", "parameter of the action", ""),
        (of_user(server.take_off("web-role")).send().await, "permission", "SubUser", "attach a policy"),
        (of_user(server.ram("ListRoles", &[])).send().await, "permission", "no policy allows it", "attach a policy"),
        (server.take_off("no-role").send().await, "rules", "no such role", "/_ecsim/roles"),
        (regions().param("Format", "YAML").send().await, "format", "JSON and XML", ""),
        (regions().unsigned("a", "b").param("%", "%").post().send().await, "signature", "is not the one", "secret"),
    ];
    for (number, (answer, station, sentence, hint)) in cases.iter().enumerate() {
        let explained = server.explained(&id_of(answer)).await;
        let case = format!("case {number}: {explained:#}");
        assert_eq!(explained["station"], *station, "{case}");
        assert!(explained["explanation"].as_str().is_some_and(|text| text.contains(sentence)), "{case}");
        assert!(explained["hint"].as_str().unwrap_or_default().contains(hint), "{case}");
        assert!(!explained.to_string().contains("(not told)"), "{case}");
        assert_eq!(explained["code"]["status"], answer.status, "{case}");
        assert_eq!(explained["code"]["code"], explained["request"]["code"], "{case}");
        let passed = explained["passed"].as_array().expect("a list");
        assert!(!passed.contains(&json!(station)) && passed[0] == "transport", "{case}");
    }
    // A key that is only in another namespace.
    let created = server.ram("CreateAccessKey", &[("UserName", "u")]).key("test@gw0", "test").send().await.json();
    let key = created["AccessKey"]["AccessKeyId"].as_str().expect("an id");
    let bare = key.trim_end_matches("@gw0");
    let hint = &server.explained(&id_of(&regions().key(bare, "x").send().await)).await["hint"];
    let expected = format!("it is a key of namespace gw0: sign with {key}, or send header x-ecsim-namespace: gw0");
    assert_eq!(*hint, expected);
}

#[tokio::test]
async fn the_explanations_of_denials_times_and_signatures_have_their_facts() {
    let server = support::start().await;
    let denied = server.take_off("web-role").key("test-reader", "test-reader").send().await;
    let denied = server.explained(&id_of(&denied)).await;
    let facts = &denied["facts"];
    assert_eq!((&denied["station"], &facts["decision"]), (&json!("permission"), &json!("ImplicitDeny")), "{denied:#}");
    assert_eq!(facts["principal_type"], "SubUser");
    assert_eq!(facts["resource"], format!("acs:ecs:cn-hangzhou:1000000000000001:instance/{WEB}"));
    assert_eq!((&facts["action"], &facts["policy"]), (&json!("ecs:DetachInstanceRamRole"), &Value::Null));
    let late = server.call("DescribeRegions").param("Timestamp", "2026-11-24T03:00:00Z").send().await;
    let late = server.explained(&id_of(&late)).await;
    let expected =
        [("signed_at", "2026-11-24T03:00:00Z"), ("world_time", NOW), ("machine_time", NOW), ("allowed_skew", "15m")];
    for (name, value) in expected {
        assert_eq!(late["facts"][name], value, "{late:#}");
    }
    assert_eq!(late["code"]["evidence"], "recorded");
    let stations = ["transport", "namespace", "encoding", "method", "format", "action", "common_parameters", "key"];
    assert_eq!(late["passed"], json!(stations));
    let wrong = server.call("DescribeRegions").param("SignatureNonce", "n").key("test", "wrong").send().await;
    let wrong = server.explained(&id_of(&wrong)).await;
    let signed = "GET&%2F&AccessKeyId%3Dtest%26Action%3DDescribeRegions%26Format%3DJSON%26SignatureMethod%3DHMAC-SHA1%26\
                  SignatureNonce%3Dn%26SignatureVersion%3D1.0%26Timestamp%3D2026-11-24T02%253A07%253A22Z%26Version%3D2014-05-26";
    assert_eq!(wrong["facts"]["string_to_sign"], signed);
    assert!(!wrong["request"]["message"].as_str().expect("a text").contains("AccessKeyId"));
    let answered = server.call("DescribeRegions").send().await;
    let answered = server.explained(&id_of(&answered)).await;
    assert_eq!(
        (&answered["station"], &answered["code"], &answered["hint"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(
        answered["passed"].as_array().map(Vec::len),
        Some(13),
        "token and permission are not asked: {answered:#}"
    );
}

#[tokio::test]
async fn what_ram_soft_lets_pass_is_recorded_and_what_nobody_looks_at_is_not_passed() {
    let settings = Settings { ram: RamMode::Soft, ..Settings::default() };
    let server = support::start_with(|builder| builder.settings(settings)).await;
    let answer = server.take_off("web-role").key("test-reader", "test-reader").send().await;
    let explained = server.explained(&id_of(&answer)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let waived = explained["request"]["would_deny"].as_array().expect("a list");
    let first = waived[0].as_str().expect("a text");
    assert!(first.starts_with("ecs:DetachInstanceRamRole on "), "{explained:#}");
    assert!(explained["explanation"].as_str().is_some_and(|text| text.contains(first)), "{explained:#}");
    let settings = Settings { auth: AuthMode::Off, ..Settings::default() };
    let server = support::start_with(|builder| builder.settings(settings)).await;
    let answer = server.call("DescribeRegions").send().await;
    let passed = &server.explained(&id_of(&answer)).await["passed"];
    let expected = ["transport", "namespace", "encoding", "method", "format", "action", "key", "parameters", "rules"];
    assert_eq!(*passed, json!(expected));
}

#[tokio::test]
async fn a_fault_is_named_and_explained() {
    let server = support::start().await;
    let fault = json!([{ "id": "f1", "operation": "DescribeRegions", "error": { "statusCode": 502, "code": "Bad" } }]);
    assert_eq!(ask(&server, "POST", "/chaos/faults", &fault.to_string()).await.0, 200);
    let answer = server.call("DescribeRegions").send().await;
    let explained = server.explained(&id_of(&answer)).await;
    let request = &explained["request"];
    assert_eq!([&request["status"], &request["code"], &request["fault"]], [&json!(502), &json!("Bad"), &json!("f1")]);
    assert_eq!((&explained["station"], &explained["code"]), (&json!("fault"), &Value::Null), "it is in no table");
    assert!(explained["explanation"].as_str().is_some_and(|text| text.starts_with("f1 has the call fail")));

    let part = json!([{ "id": "f2", "effect": "partial", "error": { "statusCode": 502, "code": "Bad" } }]);
    assert_eq!(ask(&server, "POST", "/chaos/faults", &part.to_string()).await.0, 200);
    let explained = server.explained(&id_of(&server.take_off("web-role").send().await)).await;
    assert!(explained["explanation"].as_str().is_some_and(|text| text.starts_with("f2 has the call fail")));
    let passed = explained["passed"].as_array().expect("a list");
    assert_eq!(explained["station"], "fault", "of the whole batch");
    assert_eq!(passed.last(), Some(&json!("nonce")), "{passed:?}");
}

#[tokio::test]
async fn a_workload_s_requests_for_metadata_are_recorded() {
    let server = support::start().await;
    let get = async |path: &str| Answer::of(client().get(format!("{}{path}", server.url()))).await.status;
    let role = "/latest/meta-data/ram/security-credentials/web-role";
    assert_eq!(get(&format!("/_ecsim/instances/{WEB}{role}")).await, 200);
    assert_eq!(get(&format!("/_ecsim/instances/{WEB}/credentials")).await, 200);
    assert_eq!(get(&format!("/_ecsim/instances/{WEB}@gw0/latest/nothing")).await, 404);
    assert_eq!(get("/latest/meta-data/").await, 403);
    let of = async |query: &str, member| server.recorded(query, member).await;
    assert_eq!(of("", "path").await, [role, &format!("/_ecsim/instances/{WEB}/credentials"), "/latest/meta-data/"]);
    assert_eq!(of("", "status").await, [200, 200, 403]);
    assert_eq!(of("", "code").await, ["OK", "OK", "Forbidden"]);
    assert_eq!(of("", "instance_id").await, [json!(WEB), json!(WEB), Value::Null]);
    assert_eq!(of("?namespace=gw0", "status").await, [404]);
    let fetched = json!({ "product": "imds", "path": role, "instance_id": WEB, "code": "OK", "times": 1 });
    assert_eq!(server.verified(json!({ "calls": [fetched] })).await.0, 200);
}

#[tokio::test]
async fn requests_for_metadata_are_recorded_with_method_and_peer_also_where_nobody_looks_what_they_ask_for() {
    let limits = Limits { max_header_size: 1000, ..Limits::default() };
    let server = support::start_with(|builder| builder.limits(limits)).await;
    let (item, uri) = (format!("/_ecsim/instances/{WEB}/latest/mac"), format!("/_ecsim/instances/{WEB}/credentials"));
    let mut statuses = Vec::new();
    for (method, path, header) in [
        ("HEAD", &*uri, "a"),
        ("GET", "/_ecsim/instances/%FF/credentials", "a"),
        ("GET", "/_ecsim/instances/%FF/latest/mac", "a"),
        ("GET", &*item, &"a".repeat(1000)),
    ] {
        let url = format!("{}{path}", server.url());
        let request = client().request(method.parse().expect("a method"), url).header("x-long", header);
        statuses.push(json!(Answer::of(request).await.status));
    }
    assert_eq!(statuses, [200, 404, 404, 431]);
    let of = async |member| server.recorded("?product=imds", member).await;
    assert_eq!(of("status").await, statuses);
    assert_eq!(of("method").await, ["HEAD", "GET", "GET", "GET"]);
    assert_eq!(of("path").await, [&*uri, "/_ecsim/instances/%FF/credentials", "/latest/mac", "/latest/mac"]);
    assert_eq!(of("peer").await, ["127.0.0.1"; 4]);
    assert_eq!(of("instance_id").await, [json!(WEB), Value::Null, Value::Null, json!(WEB)]);
}

#[test]
fn every_request_for_metadata_is_a_line_of_the_log_with_the_fault_that_it_met() {
    let folder = Folder::new("metadata-log");
    let rules = folder.file("rules.json", r#"[{"id":"f1","service":"imds"}]"#);
    let mut server = Running::start([FREE, "--log-level", "info", "--log-format", "json"]);
    let mut set = ecsim(["chaos", "set", "faults", &rules]);
    set.env("ECSIM_URL", format!("http://{}", server.address));
    assert_eq!(end(set).0, Some(0));
    let uri = format!("/_ecsim/instances/{WEB}/credentials");
    for (path, logged, http, fault) in [
        (&*uri, &*uri, 503, json!("f1")),
        (&format!("/_ecsim/instances/{WEB}/latest/meta-data/mac"), "/latest/meta-data/mac", 503, json!("f1")),
        ("/_ecsim/instances/%FF/latest/mac", "/latest/mac", 404, Value::Null),
    ] {
        server.get(path);
        let line: Value = serde_json::from_str(&server.line_with("\"metadata\"")).expect("JSON");
        let seen = [&line["method"], &line["path"], &line["http"], &line["namespace"], &line["fault"]];
        assert_eq!(seen, [&json!("GET"), &json!(logged), &json!(http), &json!("default"), &fault], "{line}");
    }
}

#[tokio::test]
async fn what_is_expected_and_came_is_counted() {
    let server = support::start().await;
    server.take_off("web-role").send().await;
    server.take_off("web-role").send().await;
    server.call("DescribeRegions").send().await;
    let ids = json!([WEB]);
    for (body, counts) in [
        (json!({ "calls": [{ "action": "detachinstanceramrole" }] }), vec![2]),
        (
            json!({ "schema": 1, "calls": [{ "action": "DetachInstanceRamRole", "times": 2 }, { "times": 3 }] }),
            vec![2, 3],
        ),
        (
            json!({ "calls": [{ "parameters": { "RamRoleName": "web-role", "InstanceIds": ids, "Tag.1.Key": null } }] }),
            vec![2],
        ),
        (json!({ "calls": [{ "parameters": { "InstanceIds": ids.to_string() }, "instance_id": WEB }] }), vec![2]),
        (json!({ "calls": [{ "action": "AttachInstanceRamRole", "times": 0 }] }), vec![0]),
        (json!({ "calls": [{ "action": "AttachInstanceRamRole", "at_most": 1 }] }), vec![0]),
        (
            json!({ "calls": [{ "product": "ecs", "status": 200, "code": "OK", "access_key_id": "test", "at_least": 2, "at_most": 3 }] }),
            vec![3],
        ),
        (
            json!({ "calls": [{ "action": "DetachInstanceRamRole" }, { "action": "DescribeRegions" }], "in_order": true, "nothing_else": true }),
            vec![2, 1],
        ),
        (
            json!({ "calls": [{ "action": "DetachInstanceRamRole" }, { "action": "DetachInstanceRamRole" }], "in_order": true }),
            vec![2, 2],
        ),
        (json!({ "calls": [{ "action": "DescribeRegions" }], "nothing_else": true, "since": 2 }), vec![1]),
        (json!({ "calls": [], "nothing_else": true, "since": 3 }), vec![]),
    ] {
        let (status, answer) = server.verified(body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        let counted: Vec<_> = answer["calls"].as_array().expect("a list").iter().map(|call| &call["matched"]).collect();
        assert_eq!(counted, counts, "{body}");
    }
}

#[tokio::test]
async fn what_is_expected_and_did_not_come_is_told_with_the_nearest_that_came() {
    let server = support::start().await;
    server.take_off("web-role").send().await;
    server.call("DescribeRegions").send().await;
    let near = server.take_off("db-role").send().await;
    let missed = async |body: Value| {
        let (status, answer) = server.verified(body.clone()).await;
        assert_eq!((status, &answer["error"]["code"]), (417, &json!("VerificationFailed")), "{body}: {answer}");
        assert_eq!(answer["error"]["message"], answer["error"]["misses"][0]["message"]);
        answer["error"]["misses"].as_array().expect("a list").clone()
    };
    let wanted =
        json!({ "action": "DetachInstanceRamRole", "code": "OK", "parameters": { "RamRoleName": "db-role", "X": 1 } });
    let misses = missed(json!({ "calls": [{ "times": 3 }, wanted] })).await;
    let nearest = json!({ "seq": 3, "request_id": id_of(&near), "differences": [
        { "member": "code", "wanted": "OK", "seen": "InvalidRamRole.NotFound" },
        { "member": "parameters.X", "wanted": "1", "seen": null },
    ] });
    let message = "calls[1] DetachInstanceRamRole: there have to be at least 1, and there are 0; the nearest is request 3: \
                   code is \"InvalidRamRole.NotFound\", not \"OK\", parameters.X is absent, not \"1\"";
    let expected =
        json!([{ "call": 1, "reason": "too_few", "message": message, "matched": 0, "seqs": [], "nearest": nearest }]);
    assert_eq!(json!(misses), expected);

    let detach = json!({ "action": "DetachInstanceRamRole" });
    let with = |member: &str, value: u64| {
        let mut call = detach.clone();
        call[member] = json!(value);
        call
    };
    for (body, call, reason, matched, seqs) in [
        (json!({ "calls": [with("times", 1)] }), json!(0), "too_many", 2, json!([1, 3])),
        (json!({ "calls": [with("times", 3)] }), json!(0), "too_few", 2, json!([1, 3])),
        (json!({ "calls": [with("at_most", 1)] }), json!(0), "too_many", 2, json!([1, 3])),
        (
            json!({ "calls": [with("at_least", 2), { "action": "DescribeRegions" }], "in_order": true }),
            json!(1),
            "out_of_order",
            1,
            json!([2]),
        ),
        (json!({ "calls": [detach], "nothing_else": true }), Value::Null, "not_expected", 1, json!([2])),
        (json!({ "calls": [], "nothing_else": true }), Value::Null, "not_expected", 3, json!([1, 2, 3])),
    ] {
        let misses = missed(body.clone()).await;
        assert_eq!(misses.len(), 1, "{body}: {misses:?}");
        let miss = &misses[0];
        assert_eq!([&miss["call"], &miss["reason"]], [&call, &json!(reason)], "{body}: {miss}");
        assert_eq!([&miss["matched"], &miss["seqs"]], [&json!(matched), &seqs], "{body}: {miss}");
    }
    let misses = missed(json!({ "calls": [{ "action": "X", "at_least": 1 }], "since": 3 })).await;
    assert_eq!(misses[0]["nearest"], Value::Null, "nothing came");
}

#[tokio::test]
async fn what_was_dropped_cannot_be_said_not_to_have_come() {
    let server = support::start_with(|builder| builder.journal_max(2)).await;
    for _ in 0..4 {
        server.call("DescribeRegions").send().await;
    }
    let reason = async |body: Value| {
        let (status, answer) = server.verified(body).await;
        (status, answer["error"]["misses"][0]["reason"].as_str().unwrap_or_default().to_owned())
    };
    let dropped = (417, "dropped".to_owned());
    assert_eq!(reason(json!({ "calls": [{ "action": "X", "times": 0 }] })).await, dropped);
    assert_eq!(reason(json!({ "calls": [{ "at_most": 3 }] })).await, dropped);
    assert_eq!(reason(json!({ "calls": [{}], "nothing_else": true })).await, dropped);
    assert_eq!(reason(json!({ "calls": [{ "at_least": 2 }] })).await.0, 200, "more would do no harm");
    assert_eq!(reason(json!({ "calls": [{ "times": 2 }], "since": 2, "nothing_else": true })).await.0, 200);
}

#[tokio::test]
async fn what_is_not_kept_cannot_be_said_not_to_be_there() {
    let server = support::start().await;
    let many = (0..256).fold(server.call("DescribeRegions"), |call, n| call.param(&format!("a{n}"), "v"));
    many.param("z", "v").send().await;
    let call = |name: &str| json!({ "calls": [{ "parameters": { name: null } }] });
    for name in ["z", "y"] {
        let (status, answer) = server.verified(call(name)).await;
        assert_eq!(status, 417, "{name}");
        let difference = &answer["error"]["misses"][0]["nearest"]["differences"][0];
        assert!(difference["seen"].as_str().is_some_and(|text| text.contains("not kept")), "{difference}");
    }
    server.call("DescribeRegions").send().await;
    assert_eq!(server.verified(call("z")).await.0, 200);
}

#[tokio::test]
async fn what_is_not_kept_cannot_be_said_not_to_have_come() {
    let server = support::start().await;
    let many = (0..256).fold(server.call("DescribeRegions"), |call, n| call.param(&format!("a{n}"), "v"));
    many.param("z", "v").send().await;
    let ids = json!((0..500).map(|n| format!("i-bp1ecsim{n:010}")).collect::<Vec<_>>());
    let long = server.call("DescribeInstances").post().form("InstanceIds", ids.to_string());
    long.param("RegionId", "cn-hangzhou").send().await;
    server.call("DescribeRegions").send().await;
    for (call, seqs) in [
        (json!({ "parameters": { "z": "v" }, "times": 0 }), "[1]"),
        (json!({ "parameters": { "z": null }, "at_most": 2 }), "[1]"),
        (json!({ "action": "DescribeInstances", "parameters": { "InstanceIds": ids }, "times": 0 }), "[2]"),
        (json!({ "instance_id": "i-bp1ecsim0000000499", "times": 0 }), "[1, 2]"),
    ] {
        let (status, answer) = server.verified(json!({ "calls": [call] })).await;
        let miss = &answer["error"]["misses"][0];
        assert_eq!((status, &miss["reason"]), (417, &json!("not_kept")), "{call}: {answer}");
        assert!(miss["message"].as_str().is_some_and(|text| text.contains(&format!("requests {seqs}, of"))), "{miss}");
    }
    for call in [
        json!({ "parameters": { "z": "v" }, "at_most": 1 }),
        json!({ "parameters": { "z": null }, "at_most": 3 }),
        json!({ "action": "DescribeZones", "parameters": { "z": "v" }, "times": 0 }),
        json!({ "parameters": { "a0": "w" }, "times": 0 }),
    ] {
        let (status, answer) = server.verified(json!({ "calls": [call] })).await;
        assert_eq!(status, 200, "{call}: {answer}");
    }
}

#[tokio::test]
async fn what_is_no_verification_is_refused() {
    let server = support::start().await;
    for body in [
        "",
        "[]",
        "{}",
        r#"{"calls":[]}"#,
        r#"{"schema":2,"calls":[{}]}"#,
        r#"{"calls":[{"actoin":"X"}]}"#,
        r#"{"calls":[{}],"order":true}"#,
        r#"{"calls":[{"times":1,"at_least":1}]}"#,
        r#"{"calls":[{"at_least":2,"at_most":1}]}"#,
        r#"{"calls":[{"times":-1}]}"#,
        r#"{"calls":[{"status":"200"}]}"#,
        r#"{"calls":[{"parameters":[]}]}"#,
        &json!({ "calls": vec![json!({}); 101] }).to_string(),
    ] {
        let answer = ask(&server, "POST", "/verify", body).await;
        assert_eq!(code(&answer), (400, "InvalidVerification"), "{body}");
    }
    assert_eq!(code(&ask(&server, "POST", "/verify?x=1", "{}").await), (400, "InvalidQuery"));
    assert_eq!(code(&ask(&server, "GET", "/requests/%ff", "").await), (400, "InvalidPath"));
}

#[tokio::test]
async fn a_rust_test_reads_the_requests_of_its_namespace() {
    let server = support::start().await;
    server.take_off("web-role").key("test@t1", "test").send().await;
    let requests = |name: &str| {
        let namespace = server.emulator.namespace(name).expect("a namespace");
        namespace.requests().expect("it is there")
    };
    let [request] = &requests("t1")[..] else { panic!("one request") };
    let role = request.parameter("RamRoleName").map(|parameter| parameter.value.to_owned());
    assert_eq!(
        (request.action(), request.status, role.as_deref()),
        (Some("DetachInstanceRamRole"), 200, Some("web-role"))
    );
    assert!(requests("default").is_empty());
}

#[test]
fn requests_are_listed_explained_verified_and_forgotten_by_sub_commands() {
    let folder = Folder::new("journal");
    let server = Running::start([FREE, "--auth", "lenient", "--journal-max", "2"]);
    let url = format!("http://{}", server.address);
    let run = |args: &[&str]| {
        let mut command = ecsim(args);
        command.env("ECSIM_URL", &url);
        end(command)
    };
    assert_eq!(run(&["requests"]), (Some(0), "no requests\n".to_owned(), String::new()));
    server.call("DescribeRegions", "test", "test");
    server.call("DescribeRegions", "test", "test");
    let refused = server.call("DescribeZones", "test", "wrong");
    let id = refused["RequestId"].as_str().expect("an id");

    let (status, out, _) = run(&["requests"]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((status, lines.len()), (Some(0), 3), "{out}");
    assert!(lines[0].starts_with("2 ") && lines[0].contains(" ecs.DescribeRegions => 200 key=test rid="), "{out}");
    let refusal = format!(" ecs.DescribeZones => 400 (IncompleteSignature) key=test rid={id} ");
    assert!(lines[1].contains(&refusal) && lines[2] == "1 older requests were dropped", "{out}");
    let (_, out, _) = run(&["requests", "--code", "OK", "--action", "DescribeRegions", "--limit", "5", "--json"]);
    let journal: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&journal["requests"][0]["seq"], journal["requests"].as_array().map(Vec::len)), (&json!(2), Some(1)));

    let (status, out, _) = run(&["explain", id]);
    assert_eq!(status, Some(0));
    for text in [
        &*refusal,
        "\nhint: compare string_to_sign",
        "\nrefused at: signature\n",
        "\nstring_to_sign: GET&%2F&AccessKeyId",
        "\ncode: IncompleteSignature (recorded: protocol.md 11.1, S41)\n",
    ] {
        assert!(out.contains(text), "{text} in {out}");
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    let (status, out, err) = run(&["explain", unknown]);
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(err.contains(&format!("error: there is no request \"{unknown}\" in namespace default")), "{err}");

    let file = folder.file("good.json", r#"{"calls":[{"action":"DescribeZones"}]}"#);
    let (status, out, err) = run(&["verify", &file]);
    assert_eq!((status, &*err), (Some(0), ""));
    assert!(out.contains("\"matched\": 1"), "{out}");
    let file = folder.file("bad.json", r#"{"calls":[{"action":"DescribeZone"},{"action":"DescribeZones","times":2}]}"#);
    let (status, out, err) = run(&["verify", &file]);
    assert_eq!((status, &*out), (Some(5), ""), "{err}");
    assert!(err.starts_with("error: not as expected\ncalls[0] DescribeZone: there have to be at least 1, and there are 0; the nearest is request 3: action is \"DescribeZones\", not \"DescribeZone\"\ncalls[1] DescribeZones: "), "{err}");
    assert!(err.contains("\n\nhint: GET /_ecsim/requests"), "{err}");
    assert_eq!(run(&["verify", &folder.path("none.json")]).0, Some(2));
    assert_eq!(run(&["verify", &folder.file("no.json", "{}")]).0, Some(1));
    assert_eq!(run(&["requests", "--clear", "--json"]).0, Some(2));
    let (status, out, _) = run(&["requests", "--clear"]);
    assert!(status == Some(0) && out.contains("\"cleared\": 2"), "{out}");
    assert_eq!(run(&["requests"]).1, "1 older requests were dropped\n");

    let refused = server.call("De\u{1b}[2J\nhint: none", "test", "test");
    let id = refused["RequestId"].as_str().expect("an id");
    for out in [run(&["requests"]).1, run(&["explain", id]).1] {
        assert!(!out.contains('\u{1b}') && !out.contains("\nhint: none"), "{out}");
        assert!(out.contains("De\\u{1b}[2J\\nhint: none"), "{out}");
    }
    let file = folder.file("nothing.json", r#"{"calls":[],"nothing_else":true}"#);
    assert!(run(&["verify", &file]).2.contains("GET De\\u{1b}[2J\\nhint: none => 404"));
}
