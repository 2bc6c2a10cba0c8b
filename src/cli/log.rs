//! What log lines look like: one line a call, for people or for machines, always on stderr.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::Failure;
use crate::config::{self, LogFormat, LogLevel};
use crate::world::{Clock, SystemClock, utc_seconds};

/// Starts logging. A level that was asked for wins over `RUST_LOG`.
pub(super) fn start(format: LogFormat, level: Option<LogLevel>) -> Result<(), Failure> {
    let terminal = io::stderr().is_terminal();
    let filter = match (level, config::rust_log()) {
        (Some(level), _) => Targets::new().with_default(Level::from(level)),
        (None, Some(filter)) => filter.parse().map_err(|error| Failure::Usage {
            message: format!("RUST_LOG={filter} is no log filter: {error}"),
            hint: "it is a level, or target=level pairs with commas between them".to_owned(),
        })?,
        (None, None) => Targets::new().with_default(if terminal { Level::INFO } else { Level::WARN }),
    };
    let lines = tracing_subscriber::fmt::layer().event_format(Lines { format }).with_writer(io::stderr);
    tracing_subscriber::registry().with(filter).with(lines).init();
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panic")));
    Ok(())
}

struct Lines {
    format: LogFormat,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let ts = utc_seconds(SystemClock.wall());
        let level = *event.metadata().level();
        match self.format {
            LogFormat::Json => writeln!(writer, "{}", json_line(ts, level, fields.0)),
            LogFormat::Text => writeln!(writer, "{}", text_line(&ts, level, fields.0)),
        }
    }
}

/// Keys `ts level msg`, then the event's own.
fn json_line(ts: String, level: Level, mut fields: Map<String, Value>) -> Value {
    let mut line = Map::new();
    line.insert("ts".to_owned(), ts.into());
    line.insert("level".to_owned(), level.as_str().into());
    line.insert("msg".to_owned(), fields.shift_remove("message").unwrap_or_default());
    line.extend(fields);
    Value::Object(line)
}

/// `2026-11-24T02:07:22Z INFO ecs.DetachInstanceRamRole => 200 total=2 fail=1 rid=… 0.4ms`
fn text_line(ts: &str, level: Level, mut fields: Map<String, Value>) -> String {
    let mut take = |name: &str| fields.shift_remove(name);
    let message = take("message").map(plain).unwrap_or_default();
    let mut line = format!("{ts} {level} ");
    if message == "call" {
        let product = take("product").map_or_else(|| "-".to_owned(), |name| plain(name).to_lowercase());
        let action = take("action").map_or_else(|| "-".to_owned(), plain);
        let http = take("http").map(plain).unwrap_or_default();
        let _ = write!(line, "{product}.{action} => {http}");
        if let Some(code) = take("code").map(plain).filter(|code| code != "OK") {
            let _ = write!(line, " ({code})");
        }
    } else {
        line.push_str(&message);
    }
    let duration = take("dur_us").and_then(|micros| micros.as_f64());
    for (name, value) in fields {
        let _ = write!(line, " {name}={}", plain(value));
    }
    if let Some(micros) = duration {
        let _ = write!(line, " {:.1}ms", micros / 1000.0);
    }
    line
}

/// On one line, whatever is in it.
fn plain(value: Value) -> String {
    match value {
        Value::String(text) if text.contains(char::is_control) => text.escape_debug().to_string(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    #[test]
    fn a_call_is_one_line() {
        let call = json!({
            "message": "call", "product": "Ecs", "action": "DetachInstanceRamRole", "code": "OK", "http": 200,
            "total": 2, "fail": 1, "rid": "R", "dur_us": 412,
        });
        let line = text_line("2026-11-24T02:07:22Z", Level::INFO, fields(call));
        assert_eq!(line, "2026-11-24T02:07:22Z INFO ecs.DetachInstanceRamRole => 200 total=2 fail=1 rid=R 0.4ms");
    }

    #[test]
    fn a_text_with_a_line_break_stays_on_its_line() {
        let line = text_line("T", Level::DEBUG, fields(json!({ "message": "refused", "reason": "a\nb" })));
        assert_eq!(line, "T DEBUG refused reason=a\\nb");
        let line = json_line("T".into(), Level::DEBUG, fields(json!({ "message": "refused", "reason": "a\nb" })));
        assert_eq!(line.to_string(), r#"{"ts":"T","level":"DEBUG","msg":"refused","reason":"a\nb"}"#);
    }
}
