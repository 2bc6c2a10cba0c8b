//! How the roles of instances have changed, and when metadata and Describe learn of it.

use ecsim::settings::Settings;
use ecsim::world::{MOST_ROLE_CHANGES, NoSpace, Propagation, RoleName, parse_utc};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Answer, NOW, Server, client, start, start_with};

const WEB: &str = "i-bp1ecsim0000000web01";
const PLAIN: &str = "i-bp1ecsim00000plain01";

async fn act(server: &Server, action: &str, instance: &str, params: &[(&str, &str)]) {
    let call = server.call(action).param("RegionId", "cn-hangzhou").param("InstanceIds", json!([instance]).to_string());
    let answer = params.iter().fold(call, |call, (name, value)| call.param(name, *value)).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["FailCount"], 0, "{}", answer.text);
}

async fn detach(server: &Server, instance: &str) {
    act(server, "DetachInstanceRamRole", instance, &[]).await;
}

async fn attach(server: &Server, instance: &str, role: &str) {
    act(server, "AttachInstanceRamRole", instance, &[("RamRoleName", role)]).await;
}

/// What a GET answers.
async fn get(server: &Server, path: &str) -> Answer {
    Answer::of(client().get(format!("{}{path}", server.url()))).await
}

/// The JSON of an answer that is not the vendor's.
fn value(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).expect("JSON")
}

