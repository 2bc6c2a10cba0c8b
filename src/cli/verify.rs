//! `ecsim verify`.

use http::Method;

use super::client::Client;
use super::{Failure, given, wait};
use crate::config::VerifyArgs;

pub(super) fn text(VerifyArgs { file, control, scope }: &VerifyArgs) -> Result<String, Failure> {
    let hint = "name a file of what is expected, or `-` and give it on standard input".to_owned();
    let wanted = given(file, |message| Failure::Usage { message, hint })?;
    let client = Client::new(control, "what is expected")?;
    wait(client.call(Method::POST, &format!("/verify?namespace={}", scope.namespace), Some(wanted)))
}
