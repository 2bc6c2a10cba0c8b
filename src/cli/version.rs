//! `ecsim version`.

use crate::control::Version;

pub(super) fn text(json: bool) -> String {
    if json {
        serde_json::to_string(&Version::THIS).unwrap_or_default()
    } else {
        format!("ecsim {}", env!("CARGO_PKG_VERSION"))
    }
}
