//! Our own log lines and those of the in-process servers, in the form and the places of the children's.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::log_line::LogLine;
use crate::part_log::PartLog;

/// The label and the file of everything that runs inside this process.
pub(crate) const NAME: &str = "devstack";

/// From here on, `tracing` in this process writes to `log`.
pub(crate) fn install(log: Arc<PartLog>) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    // A new data folder on a slow disk takes a second to create a database: nobody has to act on that.
    let filter = filter
        .from_env_lossy()
        .add_directive("sqlx::query=error".parse()?);
    let lines = json_subscriber::layer()
        .flatten_event(true)
        .with_writer(move || LineWriter(Arc::clone(&log)));
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}

/// The formatter writes each event at once, as one line.
struct LineWriter(Arc<PartLog>);

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if is_for_people(text) {
            self.0.line(text);
        } else {
            self.0.line_unseen(text);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The stand-ins' information is for their log file; that PostgreSQL is being downloaded explains a long wait.
fn is_for_people(line: &str) -> bool {
    LogLine::parse(line)
        .is_none_or(|line| line.is_loud() || line.target.starts_with("postgres_server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_the_download_of_postgresql_reach_the_screen() {
        assert!(is_for_people(
            r#"{"level":"WARN","target":"sqs","message":"full"}"#
        ));
        assert!(is_for_people(
            r#"{"level":"INFO","target":"postgres_server::programs","message":"downloading"}"#
        ));
        assert!(!is_for_people(
            r#"{"level":"INFO","target":"sqs","message":"sent"}"#
        ));
    }
}
