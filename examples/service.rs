//! The emulator as a tower service, without a socket: an operation that fails once, and what the call that comes again does.
//!
//! `cargo run --example service`

// README: begin
use ecsim::Emulator;
use ecsim::settings::AuthMode;
use http::{Request, StatusCode};
use tower::Service;

const DETACH: &str =
    "/?Action=DetachInstanceRamRole&Version=2014-05-26&RegionId=cn-hangzhou&InstanceIds=[%22i-bp1ecsim0000000web01%22]";

#[cfg_attr(test, tokio::test)]
async fn a_call_that_the_cloud_did_not_take_can_come_again() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().without_listeners().auth(AuthMode::Off).start().await?;
    // With one world, the emulator itself is the handle of it.
    emulator.set_faults(
        r#"[{ "operation": "DetachInstanceRamRole", "times": 1, "error": { "code": "ServiceUnavailable" } }]"#,
    )?;
    let carriers =
        || emulator.world(|world| world.instances().filter(|(_, instance)| instance.role().is_some()).count());

    let (mut service, before) = (emulator.service(), carriers()?);
    let refused = service.call(Request::get(DETACH).body(String::new())?).await?;
    assert_eq!((refused.status(), carriers()?), (StatusCode::SERVICE_UNAVAILABLE, before));
    let done = service.call(Request::get(DETACH).body(String::new())?).await?;
    assert_eq!((done.status(), carriers()?), (StatusCode::OK, before - 1));
    Ok(())
}
// README: end

// A test has the main function of the harness.
#[cfg(not(test))]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    a_call_that_the_cloud_did_not_take_can_come_again().await
}
