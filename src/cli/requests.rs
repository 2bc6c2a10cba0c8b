//! `ecsim requests`.

use std::borrow::Cow;
use std::fmt::Write as _;

use http::Method;
use serde_json::Value;

use super::client::Client;
use super::{Failure, wait};
use crate::config::RequestsArgs;

pub(super) fn text(args: &RequestsArgs) -> Result<String, Failure> {
    let RequestsArgs { action, code, limit, json, clear, control, scope } = args;
    let client = Client::new(control, "the query")?;
    let limit = limit.map(|limit| limit.to_string());
    let given = [("action", action), ("code", code), ("limit", &limit)];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let pairs: Vec<_> = given.chain([("namespace", scope.namespace.as_str())]).collect();
    // Pairs of text cannot fail to become a query.
    let path = format!("/requests?{}", serde_urlencoded::to_string(pairs).unwrap_or_default());
    if *clear {
        return wait(client.call(Method::DELETE, &path, None));
    }
    let answer = wait(client.call(Method::GET, &path, None))?;
    if *json {
        return Ok(answer);
    }
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let requests = answer["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = requests.iter().map(line).collect::<String>();
    if let Some(dropped @ 1..) = answer["dropped"].as_u64() {
        let _ = writeln!(text, "{dropped} older requests were dropped");
    }
    Ok(if text.is_empty() { "no requests".to_owned() } else { text })
}

/// `12 2026-11-24T02:07:22Z ecs.DetachInstanceRamRole => 403 (Forbidden.RAM) key=test rid=… 0.4ms`, as the log has it.
pub(super) fn line(request: &Value) -> String {
    let text = |name: &str| request[name].as_str();
    let mut line = format!("{} {} ", request["seq"], text("at").unwrap_or_default());
    let product = text("product").unwrap_or("-").to_lowercase();
    let _ = match text("action") {
        Some(action) => write!(line, "{product}.{action}"),
        None => write!(line, "{product} {} {}", text("method").unwrap_or_default(), text("path").unwrap_or_default()),
    };
    let _ = write!(line, " => {}", request["status"]);
    let code = text("code").unwrap_or_default();
    if code != "OK" {
        let _ = write!(line, " ({code})");
    }
    if let Some(batch) = request["batch"].as_object() {
        let _ = write!(line, " total={} fail={}", batch["total"], batch["fail"]);
    }
    for (shown, name) in [("key", "access_key_id"), ("instance", "instance_id"), ("rid", "request_id")] {
        if let Some(value) = text(name) {
            let _ = write!(line, " {shown}={value}");
        }
    }
    let micros = request["duration_us"].as_f64().unwrap_or_default();
    let _ = write!(line, " {:.1}ms", micros / 1000.0);
    // On one line, whatever a client has put in.
    printable(&line).into_owned() + "\n"
}

/// A text as a terminal can show it: control characters, by which a client could have the terminal do something, are escaped.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) { text.escape_debug().to_string().into() } else { text.into() }
}
