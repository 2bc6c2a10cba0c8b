//! `ecsim reset`.

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::ScopedArgs;

pub(super) fn text(args: &ScopedArgs) -> Result<String, Failure> {
    let client = Client::new(&args.control, "the seeds")?;
    wait(client.call(Method::POST, &format!("/reset?namespace={}", args.scope.namespace), None))
}
