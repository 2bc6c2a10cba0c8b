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
