//! `ecsim reset`.

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::ResetArgs;

pub(super) fn text(args: &ResetArgs) -> Result<String, Failure> {
    let client = Client::new(&args.control, "the seeds")?;
    wait(client.call(Method::POST, &format!("/reset?namespace={}", args.scope.namespace), None))
}
