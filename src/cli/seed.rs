//! `ecsim seed`.

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::SeedArgs;

pub(super) fn text(args: &SeedArgs) -> Result<String, Failure> {
    let file = args.file.display();
    let seed = std::fs::read_to_string(&args.file).map_err(|error| Failure::Seed {
        message: format!("cannot read {file}: {error}"),
        hint: "name a seed file".to_owned(),
    })?;
    let client = Client::new(&args.control, "the seed")?;
    let mode = if args.replace { "replace" } else { "merge" };
    let path = format!("/seed?mode={mode}&namespace={}", args.scope.namespace);
    wait(client.call(Method::POST, &path, Some(seed)))
}
