//! `ecsim verify`.

use std::io::{self, Read};
use std::path::Path;

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::VerifyArgs;

pub(super) fn text(VerifyArgs { file, control, scope }: &VerifyArgs) -> Result<String, Failure> {
    let mut wanted = String::new();
    let read = if file == Path::new("-") {
        io::stdin().read_to_string(&mut wanted).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|text| wanted = text)
    };
    read.map_err(|error| Failure::Usage {
        message: format!("cannot read {}: {error}", file.display()),
        hint: "name a file of what is expected, or `-` and give it on standard input".to_owned(),
    })?;
    let client = Client::new(control, "what is expected")?;
    wait(client.call(Method::POST, &format!("/verify?namespace={}", scope.namespace), Some(wanted)))
}
