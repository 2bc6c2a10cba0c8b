//! What goes wrong on purpose: faults, latency and limits, over real sockets.

use std::time::{Duration, Instant};

use ecsim::metadata;
use ecsim::world::NamedInstance;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{self, Answer, Call, Server, client};

const WEB: &str = "i-bp1ecsim0000000web01";
const ITEM: &str = "/latest/meta-data/ram/security-credentials/";

async fn control(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = Answer::of(client().request(method, format!("{}/_ecsim/chaos/{path}", server.url())).body(body)).await;
    (answer.status, serde_json::from_str(&answer.text).expect("JSON"))
}

async fn done(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = control(server, method, path, &body).await;
    assert_eq!(status, 200, "{method} {path} {body}: {answer}");
    answer
}

/// An emulator with one rule.
async fn with_rule(rule: Value) -> Server {
    let server = support::start().await;
    done(&server, "POST", "faults", json!([rule])).await;
    server
}

/// How many calls the first rule matched, and on how many it fired.
async fn counters(server: &Server) -> (u64, u64) {
    counters_in(server, "default").await
}

async fn counters_in(server: &Server, namespace: &str) -> (u64, u64) {
    let faults = done(server, "GET", &format!("faults?namespace={namespace}"), Value::Null).await;
    let of = |name: &str| faults["faults"][0][name].as_u64().expect("a number");
    (of("matched"), of("fired"))
}

fn regions(server: &Server) -> Call {
    server.call("DescribeRegions")
}

fn detach(server: &Server) -> Call {
    server.call("DetachInstanceRamRole").param("RegionId", "cn-hangzhou").param("InstanceIds", json!([WEB]).to_string())
}

#[tokio::test]
async fn a_rule_without_more_is_a_503_in_the_vendor_s_envelope_and_nothing_is_performed() {
    let server = with_rule(json!({ "service": "ecs", "operation": "DetachInstanceRamRole" })).await;
    let answer = detach(&server).send().await;
    let text = "The request has failed due to a temporary failure of the server.";
    assert_eq!(answer.refusal(), (503, "ServiceUnavailable".to_owned(), text.to_owned()));
    assert_eq!((answer.header("x-ecsim-fault"), answer.header("x-acs-retry-after")), ("fault-1", ""));
    assert!(server.role_of(WEB).is_some(), "nothing was detached");
    let other = regions(&server).send().await;
    assert_eq!((other.status, other.header("x-ecsim-fault")), (200, ""));
    assert_eq!(counters(&server).await, (1, 1));
}

#[tokio::test]
async fn what_localstack_s_rules_say_is_answered_in_json_and_xml_by_v1_and_acs3() {
    let server = support::start().await;
    let pasted = json!([
        { "service": "sts", "region": "cn-hangzhou", "operation": "AssumeRole", "probability": 0.1 },
        { "service": "ecs", "operation": "DescribeRegions", "error": { "statusCode": 418, "code": "Tea.Pot", "message": "a < b" } },
        { "service": "*", "action": "*", "error": { "statusCode": 500, "code": "InternalError" }, "retry_after_ms": 1500, "id": "all" },
    ]);
    let listed = done(&server, "POST", "faults", pasted).await;
    assert_eq!(listed["faults"][1]["error"], json!({ "statusCode": 418, "code": "Tea.Pot", "message": "a < b" }));
    let refused = (418, "Tea.Pot".to_owned(), "a < b".to_owned());
    assert_eq!(regions(&server).send().await.refusal(), refused);
    assert_eq!(server.acs3("DescribeRegions").send().await.refusal(), refused);
    let xml = regions(&server).xml().send().await;
    assert_eq!((xml.status, xml.header("x-ecsim-fault")), (418, "fault-2"));
    assert!(xml.text.contains("<Code>Tea.Pot</Code><Message>a &lt; b</Message>"), "{}", xml.text);
    let sts = server.call("GetCallerIdentity").param("Version", "2015-04-01").send().await;
    assert_eq!(sts.code(), (500, "InternalError".to_owned()));
    assert_eq!((sts.header("x-ecsim-fault"), sts.header("x-acs-retry-after")), ("all", "1500"));
}

