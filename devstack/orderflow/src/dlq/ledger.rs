//! What was redriven: one JSON line for each, in the stack's folder. No broker keeps that, and Kafka not even removes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::letter::About;
use crate::rundir::REDRIVEN;

/// One letter that was sent back once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(flatten)]
    pub(super) about: About,
    pub(super) place: String,
    pub(super) redriven_at: DateTime<Utc>,
    /// The trace that it went into; absent where none was recorded.
    pub(super) redriven_into: Option<String>,
    /// The broker's id of the new message.
    pub(super) redriven_as: String,
}

#[derive(Debug)]
pub(super) struct Ledger(PathBuf);

impl Ledger {
    pub(super) fn of(folder: &Path) -> Self {
        Self(folder.join(REDRIVEN))
    }

    /// A line goes to the end in one write, so two commands side by side do not mix theirs.
    pub(super) fn add(&self, entry: &Entry) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            if let Some(folder) = self.0.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut line = serde_json::to_string(entry)?;
            line.push('\n');
            let mut file = File::options().create(true).append(true).open(&self.0)?;
            file.write_all(line.as_bytes())
        };
        write().with_context(|| format!("writing {}", self.0.display()))
    }

    /// In the order in which they were redriven; a line that was cut off tells nothing.
    pub(super) fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("reading {}", self.0.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_what_was_redriven_and_passes_over_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::of(&folder.path().join("not yet there"));
        assert_eq!(ledger.entries().unwrap(), []);
        let entry = Entry {
            about: About {
                id: "00000001".to_owned(),
                order_id: None,
                given_up: None,
                attempts: Some(20),
                reason: Some("two\nlines".to_owned()),
                trace_id: None,
            },
            place: "order.created.dlt".to_owned(),
            redriven_at: DateTime::UNIX_EPOCH,
            redriven_into: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
            redriven_as: "order.created/0/8".to_owned(),
        };
        ledger.add(&entry).unwrap();
        let mut file = File::options().append(true).open(&ledger.0).unwrap();
        writeln!(file, r#"{{"id":"0000"#).unwrap();
        ledger.add(&entry).unwrap();
        assert_eq!(ledger.entries().unwrap(), [entry.clone(), entry]);
    }
}
