//! What the parts of a call cost by themselves: decoding, signing, rendering.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecsim::api::error::Code;
use ecsim::api::params::{Params, decode};
use ecsim::api::render::{self, Format, Item, Items};
use ecsim::gateway::signature::{acs3, rpc_v1};
use ecsim::world::{Ids, InstanceId, Secret};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

/// A detach of one instance, as SDKs of the first generation send it.
const QUERY: &str = "Action=DetachInstanceRamRole&Version=2014-05-26&Format=JSON&RegionId=cn-hangzhou\
    &AccessKeyId=benchkeyid&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=bench-8-0000000001\
    &Timestamp=2026-11-24T02%3A07%3A22Z&InstanceIds=%5B%22i-bench00000001%22%5D&RamRoleName=bench-role\
    &Signature=m8Lh%2Fb4dMn1bCjF2sQXbXfX0jOY%3D";

/// The ids of a full batch, as JSON.
fn hundred_ids() -> String {
    let ids: Vec<_> = (0..100).map(|n| format!("i-bench{n:08}")).collect();
    serde_json::to_string(&ids).expect("a list")
}

/// [`QUERY`] with the ids of a full batch.
fn batch_query() -> String {
    let [before, after] = ["InstanceIds=", "&RamRoleName"].map(|mark| QUERY.find(mark).expect("it is there"));
    let ids = serde_urlencoded::to_string([("InstanceIds", hundred_ids())]).expect("encodes");
    format!("{}{ids}{}", &QUERY[..before], &QUERY[after..])
}

fn params(c: &mut Criterion) {
    let mut group = c.benchmark_group("params");
    group.throughput(Throughput::Bytes(QUERY.len() as u64));
    group.bench_function("decode", |b| b.iter(|| decode(black_box(QUERY.as_bytes()))));
    let batch = batch_query();
    group.throughput(Throughput::Bytes(batch.len() as u64));
    group.bench_function("decode, 100 ids", |b| b.iter(|| decode(black_box(batch.as_bytes()))));
    group.throughput(Throughput::Bytes(QUERY.len() as u64));
    let pairs = decode(QUERY.as_bytes()).expect("well encoded");
    group.bench_function("merge", |b| b.iter_with_setup(|| pairs.clone(), |pairs| Params::new(black_box(pairs))));
    let params = Params::new(pairs);
    group.bench_function("get", |b| b.iter(|| params.get(black_box("RamRoleName"))));
    let params = Params::new(vec![("InstanceIds".into(), hundred_ids().into())]);
    group.bench_function("list of 100 ids", |b| {
        b.iter(|| params.json_list::<InstanceId>(black_box("InstanceIds"), 1..=100));
    });
    group.finish();
}

fn signing(c: &mut Criterion) {
    let mut group = c.benchmark_group("signing");
    let secret = Secret::new("benchkeysecret");
    let pairs = decode(QUERY.as_bytes()).expect("well encoded");
    let params = Params::new(pairs);
    group.bench_function("V1 string to sign", |b| {
        b.iter(|| rpc_v1::string_to_sign(black_box("GET"), params.pairs()));
    });
    let batch = batch_query();
    let of_batch = Params::new(decode(batch.as_bytes()).expect("well encoded"));
    group.bench_function("V1 string to sign, 100 ids", |b| {
        b.iter(|| rpc_v1::string_to_sign(black_box("GET"), of_batch.pairs()));
    });
    let given = params.get("Signature").expect("a signature");
    for (name, params) in [("V1 verify", &params), ("V1 verify, 100 ids", &of_batch)] {
        let text = rpc_v1::string_to_sign("GET", params.pairs());
        group.bench_function(name, |b| {
            b.iter(|| rpc_v1::verify(&secret, rpc_v1::Algorithm::HmacSha1, black_box(&text), given));
        });
    }

    let names =
        ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];
    let mut headers = HeaderMap::new();
    for name in names {
        headers.insert(name, HeaderValue::from_static("a value of about the usual length"));
    }
    let query = acs3::canonical_query(&[("InstanceIds", r#"["i-bench00000001"]"#), ("RegionId", "cn-hangzhou")]);
    let algorithm = acs3::Algorithm::HmacSha256;
    group.bench_function("ACS3 canonical request", |b| {
        b.iter(|| acs3::canonical_request(algorithm, "POST", black_box(&query), &headers, &names, b""));
    });
    let canonical = acs3::canonical_request(algorithm, "POST", &query, &headers, &names, b"");
    group.bench_function("ACS3 verify", |b| {
        b.iter(|| {
            let text = acs3::string_to_sign(algorithm, black_box(&canonical));
            acs3::verify(&secret, algorithm, &text, &"0".repeat(64))
        });
    });
    group.finish();
}

/// The shape of a role action's reply.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    code: &'static str,
    message: &'static str,
    instance_id: String,
    success: bool,
}

impl Item for Outcome {
    const ELEMENT: &'static str = "Outcome";
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    ram_role_name: &'static str,
    total_count: usize,
    outcomes: Items<Outcome>,
}

fn rendering(c: &mut Criterion) {
    let mut group = c.benchmark_group("rendering");
    let outcome =
        |n: usize| Outcome { code: "200", message: "Success", instance_id: format!("i-bench{n:08}"), success: true };
    for count in [1, 100] {
        let outcomes = Items((0..count).map(outcome).collect());
        let reply = Reply { ram_role_name: "bench-role", total_count: count, outcomes };
        // As much as an action asks for.
        let room = 512 + count * 224;
        for (format, name) in [(Format::Json, "JSON"), (Format::Xml, "XML")] {
            group.bench_function(format!("{name}, {count} instances"), |b| {
                b.iter(|| render::success(format, "DetachInstanceRamRole", black_box(&reply), room));
            });
        }
    }
    let refusal = Code::RoleNotFound.into();
    let (request_id, _) = Ids::seeded(1).call();
    for (format, name) in [(Format::Json, "JSON"), (Format::Xml, "XML")] {
        group.bench_function(format!("{name}, a refusal"), |b| {
            b.iter(|| render::failure(format, black_box(&refusal), request_id, "127.0.0.1", "Ecs"));
        });
    }
    group.finish();
}

criterion_group!(parts, params, signing, rendering);
criterion_main!(parts);
