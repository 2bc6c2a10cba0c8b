//! A Rust test in a world of its own: set up in types, a signed call by reqwest, and what has become of the world.
//!
//! `cargo run --example embedded`

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

// README: begin
use ecsim::Emulator;
use ecsim::world::RoleName;
use jiff::SignedDuration;

const PLAIN: &str = "i-bp1ecsim00000plain01";

#[cfg_attr(test, tokio::test)]
async fn a_role_that_is_detached_is_gone_at_once() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().rng_seed(42).start().await?;
    // Tests that share an emulator take a namespace each: a world with its own clock, faults and journal.
    let t1 = emulator.namespace("t1")?;

    // Set up in types: a role for an instance of the built-in seed that has none.
    let now = t1.clock().now()?;
    t1.change(|world| world.attach_role(now, PLAIN, RoleName::new("web-role"), None))?;

    // What is tested calls this URL with this key.
    let (url, key) = (emulator.url().ok_or("no TCP listener")?, t1.key_id("test"));
    let instances = format!("[\"{PLAIN}\"]");
    let detach = [("Action", "DetachInstanceRamRole"), ("RegionId", "cn-hangzhou"), ("InstanceIds", &instances)];
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.get(format!("{url}/?{}", signed(&key, "test", &detach))).send().await?;
    assert_eq!(answer.status(), 200);

    // What has become of the world, and which calls came.
    let role = t1.world(|world| world.instance(PLAIN)?.role().map(ToString::to_string))?;
    assert_eq!(role, None);
    assert_eq!(t1.requests()?[0].action(), Some("DetachInstanceRamRole"));

    // Six hours later, whatever lives for six hours has expired.
    t1.clock().advance(SignedDuration::from_hours(6))?;
    // Another test can begin here as if nothing had been.
    t1.reset()?;
    Ok(())
} // The emulator stops where it is dropped.
// README: end

/// A query as every SDK makes it: parameters sorted by name, and the signature over them.
fn signed(key_id: &str, secret: &str, parameters: &[(&str, &str)]) -> String {
    #[expect(clippy::disallowed_methods, reason = "a client signs by the machine's clock")]
    let now = jiff::Timestamp::now();
    let (timestamp, nonce) = (now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), now.as_nanosecond().to_string());
    let mut all = vec![
        ("Version", "2014-05-26"),
        ("Format", "JSON"),
        ("AccessKeyId", key_id),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", &nonce),
        ("Timestamp", &timestamp),
    ];
    all.extend(parameters);
    all.sort_unstable();
    let pairs: Vec<_> = all.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let query = pairs.join("&");
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).expect("a secret of any length");
    mac.update(format!("GET&%2F&{}", encoded(&query)).as_bytes());
    format!("{query}&Signature={}", encoded(&BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

// A test has the main function of the harness.
#[cfg(not(test))]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    a_role_that_is_detached_is_gone_at_once().await
}
