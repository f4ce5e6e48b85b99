//! What people see: a line per part while it starts, and the log lines of all parts, each with its name.
//!
//! Progress goes to standard error, log lines to standard output.
//! Failing to write either is ignored: a terminal that was closed must not keep the stack from stopping in order.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::log_line::{Level, LogLine};

/// How an error is introduced.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
const READY: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();

/// As wide as the longest name of a part.
const NAME_WIDTH: usize = 10;

const NAME_COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::BrightGreen,
];

/// Which log lines reach the screen; the files get them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Everything,
    Problems,
}

/// The terminal, or what stands in its place.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    bars: MultiProgress,
    show: Show,
    interactive: bool,
}

impl Screen {
    pub(crate) fn new(show: Show) -> Self {
        Self {
            bars: MultiProgress::new(),
            show,
            interactive: io::stderr().is_terminal(),
        }
    }

    /// Announces a part; the answer is told when it is ready.
    pub(crate) fn starting(&self, part: &'static str) -> PartLine {
        let bar = if self.interactive {
            self.bars.add(ProgressBar::new_spinner())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}")
            .expect("the template is constant");
        bar.set_style(style);
        bar.set_message(format!("{part:<NAME_WIDTH$}"));
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        if !self.interactive {
            self.tell(&format!("starting {part}"));
        }
        PartLine {
            part,
            bar,
            began: Instant::now(),
            screen: self.clone(),
        }
    }

    /// Shows that something is waited for, until it is dropped; on a terminal alone.
    pub(crate) fn waiting(&self, what: &'static str) -> Waiting {
        let bar = if self.interactive {
            self.bars.add(ProgressBar::new_spinner())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}");
        bar.set_style(style.expect("the template is constant"));
        bar.set_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        Waiting(bar)
    }

    /// A line about the stack itself, on standard error.
    pub(crate) fn tell(&self, line: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// What the command was asked for, on standard output.
    pub(crate) fn print(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(anstream::stdout(), "{text}");
        });
    }

    fn log(&self, part: &str, line: &str) {
        let parsed = LogLine::parse(line);
        if self.show == Show::Problems
            && parsed.as_ref().is_some_and(|line| line.level < Level::Warn)
        {
            return;
        }
        let colour = colour_of(part);
        let text = parsed.map_or_else(|| line.to_owned(), |line| line.render());
        self.print(&format!("{colour}{part:<NAME_WIDTH$} │{colour:#} {text}"));
    }
}

/// Whether styles written to standard output reach it.
pub(crate) fn has_colour() -> bool {
    anstream::stdout().current_choice() != anstream::ColorChoice::Never
}

/// Each name keeps its colour from run to run.
fn colour_of(part: &str) -> Style {
    let sum: usize = part.bytes().map(usize::from).sum();
    NAME_COLOURS[sum % NAME_COLOURS.len()].on_default()
}

/// The line of a part that is starting; dropping it untold takes it off the screen.
#[derive(Debug)]
pub(crate) struct PartLine {
    part: &'static str,
    bar: ProgressBar,
    began: Instant,
    screen: Screen,
}

impl PartLine {
    /// The part is ready at `address`.
    pub(crate) fn ready(self, address: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        let part = self.part;
        let mark = if self.screen.interactive {
            "✔"
        } else {
            "ready   "
        };
        self.screen.tell(&format!(
            "{READY}{mark}{READY:#} {part:<NAME_WIDTH$} {address} {DIM}{seconds:.1} s{DIM:#}"
        ));
    }
}

impl Drop for PartLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line that stands for as long as something is waited for.
#[derive(Debug)]
pub(crate) struct Waiting(ProgressBar);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Where the log lines of one part go: its file, the screen, and a short memory for the message about its end.
#[derive(Debug)]
pub(crate) struct PartLog {
    part: &'static str,
    /// Absent when the lines are for the file alone.
    screen: Option<Screen>,
    file: Mutex<File>,
    last: Mutex<std::collections::VecDeque<String>>,
}

/// How much of a dead part's log is shown.
pub(crate) const LAST_LINES: usize = 20;

impl PartLog {
    pub(crate) fn new(part: &'static str, file: File, screen: Screen) -> Self {
        Self {
            screen: Some(screen),
            ..Self::quiet(part, file)
        }
    }

    /// A log whose lines do not reach the screen, unless the part dies.
    pub(crate) fn quiet(part: &'static str, file: File) -> Self {
        Self {
            part,
            screen: None,
            file: Mutex::new(file),
            last: Mutex::default(),
        }
    }

    /// Takes one line, without its end.
    pub(crate) fn line(&self, line: &str) {
        // The lines are short and the file is in the page cache: not worth a thread.
        let _ = writeln!(self.file.lock().expect("no panic while writing"), "{line}");
        self.remember(line);
        if let Some(screen) = &self.screen {
            screen.log(self.part, line);
        }
    }

    /// Takes a line for the file alone.
    pub(crate) fn line_unseen(&self, line: &str) {
        let _ = writeln!(self.file.lock().expect("no panic while writing"), "{line}");
    }

    fn remember(&self, line: &str) {
        let mut last = self.last.lock().expect("no panic while remembering");
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(LogLine::parse(line).map_or_else(|| line.to_owned(), |line| line.render()));
    }

    /// The last lines, readable, oldest first.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.last
            .lock()
            .expect("no panic while remembering")
            .iter()
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_twenty_lines_readably_and_files_all_as_they_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.log");
        let log = PartLog::new(
            "part",
            File::create(&path).unwrap(),
            Screen::new(Show::Problems),
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
