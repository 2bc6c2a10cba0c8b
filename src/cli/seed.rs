//! `ecsim seed`.

use http::Method;

use super::client::Client;
use super::{Failure, given, wait};
use crate::config::SeedArgs;

pub(super) fn text(args: &SeedArgs) -> Result<String, Failure> {
    let hint = "name a seed file, or `-` and give it on standard input".to_owned();
    let seed = given(&args.file, |message| Failure::Seed { message, hint })?;
    let client = Client::new(&args.control, "the seed")?;
    let mode = if args.replace { "replace" } else { "merge" };
    let path = format!("/seed?mode={mode}&namespace={}", args.scope.namespace);
    wait(client.call(Method::POST, &path, Some(seed)))
}
