//! The services log JSON when nobody watches them; here a person watches, so a line becomes readable again.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};

/// How many digits of a trace id tell traces apart on a screen; the log file has them all.
const SHORT_TRACE_ID: usize = 8;

const DIM: Style = Style::new().dimmed();

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// One log line, taken apart.
#[derive(Debug)]
pub(crate) struct LogLine {
    pub(crate) level: Level,
    pub(crate) target: String,
    message: String,
    fields: Vec<(String, String)>,
    trace_id: Option<String>,
}

impl LogLine {
    /// Reads a line of `tracing`'s JSON formatters: fields flat or under `fields`, trace id in any of its usual places.
    /// `None` for anything else, which is then shown as it is.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let Ok(Value::Object(mut object)) = serde_json::from_str(line) else {
            return None;
        };
        let level = level(object.remove("level")?.as_str()?)?;
        if let Some(Value::Object(fields)) = object.remove("fields") {
            object.extend(fields);
        }
        let message = object.remove("message").map(text).unwrap_or_default();
        let target = object.remove("target").map(text).unwrap_or_default();
        let trace_id = take_trace_id(&mut object);
        for noise in [
            "timestamp",
            "span",
            "spans",
            "openTelemetry",
            "span_id",
            "threadId",
            "filename",
            "line_number",
        ] {
            object.remove(noise);
        }
        let fields = object
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect();
        Some(Self {
            level,
            target,
            message,
            fields,
            trace_id,
        })
    }

    /// `INFO  message name=value trace=0af76519`, with the styles of a terminal; printing strips them elsewhere.
    pub(crate) fn render(&self) -> String {
        let level = self.level.style();
        let mut line = format!("{level}{:<5}{level:#} {}", self.level.name(), self.message);
        for (name, value) in &self.fields {
            let _ = write!(line, " {DIM}{name}={DIM:#}{}", quoted(value));
        }
        if let Some(trace_id) = &self.trace_id {
            let short = trace_id.get(..SHORT_TRACE_ID).unwrap_or(trace_id);
            let _ = write!(line, " {DIM}trace={short}{DIM:#}");
        }
        line
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Trace | Self::Debug => DIM,
            Self::Info => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Error => AnsiColor::Red.on_default().bold(),
        }
    }
}

fn level(name: &str) -> Option<Level> {
    let all = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
    ];
    all.into_iter()
        .find(|level| level.name().eq_ignore_ascii_case(name))
}

fn take_trace_id(object: &mut Map<String, Value>) -> Option<String> {
    let flat = ["trace_id", "traceId"]
        .into_iter()
        .find_map(|name| object.remove(name));
    let nested = || object.get("openTelemetry")?.get("traceId").cloned();
    flat.or_else(nested).map(text)
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn quoted(value: &str) -> String {
    if value.is_empty() || value.contains(char::is_whitespace) {
        format!("{value:?}")
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> String {
        anstream::adapter::strip_str(&LogLine::parse(line).unwrap().render()).to_string()
    }

    #[test]
    fn reads_a_flat_line_with_its_trace_id() {
        let line = r#"{"timestamp":"2026-11-21T10:00:00Z","level":"INFO","target":"orders","message":"order placed",
            "order_id":"42","openTelemetry":{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}}"#;
        assert_eq!(plain(line), "INFO  order placed order_id=42 trace=0af76519");
    }

    #[test]
    fn reads_nested_fields_and_quotes_what_has_spaces() {
        let line = r#"{"level":"WARN","fields":{"message":"slow","query":"select 1","ms":12},"span":{"name":"x"}}"#;
        assert_eq!(plain(line), r#"WARN  slow ms=12 query="select 1""#);
    }

    #[test]
    fn a_trace_id_that_is_too_short_is_shown_whole() {
        assert_eq!(
            plain(r#"{"level":"info","message":"m","trace_id":"0a"}"#),
            "INFO  m trace=0a"
        );
    }

    #[test]
    fn anything_else_is_left_alone() {
        for line in [
            "",
            "thread 'main' panicked",
            "42",
            "[]",
            "{}",
            r#"{"level":"LOUD"}"#,
            r#"{"level":3}"#,
        ] {
            assert!(LogLine::parse(line).is_none(), "{line}");
        }
    }

    #[test]
    fn warnings_are_louder_than_information() {
        assert!(
            LogLine::parse(r#"{"level":"WARN"}"#).unwrap().level
                > LogLine::parse(r#"{"level":"INFO"}"#).unwrap().level
        );
    }
}