#[tokio::test]
async fn a_fault_waits_until_a_call_has_signed_and_comes_before_the_action_s_own_checks() {
    let server = with_rule(json!({ "error": { "code": "Throttling" } })).await;
    let stranger = regions(&server).key("test", "wrong").send().await;
    assert_eq!((stranger.status, stranger.header("x-ecsim-fault")), (400, ""));
    assert_eq!(server.call("DetachInstanceRamRole").send().await.code(), (400, "Throttling".to_owned()));
    assert_eq!(counters(&server).await, (1, 1));
}

#[tokio::test]
async fn the_first_rule_that_fires_wins_and_rules_count_what_they_matched() {
    let server = support::start().await;
    let rules = json!([
        { "id": "third", "operation": "Describe*", "after": 2, "times": 1, "error": { "code": "Throttling" } },
        { "id": "first", "operation": "DescribeRegions", "times": 1 },
        { "id": "never", "operation": "DescribeRegions", "probability": 0 },
    ]);
    done(&server, "POST", "faults", rules).await;
    let mut fired = Vec::new();
    for _ in 0..4 {
        fired.push(regions(&server).send().await.header("x-ecsim-fault").to_owned());
    }
    assert_eq!(fired, ["first", "", "third", ""]);
    let faults = done(&server, "GET", "faults", Value::Null).await;
    let counted = |index: usize| (faults["faults"][index]["matched"].clone(), faults["faults"][index]["fired"].clone());
    assert_eq!([0, 1, 2].map(counted), [(json!(4), json!(1)), (json!(3), json!(1)), (json!(2), json!(0))]);
}

