//! The case table of Detach: one test a row (ecs-instance-ram-role.md 7, D1 to D16).

use serde_json::json;

use crate::support::{self, Answer, Server};

async fn detach(server: &Server, ids: &[&str], role: Option<&str>) -> Answer {
    let call = server
        .call("DetachInstanceRamRole")
        .param("RegionId", "cn-hangzhou")
        .param("InstanceIds", json!(ids).to_string());
    match role {
        Some(role) => call.param("RamRoleName", role).send().await,
        None => call.send().await,
    }
}

#[tokio::test]
async fn d1_each_instance_loses_its_role() {
    let server = support::start().await;
    let answer = detach(&server, &["i-bp1ecsim0000000web01"], Some("web-role")).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(
        answer.text,
        format!(
            concat!(
                r#"{{"RamRoleName":"web-role","RequestId":{},"TotalCount":1,"FailCount":0,"#,
                r#""DetachInstanceRamRoleResults":{{"DetachInstanceRamRoleResult":[{{"Code":"200","Message":"Success","#,
                r#""InstanceId":"i-bp1ecsim0000000web01","Success":true,"InstanceRamRoleSets":{{"InstanceRamRoleSet":"#,
                r#"[{{"RamRoleName":"web-role","InstanceId":"i-bp1ecsim0000000web01"}}]}}}}]}}}}"#
            ),
            body["RequestId"]
        ),
        "member for member as on the source page"
    );
    assert_eq!(server.role_of("i-bp1ecsim0000000web01"), None);
    assert_eq!(server.role_of("i-bp1ecsim0000000web02").as_deref(), Some("web-role"));
}

#[tokio::test]
async fn d1_without_a_name_each_instance_loses_whatever_it_has() {
    let server = support::start().await;
    let both = ["i-bp1ecsim0000000web01", "i-bp1ecsim0000batch001"];
    let body = detach(&server, &both, None).await.json();
    assert_eq!((&body["RamRoleName"], &body["TotalCount"], &body["FailCount"]), (&json!(""), &json!(2), &json!(0)));
    assert_eq!(both.map(|id| server.role_of(id)), [None, None]);
    let body = detach(&server, &["i-bp1ecsim0000000web02"], None).await.json();
    assert_eq!(body["RamRoleName"], "web-role", "the one that came off everywhere");
}

#[tokio::test]
async fn d2_a_missing_parameter_is_named_in_order() {
    let server = support::start().await;
    let missing = |name: &str| {
        let text =
            format!("The input parameter \"{name}\" that is mandatory for processing this request is not supplied.");
        (400, "MissingParameter".to_owned(), text)
    };
    let call = || server.call("DetachInstanceRamRole");
    assert_eq!(call().send().await.refusal(), missing("RegionId"));
    assert_eq!(call().param("RegionId", "mars").send().await.refusal(), missing("InstanceIds"));
    let empty = call().param("RegionId", "cn-hangzhou").param("InstanceIds", "");
    assert_eq!(empty.send().await.refusal(), missing("InstanceIds"));
}

#[tokio::test]
async fn d3_malformed_instance_ids_are_refused_and_change_nothing() {
    let server = support::start().await;
    let many = json!(vec!["i-bp1ecsim0000000web01"; 101]).to_string();
    let not_lists = ["i-a", "[i-a]", "\"i-a\"", "{}", "null", "1", "[]", "[1]", "[null]", "[\"\"]", "[[\"a\"]]"];
    for ids in not_lists.into_iter().chain([many.as_str()]) {
        let call = server.call("DetachInstanceRamRole").param("RegionId", "cn-hangzhou").param("InstanceIds", ids);
        let text = "The specified instanceIds are not valid.".to_owned();
        assert_eq!(call.send().await.refusal(), (400, "InvalidInstanceIds.Malformed".to_owned(), text), "{ids}");
    }
    assert_eq!(server.role_of("i-bp1ecsim0000000web01").as_deref(), Some("web-role"));
    let quoted = server.call("DetachInstanceRamRole").param("RegionId", "cn-hangzhou");
    let answer = quoted.param("InstanceIds", "['i-bp1ecsim0000000web01']").send().await;
    assert_eq!(answer.status, 200, "single quotes pass");
}

