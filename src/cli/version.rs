//! `ecsim version`.

use serde_json::json;

/// The day on which the facts in docs/spec were last gathered.
const SPEC_DATE: &str = "2026-11-24";

pub(super) fn text(json: bool) -> String {
    let version = env!("CARGO_PKG_VERSION");
    if json {
        let commit = option_env!("ECSIM_COMMIT").unwrap_or("unknown");
        json!({ "version": version, "commit": commit, "spec_date": SPEC_DATE }).to_string()
    } else {
        format!("ecsim {version}")
    }
}
