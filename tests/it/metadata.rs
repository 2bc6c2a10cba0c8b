//! The instance metadata service (imds.md), who asks it, and the clock that it lives by.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ecsim::control::{Access, Origin};
use ecsim::emulator::Builder;
use ecsim::http::Limits;
use ecsim::metadata;
use ecsim::settings::Settings;
use ecsim::world::{MOST_METADATA_TOKENS, NamedInstance, SystemClock};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{self, Answer, Server, client};

const WEB: &str = "i-bp1ecsim0000000web01";
const PLAIN: &str = "i-bp1ecsim00000plain01";
const CLASSIC: &str = "i-bp1ecsim0classic0001";
const TOKEN: &str = "X-aliyun-ecs-metadata-token";
const LIFETIME: &str = "X-aliyun-ecs-metadata-token-ttl-seconds";
const ROLES: &str = "meta-data/ram/security-credentials/";

/// Whoever asks is the first web server.
fn as_web(builder: Builder) -> Builder {
    builder.metadata(metadata::Settings { default_instance: NamedInstance::parse(WEB), ..Default::default() })
}

async fn start() -> Server {
    support::start_with(as_web).await
}

impl Server {
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        client().request(Method::from_bytes(method.as_bytes()).expect("a method"), format!("{}{path}", self.url()))
    }

    /// What stands at a path below /latest/.
    async fn item(&self, path: &str) -> (u16, String) {
        self.at(&format!("/latest/{path}")).await
    }

    /// The same for an instance that the path names.
    async fn item_of(&self, instance: &str, path: &str) -> (u16, String) {
        self.at(&format!("/_ecsim/instances/{instance}/latest/{path}")).await
    }

    async fn at(&self, path: &str) -> (u16, String) {
        let answer = Answer::of(self.request("GET", path)).await;
        (answer.status, answer.text)
    }

    async fn token(&self, seconds: &str) -> String {
        let answer = Answer::of(self.request("PUT", "/latest/api/token").header(LIFETIME, seconds)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    async fn with_token(&self, token: &str, path: &str) -> u16 {
        Answer::of(self.request("GET", &format!("/latest/{path}")).header(TOKEN, token)).await.status
    }

    /// The credentials of the role of an instance.
    async fn credentials(&self, instance: &str, role: &str) -> Value {
        let (status, text) = self.item_of(instance, &format!("{ROLES}{role}")).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn set_clock(&self, body: Value) -> (u16, Value) {
        let answer = Answer::of(self.request("POST", "/_ecsim/clock").body(body.to_string())).await;
        (answer.status, serde_json::from_str(&answer.text).expect("JSON"))
    }

    async fn change(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        let call = self.call(action).param("RegionId", "cn-hangzhou");
        params.iter().fold(call, |call, (name, value)| call.param(name, *value)).send().await
    }

    async fn attach(&self, instance: &str, role: &str) {
        let ids = json!([instance]).to_string();
        let answer = self.change("AttachInstanceRamRole", &[("InstanceIds", &ids), ("RamRoleName", role)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    async fn detach(&self, instance: &str) {
        let ids = json!([instance]).to_string();
        assert_eq!(self.change("DetachInstanceRamRole", &[("InstanceIds", &ids)]).await.status, 200);
    }

    async fn set_options(&self, options: &[(&str, &str)]) {
        let params: Vec<_> = [("InstanceId", WEB)].into_iter().chain(options.iter().copied()).collect();
        assert_eq!(self.change("ModifyInstanceMetadataOptions", &params).await.status, 200);
    }

    /// What a call of GetCallerIdentity says that is signed with a triple, V1 and ACS3.
    async fn signed(&self, triple: &Value) -> [(u16, String); 2] {
        let text = |name: &str| triple[name].as_str().expect(name).to_owned();
        let (id, secret, token) = (text("AccessKeyId"), text("AccessKeySecret"), text("SecurityToken"));
        let v1 = self.call("GetCallerIdentity").param("Version", "2015-04-01").key(&id, &secret);
        let v1 = v1.param("SecurityToken", &token).send().await;
        let acs3 = self.acs3("GetCallerIdentity").header("x-acs-version", "2015-04-01").key(&id, &secret);
        let acs3 = acs3.header("x-acs-security-token", &token).send().await;
        [v1, acs3].map(|answer| {
            let body = answer.json();
            (answer.status, body.get("Arn").or(body.get("Code")).and_then(Value::as_str).expect("a text").to_owned())
        })
    }
}

/// The title of a page of the service, which has to be whole.
fn title(page: &str) -> &str {
    assert!(page.starts_with("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC"), "{page}");
    let (_, rest) = page.split_once("<title>").expect("a title");
    let title = rest.split_once("</title>").expect("its end").0;
    assert_eq!(page.matches(&format!("<h1>{title}</h1>")).count(), 1, "{page}");
    title
}

fn refused(answer: &(u16, String), status: u16, expected: &str) {
    assert_eq!((answer.0, title(&answer.1)), (status, expected));
}

#[tokio::test]
async fn each_item_says_what_ecs_says() {
    let server = start().await;
    let body = server.change("DescribeInstances", &[("InstanceIds", &json!([WEB]).to_string())]).await.json();
    let ecs = &body["Instances"]["Instance"][0];
    let nic = &ecs["NetworkInterfaces"]["NetworkInterface"][0];
    let mac = nic["MacAddress"].as_str().expect("a text");
    let nics = format!("meta-data/network/interfaces/macs/{mac}");
    let address = nic["PrimaryIpAddress"].clone();
    for (path, expected) in [
        ("meta-data/instance-id", ecs["InstanceId"].clone()),
        ("meta-data/hostname", ecs["HostName"].clone()),
        ("meta-data/instance/instance-type", ecs["InstanceType"].clone()),
        ("meta-data/instance/instance-name", ecs["InstanceName"].clone()),
        ("meta-data/image-id", ecs["ImageId"].clone()),
        ("meta-data/region-id", ecs["RegionId"].clone()),
        ("meta-data/zone-id", ecs["ZoneId"].clone()),
        ("meta-data/network-type", ecs["InstanceNetworkType"].clone()),
        ("meta-data/serial-number", ecs["SerialNumber"].clone()),
        ("meta-data/mac", nic["MacAddress"].clone()),
        ("meta-data/private-ipv4", address.clone()),
        ("meta-data/eipv4", ecs["EipAddress"]["IpAddress"].clone()),
        ("meta-data/vpc-id", ecs["VpcAttributes"]["VpcId"].clone()),
        ("meta-data/vswitch-id", ecs["VpcAttributes"]["VSwitchId"].clone()),
        ("meta-data/owner-account-id", json!("1000000000000001")),
        ("meta-data/vpc-cidr-block", json!("172.16.0.0/12")),
        ("meta-data/vswitch-cidr-block", json!("172.16.0.0/16")),
        ("meta-data/instance/virtualization-solution", json!("ECS Virt")),
        ("meta-data/instance/virtualization-solution-version", json!("2.0")),
        ("meta-data/instance/max-netbw-egress", json!("1228800")),
        ("meta-data/instance/max-netbw-ingress", json!("1228800")),
        ("meta-data/source-address", json!("http://mirrors.cloud.aliyuncs.com")),
        ("meta-data/ntp-conf/ntp-servers", json!("ntp1.aliyun.com")),
        ("meta-data/dns-conf/nameservers", json!("100.100.2.136\n100.100.2.138")),
        ("maintenance/active-system-events", json!("None")),
        (&format!("{nics}/network-interface-id"), nic["NetworkInterfaceId"].clone()),
        (&format!("{nics}/primary-ip-address"), address.clone()),
        (&format!("{nics}/private-ipv4s"), json!(json!([address]).to_string())),
        (&format!("{nics}/netmask"), json!("255.255.0.0")),
        (&format!("{nics}/gateway"), json!("172.16.255.253")),
        (&format!("{nics}/vpc-id"), ecs["VpcAttributes"]["VpcId"].clone()),
        (&format!("{nics}/vswitch-id"), ecs["VpcAttributes"]["VSwitchId"].clone()),
        (&format!("{nics}/vpc-cidr-block"), json!("172.16.0.0/12")),
        (&format!("{nics}/vswitch-cidr-block"), json!("172.16.0.0/16")),
    ] {
        let expected = expected.as_str().unwrap_or_else(|| panic!("no text for {path}")).to_owned();
        assert_eq!(server.item(path).await, (200, expected.clone()), "{path}");
        assert_eq!(server.at(&format!("/2016-01-01/{path}")).await, (200, expected), "{path} by date");
    }
    assert!(mac.starts_with("00:16:3e:"), "{mac}");
}

#[tokio::test]
async fn what_an_instance_does_not_have_is_404_and_in_no_listing() {
    let seed = json!({ "accounts": [{ "instances": [
        { "id": "i-all", "key_pair": "k", "public_key": "ssh-ed25519 A", "user_data": "#!/bin/sh\n", "public_ip": "203.0.113.2",
          "name": "n", "serial_number": "s", "mac": "00:16:3e:00:00:01", "created": "2026-01-05T08:00:00Z" },
        { "id": "i-none" },
        { "id": "i-windows", "os_type": "windows" },
        { "id": "i-bought", "market_place_product_code": "cmjj0001", "market_place_charge_type": "PrePaid" },
        { "id": "i-spot", "spot_strategy": "SpotAsPriceGo" },
        { "id": "i-ending", "spot_strategy": "SpotAsPriceGo", "spot_termination_time": "2020-04-07T17:03:00Z" },
        { "id": "i-small", "vpc_cidr": "192.168.7.0/24", "private_ip": "192.168.7.9" },
        { "id": "i-classic", "network": "classic" },
    ] }] });
    let server = support::start_seeded(seed).await;
    for (path, value) in [
        ("user-data", "#!/bin/sh\n"),
        ("meta-data/public-keys/", "k/"),
        ("meta-data/public-keys/k/openssh-key", "ssh-ed25519 A"),
        ("meta-data/public-ipv4", "203.0.113.2"),
        ("meta-data/instance/instance-name", "n"),
        ("meta-data/instance/last-host-landing-time", "2026-01-05T08:00:00Z"),
        ("meta-data/serial-number", "s"),
        ("meta-data/network/interfaces/macs/", "00:16:3e:00:00:01/"),
    ] {
        assert_eq!(server.item_of("i-all", path).await, (200, value.to_owned()), "{path}");
    }
    for path in ["user-data", "meta-data/public-keys/", "meta-data/public-ipv4", "meta-data/eipv4", ROLES] {
        refused(&server.item_of("i-none", path).await, 404, "404 - Not Found");
    }
    assert_eq!(
        server.item_of("i-small", "meta-data/vswitch-cidr-block").await,
        (200, "192.168.7.0/24".to_owned()),
        "all of a VPC that is smaller than the block of a vSwitch"
    );
    assert_eq!(
        server.item_of("i-all", "meta-data/eipv4").await.1,
        "203.0.113.2",
        "a public address, for want of an EIP"
    );
    for (id, path, value) in [
        ("i-windows", "kms-server", "kms.cloud.aliyuncs.com"),
        ("i-windows", "wsus-server/", "wu-server\nwu-status-server"),
        ("i-windows", "wsus-server/wu-server", "http://update.cloud.aliyuncs.com"),
        ("i-windows", "wsus-server/wu-status-server", "http://update.cloud.aliyuncs.com"),
        ("i-none", "source-address", "http://mirrors.cloud.aliyuncs.com"),
        ("i-bought", "image/", "market-place/"),
        ("i-bought", "image/market-place/product-code", "cmjj0001"),
        ("i-bought", "image/market-place/charge-type", "PrePaid"),
        ("i-ending", "instance/spot/", "termination-time"),
        ("i-ending", "instance/spot/termination-time", "2020-04-07T17:03:00Z"),
    ] {
        let path = format!("meta-data/{path}");
        assert_eq!(server.item_of(id, &path).await, (200, value.to_owned()), "{path} of {id}");
        let others = ["i-none", "i-windows", "i-bought", "i-spot"].into_iter().filter(|other| *other != id);
        for other in others.filter(|other| !path.ends_with("source-address") || *other == "i-windows") {
            refused(&server.item_of(other, &path).await, 404, "404 - Not Found");
        }
    }
    for path in ["meta-data/vpc-id", "meta-data/network/interfaces/macs/", "meta-data/vswitch-cidr-block"] {
        refused(&server.item_of("i-classic", path).await, 404, "404 - Not Found");
    }
    let (_, with) = server.item_of("i-all", "").await;
    let (_, without) = server.item_of("i-none", "").await;
    assert_eq!(
        (&*with, &*without),
        ("dynamic/\nmaintenance/\nmeta-data/\nuser-data", "dynamic/\nmaintenance/\nmeta-data/")
    );
    let name = server.item_of("i-none", "meta-data/hostname").await;
    assert_eq!(name, (200, "iZnoneZ".to_owned()));
}

#[tokio::test]
async fn what_an_instance_is_made_of_is_the_same_for_ecs_and_for_itself() {
    let seed = json!({ "accounts": [{ "keys": [{ "id": "test", "secret": "test" }], "instances": [
        { "id": "i-linux" },
        { "id": "i-windows", "os_type": "windows", "spot_strategy": "SpotAsPriceGo", "public_ip": "203.0.113.2" },
    ] }] });
    let server = support::start_seeded(seed).await;
    let body = server.change("DescribeInstances", &[]).await.json();
    let rows = body["Instances"]["Instance"].as_array().expect("an array");
    for (name, expected) in [
        ("InstanceId", ["i-linux", "i-windows"]),
        ("OSType", ["linux", "windows"]),
        ("SpotStrategy", ["NoSpot", "SpotAsPriceGo"]),
    ] {
        assert_eq!(rows.iter().map(|row| &row[name]).collect::<Vec<_>>(), expected, "{name}");
    }
    let windows = rows.iter().find(|row| row["OSType"] == "windows").expect("a row");
    assert!(windows["OSNameEn"].as_str().is_some_and(|name| name.starts_with("Windows")), "{windows}");
    assert_eq!(
        windows["PublicIpAddress"]["IpAddress"],
        json!([server.item_of("i-windows", "meta-data/eipv4").await.1])
    );
}

#[tokio::test]
async fn what_only_the_vendor_can_say_and_what_no_instance_has_here_is_404() {
    let server = start().await;
    for path in [
        "dynamic/instance-identity/pkcs7",
        "dynamic/instance-identity/pkcs7?audience=a",
        "meta-data/disks/",
        "meta-data/tags/",
    ] {
        refused(&server.item(path).await, 404, "404 - Not Found");
    }
    let mac = server.item("meta-data/mac").await.1;
    for path in ["ipv6s", "ipv6-gateway", "vswitch-ipv6-cidr-block"] {
        refused(&server.item(&format!("meta-data/network/interfaces/macs/{mac}/{path}")).await, 404, "404 - Not Found");
    }
    assert_eq!(server.item("dynamic/instance-identity/").await, (200, "document".to_owned()), "as the listing says");
}

#[tokio::test]
async fn every_path_that_a_listing_names_is_there_and_every_folder_answers_with_and_without_its_slash() {
    let server = start().await;
    let mut folders = vec![String::new()];
    let mut items = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        let (status, text) = server.item(&folder).await;
        assert_eq!(status, 200, "{folder}");
        assert!(!text.ends_with('\n'), "{folder}");
        assert_eq!(server.item(folder.trim_end_matches('/')).await, (200, text.clone()), "{folder}");
        for name in text.lines() {
            let path = format!("{folder}{name}");
            if name.ends_with('/') {
                folders.push(path);
            } else {
                let (status, text) = server.item(&path).await;
                assert_eq!(status, 200, "{path}");
                assert!(items.insert(path.clone(), text).is_none(), "{path} is listed twice");
                assert_eq!(server.item(&format!("{path}/")).await.0, 404, "{path} is no folder");
            }
        }
    }
    assert!(items.contains_key("meta-data/ram/security-credentials/web-role"), "{items:?}");
    assert!(items.len() > 35, "{items:?}");
    for path in ["meta-data/none", "meta-data/instance-id/x", "meta-data//mac", "api", "meta-dat"] {
        refused(&server.item(path).await, 404, "404 - Not Found");
    }
    for root in ["/latest", "/latest/", "/2016-01-01", "/2016-01-01/"] {
        assert_eq!(server.at(root).await.0, 200, "{root}");
    }
}

#[tokio::test]
async fn the_identity_document_has_its_members_in_the_published_order() {
    let server = start().await;
    let (_, text) = server.item("dynamic/instance-identity/document").await;
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let members: Vec<_> = document.as_object().expect("an object").keys().collect();
    let published =
        "zone-id serial-number instance-id region-id private-ipv4 owner-account-id mac image-id instance-type";
    assert_eq!(members, published.split(' ').collect::<Vec<_>>());
    for name in ["zone-id", "serial-number", "instance-id", "region-id", "private-ipv4", "owner-account-id", "mac"] {
        assert_eq!(document[name], server.item(&format!("meta-data/{name}")).await.1, "{name}");
    }
    assert!(text.starts_with("{\"zone-id\":\"") && !text.contains(['\n', ' ']), "{text}");
}

#[tokio::test]
async fn ram_is_matched_in_any_case_an_empty_query_is_none_and_an_absolute_target_is_taken() {
    let server = start().await;
    let role = (200, "web-role".to_owned());
    for path in ["ram/security-credentials/", "Ram/security-credentials/", "RAM/security-credentials"] {
        assert_eq!(server.item(&format!("meta-data/{path}")).await, role, "{path}");
    }
    assert_eq!(server.item("meta-data/Mac").await.0, 404, "only that part");
    // Go writes an empty query, and a proxy's client the whole URL.
    for target in [
        "/latest/meta-data/ram/security-credentials/?",
        "http://100.100.100.200/latest/meta-data/ram/security-credentials/",
    ] {
        let answer =
            server.raw(format!("GET {target} HTTP/1.1\r\nHost: 100.100.100.200\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nweb-role"), "{answer}");
    }
    // The constant of a library put right by hand brings a scheme into Host; what is in it tells nothing.
    for head in
        ["HTTP/1.1\r\nHost: http://127.0.0.1:8001", "HTTP/1.1\r\nHost: evil.example", "HTTP/1.1\r\nHost:", "HTTP/1.0"]
    {
        let answer = server.raw(format!("GET /latest/meta-data/instance-id {head}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.contains(" 200 OK") && answer.ends_with(&format!("\r\n\r\n{WEB}")), "{head}: {answer}");
    }
    let head = Answer::of(server.request("HEAD", "/latest/meta-data/instance-id")).await;
    assert_eq!((head.status, &*head.text), (200, ""));
    // Java sends no Content-Length.
    let put = format!("PUT http://100.100.100.200/latest/api/token? HTTP/1.1\r\nHost: x\r\n{LIFETIME}: 21600\r\n");
    let answer = server.raw(format!("{put}Connection: close\r\n\r\n")).await;
    let token = answer.rsplit("\r\n\r\n").next().expect("a body");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.with_token(token, "meta-data/mac").await, 200);
}

#[tokio::test]
async fn a_token_lives_from_one_second_to_six_hours() {
    let server = start().await;
    for seconds in ["1", "21600", "0060"] {
        let token = server.token(seconds).await;
        assert!(!token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        assert_eq!(server.with_token(&token, "meta-data/mac").await, 200, "{seconds}");
    }
    for seconds in ["0", "21601", "21700", "", "-1", "+1", "1.5", "1s", "99999999999999999999"] {
        let answer = Answer::of(server.request("PUT", "/latest/api/token").header(LIFETIME, seconds)).await;
        refused(&(answer.status, answer.text), 400, "400 - Missing or Invalid Parameters");
    }
    let without = Answer::of(server.request("PUT", "/latest/api/token")).await;
    refused(&(without.status, without.text), 400, "400 - Missing or Invalid Parameters");
    let get = Answer::of(server.request("GET", "/latest/api/token").header(LIFETIME, "60")).await;
    refused(&(get.status, get.text), 405, "405 - Method Not Allowed");
    for method in ["PUT", "POST", "DELETE"] {
        let answer = Answer::of(server.request(method, "/latest/meta-data/mac")).await;
        refused(&(answer.status, answer.text), 405, "405 - Method Not Allowed");
    }
    // Whether the lifetime is left out, or good, or the header empty.
    for (lifetime, value) in [(None, "10.0.0.1"), (Some("60"), "www.example.com"), (Some("60"), "")] {
        let forwarded = server.request("PUT", "/latest/api/token").header("X-Forwarded-For", value);
        let forwarded = lifetime.into_iter().fold(forwarded, |request, seconds| request.header(LIFETIME, seconds));
        let forwarded = Answer::of(forwarded).await;
        refused(&(forwarded.status, forwarded.text), 403, "403 - Forbidden");
    }
    let get = server.request("GET", "/latest/meta-data/instance-id").header("X-Forwarded-For", "10.0.0.1");
    assert_eq!(Answer::of(get).await.status, 200, "only tokens are refused");
}

#[tokio::test]
async fn a_token_is_good_for_its_instance_until_it_expires_by_the_world_s_clock() {
    let server = start().await;
    let token = server.token("60").await;
    let header = |request: reqwest::RequestBuilder, name: &str| request.header(name, token.clone());
    for name in ["x-aliyun-ecs-metadata-token", "X-Aliyun-Ecs-Metadata-Token"] {
        assert_eq!(
            Answer::of(header(server.request("GET", "/latest/meta-data/mac"), name)).await.status,
            200,
            "{name}"
        );
    }
    let other = server.request("GET", &format!("/_ecsim/instances/{PLAIN}/latest/meta-data/mac"));
    let other = Answer::of(header(other, TOKEN)).await;
    refused(&(other.status, other.text), 401, "401 - Unauthorized");
    assert_eq!(server.with_token("aaa", "meta-data/mac").await, 401, "a wrong one, though none is needed");
    assert_eq!(server.with_token("", "meta-data/mac").await, 401);
    server.advance("59s");
    assert_eq!(server.with_token(&token, "meta-data/mac").await, 200);
    server.advance("1s");
    assert_eq!(server.with_token(&token, "meta-data/mac").await, 401);
    assert_eq!(server.item("meta-data/mac").await.0, 200, "without a token");
}

#[tokio::test]
async fn an_instance_that_requires_tokens_refuses_whoever_shows_none() {
    let server = start().await;
    server.set_options(&[("HttpEndpoint", "enabled"), ("HttpTokens", "required")]).await;
    for path in ["meta-data/", ROLES, "dynamic/instance-identity/document", "nothing"] {
        refused(&server.item(path).await, 403, "403 - Forbidden");
    }
    let token = server.token("60").await;
    assert_eq!(server.with_token(&token, ROLES).await, 200);
    assert_eq!(server.item_of(PLAIN, "meta-data/mac").await.0, 200, "another instance");
    server.set_options(&[("HttpEndpoint", "disabled")]).await;
    for path in ["/latest/meta-data/mac", "/latest/", "/2016-01-01/nothing"] {
        refused(&server.at(path).await, 403, "403 - Forbidden");
    }
    let answer = Answer::of(server.request("PUT", "/latest/api/token").header(LIFETIME, "60")).await;
    refused(&(answer.status, answer.text), 403, "403 - Forbidden");
    assert_eq!(server.with_token(&token, ROLES).await, 403);
    let uri = server.at(&format!("/_ecsim/instances/{WEB}/credentials")).await;
    assert_eq!(uri.0, 404, "{}", uri.1);
}

#[tokio::test]
async fn tokens_are_bounded_and_the_one_that_expires_first_makes_room() {
    let server = start().await;
    let first = server.token("1").await;
    let second = server.token("2").await;
    let client = client();
    for _ in 0..MOST_METADATA_TOKENS - 1 {
        let put = client.put(format!("{}/latest/api/token", server.url())).header(LIFETIME, "60");
        assert_eq!(put.send().await.expect("an answer").status(), 200);
    }
    assert_eq!(server.with_token(&first, "meta-data/mac").await, 401);
    assert_eq!(server.with_token(&second, "meta-data/mac").await, 200);
}

#[tokio::test]
async fn who_asks_is_told_by_path_listener_address_and_default_in_this_order() {
    let seed = json!({ "accounts": [{ "instances": [
        { "id": "i-here", "private_ip": "127.0.0.1" }, { "id": "i-door" }, { "id": "i-path" }, { "id": "i-default" },
    ] }] });
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let server = support::start_with(|builder| {
        let default_instance = NamedInstance::parse("i-default");
        let settings = metadata::Settings { default_instance, ..Default::default() };
        builder
            .seed("test.json", seed.to_string())
            .metadata(settings)
            .listen_as(any, NamedInstance::parse("i-door").expect("an id"))
    })
    .await;
    let [(door, _)] = server.emulator.instance_addresses() else { panic!("one listener") };
    let ask = async |url: String| Answer::of(client().get(url)).await.text;
    assert_eq!(server.item("meta-data/instance-id").await.1, "i-here");
    assert_eq!(server.item_of("i-path", "meta-data/instance-id").await.1, "i-path");
    assert_eq!(ask(format!("http://{door}/latest/meta-data/instance-id")).await, "i-door");
    let same = ask(format!("http://{door}/_ecsim/instances/i-door/latest/meta-data/instance-id")).await;
    assert_eq!(same, "i-door");
    let other = ask(format!("http://{door}/_ecsim/instances/i-path/latest/meta-data/instance-id")).await;
    assert!(other.contains("This listener is for instance i-door, and the path names i-path."), "{other}");
    let socket = std::env::temp_dir().join(format!("ecsim-metadata-{}.sock", std::process::id()));
    let server = support::start_with(|builder| {
        let settings = metadata::Settings { default_instance: NamedInstance::parse(WEB), ..Default::default() };
        builder.metadata(settings).listen(any).unix(&socket)
    })
    .await;
    assert_eq!(server.item("meta-data/instance-id").await.1, WEB, "no instance has the address");
    let client = reqwest::Client::builder().no_proxy().unix_socket(socket.as_path()).build().expect("a client");
    assert_eq!(Answer::of(client.get("http://x/latest/meta-data/instance-id")).await.text, WEB);
}

#[tokio::test]
async fn nobody_is_taken_for_an_instance_by_chance() {
    let server = support::start().await;
    let answer = server.item("meta-data/instance-id").await;
    refused(&answer, 403, "403 - Forbidden");
    assert!(answer.1.contains("<p>No instance has the address of who asks, 127.0.0.1. Say which"), "{}", answer.1);
    assert!(answer.1.contains("--metadata-default INSTANCE"), "{}", answer.1);
    let answer = server.item_of("i-%3Cb%3E", "meta-data/instance-id").await;
    refused(&answer, 403, "403 - Forbidden");
    assert!(answer.1.contains("There is no instance i-&lt;b&gt;."), "{}", answer.1);
    for id in ["%FF", WEB] {
        refused(&server.item_of(id, "meta-data/%FF").await, 404, "404 - Not Found");
    }
    let seed = json!({ "accounts": [{ "instances": [
        { "id": "i-1", "private_ip": "127.0.0.1" }, { "id": "i-2", "private_ip": "127.0.0.1" },
    ] }] });
    let server = support::start_with(|builder| {
        as_web(builder)
            .seed(
                "web.json",
                json!({ "accounts": [{ "instances": [
        { "id": WEB },
    ] }] })
                .to_string(),
            )
            .seed("test.json", seed.to_string())
    })
    .await;
    let answer = server.item("meta-data/instance-id").await;
    refused(&answer, 403, "403 - Forbidden");
    assert!(answer.1.contains("Several instances have the address 127.0.0.1: i-1, i-2."), "{}", answer.1);
}

#[tokio::test]
async fn whoever_says_two_things_is_told_so() {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let server = support::start_with(|builder| {
        let door = |text| NamedInstance::parse(text).expect("an id");
        as_web(builder).listen_as(any, door(WEB)).listen_as(any, door(&format!("{WEB}@gw0")))
    })
    .await;
    let [(door, _), (named_door, _)] = server.emulator.instance_addresses() else { panic!("two listeners") };
    let ask = async |url: String, namespaces: &[&str]| {
        let request = client().get(url);
        let request = namespaces.iter().fold(request, |request, name| request.header("x-ecsim-namespace", *name));
        let answer = Answer::of(request).await;
        (answer.status, answer.text)
    };
    let item = "latest/meta-data/instance-id";
    let by_path = format!("/_ecsim/instances/{WEB}@gw0");
    for (place, namespaces, reason) in [
        ("", &["gw0", "gw1"][..], "The header x-ecsim-namespace is there twice, with two names."),
        ("", &["a b"], "The header x-ecsim-namespace names no namespace."),
        (&*by_path, &["gw1"], "names another namespace."),
    ] {
        let answer = ask(format!("{}{place}/{item}", server.url()), namespaces).await;
        refused(&answer, 400, "400 - Missing or Invalid Parameters");
        assert!(answer.1.contains(&format!("{reason}</p>")), "{}", answer.1);
        let answer = ask(format!("{}{by_path}/credentials", server.url()), namespaces).await;
        let text: Value = serde_json::from_str(&answer.1).expect("JSON");
        assert_eq!((answer.0, &text["error"]["code"]), (400, &json!("InvalidNamespace")), "{text}");
        assert!(text["error"]["message"].as_str().is_some_and(|text| text.ends_with(reason)), "{text}");
    }
    let answer = ask(format!("http://{named_door}/{item}"), &["gw1"]).await;
    refused(&answer, 400, "400 - Missing or Invalid Parameters");
    for (url, namespaces, reason) in [
        (
            format!("http://{door}/_ecsim/instances/{PLAIN}/{item}"),
            &[][..],
            "and the path names i-bp1ecsim00000plain01.",
        ),
        (format!("http://{named_door}/_ecsim/instances/{WEB}/{item}"), &[], "for instance i-bp1ecsim0000000web01@gw0"),
    ] {
        let answer = ask(url.clone(), namespaces).await;
        refused(&answer, 403, "403 - Forbidden");
        assert!(answer.1.contains(reason), "{url}: {}", answer.1);
    }
    for (url, reason) in [
        (format!("http://{door}/_ecsim/instances/{PLAIN}/credentials"), "and the path names i-bp1ecsim00000plain01."),
        (format!("http://{named_door}/_ecsim/instances/{WEB}/credentials"), "for instance i-bp1ecsim0000000web01@gw0"),
    ] {
        let (status, text) = ask(url, &[]).await;
        assert!(status == 404 && text.contains(reason), "{text}");
    }
    let same = ["gw0", "gw0"];
    assert_eq!(ask(format!("http://{named_door}/{item}"), &same).await, (200, WEB.to_owned()), "the same twice");
    let own = ask(format!("http://{named_door}/_ecsim/instances/{WEB}@gw0/credentials"), &[]).await;
    assert!(own.0 == 200 && own.1.contains("@gw0"), "{}", own.1);
}

#[tokio::test]
async fn what_is_refused_before_an_instance_is_found_makes_no_namespace() {
    let limits = Limits { max_header_size: 1000, max_body_size: 10, ..Limits::default() };
    let typo = ("x-ecsim-namespace", "typo");
    for default_instance in [None, NamedInstance::parse(&format!("{WEB}@gw0"))] {
        let settings = metadata::Settings { default_instance, ..Default::default() };
        let server = support::start_with(|builder| builder.limits(limits).metadata(settings)).await;
        let (item, long) = (format!("/_ecsim/instances/{WEB}@typo/latest/meta-data/mac"), "a".repeat(1000));
        for (request, status) in [
            (
                server.request("PUT", &format!("/_ecsim/instances/{WEB}@typo/latest/api/token")).body("x".repeat(11)),
                413,
            ),
            (server.request("GET", &item).header("x-long", &long), 431),
            (server.request("GET", "/_ecsim/instances/i-none@typo/credentials"), 404),
            (server.request("GET", "/_ecsim/instances/i-none@typo/latest/meta-data/mac"), 403),
            (server.request("GET", "/latest/meta-data/mac").header("x-long", &long).header(typo.0, typo.1), 431),
        ] {
            assert_eq!(Answer::of(request).await.status, status);
        }
        let answer = Answer::of(server.request("GET", "/latest/meta-data/mac").header(typo.0, typo.1)).await;
        assert!(matches!(answer.status, 400 | 403), "{}", answer.text);
        let there = server.at("/_ecsim/namespaces").await.1;
        assert!(!there.contains("typo"), "{there}");
        assert_eq!(server.item_of(&format!("{WEB}@typo"), "meta-data/instance-id").await.0, 200, "and one makes it");
        assert!(server.at("/_ecsim/namespaces").await.1.contains("typo"));
    }
}

#[tokio::test]
async fn a_page_of_the_web_meets_only_the_namespaces_that_there_are() {
    let listed = "http://localhost:3000";
    let access = Access { origins: vec![Origin::new(listed).expect("an origin")], ..Access::default() };
    let server = support::start_with(|builder| as_web(builder).access(access)).await;
    let (of_page, picture) = (("origin", "http://page.example"), ("sec-fetch-site", "cross-site"));
    let there = async || {
        let all: Value = serde_json::from_str(&server.at("/_ecsim/namespaces").await.1).expect("JSON");
        all["namespaces"].as_array().expect("a list").len()
    };
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let request = server.request("GET", path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(request).await.status
    };
    let uri = |name: &str| format!("/_ecsim/instances/{WEB}@{name}/credentials");
    let item = |name: &str| format!("/_ecsim/instances/{WEB}@{name}/latest/meta-data/mac");
    for header in [of_page, picture, ("origin", "null")] {
        assert_eq!(ask(&uri("t1"), &[header]).await, 404, "{header:?}");
        assert_eq!(ask(&item("t1"), &[header]).await, 403, "{header:?}");
        assert_eq!(ask("/latest/meta-data/mac", &[header, ("x-ecsim-namespace", "t1")]).await, 403, "{header:?}");
        assert_eq!(ask(&uri("default"), &[header]).await, 200, "{header:?}");
    }
    assert_eq!(there().await, 1);
    let from_listed = [("origin", listed), picture];
    for (place, headers) in [&[][..], &[("sec-fetch-site", "same-origin")], &from_listed].into_iter().enumerate() {
        assert_eq!(ask(&uri(&format!("n{place}")), headers).await, 200, "{headers:?}");
        assert_eq!(there().await, 2 + place);
    }
    assert_eq!(ask(&item("n0"), &[of_page]).await, 200);
}

#[tokio::test]
async fn the_role_s_name_is_bare_and_a_wrong_one_or_none_is_404() {
    let server = start().await;
    assert_eq!(server.item(ROLES).await, (200, "web-role".to_owned()));
    for role in ["batch-role", "web-role%0A", "web-rol", "web-role2", "WEB-ROLE"] {
        refused(&server.item(&format!("{ROLES}{role}")).await, 404, "404 - Not Found");
    }
    for path in [ROLES.to_owned(), format!("{ROLES}web-role"), "meta-data/ram/".to_owned()] {
        refused(&server.item_of(PLAIN, &path).await, 404, "404 - Not Found");
        refused(&server.item_of(CLASSIC, &path).await, 404, "404 - Not Found");
    }
}

#[tokio::test]
async fn credentials_have_the_documented_members_and_lifetime() {
    let server = start().await;
    let (_, text) = server.item(&format!("{ROLES}web-role")).await;
    let body: Value = serde_json::from_str(&text).expect("JSON");
    let members: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["AccessKeyId", "AccessKeySecret", "Expiration", "SecurityToken", "LastUpdated", "Code"]);
    assert!(body["AccessKeyId"].as_str().is_some_and(|id| id.starts_with("STS.")), "{body}");
    assert_eq!(body["LastUpdated"], support::NOW);
    assert_eq!(body["Expiration"], "2026-11-24T08:07:22Z", "six hours");
    assert_eq!(body["Code"], "Success");
    let arn = format!("acs:ram::1000000000000001:assumed-role/web-role/vm-ram-{WEB}");
    assert_eq!(server.signed(&body).await, [(200, arn.clone()), (200, arn)]);
    let text = |name: &str| body[name].as_str().expect(name);
    let call = server.call("GetCallerIdentity").param("Version", "2015-04-01");
    let call = call.key(text("AccessKeyId"), text("AccessKeySecret")).param("SecurityToken", text("SecurityToken"));
    let caller = call.send().await.json();
    let principal = caller["PrincipalId"].as_str().and_then(|id| id.split_once(':')).expect("two parts");
    assert_eq!((&caller["IdentityType"], principal.1), (&json!("AssumedRoleUser"), &*format!("vm-ram-{WEB}")));
    assert!(principal.0.len() == 18 && principal.0.bytes().all(|b| b.is_ascii_digit()), "{caller}");
}

#[tokio::test]
async fn the_same_credentials_are_answered_until_half_an_hour_before_their_end_and_both_are_good_then() {
    let server = start().await;
    let first = server.credentials(WEB, "web-role").await;
    server.advance("5h29m59s");
    assert_eq!(server.credentials(WEB, "web-role").await, first);
    server.advance("1s");
    let second = server.credentials(WEB, "web-role").await;
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    assert_eq!(second["Expiration"], "2026-11-24T13:37:22Z", "six hours from its own beginning");
    assert_eq!(server.credentials(WEB, "web-role").await, second);
    let passes = async |triple: &Value| server.signed(triple).await.map(|(status, _)| status);
    assert_eq!((passes(&first).await, passes(&second).await), ([200, 200], [200, 200]));
    server.advance("30m");
    assert_eq!((passes(&first).await, passes(&second).await), ([400, 400], [200, 200]));
}

#[tokio::test]
async fn a_short_lifetime_is_renewed_in_its_last_twelfth() {
    let server = support::start_with(|builder| {
        builder.metadata(metadata::Settings { credential_lifetime: SignedDuration::from_mins(2), ..Default::default() })
    })
    .await;
    let first = server.credentials(WEB, "web-role").await;
    assert_eq!(first["Expiration"], "2026-11-24T02:09:22Z");
    server.advance("109s");
    assert_eq!(server.credentials(WEB, "web-role").await, first);
    server.advance("1s");
    assert_ne!(server.credentials(WEB, "web-role").await, first);
    server.advance("3m");
    let [(status, code), acs3] = server.signed(&first).await;
    assert_eq!((status, &*code), (400, "InvalidSecurityToken.Expired"));
    assert_eq!(acs3, (400, "InvalidSecurityToken.Expired".to_owned()));
    let third = server.credentials(WEB, "web-role").await;
    assert_eq!(server.signed(&third).await.map(|(status, _)| status), [200, 200]);
}

#[tokio::test]
async fn attach_read_call_detach_is_a_closed_loop() {
    let server = support::start().await;
    assert_eq!(server.item_of(PLAIN, ROLES).await.0, 404);
    server.attach(PLAIN, "web-role").await;
    assert_eq!(server.item_of(PLAIN, ROLES).await, (200, "web-role".to_owned()));
    let triple = server.credentials(PLAIN, "web-role").await;
    let arn = format!("acs:ram::1000000000000001:assumed-role/web-role/vm-ram-{PLAIN}");
    assert_eq!(server.signed(&triple).await, [(200, arn.clone()), (200, arn.clone())]);
    server.detach(PLAIN).await;
    for path in [ROLES.to_owned(), format!("{ROLES}web-role")] {
        refused(&server.item_of(PLAIN, &path).await, 404, "404 - Not Found");
    }
    assert_eq!(server.signed(&triple).await, [(200, arn.clone()), (200, arn)], "until they expire");
    server.attach(PLAIN, "web-role").await;
    assert_ne!(server.credentials(PLAIN, "web-role").await, triple);
    server.advance("6h");
    assert_eq!(server.signed(&triple).await.map(|(status, _)| status), [400, 400]);
}

#[tokio::test]
async fn a_clock_that_has_gone_back_makes_new_credentials() {
    let server = support::start().await;
    server.advance("87600h");
    let ahead = server.credentials(WEB, "web-role").await;
    assert_eq!(server.set_clock(json!({ "mode": "real" })).await.0, 200);
    let now = server.credentials(WEB, "web-role").await;
    assert_ne!(now, ahead);
    assert_eq!(now["LastUpdated"], support::NOW);
    assert_eq!(server.credentials(WEB, "web-role").await, now);
}

#[tokio::test]
async fn with_detach_revokes_what_was_issued_ends_at_once() {
    let settings = Settings { detach_revokes: true, ..Settings::default() };
    let server = support::start_with(|builder| builder.settings(settings)).await;
    let other = server.credentials("i-bp1ecsim0000000web02", "web-role").await;
    let first = server.credentials(WEB, "web-role").await;
    server.advance("5h45m");
    let second = server.credentials(WEB, "web-role").await;
    server.detach(WEB).await;
    for triple in [&first, &second] {
        let answers = server.signed(triple).await.map(|(_, code)| code);
        assert_eq!(answers, ["InvalidAccessKeyId.NotFound"; 2]);
    }
    assert_eq!(server.signed(&other).await.map(|(status, _)| status), [200, 200], "of another instance");
}

#[tokio::test]
async fn the_policy_of_an_attachment_narrows_its_credentials() {
    let policy = |action: &str| {
        json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] }).to_string()
    };
    let seed = json!({ "accounts": [{
        "keys": [{ "id": "test", "secret": "test" }],
        "roles": [{ "name": "web", "policies": ["AliyunECSFullAccess"] }],
        "instances": [{ "id": "i-1" }],
    }] });
    let server = support::start_seeded(seed).await;
    let attach = async |policy: Option<String>| {
        let call = server.call("AttachInstanceRamRole").param("RegionId", "cn-hangzhou").param("RamRoleName", "web");
        let call = call.param("InstanceIds", r#"["i-1"]"#);
        let call = policy.into_iter().fold(call, |call, policy| call.param("Policy", policy));
        assert_eq!(call.send().await.status, 200);
    };
    let may = async |triple: &Value| {
        let text = |name: &str| triple[name].as_str().expect(name).to_owned();
        let mut statuses = Vec::new();
        for action in ["DescribeInstances", "DescribeInstanceStatus"] {
            let call = server.call(action).param("RegionId", "cn-hangzhou");
            let call = call.key(&text("AccessKeyId"), &text("AccessKeySecret"));
            statuses.push(call.param("SecurityToken", text("SecurityToken")).send().await.status);
        }
        statuses
    };
    attach(None).await;
    let whole = server.credentials("i-1", "web").await;
    assert_eq!(may(&whole).await, [200, 200]);
    attach(Some(policy("ecs:DescribeInstances"))).await;
    let narrow = server.credentials("i-1", "web").await;
    assert_ne!(narrow, whole, "another policy makes other credentials");
    assert_eq!((may(&narrow).await, may(&whole).await), (vec![200, 403], vec![200, 200]));
    attach(None).await;
    assert_eq!(server.credentials("i-1", "web").await, narrow, "the same role without a policy keeps the old one");
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_is_listed_and_has_no_credentials() {
    let not_before = |time: &str| {
        json!({ "Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": ["ecs.aliyuncs.com"] },
            "Condition": { "DateLessThan": { "acs:CurrentTime": time } },
        }] })
    };
    let seed = json!({ "accounts": [{
        "roles": [{ "name": "web", "trust": not_before("2026-11-24T03:00:00Z") }],
        "instances": [{ "id": "i-1", "role": "web" }],
    }] });
    let server = support::start_seeded(seed).await;
    server.credentials("i-1", "web").await;
    server.advance("53m");
    assert_eq!(server.item_of("i-1", ROLES).await, (200, "web".to_owned()));
    refused(&server.item_of("i-1", &format!("{ROLES}web")).await, 404, "404 - Not Found");
    let (status, text) = server.at("/_ecsim/instances/i-1/credentials").await;
    assert_eq!(status, 404);
    assert!(text.contains("does not trust ECS"), "{text}");
}

#[tokio::test]
async fn the_credentials_uri_answers_what_the_metadata_service_does_and_says_what_is_missing() {
    let server = support::start().await;
    let uri = async |id: &str| {
        let answer = Answer::of(server.request("GET", &format!("/_ecsim/instances/{id}/credentials"))).await;
        assert_eq!(answer.header("content-type"), "application/json");
        (answer.status, serde_json::from_str::<Value>(&answer.text).expect("JSON"))
    };
    let (status, body) = uri(WEB).await;
    assert_eq!((status, &body), (200, &server.credentials(WEB, "web-role").await));
    let (status, body) = uri("%FF").await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("NoCredentials")));
    let plain = format!("{PLAIN}: no role is attached to the instance");
    for (id, message) in [(PLAIN, &*plain), ("i-none", "There is no instance i-none.")] {
        let (status, body) = uri(id).await;
        assert_eq!((status, &body["error"]["message"]), (404, &json!(message)));
    }
    server.detach(WEB).await;
    assert_eq!(uri(WEB).await.0, 404);
    let answer = Answer::of(server.request("POST", &format!("/_ecsim/instances/{WEB}/credentials"))).await;
    assert_eq!(answer.status, 405);
    assert!(answer.text.contains("\"hint\":\"use GET\""), "{}", answer.text);
}