#[tokio::test]
async fn d4_an_unknown_region_is_not_found() {
    let server = support::start().await;
    let call = server.call("DetachInstanceRamRole").param("RegionId", "mars").param("InstanceIds", "[]");
    let text = "The specified RegionId does not exist.".to_owned();
    assert_eq!(call.send().await.refusal(), (404, "InvalidRegionId.NotFound".to_owned(), text));
}

#[tokio::test]
async fn d5_an_unknown_instance_one_of_another_region_and_one_of_another_account_are_not_found() {
    let server = support::start().await;
    for id in ["i-none", "i-2zeecsim0000000web01", "i-bp1other000000000001"] {
        let text = "The specified instanceId does not exist.".to_owned();
        let refused = (404, "InvalidInstanceId.NotFound".to_owned(), text);
        assert_eq!(detach(&server, &[id], None).await.refusal(), refused, "{id}");
    }
    assert_eq!(server.role_of("i-bp1other000000000001").as_deref(), Some("other-role"));
    let owner = server.call("DetachInstanceRamRole").key("test2", "test2").form("RegionId", "cn-hangzhou");
    assert_eq!(owner.form("InstanceIds", r#"["i-bp1other000000000001"]"#).send().await.status, 200);
    assert_eq!(server.role_of("i-bp1other000000000001"), None);
}

#[tokio::test]
async fn d5_in_a_mixed_batch_the_unknown_one_fails_alone() {
    let server = support::start().await;
    let body = detach(&server, &["i-none", "i-bp1ecsim0000000web01"], None).await.json();
    assert_eq!(
        (&body["TotalCount"], &body["FailCount"], &body["RamRoleName"]),
        (&json!(2), &json!(1), &json!("web-role"))
    );
    let results = &body["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"];
    let failed = json!({
        "Code": "InvalidInstanceId.NotFound",
        "Message": "The specified instanceId does not exist.",
        "InstanceId": "i-none",
        "Success": false,
        "InstanceRamRoleSets": { "InstanceRamRoleSet": [] },
    });
    assert_eq!(results[0], failed);
    assert_eq!((&results[1]["Code"], &results[1]["Success"]), (&json!("200"), &json!(true)));
    assert_eq!(server.role_of("i-bp1ecsim0000000web01"), None);
}

#[tokio::test]
async fn failures_that_differ_in_code_are_entries_and_equal_ones_fail_the_call() {
    let server = support::start().await;
    let body = detach(&server, &["i-none", "i-bp1ecsim0classic0001"], None).await.json();
    assert_eq!((&body["TotalCount"], &body["FailCount"]), (&json!(2), &json!(2)));
    let alike = detach(&server, &["i-none", "i-nothing"], None).await;
    assert_eq!(alike.code(), (404, "InvalidInstanceId.NotFound".to_owned()));
}

#[tokio::test]
async fn d6_and_d16_a_role_unknown_to_ram_is_not_found() {
    let server = support::start().await;
    for role in ["no-role", "acs:ram::1000000000000001:role/web-role", "web role!"] {
        let text = "The specified RAMRoleName does not exist.".to_owned();
        let refused = (404, "InvalidRamRole.NotFound".to_owned(), text);
        assert_eq!(detach(&server, &["i-bp1ecsim0000000web01"], Some(role)).await.refusal(), refused, "{role}");
    }
    assert_eq!(server.role_of("i-bp1ecsim0000000web01").as_deref(), Some("web-role"));
}

#[tokio::test]
async fn d7_a_role_that_is_not_the_attached_one_stays() {
    let server = support::start().await;
    let alone = detach(&server, &["i-bp1ecsim0000000web01"], Some("batch-role")).await;
    assert_eq!(alone.code(), (404, "InvalidRamRole.NotFound".to_owned()));
    let both = ["i-bp1ecsim0000000web01", "i-bp1ecsim0000batch001"];
    let body = detach(&server, &both, Some("batch-role")).await.json();
    let failed = &body["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"][0];
    assert_eq!(failed["Code"], "InvalidRamRole.NotFound");
    let still = json!([{ "RamRoleName": "web-role", "InstanceId": "i-bp1ecsim0000000web01" }]);
    assert_eq!(failed["InstanceRamRoleSets"]["InstanceRamRoleSet"], still);
    assert_eq!(both.map(|id| server.role_of(id)), [Some("web-role".to_owned()), None]);
}

#[tokio::test]
async fn d8_and_d9_an_instance_without_a_role_counts_as_done_and_so_does_a_repeat() {
    let server = support::start().await;
    for role in [Some("web-role"), None, Some("WEB-ROLE")] {
        let body = detach(&server, &["i-bp1ecsim00000plain01"], role).await.json();
        let entry = &body["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"][0];
        assert_eq!(
            (&entry["Code"], &entry["Message"], &entry["Success"]),
            (&json!("200"), &json!("Success"), &json!(true))
        );
        assert_eq!(entry["InstanceRamRoleSets"]["InstanceRamRoleSet"], json!([]));
        assert_eq!(body["RamRoleName"], if role.is_some() { "web-role" } else { "" }, "in its stored spelling");
    }
}

#[tokio::test]
async fn d10_a_classic_instance_carries_no_role() {
    let server = support::start().await;
    let text = "Ram role cannot be applied to instances of Classic network type.".to_owned();
    let refused = (403, "InvalidNetworkType.MismatchRamRole".to_owned(), text);
    assert_eq!(detach(&server, &["i-bp1ecsim0classic0001"], None).await.refusal(), refused);
}

#[tokio::test]
async fn d13_an_id_that_repeats_is_handled_and_counted_once() {
    let server = support::start().await;
    let ids = ["i-bp1ecsim0000000web02", "i-bp1ecsim0000000web01", "i-bp1ecsim0000000web02"];
    let body = detach(&server, &ids, None).await.json();
    assert_eq!(body["TotalCount"], 2);
    let results = &body["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"];
    assert_eq!((&results[0]["InstanceId"], &results[1]["InstanceId"]), (&json!(ids[0]), &json!(ids[1])));
}

#[tokio::test]
async fn d15_neither_state_nor_lock_is_in_the_way() {
    let states = ["Pending", "Starting", "Running", "Stopping", "Stopped"];
    let instances: Vec<_> = states
        .iter()
        .map(|state| json!({ "id": format!("i-{state}"), "status": state, "role": "r", "locks": ["security"] }))
        .collect();
    let seed = json!({ "accounts": [
        { "keys": [{ "id": "test", "secret": "test" }], "roles": [{ "name": "r" }], "instances": instances },
    ] });
    let server = support::start_seeded(seed).await;
    for state in states {
        assert_eq!(detach(&server, &[&format!("i-{state}")], Some("r")).await.status, 200, "{state}");
        assert_eq!(server.role_of(&format!("i-{state}")), None);
    }
}

#[tokio::test]
async fn a_detach_in_xml_has_the_same_members_in_the_same_order() {
    let server = support::start().await;
    let call = server.call("DetachInstanceRamRole").xml().post().param("RegionId", "cn-hangzhou");
    let answer = call.param("InstanceIds", r#"["i-bp1ecsim0000000web01"]"#).send().await;
    let id = answer.header("x-acs-request-id");
    assert_eq!(
        answer.text,
        format!(
            concat!(
                "<?xml version='1.0' encoding='UTF-8'?><DetachInstanceRamRoleResponse><RamRoleName>web-role</RamRoleName>",
                "<RequestId>{}</RequestId><TotalCount>1</TotalCount><FailCount>0</FailCount>",
                "<DetachInstanceRamRoleResults><DetachInstanceRamRoleResult><Code>200</Code><Message>Success</Message>",
                "<InstanceId>i-bp1ecsim0000000web01</InstanceId><Success>true</Success><InstanceRamRoleSets>",
                "<InstanceRamRoleSet><RamRoleName>web-role</RamRoleName><InstanceId>i-bp1ecsim0000000web01</InstanceId>",
                "</InstanceRamRoleSet></InstanceRamRoleSets></DetachInstanceRamRoleResult>",
                "</DetachInstanceRamRoleResults></DetachInstanceRamRoleResponse>"
            ),
            id
        )
    );
}

#[tokio::test]
async fn acs3_detaches_too() {
    let server = support::start().await;
    let call = server.acs3("DetachInstanceRamRole").param("RegionId", "cn-hangzhou").key("test", "test");
    let answer = call.param("InstanceIds", r#"["i-bp1ecsim0000000web01"]"#).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.role_of("i-bp1ecsim0000000web01"), None);
    let undated = server.acs3("DetachInstanceRamRole").without_header("x-acs-date").send().await;
    assert_eq!(undated.code(), (400, "MissingTimestamp".to_owned()));
    let answer = server.raw("GET /?Format=JSON HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
}
