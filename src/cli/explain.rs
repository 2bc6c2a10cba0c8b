//! `ecsim explain`.

use std::fmt::Write as _;

use http::Method;
use serde_json::Value;
use uuid::Uuid;

use super::client::Client;
use super::requests::{line, printable};
use super::{Failure, wait};
use crate::api::error::Code;
use crate::config::ExplainArgs;

pub(super) fn text(args: &ExplainArgs) -> Result<String, Failure> {
    if Uuid::try_parse(&args.what).is_ok() { of_request(args) } else { of_code(&args.what) }
}

/// What a running emulator says of one of its answers.
fn of_request(ExplainArgs { what, control, scope }: &ExplainArgs) -> Result<String, Failure> {
    let client = Client::new(control, "the request")?;
    let path = format!("/requests/{what}/explain?namespace={}", scope.namespace);
    let answer: Value = serde_json::from_str(&wait(client.call(Method::GET, &path, None))?).unwrap_or_default();
    let text = |value: &Value| printable(value.as_str().unwrap_or_default()).into_owned();
    let mut page = line(&answer["request"]);
    let passed = answer["passed"].as_array().map(Vec::as_slice).unwrap_or_default();
    let passed: Vec<_> = passed.iter().map(text).collect();
    let _ = writeln!(page, "\n{}\n", text(&answer["explanation"]));
    if answer["hint"].is_string() {
        let _ = writeln!(page, "hint: {}\n", text(&answer["hint"]));
    }
    if answer["station"].is_string() {
        let _ = writeln!(page, "refused at: {}", text(&answer["station"]));
    }
    let _ = writeln!(page, "passed: {}", passed.join(", "));
    let message = &answer["request"]["message"];
    if message.is_string() {
        let _ = writeln!(page, "message: {}", text(message));
    }
    for (name, value) in answer["facts"].as_object().into_iter().flatten() {
        let lines: Vec<_> = value.as_str().unwrap_or_default().split('\n').map(printable).collect();
        let _ = writeln!(page, "{name}: {}", lines.join("\n    "));
    }
    if answer["code"].is_object() {
        let code = &answer["code"];
        let _ =
            writeln!(page, "code: {} ({}: {})", text(&code["code"]), text(&code["evidence"]), text(&code["source"]));
    }
    Ok(page)
}

fn of_code(wire: &str) -> Result<String, Failure> {
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
