//! Which ecsim it is.

use serde::Serialize;
use utoipa::ToSchema;

/// The day on which the facts in docs/spec were last gathered.
const SPEC_DATE: &str = "2026-11-24";

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version {
    version: &'static str,
    /// Of the sources; `unknown` if they were built outside their repository.
    commit: &'static str,
    /// `YYYY-MM-DD`: when the facts about the real service were last gathered.
    spec_date: &'static str,
}

impl Version {
    pub(crate) const THIS: Self = Self {
        version: env!("CARGO_PKG_VERSION"),
        commit: match option_env!("ECSIM_COMMIT") {
            Some(commit) => commit,
            None => "unknown",
        },
        spec_date: SPEC_DATE,
    };
}
