//! `ecsim info`.

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::ControlArgs;

pub(super) fn text(args: &ControlArgs) -> Result<String, Failure> {
    let client = Client::new(args, "the seeds")?;
    wait(client.call(Method::GET, "/info", None))
}
