//! The services log JSON when nobody watches them; here a person watches, so a line becomes readable again.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tracing::Level;

/// How many digits of a trace id tell traces apart on a screen; the log file has them all.
const SHORT_TRACE_ID: usize = 8;

const DIM: Style = Style::new().dimmed();

/// One line of `tracing`'s JSON formatters, with its fields flat.
#[derive(Debug, Deserialize)]
pub(crate) struct LogLine {
    #[serde(deserialize_with = "level")]
    level: Level,
    #[serde(default)]
    pub(crate) target: String,
    #[serde(default)]
    message: String,
    trace_id: Option<String>,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

fn level<'de, D: Deserializer<'de>>(level: D) -> Result<Level, D::Error> {
    let level = String::deserialize(level)?;
    level.parse().map_err(D::Error::custom)
}

/// A line of a log as people read it; one of another form is left as it is.
pub(crate) fn readable(line: &str) -> String {
    LogLine::parse(line).map_or_else(|| line.to_owned(), |line| line.render())
}

impl LogLine {
    /// `None` for a line of another form.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut line: Self = serde_json::from_str(line).ok()?;
        for noise in ["timestamp", "span", "spans"] {
            line.fields.remove(noise);
        }
        Some(line)
    }

    /// Whether it is a warning or an error.
    pub(crate) fn is_loud(&self) -> bool {
        self.level <= Level::WARN
    }

    /// `INFO  message name=value trace=0af76519`, with the styles of a terminal; printing strips them elsewhere.
    fn render(&self) -> String {
        let style = match self.level {
            Level::ERROR => AnsiColor::Red.on_default().bold(),
            Level::WARN => AnsiColor::Yellow.on_default(),
            Level::INFO => AnsiColor::Green.on_default(),
            _ => DIM,
        };
        let (level, message) = (self.level.as_str(), &self.message);
        let mut line = format!("{style}{level:<5}{style:#} {message}");
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

/// A text without blanks needs no quotes.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text.contains(char::is_whitespace) => {
            format!("{text:?}")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
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
            "order_id":"42","trace_id":"0af7651916cd43dd8448eb211c80319c"}"#;
        assert_eq!(plain(line), "INFO  order placed order_id=42 trace=0af76519");
    }

    #[test]
    fn quotes_what_has_spaces() {
        let line = r#"{"level":"WARN","message":"slow","query":"select 1","ms":12}"#;
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
    fn a_warning_is_loud_and_information_is_not() {
        let is_loud = |line| LogLine::parse(line).unwrap().is_loud();
        assert!(is_loud(r#"{"level":"WARN"}"#) && is_loud(r#"{"level":"ERROR"}"#));
        assert!(!is_loud(r#"{"level":"INFO"}"#));
    }
}
