//! Where the log lines of one part go. Our own, and those of the in-process servers, have the form of the children's.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::log_line::{LogLine, readable};
use crate::screen::Screen;

/// The file of one part, the screen, and a short memory for the message about its end.
#[derive(Debug)]
pub(crate) struct PartLog {
    part: &'static str,
    /// Absent when the lines are for the file alone.
    screen: Option<Screen>,
    file: Mutex<File>,
    last: Mutex<VecDeque<String>>,
}

/// How much of a dead part's log is shown.
pub(crate) const LAST_LINES: usize = 20;

impl PartLog {
    /// Without a screen, the lines are not seen, unless the part dies.
    pub(crate) fn new(part: &'static str, file: File, screen: Option<Screen>) -> Self {
        Self {
            part,
            screen,
            file: Mutex::new(file),
            last: Mutex::default(),
        }
    }

    /// Takes one line, without its end.
    pub(crate) fn line(&self, line: &str) {
        self.line_unseen(line);
        let mut last = self.last.lock().expect("no panic while remembering");
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(readable(line));
        drop(last);
        if let Some(screen) = &self.screen {
            screen.log(self.part, line);
        }
    }

    /// Takes a line for the file alone.
    pub(crate) fn line_unseen(&self, line: &str) {
        // The lines are short and the file is in the page cache: not worth a thread.
        let _ = writeln!(self.file.lock().expect("no panic while writing"), "{line}");
    }

    /// The last lines, readable, oldest first.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        let last = self.last.lock().expect("no panic while remembering");
        last.iter().cloned().collect()
    }
}

/// The label and the file of everything that runs inside this process.
pub(crate) const OWN: &str = "devstack";

/// From here on, `tracing` in this process writes to `log`.
pub(crate) fn write_own(log: Arc<PartLog>) -> anyhow::Result<()> {
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
    use crate::screen::Show;

    #[test]
    fn remembers_the_last_twenty_lines_readably_and_files_all_as_they_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.log");
        let log = PartLog::new(
            "part",
            File::create(&path).unwrap(),
            Some(Screen::new(Show::Problems)),
        );
        let lines: Vec<_> = (0..30)
            .map(|n| format!(r#"{{"level":"INFO","message":"line {n}"}}"#))
            .collect();

        for line in &lines {
            log.line(line);
        }

        let last = log.last_lines();
        assert_eq!(last.len(), 20);
        assert!(last[19].ends_with("line 29"), "{last:?}");
        assert_eq!(
            std::fs::read_to_string(path)
                .unwrap()
                .lines()
                .collect::<Vec<_>>(),
            lines
        );
    }

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
