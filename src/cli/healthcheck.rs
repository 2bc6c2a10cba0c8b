//! `ecsim healthcheck`: what a container's health check runs, without a shell or curl.

use super::client::{chain, http};
use super::{Failure, wait};
use crate::config::HealthcheckArgs;

pub(super) fn run(args: &HealthcheckArgs) -> Result<(), Failure> {
    wait(async { check(args).await.map_err(Failure::Runtime) })
}

async fn check(args: &HealthcheckArgs) -> Result<(), String> {
    let client = http(args.emulator.socket(), args.timeout)?;
    let url = format!("{}/_ecsim/health", args.emulator.url());
    let answer = client.get(&url).send().await.map_err(|error| format!("no answer from {url}: {}", chain(&error)))?;
    if answer.status().is_success() && answer.headers().contains_key("x-ecsim") {
        Ok(())
    } else {
        Err(format!("{url} answers {}, but not as an emulator", answer.status()))
    }
}
