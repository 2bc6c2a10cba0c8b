//! `ecsim fidelity`: the page that says how well each thing is known.

use std::fmt::Write as _;

use crate::api::error::Code;
use crate::api::fidelity::{DIFFERENCES, RULES};
use crate::gateway::registry::PRODUCTS;

pub(super) fn page() -> String {
    let mut text = String::from(
        "# Fidelity\n\n\
         Made by `ecsim fidelity` from the tables in the code; a test fails when this page is stale.\n\n\
         Marks: *documented* (a vendor page says it), *recorded* (a real answer was pasted in public), *client* (a\n\
         well-used client relies on it), *inferred* (our conclusion). Sources are files of docs/spec.\n\n\
         ## Actions\n\n| product | version | action | lock |\n|---|---|---|---|\n",
    );
    for product in PRODUCTS {
        for entry in product.actions {
            let _ =
                writeln!(text, "| {} | {} | {} | {} |", product.name, product.version, entry.name, entry.access.name());
        }
    }
    text.push_str(
        "\nAny other action that the vendor has in Ecs, Ram or Sts is answered `UnsupportedOperation.NotEmulated`;\n\
         `ecsim actions --json` lists them.\n\n## Rules\n\n| rule | evidence | source | acts in | test |\n|---|---|---|---|---|\n",
    );
    for rule in RULES {
        let (rule_text, evidence) = (cell(rule.rule), rule.evidence.name());
        let _ = writeln!(
            text,
            "| {rule_text} | {evidence} | {} | src/{} | `{}` |",
            cell(rule.source),
            rule.place,
            rule.test
        );
    }
    text.push_str("\n## Known differences\n\n| difference | why | test |\n|---|---|---|\n");
    for row in DIFFERENCES {
        let test = if row.test.is_empty() { String::new() } else { format!("`{}`", row.test) };
        let _ = writeln!(text, "| {} | {} | {test} |", cell(row.difference), cell(row.why));
    }
    text.push_str(
        "\n## Errors\n\n`{}` stands for a name or for what the text echoes.\n\n\
         | code | HTTP | text | evidence | source |\n|---|---|---|---|---|\n",
    );
    for row in Code::ALL.iter().map(|code| code.row()) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            row.wire,
            row.status,
            cell(row.text),
            row.evidence.name(),
            cell(row.source)
        );
    }
    text
}

/// A text that cannot end its table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
