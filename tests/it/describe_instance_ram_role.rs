//! The case table of Describe: one test a row (ecs-instance-ram-role.md 7, S1 to S8).

use serde_json::{Value, json};

use crate::support::{self, Call, Server};

fn describe(server: &Server) -> Call {
    server.call("DescribeInstanceRamRole").param("RegionId", "cn-hangzhou")
}

fn by_ids(server: &Server, ids: &[&str]) -> Call {
    describe(server).param("InstanceIds", json!(ids).to_string())
}

/// Instance and role of each entry.
fn pairs(body: &Value) -> Vec<(String, String)> {
    let sets = body["InstanceRamRoleSets"]["InstanceRamRoleSet"].as_array().expect("a list");
    let text = |set: &Value, name: &str| set[name].as_str().expect("a text").to_owned();
    sets.iter().map(|set| (text(set, "InstanceId"), text(set, "RamRoleName"))).collect()
}

const WEB: &str = "i-bp1ecsim0000000web01";
const PLAIN: &str = "i-bp1ecsim00000plain01";
const CLASSIC: &str = "i-bp1ecsim0classic0001";

#[tokio::test]
async fn s1_by_ids_an_instance_without_a_role_has_the_empty_name() {
    let server = support::start().await;
    let answer = by_ids(&server, &[PLAIN, CLASSIC, "i-none", WEB]).send().await;
    let id = answer.json()["RequestId"].clone();
    assert_eq!(
        answer.text,
        format!(
            concat!(
                r#"{{"RequestId":{},"TotalCount":2,"RegionId":"cn-hangzhou","InstanceRamRoleSets":{{"InstanceRamRoleSet":["#,
                r#"{{"RamRoleName":"","InstanceId":"{}"}},{{"RamRoleName":"web-role","InstanceId":"{}"}}]}}}}"#
            ),
            id, PLAIN, WEB
        )
    );
}

#[tokio::test]
async fn s2_neither_filter_is_refused() {
    let server = support::start().await;
    for empty in [describe(&server), describe(&server).param("InstanceIds", "").param("RamRoleName", "")] {
        assert_eq!(empty.send().await.code(), (403, "InvalidParameter.AllEmpty".to_owned()));
    }
}

#[tokio::test]
async fn s3_malformed_ids_are_refused_and_100_pass() {
    let server = support::start().await;
    let ids: Vec<_> = (0..101).map(|n| format!("i-{n}")).chain([WEB.to_owned()]).collect();
    let too_many = describe(&server).param("InstanceIds", json!(ids[1..]).to_string());
    assert_eq!(too_many.send().await.code(), (400, "InvalidInstanceIds.Malformed".to_owned()));
    let enough = describe(&server).param("InstanceIds", json!(ids[2..]).to_string());
    assert_eq!(enough.send().await.json()["TotalCount"], 1);
}

#[tokio::test]
async fn s4_and_s6_where_no_listed_id_will_do_the_first_one_s_error_answers() {
    let server = support::start().await;
    for (ids, status, code) in [
        ([CLASSIC, "i-none"], 403, "InvalidNetworkType.MismatchRamRole"),
        (["i-none", CLASSIC], 404, "InvalidInstanceId.NotFound"),
    ] {
        assert_eq!(by_ids(&server, &ids).send().await.code(), (status, code.to_owned()));
    }
}

#[tokio::test]
async fn s5_an_unknown_role_is_not_found_alone_and_an_empty_list_beside_ids() {
    let server = support::start().await;
    let alone = describe(&server).param("RamRoleName", "none");
    assert_eq!(alone.send().await.code(), (404, "InvalidRamRole.NotFound".to_owned()));
    let body = by_ids(&server, &[WEB, "i-none"]).param("RamRoleName", "none").send().await.json();
    assert_eq!((pairs(&body), &body["TotalCount"]), (vec![], &json!(0)));
}

#[tokio::test]
async fn by_role_only_those_that_carry_it_are_listed() {
    let server = support::start().await;
    let names = |body: &Value| pairs(body).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let body = describe(&server).param("RamRoleName", "WEB-ROLE").send().await.json();
    assert_eq!(names(&body), [WEB, "i-bp1ecsim0000000web02"], "in order of creation");
    let body = by_ids(&server, &[PLAIN, WEB]).param("RamRoleName", "web-role").send().await.json();
    assert_eq!(names(&body), [WEB], "both filters hold");
    let body = describe(&server).param("RamRoleName", "fc-role").send().await.json();
    assert_eq!(names(&body), Vec::<String>::new(), "a role that nobody carries");
}

#[tokio::test]
async fn s7_pages_have_bounds() {
    let server = support::start().await;
    for (name, value) in
        [("PageSize", "0"), ("PageSize", "51"), ("PageSize", "x"), ("PageNumber", "0"), ("PageNumber", "-1")]
    {
        let text = format!("The specified parameter \"{name}\" is not valid.");
        let refused = (400, "InvalidParameter".to_owned(), text);
        assert_eq!(by_ids(&server, &[WEB]).param(name, value).send().await.refusal(), refused, "{value}");
    }
}

#[tokio::test]
async fn s8_past_the_end_a_page_is_empty_and_the_total_true() {
    let server = support::start().await;
    for (page, shown) in [("1", 1), ("2", 1), ("3", 0), ("4294967295", 0)] {
        let call = describe(&server).param("RamRoleName", "web-role").param("PageSize", "1").param("PageNumber", page);
        let body = call.send().await.json();
        assert_eq!((pairs(&body).len(), &body["TotalCount"]), (shown, &json!(2)), "page {page}");
    }
}
