//! Where the log lines of one part go.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;

use crate::log_line::readable;
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
}