async fn set(server: &Server, name: &str, value: &str) {
    let body = json!({ name: value }).to_string();
    let answer = Answer::of(client().patch(format!("{}/_ecsim/config", server.url())).body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The roles that Describe tells: of an instance, and by role the instances.
async fn described(server: &Server, instance: &str) -> String {
    let call = server.call("DescribeInstanceRamRole").param("RegionId", "cn-hangzhou");
    let body = call.param("InstanceIds", json!([instance]).to_string()).send().await.json();
    body["InstanceRamRoleSets"]["InstanceRamRoleSet"][0]["RamRoleName"].as_str().expect("a name").to_owned()
}

/// The role that the metadata service tells, if any.
async fn told(server: &Server, instance: &str) -> Option<String> {
    let path = format!("/_ecsim/instances/{instance}/latest/meta-data/ram/security-credentials/");
    let answer = get(server, &path).await;
    match answer.status {
        200 => Some(answer.text),
        status => {
            assert_eq!(status, 404);
            None
        }
    }
}

async fn credentials(server: &Server, instance: &str, role: &str) -> Option<Value> {
    let path = format!("/_ecsim/instances/{instance}/latest/meta-data/ram/security-credentials/{role}");
    let answer = get(server, &path).await;
    (answer.status == 200).then(|| value(&answer))
}

async fn caller_status(server: &Server, credentials: &Value) -> u16 {
    let of = |name: &str| credentials[name].as_str().expect(name).to_owned();
    let call = server.call("GetCallerIdentity").param("Version", "2015-04-01");
    let call = call.key(&of("AccessKeyId"), &of("AccessKeySecret")).param("SecurityToken", of("SecurityToken"));
    call.send().await.status
}

fn with(metadata: &str, describe: &str) -> Settings {
    let changes = [("metadata-propagation", metadata), ("describe-propagation", describe)];
    let changes = changes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Settings::default().changed(&changes).expect("settings")
}

#[tokio::test]
async fn the_view_of_an_instance_tells_each_change_of_its_role() {
    let server = start().await;
    let view = format!("/_ecsim/instances/{WEB}");
    assert_eq!(value(&get(&server, &view).await)["role_history"], json!([]), "what the seed says is no change");
    detach(&server, WEB).await;
    detach(&server, WEB).await;
    attach(&server, PLAIN, "web-role").await;
    server.advance("10s");
    attach(&server, WEB, "batch-role").await;
    attach(&server, WEB, "BATCH-ROLE").await;
    act(&server, "AttachInstanceRamRole", WEB, &[("RamRoleName", "Batch-Role"), ("Policy", "{}")]).await;
    let details = value(&get(&server, &view).await);
    let (web, batch) = (json!({ "role": "web-role", "policy": null }), json!({ "role": "batch-role", "policy": null }));
    let narrowed = json!({ "role": "batch-role", "policy": "{}" });
    assert_eq!(
        details["role_history"],
        json!([
            { "at": NOW, "before": web, "after": null },
            { "at": "2026-11-24T02:07:32Z", "before": null, "after": batch },
            { "at": "2026-11-24T02:07:32Z", "before": batch, "after": narrowed },
        ])
    );
    assert_eq!(details["role_changes_dropped"], 0);
    let plain = value(&get(&server, &format!("/_ecsim/instances/{PLAIN}")).await);
    assert_eq!(plain["role_history"], json!([{ "at": NOW, "before": null, "after": web }]));
}

#[tokio::test]
async fn changes_are_bounded_and_it_is_told_how_many_were_forgotten() {
    let server = start().await;
    let now = server.emulator.clock().now().expect("a time");
    server
        .emulator
        .change(|world| {
            world.detach_role(now, WEB);
            for _ in 0..MOST_ROLE_CHANGES / 2 {
                world.attach_role(now, PLAIN, RoleName::new("web-role"), None);
                world.detach_role(now, PLAIN);
            }
        })
        .expect("a world");
    let web = value(&get(&server, &format!("/_ecsim/instances/{WEB}")).await);
    assert_eq!((&web["role_history"], &web["role_changes_dropped"]), (&json!([]), &json!(1)));
    let plain = value(&get(&server, &format!("/_ecsim/instances/{PLAIN}")).await);
    assert_eq!(plain["role_history"].as_array().map(Vec::len), Some(MOST_ROLE_CHANGES));
}

#[tokio::test]
async fn metadata_and_describe_learn_of_a_change_after_a_time_each() {
    let server = start_with(|builder| builder.settings(with("30s", "1m"))).await;
    let before = credentials(&server, WEB, "web-role").await.expect("credentials");
    detach(&server, WEB).await;
    server.advance("10s");
    attach(&server, WEB, "batch-role").await;
    let seen = async || (told(&server, WEB).await, described(&server, WEB).await);
    assert_eq!(seen().await, (Some("web-role".to_owned()), "web-role".to_owned()));
    assert_eq!(credentials(&server, WEB, "web-role").await.as_ref(), Some(&before), "the same as before the detach");
    server.advance("19s 999ms");
    assert_eq!(seen().await, (Some("web-role".to_owned()), "web-role".to_owned()));
    server.advance("1ms");
    assert_eq!(seen().await, (None, "web-role".to_owned()));
    assert_eq!(credentials(&server, WEB, "web-role").await, None);
    server.advance("10s");
    assert_eq!(seen().await, (Some("batch-role".to_owned()), "web-role".to_owned()));
    server.advance("20s");
    assert_eq!(seen().await, (Some("batch-role".to_owned()), String::new()));
    server.advance("10s");
    assert_eq!(seen().await, (Some("batch-role".to_owned()), "batch-role".to_owned()));
}

#[tokio::test]
async fn metadata_and_describe_learn_of_a_change_after_a_number_of_reads_each() {
    let server = start_with(|builder| builder.settings(with("2reads", "1read"))).await;
    detach(&server, WEB).await;
    assert_eq!(told(&server, WEB).await.as_deref(), Some("web-role"));
    attach(&server, WEB, "batch-role").await;
    // Other instances, and items that do not tell the role, are no reads of it.
    told(&server, PLAIN).await;
    for item in ["hostname", ""] {
        assert_eq!(get(&server, &format!("/_ecsim/instances/{WEB}/latest/meta-data/{item}")).await.status, 200);
    }
    assert_eq!(told(&server, WEB).await.as_deref(), Some("web-role"));
    assert_eq!(told(&server, WEB).await, None, "the attachment has been read once since it was made");
    assert_eq!(told(&server, WEB).await.as_deref(), Some("batch-role"));
    assert_eq!(described(&server, WEB).await, "web-role");
    assert_eq!(described(&server, WEB).await, "batch-role");
}

#[tokio::test]
async fn describe_by_role_counts_and_shows_as_by_ids() {
    let server = start_with(|builder| builder.settings(with("0s", "2reads"))).await;
    detach(&server, WEB).await;
    let by_role = async || {
        let call = server.call("DescribeInstanceRamRole").param("RegionId", "cn-hangzhou");
        let body = call.param("RamRoleName", "web-role").send().await.json();
        body["InstanceRamRoleSets"]["InstanceRamRoleSet"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|row| row["InstanceId"] == WEB)
    };
    for other in ["batch-role", "other-role"] {
        let call = server.call("DescribeInstanceRamRole").param("RegionId", "cn-hangzhou").param("RamRoleName", other);
        call.send().await;
    }
    assert!(by_role().await);
    assert_eq!(described(&server, WEB).await, "web-role");
    assert!(!by_role().await);
    assert_eq!(described(&server, WEB).await, "");
}

#[tokio::test]
async fn whoever_waits_for_a_role_by_its_name_is_told_of_it() {
    let server = start_with(|builder| builder.settings(with("2reads", "2reads"))).await;
    attach(&server, PLAIN, "web-role").await;
    let by_role = async || {
        let call = server.call("DescribeInstanceRamRole").param("RegionId", "cn-hangzhou");
        call.param("RamRoleName", "web-role").send().await.text.contains(PLAIN)
    };
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push((by_role().await, credentials(&server, PLAIN, "web-role").await.is_some()));
    }
    assert_eq!(told, [(false, false), (false, false), (true, true)]);
}

#[tokio::test]
async fn until_metadata_learns_of_a_detach_it_hands_out_credentials_that_work() {
    for (revokes, status) in [(false, 200), (true, 404)] {
        let settings = Settings { detach_revokes: revokes, ..with("30s", "0s") };
        let server = start_with(|builder| builder.settings(settings)).await;
        let before = credentials(&server, WEB, "web-role").await.expect("credentials");
        detach(&server, WEB).await;
        assert_eq!(caller_status(&server, &before).await, status, "what was there at the detach");
        let late = credentials(&server, WEB, "web-role").await.expect("credentials");
        assert_eq!((late == before, caller_status(&server, &late).await), (!revokes, 200));
        assert_eq!(credentials(&server, WEB, "web-role").await.as_ref(), Some(&late), "the same until they are due");
    }
}

#[tokio::test]
async fn a_snapshot_keeps_the_history_and_what_is_still_unseen() {
    let server = start_with(|builder| builder.settings(with("30s", "3reads"))).await;
    detach(&server, WEB).await;
    let late = credentials(&server, WEB, "web-role").await.expect("credentials");
    assert_eq!(described(&server, WEB).await, "web-role");
    let url = format!("{}/_ecsim/snapshot", server.url());
    let text = get(&server, "/_ecsim/snapshot").await.text;
    let changes = &serde_json::from_str::<Value>(&text).expect("JSON")["role_changes"];
    let before = json!({ "role": "web-role", "credentials": late["AccessKeyId"] });
    let change = json!({ "at": NOW, "instance": WEB, "before": before, "metadata_reads": 0, "describe_reads": 1 });
    let mut change = change;
    change.as_object_mut().expect("an object").remove("metadata_reads");
    assert_eq!(*changes, json!({ "changes": [change] }));
    let answer = Answer::of(client().put(format!("{url}?namespace=copy")).body(text)).await;
    assert_eq!(answer.status, 200);
    let copy = server.emulator.namespace("copy").expect("a name");
    copy.world(|world| {
        let change = world.role_changes().iter().next().expect("a change");
        assert_eq!((change.instance.as_str(), change.at), (WEB, parse_utc(NOW).expect("a time")));
    })
    .expect("a world");
    let in_copy = format!("{WEB}@copy");
    let again = credentials(&server, &in_copy, "web-role").await.expect("credentials");
    assert_eq!(again["SecurityToken"], late["SecurityToken"]);
    server.advance("1m");
    assert_eq!(told(&server, WEB).await, None);
    assert_eq!(told(&server, &in_copy).await.as_deref(), Some("web-role"), "its own clock");
}

#[tokio::test]
async fn changes_of_a_seed_have_their_mistakes_told() {
    let server = start().await;
    let mistakes = |changes: Value| {
        let text = json!({ "accounts": [{ "instances": [{ "id": "i-1" }, { "id": "i-0", "network": "classic" }] }], "role_changes": changes });
        let mistakes = match server.emulator.put("seed", &text.to_string()) {
            Ok(()) => Vec::new(),
            Err(NoSpace::Seed(mistakes)) => mistakes,
            Err(other) => panic!("{other}"),
        };
        mistakes.into_iter().map(|mistake| format!("{}: {}", mistake.place, mistake.reason)).collect::<Vec<_>>()
    };
    let one = |change: Value| mistakes(json!({ "changes": [change] }));
    assert_eq!(mistakes(json!([])), ["$.role_changes: must be an object"]);
    assert_eq!(
        mistakes(json!({ "dropped": 0 })),
        [format!("$.role_changes.dropped: must be a whole number from 1 to {}", 1_u64 << 53)]
    );
    let at = "$.role_changes.changes[0]";
    assert_eq!(one(json!({})), [format!("{at}: needs at"), format!("{at}: needs instance")]);
    assert_eq!(
        one(json!({ "at": NOW, "instance": "i-0", "before": { "role": "web" } })),
        [format!("{at}.before: an instance in the classic network cannot carry a role")]
    );
    assert_eq!(one(json!({ "at": NOW, "instance": "i-2" })), [format!("{at}.instance: there is no instance i-2")]);
    assert_eq!(
        one(json!({ "at": NOW, "instance": "i-1", "before": { "role": "a b", "policy": "no", "credentials": "k" } })),
        [
            format!("{at}.before.role: a role name is 1 to 64 letters, digits, '.', '-' or '_'"),
            format!("{at}.before.policy: a policy is a JSON object of at most 1024 characters, in a string"),
            format!("{at}.before.credentials: the instance has no session k"),
        ]
    );
    assert_eq!(
        one(json!({ "at": NOW, "instance": "i-1", "before": { "role": "gone", "policy": "{}" }, "describe_reads": 7 })),
        [""; 0]
    );
}

#[tokio::test]
async fn a_world_whose_changes_were_forgotten_survives() {
    let server = start().await;
    let text = json!({
        "accounts": [{ "instances": [{ "id": "i-1" }] }],
        "role_changes": { "dropped": 7, "changes": vec![json!({ "at": NOW, "instance": "i-1" }); MOST_ROLE_CHANGES + 2] },
    });
    server.emulator.put("seed", &text.to_string()).expect("a world");
    let changes = server.world(|world| (world.role_changes().dropped(), world.role_changes().iter().count()));
    assert_eq!(changes, (9, MOST_ROLE_CHANGES));
    let (copy, snapshot) = (server.emulator.namespace("copy").expect("a name"), server.emulator.snapshot());
    copy.put("snapshot", snapshot.as_deref().expect("a world")).expect("a world");
    assert_eq!(copy.snapshot(), snapshot);
}

#[tokio::test]
async fn a_delay_is_a_duration_or_a_number_of_reads_and_can_change_at_any_time() {
    let changed = |text: &str| {
        let changes = [("describe-propagation".to_owned(), text.to_owned())].into();
        Settings::default().changed(&changes).map(|settings| settings.describe_propagation)
    };
    assert_eq!(changed("3reads").ok(), Some(Propagation::Reads(3)));
    assert_eq!(changed("1 read").ok(), Some(Propagation::Reads(1)));
    assert_eq!(changed("1m30s").ok(), Some(Propagation::Time(SignedDuration::from_secs(90))));
    for bad in ["", "soon", "-1s", "reads", "-1reads", "4294967296reads"] {
        assert!(changed(bad).is_err(), "{bad}");
    }
    let server = start().await;
    detach(&server, WEB).await;
    assert_eq!(described(&server, WEB).await, "");
    set(&server, "describe-propagation", "5m").await;
    assert_eq!(described(&server, WEB).await, "web-role", "what happened less than that ago is unseen");
}

#[tokio::test]
async fn what_a_view_has_shown_stays_shown_when_reads_begin_to_count_or_more_of_them_do() {
    for (view, is_metadata) in [("metadata-propagation", true), ("describe-propagation", false)] {
        let server = start().await;
        let shown = async || if is_metadata { told(&server, WEB).await } else { Some(described(&server, WEB).await) };
        detach(&server, WEB).await;
        attach(&server, WEB, "batch-role").await;
        for reads in ["1reads", "3reads"] {
            set(&server, view, reads).await;
            assert_eq!(shown().await.as_deref(), Some("batch-role"), "{view} {reads}");
        }
        detach(&server, WEB).await;
        attach(&server, WEB, "web-role").await;
        for role in ["batch-role", "batch-role", "batch-role", "web-role"] {
            assert_eq!(shown().await.as_deref(), Some(role), "{view}");
        }
        set(&server, view, "5reads").await;
        assert_eq!(shown().await.as_deref(), Some("web-role"), "{view}");
    }
}

#[tokio::test]
async fn what_changes_nothing_is_no_change() {
    let server = start().await;
    let changes = || server.world(|world| world.role_changes().iter().count());
    let narrowed = [("RamRoleName", "web-role"), ("Policy", "{}")];
    act(&server, "AttachInstanceRamRole", PLAIN, &narrowed).await;
    assert_eq!(changes(), 1);
    let before = credentials(&server, PLAIN, "web-role").await.expect("credentials");
    act(&server, "AttachInstanceRamRole", PLAIN, &narrowed).await;
    act(&server, "AttachInstanceRamRole", PLAIN, &[("RamRoleName", "WEB-role")]).await;
    assert_eq!(changes(), 1);
    assert_eq!(credentials(&server, PLAIN, "web-role").await, Some(before));
    act(&server, "AttachInstanceRamRole", PLAIN, &[("RamRoleName", "web-role"), ("Policy", "{ }")]).await;
    assert_eq!(changes(), 2);
}
