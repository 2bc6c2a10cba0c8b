//! `ecsim clock`.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;

use super::client::Client;
use super::{Failure, wait};
use crate::config::ClockArgs;

pub(super) fn text(args: &ClockArgs) -> Result<String, Failure> {
    let ClockArgs { mode, now, advance, control, scope } = args;
    let given = [("mode", mode), ("now", now), ("advance", advance)];
    let change: BTreeMap<_, _> = given.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
    let client = Client::new(control, "the clock")?;
    let path = format!("/clock?namespace={}", scope.namespace);
    if change.is_empty() {
        return wait(client.call(Method::GET, &path, None));
    }
    wait(client.call(Method::POST, &path, Some(json!(change).to_string())))
}
