//! `ecsim healthcheck`: what a container's health check runs, without a shell or curl.

use std::fmt::Write as _;

use super::Failure;
use crate::config::{self, HealthcheckArgs};

pub(super) fn run(args: &HealthcheckArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(check(args)).map_err(Failure::Runtime)
}

async fn check(args: &HealthcheckArgs) -> Result<(), String> {
    // A proxy would be asked in the emulator's place.
    let mut client = reqwest::Client::builder().no_proxy().timeout(args.timeout);
    if let Some(path) = args.unix.as_ref().filter(|_| args.url.is_none()) {
        client = client.unix_socket(path.as_path());
    }
    let url = format!("{}/_ecsim/health", config::url(args.url.as_deref(), &args.listen));
    let client = client.build().map_err(|error| chain(&error))?;
    let answer = client.get(&url).send().await.map_err(|error| format!("no answer from {url}: {}", chain(&error)))?;
    if answer.status().is_success() && answer.headers().contains_key("x-ecsim") {
        Ok(())
    } else {
        Err(format!("{url} answers {}, but not as an emulator", answer.status()))
    }
}

/// An error and what caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