#[tokio::test]
async fn a_clock_that_runs_is_shown_ahead_by_what_it_was_moved() {
    let server = support::start_with(|builder| builder.clock(Arc::new(SystemClock))).await;
    let (status, body) = server.set_clock(json!({ "advance": "6h" })).await;
    assert_eq!((status, &body["ahead_seconds"]), (200, &json!(21_600)));
}

#[tokio::test]
async fn the_clock_is_shown_moved_stopped_and_given_back() {
    let server = support::start().await;
    let shown = json!({ "schema": 1, "mode": "real", "now": support::NOW, "ahead_seconds": 0 });
    let answer = Answer::of(server.request("GET", "/_ecsim/clock")).await;
    assert_eq!(serde_json::from_str::<Value>(&answer.text).expect("JSON"), shown);
    let machine = |seconds| server.clock.advance(SignedDuration::from_secs(seconds));
    for (change, passes, mode, now) in [
        (json!({ "advance": "57m" }), 0, "offset", "2026-11-24T03:04:22Z"),
        (json!({ "advance": "1h" }), 5, "offset", "2026-11-24T04:04:27Z"),
        (json!({ "mode": "frozen" }), 5, "frozen", "2026-11-24T04:04:32Z"),
        (json!({ "advance": "1s" }), 60, "frozen", "2026-11-24T04:04:33Z"),
        (json!({ "now": "2030-01-01T00:00:00Z" }), 60, "frozen", "2030-01-01T00:00:00Z"),
        (json!({ "mode": "offset" }), 1, "offset", "2030-01-01T00:00:00Z"),
        (json!({ "now": "2020-01-01T00:00:00Z", "advance": "24h" }), 0, "offset", "2020-01-02T00:00:00Z"),
        (json!({ "mode": "real" }), 0, "real", "2026-11-24T02:09:33Z"),
    ] {
        machine(passes);
        let (status, body) = server.set_clock(change.clone()).await;
        assert_eq!((status, &body["mode"], &body["now"]), (200, &json!(mode), &json!(now)), "{change}");
    }
    let put = Answer::of(server.request("PUT", "/_ecsim/clock").body(r#"{"mode":"frozen"}"#)).await;
    assert_eq!(put.status, 200);
}

#[tokio::test]
async fn what_is_due_has_happened_when_the_clock_has_been_moved() {
    let server = support::start().await;
    let triple = server.credentials(WEB, "web-role").await;
    let remembered = || server.world(|world| world.key(triple["AccessKeyId"].as_str().expect("an id")).is_some());
    server.advance("7h");
    assert!(remembered(), "as one that has expired");
    server.advance("1s");
    assert!(!remembered(), "without any other call");
}

#[tokio::test]
async fn a_change_of_the_clock_that_makes_no_sense_changes_nothing() {
    let server = support::start().await;
    for body in [
        "{}",
        "",
        "[]",
        r#"{"mode":"slow"}"#,
        r#"{"mode":"real","advance":"1s"}"#,
        r#"{"mode":"real","now":"2026-01-05T08:00:00Z"}"#,
        r#"{"now":"2026-01-05"}"#,
        r#"{"advance":"-1s"}"#,
        r#"{"advance":"57"}"#,
        r#"{"advance":"99999999h"}"#,
        r#"{"forward":"1s"}"#,
    ] {
        let answer = Answer::of(server.request("POST", "/_ecsim/clock").body(body)).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert!(answer.text.contains(r#""code":"InvalidClock""#), "{}", answer.text);
    }
    let page =
        server.request("POST", "/_ecsim/clock").header("Origin", "http://example.com").body(r#"{"advance":"1s"}"#);
    assert_eq!(Answer::of(page).await.status, 403);
    let answer = Answer::of(server.request("DELETE", "/_ecsim/clock")).await;
    assert_eq!(answer.status, 405);
    assert!(answer.text.contains("use GET, PUT or POST"), "{}", answer.text);
    let answer = Answer::of(server.request("GET", "/_ecsim/clock")).await;
    assert!(answer.text.contains(r#""mode":"real""#), "{}", answer.text);
}

#[tokio::test]
async fn a_role_that_is_deleted_ends_its_credentials_and_one_of_the_same_name_is_another() {
    let server = support::start().await;
    let ram = async |action: &str, params: &[(&str, &str)]| {
        let call = params.iter().fold(server.call(action), |call, (name, value)| call.param(name, *value));
        let answer = call.param("Version", "2015-05-01").send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    let trust = |service: &str| {
        json!({ "Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": [service] },
        }] })
        .to_string()
    };
    ram("CreateRole", &[("RoleName", "job"), ("AssumeRolePolicyDocument", &trust("ecs.aliyuncs.com"))]).await;
    server.attach(PLAIN, "job").await;
    let first = server.credentials(PLAIN, "job").await;
    let path = format!("{ROLES}job");

    ram("UpdateRole", &[("RoleName", "job"), ("NewAssumeRolePolicyDocument", &trust("fc.aliyuncs.com"))]).await;
    assert_eq!(server.item_of(PLAIN, ROLES).await, (200, "job".to_owned()));
    refused(&server.item_of(PLAIN, &path).await, 404, "404 - Not Found");
    assert_eq!(server.signed(&first).await.map(|(status, _)| status), [200, 200], "what was issued lives on");
    ram("UpdateRole", &[("RoleName", "job"), ("NewAssumeRolePolicyDocument", &trust("ecs.aliyuncs.com"))]).await;
    assert_eq!(server.credentials(PLAIN, "job").await, first);

    ram("DeleteRole", &[("RoleName", "job")]).await;
    assert_eq!(server.item_of(PLAIN, ROLES).await, (200, "job".to_owned()));
    refused(&server.item_of(PLAIN, &path).await, 404, "404 - Not Found");
    assert_eq!(server.signed(&first).await.map(|(_, code)| code), ["InvalidAccessKeyId.NotFound"; 2]);

    ram("CreateRole", &[("RoleName", "job"), ("AssumeRolePolicyDocument", &trust("ecs.aliyuncs.com"))]).await;
    let second = server.credentials(PLAIN, "job").await;
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    assert_eq!(server.signed(&second).await.map(|(status, _)| status), [200, 200]);
}
