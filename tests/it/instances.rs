//! The actions around the role actions: instances, regions, zones, endpoints.

use serde_json::{Value, json};

use crate::support::{self, Call, Server};

fn call(server: &Server, action: &str) -> Call {
    server.call(action).param("RegionId", "cn-hangzhou")
}

fn ids(body: &Value) -> Vec<&str> {
    let list = body["Instances"]["Instance"].as_array().expect("a list");
    list.iter().map(|instance| instance["InstanceId"].as_str().expect("an id")).collect()
}

const WEB1: &str = "i-bp1ecsim0000000web01";
const WEB2: &str = "i-bp1ecsim0000000web02";
const BATCH: &str = "i-bp1ecsim0000batch001";
const PLAIN: &str = "i-bp1ecsim00000plain01";
const CLASSIC: &str = "i-bp1ecsim0classic0001";

#[tokio::test]
async fn each_filter_of_describe_instances_narrows_the_list() {
    let server = support::start().await;
    for (name, value, expected) in [
        ("InstanceIds", r#"["i-bp1ecsim0000batch001","i-none"]"#, vec![BATCH]),
        ("InstanceIds", "[]", vec![]),
        ("InstanceName", "web-*", vec![WEB1, WEB2]),
        ("InstanceName", "web-1", vec![WEB1]),
        ("Status", "Stopped", vec![BATCH]),
        ("InstanceNetworkType", "classic", vec![CLASSIC]),
        ("VpcId", "vpc-bp1ecsim00000default", vec![WEB1, WEB2, BATCH, PLAIN]),
        ("VSwitchId", "vsw-none", vec![]),
        ("ZoneId", "cn-hangzhou-k", vec![WEB1, WEB2, BATCH, PLAIN, CLASSIC]),
        ("InstanceTypeFamily", "ecs.g6", vec![WEB1, WEB2, BATCH, PLAIN, CLASSIC]),
        ("InstanceChargeType", "PrePaid", vec![]),
        ("EipAddresses", r#"["203.0.113.11"]"#, vec![WEB1]),
        ("PublicIpAddresses", r#"["203.0.113.15"]"#, vec![CLASSIC]),
        ("PrivateIpAddresses", r#"["172.16.0.10"]"#, vec![WEB1]),
        ("Tag.1.Key", "tier", vec![WEB1, WEB2, BATCH]),
        ("LockReason", "security", vec![]),
        ("KeyPairName", "", vec![WEB1, WEB2, BATCH, PLAIN, CLASSIC]),
    ] {
        let body = call(&server, "DescribeInstances").param(name, value).send().await.json();
        assert_eq!(ids(&body), expected, "{name}={value}");
        assert_eq!(body["TotalCount"], expected.len(), "{name}={value}");
    }
    let both = call(&server, "DescribeInstances").param("Tag.1.Key", "tier").param("Tag.1.Value", "web");
    assert_eq!(ids(&both.param("InstanceName", "*2").send().await.json()), [WEB2], "all filters hold");
}

#[tokio::test]
async fn bad_values_of_describe_instances_have_their_codes() {
    let server = support::start().await;
    for (name, value, status, code) in [
        ("InstanceIds", "i-a", 400, "InvalidParameter"),
        ("Status", "Dancing", 404, "InvalidStatus.NotFound"),
        ("InstanceNetworkType", "mesh", 404, "InvalidNetworkType.NotFound"),
        ("InstanceChargeType", "Free", 404, "InvalidInstanceChargeType.NotFound"),
        ("Tag.1.Value", "web", 400, "InvalidTag.Mismatch"),
        ("Tag.0.Key", "web", 400, "InvalidParameter"),
        ("PageSize", "101", 400, "InvalidParameter"),
        ("NextToken", "x", 400, "InvalidParameter"),
        ("DryRun", "true", 400, "DryRunOperation"),
        ("RegionId", "mars", 404, "InvalidRegionId.NotFound"),
    ] {
        let answer = call(&server, "DescribeInstances").param(name, value).send().await;
        assert_eq!(answer.code(), (status, code.to_owned()), "{name}={value}");
    }
}

#[tokio::test]
async fn both_pagings_reach_every_instance_once() {
    let seed = json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "instances": [{ "id": "i-%03d", "count": 25 }],
    }] });
    let server = support::start_seeded(seed).await;
    let all: Vec<_> = (0..25).map(|n| format!("i-{n:03}")).collect();
    let mut seen = Vec::new();
    for page in 1..=4 {
        let call = call(&server, "DescribeInstances").param("PageSize", "10").param("PageNumber", page.to_string());
        let body = call.send().await.json();
        assert_eq!(
            (&body["TotalCount"], &body["PageNumber"], &body["NextToken"]),
            (&json!(25), &json!(page), &json!(""))
        );
        seen.extend(ids(&body).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, all);
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let call = call(&server, "DescribeInstances").param("MaxResults", "1").param("NextToken", token.clone());
        let body = call.send().await.json();
        assert_eq!(body["PageSize"], 10, "fewer than ten are ten");
        seen.extend(ids(&body).into_iter().map(str::to_owned));
        body["NextToken"].as_str().expect("a token").clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn an_instance_in_a_vpc_and_a_classic_one_have_their_shapes() {
    let server = support::start().await;
    let answer = call(&server, "DescribeInstances").send().await;
    let body = answer.json();
    let list = &body["Instances"]["Instance"];
    let (vpc, classic) = (&list[0], &list[4]);
    assert_eq!(vpc["VpcAttributes"]["PrivateIpAddress"]["IpAddress"], json!(["172.16.0.10"]));
    assert_eq!((&vpc["InnerIpAddress"], &vpc["IoOptimized"]), (&json!({ "IpAddress": [] }), &json!(true)));
    assert_eq!(vpc["NetworkInterfaces"]["NetworkInterface"][0]["Type"], "Primary");
    assert_eq!(vpc["CreationTime"], "2026-01-05T08:00Z");
    assert_eq!(classic["VpcAttributes"]["VSwitchId"], "");
    assert_eq!(classic["InnerIpAddress"]["IpAddress"], json!(["172.16.0.14"]));
    assert_eq!(classic["NetworkInterfaces"]["NetworkInterface"], json!([]));
    let first = answer.text.split("InstanceId").nth(1).expect("the first instance");
    assert!(first.find("EipAddress") < first.find("PublicIpAddress"), "a client depends on this order");
    assert!(!answer.text.contains("RamRole"), "no member shows the role");
}

#[tokio::test]
async fn describe_instance_status_lists_states_of_the_asked_instances() {
    let server = support::start().await;
    let some = call(&server, "DescribeInstanceStatus").param("InstanceId.2", BATCH).param("InstanceId.1", WEB1);
    let body = some.param("InstanceId.3", "i-none").send().await.json();
    let expected = json!([
        { "Status": "Running", "InstanceId": WEB1 },
        { "Status": "Stopped", "InstanceId": BATCH },
    ]);
    assert_eq!((&body["InstanceStatuses"]["InstanceStatus"], &body["TotalCount"]), (&expected, &json!(2)));
    let many = (1..=101).fold(call(&server, "DescribeInstanceStatus"), |call, n| {
        call.param(&format!("InstanceId.{n}"), format!("i-{n}"))
    });
    assert_eq!(many.send().await.code(), (403, "InvalidParameter.TooManyInstanceIds".to_owned()));
    for (name, value, status, code) in [
        ("InstanceId.x", "i-1", 403, "Abs.InvalidInstanceIds.MalFormed"),
        ("ZoneId", "cn-hangzhou-z", 404, "InvalidZoneId.NotFound"),
        ("PageSize", "51", 400, "InvalidParameter"),
    ] {
        let answer = call(&server, "DescribeInstanceStatus").param(name, value).send().await;
        assert_eq!(answer.code(), (status, code.to_owned()), "{name}={value}");
    }
}

#[tokio::test]
async fn describe_instance_attribute_is_flat_and_io_optimized_a_text() {
    let server = support::start().await;
    let body = server.call("DescribeInstanceAttribute").param("InstanceId", WEB1).send().await.json();
    assert_eq!((&body["InstanceId"], &body["IoOptimized"]), (&json!(WEB1), &json!("optimized")));
    let eip = json!({
        "AllocationId": "eip-bp1ecsim0000000web01",
        "IpAddress": "203.0.113.11",
        "InternetChargeType": "PayByTraffic",
        "Bandwidth": 5,
    });
    assert_eq!(body["EipAddress"], eip, "one member fewer than in DescribeInstances");
    for id in ["i-none", "i-bp1other000000000001"] {
        let text = "The specified InstanceId does not exist.".to_owned();
        let answer = server.call("DescribeInstanceAttribute").param("InstanceId", id).send().await;
        assert_eq!(answer.refusal(), (404, "InvalidInstanceId.NotFound".to_owned(), text));
    }
}

#[tokio::test]
async fn regions_and_zones_have_names_in_the_asked_language() {
    let server = support::start().await;
    for (language, name) in [("", "华东1（杭州）"), ("zh-CN", "华东1（杭州）"), ("en-US", "China (Hangzhou)")]
    {
        let body = server.call("DescribeRegions").param("AcceptLanguage", language).send().await.json();
        let regions = body["Regions"]["Region"].as_array().expect("a list");
        assert_eq!(regions.len(), 40);
        let hangzhou = regions.iter().find(|region| region["RegionId"] == "cn-hangzhou").expect("it is there");
        assert_eq!(hangzhou["LocalName"], name);
        assert_eq!(hangzhou["RegionEndpoint"], "ecs-cn-hangzhou.aliyuncs.com");
    }
    for (action, name, value, code) in [
        ("DescribeRegions", "AcceptLanguage", "fr", "InvalidAcceptLanguage.NotFound"),
        ("DescribeRegions", "ResourceType", "cat", "InvalidResourceType.NotFound"),
        ("DescribeZones", "AcceptLanguage", "fr", "InvalidAcceptLanguage.NotFound"),
        ("DescribeZones", "InstanceChargeType", "Free", "InvalidInstanceChargeType.NotFound"),
        ("DescribeZones", "RegionId", "mars", "InvalidRegionId.NotFound"),
    ] {
        assert_eq!(call(&server, action).param(name, value).send().await.code(), (404, code.to_owned()));
    }
    let spot = call(&server, "DescribeZones").param("SpotStrategy", "x").send().await;
    assert_eq!(spot.code(), (400, "InvalidSpotStrategy".to_owned()));
    let body = call(&server, "DescribeZones").send().await.json();
    let zone = &body["Zones"]["Zone"][0];
    assert_eq!(zone["ZoneId"], "cn-hangzhou-b");
    assert_eq!(zone["AvailableResources"]["ResourcesInfo"][0]["NetworkTypes"]["supportedNetworkCategory"][0], "vpc");
}

#[tokio::test]
async fn a_product_without_a_list_knows_no_other_action() {
    let server = support::start().await;
    for version in ["2015-06-12", "2016-04-28", "2017-12-14"] {
        let answer = server.call("DescribeVpcs").param("Version", version).send().await;
        assert_eq!(answer.code(), (404, "InvalidAction.NotFound".to_owned()));
    }
}

#[tokio::test]
async fn describe_endpoints_answers_with_the_called_address() {
    let server = support::start().await;
    let call = || server.call("DescribeEndpoints").param("Version", "2015-06-12");
    let good = call().param("Id", "cn-hangzhou").param("ServiceCode", "ecs").param("Type", "openAPI");
    let body = good.send().await.json();
    assert_eq!(body["Success"], true);
    assert_eq!(body["Endpoints"]["Endpoint"][0]["Endpoint"], server.authority());
    assert_eq!(body["Endpoints"]["Endpoint"][0]["SerivceCode"], "ecs");
    let refusal = call().param("Id", "mars").param("ServiceCode", "ecs").send().await;
    assert_eq!(refusal.code(), (404, "InvalidRegionId".to_owned()));
    assert_eq!(call().send().await.code(), (400, "Illegal Parameter".to_owned()));
}

#[tokio::test]
async fn metadata_options_are_changed_one_by_one_and_shown() {
    let server = support::start().await;
    let shown = async || {
        let body = call(&server, "DescribeInstances").param("InstanceIds", json!([WEB1, WEB2]).to_string());
        let body = body.send().await.json();
        let of = |n: usize| body["Instances"]["Instance"][n]["MetadataOptions"].clone();
        (of(0), of(1))
    };
    let options = |endpoint: &str, tokens: &str, hops: u32| json!({ "HttpEndpoint": endpoint, "HttpTokens": tokens, "HttpPutResponseHopLimit": hops });
    let modify = async |endpoint: &str, more: &[(&str, &str)]| {
        let call = call(&server, "ModifyInstanceMetadataOptions").param("InstanceId", WEB1);
        let call =
            more.iter().fold(call.param("HttpEndpoint", endpoint), |call, (name, value)| call.param(name, *value));
        let answer = call.send().await;
        assert_eq!(answer.json().as_object().expect("an object").len(), 1, "{}", answer.text);
        shown().await.0
    };
    let untouched = options("enabled", "optional", 1);
    assert_eq!(shown().await, (untouched.clone(), untouched.clone()));
    assert_eq!(modify("enabled", &[("HttpTokens", "required")]).await, options("enabled", "required", 1));
    assert_eq!(modify("disabled", &[("HttpPutResponseHopLimit", "64")]).await, options("disabled", "required", 64));
    let back = modify("enabled", &[("HttpTokens", "optional"), ("InstanceMetadataTags", "disabled")]).await;
    assert_eq!(back, options("enabled", "optional", 64));
    assert_eq!(shown().await.1, untouched, "of the other instance");
}

#[tokio::test]
async fn bad_metadata_options_have_their_codes_and_change_nothing() {
    let server = support::start().await;
    for (name, value, status, code) in [
        ("HttpEndpoint", "on", 400, "InvalidHttpEndpoint.NotSupported"),
        ("HttpEndpoint", "", 400, "MissingParameter"),
        ("HttpTokens", "Required", 400, "InvalidHttpTokens.NotSupported"),
        ("HttpPutResponseHopLimit", "0", 400, "InvalidHttpPutResponseHopLimit.NotSupported"),
        ("HttpPutResponseHopLimit", "65", 400, "InvalidHttpPutResponseHopLimit.NotSupported"),
        ("HttpPutResponseHopLimit", "x", 400, "InvalidHttpPutResponseHopLimit.NotSupported"),
        ("InstanceMetadataTags", "enabled", 400, "InvalidInstanceMetadataTags.NotSupported"),
        ("InstanceId", "i-none", 404, "InvalidInstanceId.NotFound"),
        ("InstanceId", "i-2zeecsim0000000web01", 404, "InvalidInstanceId.NotFound"),
        ("InstanceId", "", 400, "MissingParameter"),
        ("RegionId", "mars", 404, "InvalidRegionId.NotFound"),
    ] {
        let call = call(&server, "ModifyInstanceMetadataOptions").param("InstanceId", WEB1);
        let call = call.param("HttpEndpoint", "disabled").param(name, value);
        assert_eq!(call.send().await.code(), (status, code.to_owned()), "{name}={value}");
    }
    let enabled = server.world(|world| world.instance(WEB1).map(|i| i.spec.metadata_options.enabled));
    assert_eq!(enabled, Some(true));
    let reader =
        call(&server, "ModifyInstanceMetadataOptions").param("InstanceId", WEB1).param("HttpEndpoint", "enabled");
    assert_eq!(reader.key("test-reader", "test-reader").send().await.code(), (403, "Forbidden.RAM".to_owned()));
}
