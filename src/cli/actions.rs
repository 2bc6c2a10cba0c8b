//! `ecsim actions`.

use std::fmt::Write as _;

use crate::control::Coverage;
use crate::gateway::registry::PRODUCTS;

pub(super) fn text(json: bool) -> String {
    if json {
        return serde_json::to_string_pretty(&Coverage::of(PRODUCTS)).unwrap_or_default();
    }
    let mut text = String::new();
    for product in PRODUCTS {
        let others = product.not_emulated().count();
        let _ = writeln!(
            text,
            "{} {}: {} emulated, {others} more known",
            product.name,
            product.version,
            product.actions.len()
        );
        for entry in product.actions {
            let _ = writeln!(text, "  {} ({}s)", entry.name, entry.access.name());
        }
    }
    text
}
