//! A Rust test with an emulator of its own: sets up, makes a signed call, looks at the world.
//!
//! `cargo run --example embedded`

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ecsim::Emulator;
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha1::Sha1;

const WEB: &str = "i-bp1ecsim0000000web01";

/// A call as every SDK makes it: parameters sorted by name, and the signature over them.
fn signed(emulator: &Emulator, key_id: &str, nonce: &str) -> String {
    let instance_ids = format!("[\"{WEB}\"]");
    #[expect(clippy::disallowed_methods, reason = "a client signs by the machine's clock")]
    let timestamp = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut parameters = [
        ("Action", "DetachInstanceRamRole"),
        ("Version", "2014-05-26"),
        ("Format", "JSON"),
        ("RegionId", "cn-hangzhou"),
        ("InstanceIds", &instance_ids),
        ("AccessKeyId", key_id),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", nonce),
        ("Timestamp", &timestamp),
    ];
    parameters.sort_unstable();
    let query = parameters.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
    let text = format!("GET&%2F&{}", encoded(&query));
    let mut mac = Hmac::<Sha1>::new_from_slice(b"test&").expect("a secret of any length");
    mac.update(text.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let url = emulator.url().expect("a TCP listener");
    format!("{url}/?{query}&Signature={}", encoded(&signature))
}

fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run().await
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().rng_seed(42).start().await?;
    // Each test its own world, in one process.
    let (t1, t2) = (emulator.namespace("t1")?, emulator.namespace("t2")?);
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.get(signed(&emulator, &t1.key_id("test"), "n-1")).send().await?;
    assert_eq!(answer.status(), 200);
    let has_role = |world: &ecsim::world::World| world.instance(WEB).is_some_and(|web| web.role().is_some());
    assert_eq!((t1.world(has_role)?, t2.world(has_role)?), (false, true));

    // Set up in types, and have time pass.
    let before = t1.clock().now()?;
    t1.change(|world| world.attach_role(before, WEB, ecsim::world::RoleName::new("batch-role"), None))?;
    t1.clock().advance(SignedDuration::from_hours(6))?;
    assert!(t1.clock().now()?.duration_since(before) >= SignedDuration::from_hours(6));

    t1.reset()?;
    assert!(t1.world(has_role)?);
    Ok(())
}

#[cfg(test)]
#[tokio::test]
async fn it_runs() {
    run().await.expect("it runs");
}
