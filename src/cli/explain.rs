//! `ecsim explain`.

use std::fmt::Write as _;

use super::Failure;
use crate::api::error::Code;

pub(super) fn text(wire: &str) -> Result<String, Failure> {
    let rows: Vec<_> =
        Code::ALL.iter().map(|code| code.row()).filter(|row| row.wire.eq_ignore_ascii_case(wire)).collect();
    if rows.is_empty() {
        let lower = wire.to_lowercase();
        let mut near: Vec<_> = Code::ALL.iter().map(|code| code.row().wire).collect();
        near.retain(|known| known.to_lowercase().split('.').any(|part| part.starts_with(&lower)));
        near.dedup();
        let hint = match near.as_slice() {
            [] => "`ecsim fidelity` lists every code".to_owned(),
            near => format!("there are {}", near.join(", ")),
        };
        return Err(Failure::Usage { message: format!("no error code `{wire}` here"), hint });
    }
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{} (HTTP {})", row.wire, row.status);
        let _ = writeln!(text, "  {}", row.text);
        let _ = writeln!(text, "  {}: {}", row.evidence.name(), row.source);
    }
    Ok(text)
}
