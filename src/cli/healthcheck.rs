//! `ecsim healthcheck`: what a container's health check runs, without a shell or curl.

use http::Method;

use super::exchange::Question;
use super::{Failure, wait};
use crate::config::HealthcheckArgs;

pub(super) fn run(args: &HealthcheckArgs) -> Result<(), Failure> {
    wait(async { check(args).await.map_err(Failure::Runtime) })
}

async fn check(args: &HealthcheckArgs) -> Result<(), String> {
    let url = format!("{}/_ecsim/health", args.emulator.url());
    let socket = args.emulator.socket();
    let question = Question { method: Method::GET, url: &url, socket, authorization: None, body: None };
    let answer = question.ask(args.timeout).await?;
    if answer.status.is_success() && answer.is_ours {
        Ok(())
    } else {
        Err(format!("{url} answers {}, but not as an emulator", answer.status))
    }
}
