//! The case table of Attach: one test a row (ecs-instance-ram-role.md 7, A1 to A11).

use serde_json::json;

use crate::support::{self, Answer, Call, Server};

fn call(server: &Server, ids: &[&str], role: &str) -> Call {
    let call = server.call("AttachInstanceRamRole").param("RegionId", "cn-hangzhou").param("RamRoleName", role);
    call.param("InstanceIds", json!(ids).to_string())
}

async fn attach(server: &Server, ids: &[&str], role: &str) -> Answer {
    call(server, ids, role).send().await
}

const PLAIN: &str = "i-bp1ecsim00000plain01";

#[tokio::test]
async fn a1_the_role_is_on_the_instance_afterwards() {
    let server = support::start().await;
    let answer = attach(&server, &[PLAIN], "WEB-role").await;
    let id = answer.json()["RequestId"].clone();
    assert_eq!(
        answer.text,
        format!(
            concat!(
                r#"{{"RamRoleName":"web-role","RequestId":{},"TotalCount":1,"FailCount":0,"AttachInstanceRamRoleResults":"#,
                r#"{{"AttachInstanceRamRoleResult":[{{"Code":"200","Message":"success","InstanceId":"{}","Success":true}}]}}}}"#
            ),
            id, PLAIN
        )
    );
    assert_eq!(server.role_of(PLAIN).as_deref(), Some("web-role"));
}

#[tokio::test]
async fn a2_a_missing_parameter_is_named_in_order() {
    let server = support::start().await;
    let (mut call, mut given) = (server.call("AttachInstanceRamRole"), Vec::new());
    for name in ["RegionId", "RamRoleName", "InstanceIds"] {
        let text =
            format!("The input parameter \"{name}\" that is mandatory for processing this request is not supplied.");
        assert_eq!(call.send().await.refusal(), (400, "MissingParameter".to_owned(), text));
        given.push(name);
        call = given.iter().fold(server.call("AttachInstanceRamRole"), |call, name| call.param(name, "x"));
    }
}

#[tokio::test]
async fn a3_malformed_instance_ids_are_refused() {
    let server = support::start().await;
    let malformed = call(&server, &[], "web-role").send().await;
    assert_eq!(malformed.code(), (400, "InvalidInstanceIds.Malformed".to_owned()));
}

#[tokio::test]
async fn a4_an_unknown_instance_is_not_found() {
    let server = support::start().await;
    let text = "The specified instanceId does not exist.".to_owned();
    let refused = (404, "InvalidInstanceId.NotFound".to_owned(), text);
    assert_eq!(attach(&server, &["i-none"], "web-role").await.refusal(), refused);
}

#[tokio::test]
async fn a5_an_unknown_role_is_not_found_before_the_instances_are_looked_at() {
    let server = support::start().await;
    let text = "The specified RAMRoleName does not exist.".to_owned();
    let refused = (404, "InvalidRamRole.NotFound".to_owned(), text);
    assert_eq!(attach(&server, &["i-none"], "other-role").await.refusal(), refused, "of another account");
}

#[tokio::test]
async fn a6_a_role_that_does_not_trust_ecs_is_refused() {
    let server = support::start().await;
    let text = "The specified ram role is not authorized for ecs, please check your role policy.".to_owned();
    let refused = (404, "InvalidRamRole.NotEcsRole".to_owned(), text);
    assert_eq!(attach(&server, &[PLAIN], "fc-role").await.refusal(), refused);
    assert_eq!(server.role_of(PLAIN), None);
}

#[tokio::test]
async fn a7_a_classic_instance_takes_no_role() {
    let server = support::start().await;
    let text = "Ram role cannot be applied to instances of Classic network type.".to_owned();
    let refused = (403, "InvalidNetworkType.MismatchRamRole".to_owned(), text);
    assert_eq!(attach(&server, &["i-bp1ecsim0classic0001"], "web-role").await.refusal(), refused);
}

#[tokio::test]
async fn a8_another_role_on_the_instance_stays() {
    let server = support::start().await;
    let text = "The specified instance already has an instance RAM role.".to_owned();
    let refused = (403, "InvalidInstanceRamRole.NotSupport".to_owned(), text);
    assert_eq!(attach(&server, &["i-bp1ecsim0000000web01"], "batch-role").await.refusal(), refused);
    let body = attach(&server, &["i-bp1ecsim0000000web01", PLAIN], "batch-role").await.json();
    assert_eq!((&body["TotalCount"], &body["FailCount"]), (&json!(2), &json!(1)));
    let failed = &body["AttachInstanceRamRoleResults"]["AttachInstanceRamRoleResult"][0];
    assert_eq!((&failed["Code"], &failed["Success"]), (&json!("InvalidInstanceRamRole.NotSupport"), &json!(false)));
    assert_eq!(server.role_of("i-bp1ecsim0000000web01").as_deref(), Some("web-role"));
    assert_eq!(server.role_of(PLAIN).as_deref(), Some("batch-role"));
}

#[tokio::test]
async fn a9_the_same_role_again_succeeds_and_a_new_policy_replaces_the_old() {
    let server = support::start().await;
    let policy = || server.world(|world| world.instance(PLAIN)?.attachment()?.policy.as_deref().map(str::to_owned));
    for (given, kept) in [(Some("{}"), "{}"), (None, "{}"), (Some(r#"{"a":1}"#), r#"{"a":1}"#)] {
        let call = call(&server, &[PLAIN], "web-role");
        let call = if let Some(policy) = given { call.param("Policy", policy) } else { call };
        assert_eq!(call.send().await.status, 200);
        assert_eq!(policy().as_deref(), Some(kept));
    }
}

#[tokio::test]
async fn a11_a_policy_is_a_json_object_of_at_most_1024_characters() {
    let server = support::start().await;
    let of_length = |length: usize| format!("{{\"a\":\"{}\"}}", "北".repeat(length - 8));
    for bad in ["", "x", "[]", "1", &of_length(1025)] {
        let text = "The specified parameter \"Policy\" is not valid.".to_owned();
        let call = call(&server, &[PLAIN], "web-role").param("Policy", bad);
        assert_eq!(call.send().await.refusal(), (400, "InvalidParameter".to_owned(), text), "{bad}");
    }
    assert_eq!(server.role_of(PLAIN), None);
    assert_eq!(call(&server, &[PLAIN], "web-role").param("Policy", of_length(1024)).send().await.status, 200);
}

#[tokio::test]
async fn a_role_whose_trust_has_a_time_can_be_attached_only_then() {
    let trust = |operator: &str| {
        json!({ "Version": "1", "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "Service": "ecs.aliyuncs.com" },
            "Condition": { operator: { "acs:CurrentTime": "2020-01-01T00:00:00Z" } } } })
    };
    let server = support::start_seeded(json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "roles": [
            { "name": "since", "trust": trust("DateGreaterThan") },
            { "name": "until", "trust": trust("DateLessThan") },
        ],
        "instances": [{ "id": "i-1" }],
    }] }))
    .await;
    assert_eq!(attach(&server, &["i-1"], "until").await.code(), (404, "InvalidRamRole.NotEcsRole".to_owned()));
    assert_eq!(attach(&server, &["i-1"], "since").await.json()["FailCount"], 0);
}
