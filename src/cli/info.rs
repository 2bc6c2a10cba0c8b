//! `ecsim info`.

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::ScopedArgs;

pub(super) fn text(args: &ScopedArgs) -> Result<String, Failure> {
    let client = Client::new(&args.control, "the seeds")?;
    wait(client.call(Method::GET, &format!("/info?namespace={}", args.scope.namespace), None))
}