#[tokio::test]
async fn rules_can_be_for_an_instance_an_account_or_a_key() {
    for (name, value, other) in [
        ("instance_id", WEB, "i-bp1ecsim0000000web02"),
        ("account", "1000000000000001", "1000000000000002"),
        ("access_key_id", "test", "other"),
        ("region", "cn-hangzhou", "cn-beijing"),
    ] {
        let server = with_rule(json!({ name: value, "times": 1 })).await;
        assert_eq!(detach(&server).send().await.status, 503, "{name}");
        let server = with_rule(json!({ name: other, "times": 1 })).await;
        assert_eq!(detach(&server).send().await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn bodies_with_mistakes_are_told_all_of_them_and_change_nothing() {
    let server = with_rule(json!({ "id": "stays" })).await;
    let before = done(&server, "GET", "faults", Value::Null).await;
    let bad = json!([
        { "id": "a b", "probability": 2, "oparation": "x" },
        { "service": "s3", "operation": "DescribeRegion", "error": { "code": "My.Code" } },
        { "service": "ecs", "operation": "AssumeRole", "effect": "rest", "delay_ms": 600_001, "retry_after_ms": 0 },
        { "effect": "reset", "error": {}, "times": 0, "region": "us-east-9", "account": "1" },
        7,
        { "service": "imds", "operation": "/latest/meta-data/mac" },
    ]);
    for method in ["POST", "PATCH"] {
        let (status, answer) = control(&server, method, "faults", &bad).await;
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("InvalidFaults")));
        let mistakes = answer["error"]["mistakes"].as_array().expect("mistakes");
        let places: Vec<_> = mistakes.iter().map(|mistake| mistake["place"].as_str().expect("a place")).collect();
        assert_eq!(
            places,
            [
                "$[0].oparation",
                "$[0].id",
                "$[0].probability",
                "$[1].service",
                "$[1].operation",
                "$[1].error.statusCode",
                "$[2].operation",
                "$[2].delay_ms",
                "$[2].effect",
                "$[2].retry_after_ms",
                "$[3].region",
                "$[3].account",
                "$[3].error",
                "$[3].times",
                "$[4]",
                "$[5].operation",
            ],
            "{answer:#}"
        );
        let reasons = answer.to_string();
        for hint in ["did you mean operation?", "did you mean DescribeRegions?", "did you mean reset?"] {
            assert!(reasons.contains(hint), "{hint} in {reasons}");
        }
    }
    let same = json!([{ "id": "stays" }]);
    assert_eq!(control(&server, "PATCH", "faults", &same).await.0, 422, "an id that is there");
    let many = Value::Array(vec![json!({}); 101]);
    assert_eq!(control(&server, "POST", "faults", &many).await.0, 422, "too many");
    assert_eq!(control(&server, "POST", "faults", &json!({ "a": 1 })).await.0, 422, "no array");
    assert_eq!(done(&server, "GET", "faults", Value::Null).await, before);
}

#[tokio::test]
async fn rules_are_added_and_removed_by_id_or_by_what_they_say_and_a_listing_can_be_given_back() {
    let server = support::start().await;
    let rule = |operation: &str| json!({ "service": "ecs", "operation": operation });
    done(&server, "POST", "faults", json!([rule("DescribeRegions")])).await;
    let listed = done(&server, "PATCH", "faults", json!([rule("DescribeZones"), { "id": "x" }])).await;
    let ids = |listed: &Value| {
        let faults = listed["faults"].as_array().expect("faults").iter();
        faults.map(|fault| fault["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&listed), ["fault-1", "fault-2", "x"]);
    assert_eq!(done(&server, "POST", "faults", listed.clone()).await, listed);
    let staying = done(&server, "DELETE", "faults", json!([rule("DescribeZones"), { "id": "x" }])).await;
    assert_eq!(ids(&staying), ["fault-1"]);
    assert_eq!(ids(&done(&server, "DELETE", "faults", Value::Null).await), [""; 0]);
    assert_eq!(regions(&server).send().await.status, 200);
}

#[tokio::test]
async fn namespaces_have_their_own_and_a_reset_begins_without_any() {
    let server = support::start().await;
    done(&server, "POST", "faults?namespace=t1", json!([{}])).await;
    done(&server, "POST", "effects?namespace=t1", json!({ "latency": 1 })).await;
    done(&server, "POST", "limits?namespace=t1", json!({ "*": { "qps": 1 } })).await;
    let in_t1 = || regions(&server).key("test@t1", "test").send();
    assert_eq!((regions(&server).send().await.status, in_t1().await.status), (200, 503));
    let snapshot = client().get(format!("{}/_ecsim/snapshot?namespace=t1", server.url())).send().await;
    let snapshot = snapshot.expect("an answer").text().await.expect("a text");
    assert!(!snapshot.contains("fault-1") && !snapshot.contains("latency"), "{snapshot}");
    let put = client().put(format!("{}/_ecsim/snapshot?namespace=t1", server.url())).body(snapshot);
    assert_eq!(Answer::of(put).await.status, 200);
    assert_eq!(in_t1().await.status, 200);
    done(&server, "POST", "faults?namespace=t1", json!([{}])).await;
    assert_eq!(Answer::of(client().post(format!("{}/_ecsim/reset?namespace=t1", server.url()))).await.status, 200);
    for (what, member, empty) in
        [("faults", "faults", json!([])), ("effects", "latency", Value::Null), ("limits", "limits", json!({}))]
    {
        assert_eq!(done(&server, "GET", &format!("{what}?namespace=t1"), Value::Null).await[member], empty);
    }
    assert_eq!(in_t1().await.status, 200);
}

#[tokio::test]
async fn a_part_of_a_batch_fails_as_an_entry_of_the_answer_and_the_others_are_performed() {
    let other = "i-bp1ecsim0000000web02";
    for (rule, failing) in [
        (
            json!({ "effect": "partial", "error": { "statusCode": 403, "code": "OperationDenied", "message": "no" } }),
            WEB,
        ),
        (json!({ "effect": "partial", "instance_id": other, "error": { "code": "Throttling.User" } }), other),
    ] {
        let server = with_rule(rule.clone()).await;
        let both = json!([WEB, other]).to_string();
        let answer = detach(&server).param("InstanceIds", both).send().await;
        assert_eq!((answer.status, answer.header("x-ecsim-fault")), (200, "fault-1"));
        let body = answer.json();
        assert_eq!((&body["TotalCount"], &body["FailCount"]), (&json!(2), &json!(1)));
        let results = body["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"].as_array().expect("results");
        let failed: Vec<_> = results.iter().filter(|result| result["Success"] == false).collect();
        assert_eq!(
            (failed.len(), &failed[0]["InstanceId"], &failed[0]["Code"]),
            (1, &json!(failing), &rule["error"]["code"])
        );
        for instance in [WEB, other] {
            assert_eq!(server.role_of(instance).is_some(), instance == failing, "{instance}");
        }
    }
}

#[tokio::test]
async fn a_part_that_is_the_whole_batch_and_a_call_that_is_none_fail_as_a_whole() {
    let server =
        with_rule(json!({ "effect": "partial", "error": { "code": "OperationDenied", "statusCode": 403 } })).await;
    assert_eq!(detach(&server).send().await.code(), (403, "OperationDenied".to_owned()));
    assert!(server.role_of(WEB).is_some());
    assert_eq!(regions(&server).send().await.code(), (403, "OperationDenied".to_owned()));
    let attach = server.call("AttachInstanceRamRole").param("RegionId", "cn-hangzhou");
    let attach = attach.param("RamRoleName", "web-role").param("InstanceIds", json!([WEB]).to_string());
    assert_eq!(attach.send().await.code(), (403, "OperationDenied".to_owned()));
}

#[tokio::test]
async fn sts_answers_throttling_user_to_too_many_calls_of_an_account_and_only_where_a_limit_is_set() {
    let server = support::start().await;
    let identity = || server.call("GetCallerIdentity").param("Version", "2015-04-01").send();
    for _ in 0..5 {
        assert_eq!(identity().await.status, 200);
    }
    let limits = json!({ "sts:*": { "qps": 2, "burst": 3, "retry_after_ms": 500 } });
    done(&server, "PUT", "limits", limits).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(identity().await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 400]);
    let refused = identity().await;
    let text = "Request was denied due to user flow control.";
    assert_eq!(refused.refusal(), (400, "Throttling.User".to_owned(), text.to_owned()));
    assert_eq!((refused.header("x-ecsim-fault"), refused.header("x-acs-retry-after")), ("limit:sts:*", "500"));
    assert_eq!(regions(&server).send().await.status, 200, "another product");
    let state = done(&server, "GET", "limits", Value::Null).await["limits"]["sts:*"].clone();
    assert_eq!((&state["refused"], &state["left"]["1000000000000001"]), (&json!(2), &json!(0)));
    // Half a second fills one token; the clock of the world stands still otherwise.
    server.advance("499ms");
    assert_eq!(identity().await.status, 400);
    server.advance("1ms");
    assert_eq!((identity().await.status, identity().await.status), (200, 400));
}

#[tokio::test]
async fn a_throttled_call_is_not_performed_meets_no_fault_and_has_signed_before() {
    let server = with_rule(json!({ "operation": "DetachInstanceRamRole", "probability": 0 })).await;
    done(
        &server,
        "POST",
        "limits",
        json!({ "DetachInstanceRamRole": { "qps": 10, "burst": 1, "code": "Throttling" } }),
    )
    .await;
    assert_eq!(detach(&server).key("test", "wrong").send().await.status, 400);
    assert_eq!(detach(&server).param("InstanceIds", "[\"i-none\"]").send().await.status, 404);
    let refused = detach(&server).send().await;
    assert_eq!((refused.code(), refused.header("x-acs-retry-after")), ((400, "Throttling".to_owned()), ""));
    assert!(server.role_of(WEB).is_some());
    assert_eq!(counters(&server).await, (1, 0));
    done(&server, "DELETE", "limits", Value::Null).await;
    assert_eq!(detach(&server).send().await.status, 200);
}

#[tokio::test]
async fn limits_with_mistakes_are_told_all_of_them_and_a_listing_can_be_given_back() {
    let server = support::start().await;
    let good =
        json!({ "DetachInstanceRamRole": { "qps": 10, "burst": 20, "code": "Throttling.Api" }, "*": { "qps": 0.5 } });
    let listed = done(&server, "PUT", "limits", good).await;
    assert_eq!(listed["limits"]["ecs:DetachInstanceRamRole"]["qps"], json!(10));
    assert_eq!(
        listed["limits"]["*"],
        json!({ "qps": 0.5, "burst": 1, "code": "Throttling.User", "refused": 0, "left": {} })
    );
    assert_eq!(done(&server, "POST", "limits", listed.clone()).await, listed);
    let bad = json!({
        "DetachInstanceRamRol": { "qps": 10 },
        "s3:*": { "qps": 0 },
        "RunInstances": {},
        "sts:AssumeRole": { "qps": 1, "burst": 0, "code": "Throttled", "per": 1 },
        "AssumeRole": { "qps": 1 },
    });
    let (status, answer) = control(&server, "PATCH", "limits", &bad).await;
    assert_eq!((status, &answer["error"]["code"]), (422, &json!("InvalidLimits")));
    let reasons = answer.to_string();
    for expected in [
        "did you mean DetachInstanceRamRole?",
        "did you mean",
        "RunInstances is not emulated",
        "which is there already",
    ] {
        assert!(reasons.contains(expected), "{expected} in {reasons}");
    }
    assert_eq!(answer["error"]["mistakes"].as_array().map(Vec::len), Some(9), "{answer:#}");
    assert_eq!(done(&server, "GET", "limits", Value::Null).await, listed);
    let other = done(&server, "PATCH", "limits", json!({ "*": { "qps": 7 } })).await;
    assert_eq!(
        (&other["limits"]["*"]["burst"], other["limits"].as_object().map(serde_json::Map::len)),
        (&json!(7), Some(2))
    );
}

/// Sends a call by itself and reads until the connection ends; the text, how it ended, and after how long.
async fn raw(server: &Server, call: Call) -> (String, std::io::Result<usize>, Duration) {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(server.authority()).await.expect("connects");
    let request = format!("GET /?{} HTTP/1.1\r\nHost: h\r\n\r\n", call.query());
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("an end");
    (String::from_utf8_lossy(&answer).into_owned(), end, begin.elapsed())
}

#[tokio::test]
async fn half_of_a_body_comes_and_the_call_was_performed() {
    let server = with_rule(json!({ "effect": "truncate", "operation": "DetachInstanceRamRole" })).await;
    let (answer, end, _) = raw(&server, detach(&server)).await;
    assert!(end.is_ok(), "{end:?}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("x-ecsim-fault: fault-1"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let length: usize = length.parse().expect("a number");
    assert_eq!(body.len(), length / 2);
    assert!(server.role_of(WEB).is_none(), "it was performed");
    done(&server, "POST", "faults", json!([{ "effect": "truncate", "operation": "DescribeRegions" }])).await;
    let read = client().get(format!("{}/?{}", server.url(), regions(&server).query())).send().await.expect("a head");
    assert!(read.text().await.is_err(), "a client finds that out");
}

#[tokio::test]
async fn a_connection_closes_or_is_reset_without_a_byte_and_the_call_was_performed() {
    for (effect, kind) in [("empty", None), ("reset", Some(std::io::ErrorKind::ConnectionReset))] {
        let server = with_rule(json!({ "effect": effect, "times": 1 })).await;
        let (answer, end, _) = raw(&server, detach(&server)).await;
        assert_eq!((&*answer, end.err().map(|error| error.kind())), ("", kind), "{effect}");
        assert!(server.role_of(WEB).is_none(), "it was performed");
        assert_eq!(detach(&server).send().await.status, 200, "and so is its repeat");
        assert_eq!(counters(&server).await, (2, 1));
    }
}

#[tokio::test]
async fn a_body_that_dribbles_comes_whole_and_late() {
    let server = with_rule(json!({ "effect": "dribble", "delay_ms": 300, "operation": "DetachInstanceRamRole" })).await;
    let begin = Instant::now();
    let answer = detach(&server).send().await;
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
    assert_eq!((answer.status, answer.json()["FailCount"].clone()), (200, json!(0)));
    assert_eq!(answer.header("x-ecsim-fault"), "fault-1");
}

#[tokio::test]
async fn nothing_comes_until_the_time_is_over_and_then_the_connection_closes() {
    let server = with_rule(json!({ "effect": "timeout", "delay_ms": 300 })).await;
    let (answer, end, took) = raw(&server, detach(&server)).await;
    assert!(end.is_ok() && answer.is_empty(), "{answer}");
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(server.role_of(WEB).is_none(), "it was performed");
}

#[tokio::test]
async fn answers_are_held_back_by_a_rule_and_by_latency() {
    let server = with_rule(json!({ "operation": "DescribeRegions", "delay_ms": 100 })).await;
    let took = async |call: Call, status| {
        let begin = Instant::now();
        let answer = call.send().await;
        assert_eq!(answer.status, status);
        (begin.elapsed(), answer.header("x-ecsim-fault").to_owned())
    };
    let delay = Duration::from_millis(100);
    let (by_rule, fault) = took(regions(&server), 200).await;
    assert!(by_rule >= delay && fault == "fault-1", "{by_rule:?} {fault}");
    let uniform = json!({ "latency": { "type": "uniform", "lower": 100, "upper": 110 } });
    assert_eq!(done(&server, "POST", "effects", uniform.clone()).await["latency"], uniform["latency"]);
    assert!(took(regions(&server), 200).await.0 >= 2 * delay, "both");
    let (refused, fault) = took(regions(&server).key("test", "wrong"), 400).await;
    assert!(refused >= delay && fault.is_empty(), "{refused:?} {fault}");
    let begin = Instant::now();
    let item = client().get(format!("{}/_ecsim/instances/{WEB}/latest/meta-data/instance-id", server.url()));
    assert_eq!(Answer::of(item).await.status, 200);
    assert!(begin.elapsed() >= delay, "the metadata service too");
}

#[tokio::test]
async fn what_is_held_back_holds_back_nothing_else() {
    let server = with_rule(json!({ "operation": "DescribeRegions", "delay_ms": 600_000 })).await;
    done(&server, "POST", "faults?namespace=t1", json!([{ "delay_ms": 600_000 }])).await;
    let held = [regions(&server), regions(&server).key("test@t1", "test")].map(|call| tokio::spawn(call.send()));
    while counters(&server).await.1 == 0 || counters_in(&server, "t1").await.1 == 0 {
        tokio::task::yield_now().await;
    }
    let others = async {
        assert_eq!(detach(&server).send().await.status, 200, "another action");
        assert_eq!(regions(&server).key("test@t2", "test").send().await.status, 200, "another namespace");
        done(&server, "DELETE", "faults", Value::Null).await;
        done(&server, "DELETE", "faults?namespace=t1", Value::Null).await;
        assert_eq!(regions(&server).send().await.status, 200);
        assert_eq!(regions(&server).key("test@t1", "test").send().await.status, 200);
    };
    tokio::time::timeout(Duration::from_mins(1), others).await.expect("nothing waits");
    assert!(held.iter().all(|call| !call.is_finished()));
}

#[tokio::test]
async fn effects_with_mistakes_change_nothing() {
    let server = support::start().await;
    let distribution = json!({ "latency": { "type": "lognormal", "median": 50, "sigma": 0.3 } });
    let before = done(&server, "PUT", "effects", distribution.clone()).await;
    assert_eq!(before["latency"], distribution["latency"]);
    for (bad, place) in [
        (json!({ "latency": -1 }), "$.latency"),
        (json!({ "latency": 600_001 }), "$.latency"),
        (json!({ "latency": "50" }), "$.latency"),
        (json!({ "latncy": 5 }), "$.latncy"),
        (json!({ "latency": { "type": "normal" } }), "$.latency.type"),
        (json!({ "latency": { "lower": 1, "upper": 2 } }), "$.latency.type"),
        (json!({ "latency": { "type": "uniform", "lower": 1 } }), "$.latency.upper"),
        (json!({ "latency": { "type": "uniform", "lower": 2, "upper": 1 } }), "$.latency.upper"),
        (json!({ "latency": { "type": "uniform", "lower": 1, "upper": 2, "sigma": 1 } }), "$.latency.sigma"),
        (json!({ "latency": { "type": "lognormal", "median": 1, "sigma": 11 } }), "$.latency.sigma"),
        (json!([]), "$"),
    ] {
        let (status, answer) = control(&server, "POST", "effects", &bad).await;
        assert_eq!((status, &answer["error"]["mistakes"][0]["place"]), (422, &json!(place)), "{answer}");
    }
    assert_eq!(done(&server, "GET", "effects", Value::Null).await, before);
}

#[tokio::test]
async fn a_stop_waits_neither_for_what_is_held_back_nor_for_what_never_comes() {
    let rules = [
        json!({ "effect": "timeout", "delay_ms": 600_000 }),
        json!({ "delay_ms": 600_000 }),
        json!({ "effect": "dribble", "delay_ms": 600_000 }),
    ];
    for rule in rules {
        let server = with_rule(rule.clone()).await;
        let authority = server.authority();
        let request = format!("GET /?{} HTTP/1.1\r\nHost: h\r\n\r\n", regions(&server).query());
        let mut stream = TcpStream::connect(authority).await.expect("connects");
        stream.write_all(request.as_bytes()).await.expect("sends");
        while counters(&server).await.1 == 0 {
            tokio::task::yield_now().await;
        }
        let begin = Instant::now();
        let stopped = server.emulator.stop(Duration::from_secs(30)).await;
        assert!(stopped.drained && begin.elapsed() < Duration::from_secs(10), "{rule}: {:?}", begin.elapsed());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an end");
        let is_silent = rule["effect"] == "timeout";
        assert_eq!(answer.is_empty(), is_silent, "{rule}: {answer}");
        assert!(is_silent || answer.ends_with('}'), "{rule}: the whole answer comes at the stop: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_gives_up_ends_its_wait() {
    let server = support::start_with(|builder| {
        builder.limits(ecsim::http::Limits { max_connections: 2, ..ecsim::http::Limits::default() })
    })
    .await;
    done(
        &server,
        "POST",
        "faults",
        json!([{ "effect": "timeout", "delay_ms": 600_000, "operation": "DescribeRegions" }]),
    )
    .await;
    let impatient =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(100)).build().expect("a client");
    for _ in 0..4 {
        let url = format!("{}/?{}", server.url(), regions(&server).query());
        assert!(impatient.get(url).send().await.is_err_and(|error| error.is_timeout()));
    }
    // With their connections kept there would be no room for this one.
    assert_eq!(detach(&server).send().await.status, 200);
}

#[tokio::test]
async fn the_metadata_service_has_faults_of_its_own() {
    let server = support::start().await;
    metadata_meets_faults(&server, &format!("{}/_ecsim/instances/{WEB}", server.url())).await;
    let settings = metadata::Settings { default_instance: NamedInstance::parse(WEB), ..Default::default() };
    let server = support::start_with(|builder| builder.metadata(settings)).await;
    metadata_meets_faults(&server, &server.url()).await;
}

/// `base`: where an instance has its metadata service.
async fn metadata_meets_faults(server: &Server, base: &str) {
    let role = Answer::of(client().get(format!("{base}{ITEM}"))).await.text;
    let rules = json!([
        { "id": "twice", "service": "imds", "operation": "ram/security-credentials/*", "times": 2, "error": { "statusCode": 502 } },
        { "id": "half", "service": "imds", "operation": "meta-data/instance-id", "effect": "truncate" },
        { "id": "other", "service": "imds", "instance_id": "i-bp1ecsim0000000web02" },
        { "id": "ecs", "service": "ecs" },
    ]);
    done(server, "POST", "faults", rules).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = Answer::of(client().get(format!("{base}{ITEM}{role}"))).await;
        seen.push((answer.status, answer.header("x-ecsim-fault").to_owned()));
    }
    assert_eq!(seen, [(502, "twice".to_owned()), (502, "twice".to_owned()), (200, String::new())]);
    let half = client().get(format!("{base}/latest/meta-data/instance-id")).send().await.expect("a head");
    assert_eq!(half.headers()["content-length"], WEB.len().to_string());
    assert!(half.text().await.is_err());
    let bodiless = client().head(format!("{base}/latest/meta-data/instance-id")).send().await;
    assert!(bodiless.is_err(), "of no body there is no half, so that not even a head comes: {bodiless:?}");
    let token =
        client().put(format!("{base}/latest/api/token")).header("X-aliyun-ecs-metadata-token-ttl-seconds", "60");
    assert_eq!(Answer::of(token).await.status, 200);
    done(server, "POST", "faults", json!([{ "service": "imds", "operation": "api/token" }])).await;
    assert_eq!(Answer::of(client().put(format!("{base}/latest/api/token"))).await.status, 503);
}

#[tokio::test]
async fn what_the_credentials_uri_answers_meets_what_the_item_meets_that_it_stands_for() {
    let server = support::start().await;
    let uri = |id: &str| client().get(format!("{}/_ecsim/instances/{id}/credentials", server.url()));
    let error = json!({ "statusCode": 502, "code": "Bad.Day", "message": "not now" });
    let rules = json!([
        { "id": "once", "service": "imds", "operation": "ram/security-credentials/web-role", "times": 1, "error": error },
        { "id": "half", "service": "imds", "operation": "ram/*", "instance_id": WEB, "times": 1, "effect": "truncate" },
        { "id": "other", "service": "imds", "operation": "instance-id" },
    ]);
    done(&server, "POST", "faults", rules).await;
    let failed = Answer::of(uri(WEB)).await;
    let body: Value = serde_json::from_str(&failed.text).expect("JSON");
    assert_eq!((failed.status, failed.header("x-ecsim-fault")), (502, "once"));
    assert_eq!((&body["error"]["code"], &body["error"]["message"]), (&json!("Bad.Day"), &json!("not now")));
    assert!(uri(WEB).send().await.expect("a head").text().await.is_err(), "half of it");
    assert_eq!(Answer::of(uri(WEB)).await.status, 200);
    done(&server, "POST", "faults?namespace=t1", json!([{ "service": "imds" }])).await;
    assert_eq!(Answer::of(uri(&format!("{WEB}@t1"))).await.status, 503);
    let journal = client().get(format!("{}/_ecsim/requests?product=imds", server.url()));
    let journal: Value = serde_json::from_str(&Answer::of(journal).await.text).expect("JSON");
    let of = |name: &str| [0, 1, 2].map(|request| journal["requests"][request][name].clone());
    assert_eq!(of("fault"), [json!("once"), json!("half"), Value::Null]);
    assert_eq!(of("status"), [502, 200, 200].map(Value::from));
    done(&server, "POST", "effects", json!({ "latency": 100 })).await;
    let begin = Instant::now();
    assert_eq!(Answer::of(uri(WEB)).await.status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(100), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn whoever_embeds_an_emulator_sets_faults_and_sees_what_they_have_done() {
    let server = support::start().await;
    let default = &server.emulator;
    default.set_faults(r#"[{ "operation": "DescribeRegions", "times": 1 }]"#).expect("good rules");
    assert_eq!((regions(&server).send().await.status, regions(&server).send().await.status), (503, 200));
    let faults = default.faults().expect("it is there");
    assert_eq!((faults[0].id.as_str(), faults[0].matched, faults[0].fired), ("fault-1", 2, 1));
    let error = default.set_faults(r#"[{ "operation": "Describe" }, 1]"#).expect_err("no such action");
    assert!(matches!(error, ecsim::handle::FaultsError::Mistakes(mistakes) if mistakes.len() == 2));
    assert_eq!(default.faults().expect("it is there"), faults);
}

#[tokio::test]
async fn without_a_socket_bodies_are_damaged_and_what_would_close_a_connection_breaks_them_off() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    let server = support::start().await;
    for (effect, performed) in [("error", false), ("truncate", true), ("empty", true), ("reset", true)] {
        done(&server, "POST", "faults", json!([{ "effect": effect }])).await;
        let call = detach(&server);
        let request = http::Request::get(format!("/?{}", call.query())).body(axum::body::Body::empty());
        let answer = server.emulator.service().oneshot(request.expect("a request")).await.expect("an answer");
        assert_eq!(answer.into_body().collect().await.is_err(), performed, "{effect}");
        assert_eq!(server.role_of(WEB).is_none(), performed, "{effect}");
    }
}

#[tokio::test]
async fn a_star_narrows_nothing_wherever_it_stands() {
    let names = ["service", "region", "operation", "account", "instance_id", "access_key_id"];
    let rule: serde_json::Map<_, _> = names.into_iter().map(|name| (name.to_owned(), json!("*"))).collect();
    let server = with_rule(rule.into()).await;
    assert_eq!(regions(&server).send().await.status, 503);
    assert_eq!(counters(&server).await, (1, 1));
}

#[tokio::test]
async fn a_member_that_is_there_twice_and_a_name_that_is_longer_than_any_are_mistakes() {
    let server = support::start().await;
    let long = "a".repeat(1 << 19);
    for (path, body, reason) in [
        ("faults", r#"[{"times":2,"times":20}]"#.to_owned(), "the member \"times\" is there twice"),
        ("limits", json!({ &long: { "qps": 1 } }).to_string(), "there is no action of 524288 bytes"),
        ("faults", json!([{ &long: 1 }]).to_string(), "there is no member of 524288 bytes"),
    ] {
        let request = client().post(format!("{}/_ecsim/chaos/{path}", server.url())).body(body);
        let answer = Answer::of(request).await;
        assert!(answer.status == 422 && answer.text.contains(&reason.replace('"', "\\\"")), "{}", &answer.text[..200]);
    }
}
