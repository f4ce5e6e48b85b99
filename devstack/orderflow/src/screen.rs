//! What people see: a line per part while it starts, and the log lines of all parts, each with its name.
//!
//! Progress goes to standard error, log lines to standard output.
//! Nobody waits until something is written: a reader that has stopped reading, or a terminal that was stopped (Ctrl-S),
//! must not stop the stack. A thread per stream writes, and what does not fit into its queue is counted and left out.
//! Failing to write is ignored: a terminal that was closed must not keep the stack from stopping in order.

mod writer;

use std::io::{self, IsTerminal as _};
use std::mem;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar};

use self::writer::{Message, Stream, Writer};
use crate::log_line::{Level, LogLine};

/// How long the end waits for lines that are not written yet.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);

/// How an error is introduced.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
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
    out: Writer,
    err: Writer,
    show: Show,
    interactive: bool,
}

impl Screen {
    pub(crate) fn new(show: Show) -> Self {
        let bars = MultiProgress::new();
        let err = Writer::start(bars.clone(), Stream::Err);
        // One terminal shows both, in the order in which they were said.
        let out = if io::stdout().is_terminal() {
            err.clone()
        } else {
            Writer::start(bars, Stream::Out)
        };
        Self {
            out,
            err,
            show,
            interactive: io::stderr().is_terminal(),
        }
    }

    /// Announces a part; the answer is told when it is ready.
    pub(crate) fn starting(&self, part: &'static str) -> PartLine {
        if !self.interactive {
            self.tell(&format!("starting {part}"));
        }
        PartLine {
            part,
            bar: self.waiting(format!("{part:<NAME_WIDTH$}")),
            began: Instant::now(),
            screen: self.clone(),
        }
    }

    /// Shows that something is waited for, until it is dropped; on a terminal alone.
    pub(crate) fn waiting(&self, what: impl Into<String>) -> Waiting {
        let bar = if self.interactive {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        self.err.send(Message::Begin(bar.clone(), what.into()));
        Waiting {
            bar,
            writer: self.err.clone(),
        }
    }

    /// A line about the stack itself, on standard error.
    pub(crate) fn tell(&self, line: &str) {
        self.err.send(Message::Line(Stream::Err, line.to_owned()));
    }

    /// What the command was asked for, on standard output.
    pub(crate) fn print(&self, text: &str) {
        self.out.send(Message::Line(Stream::Out, text.to_owned()));
    }

    /// Waits until everything is written, unless nobody reads it.
    pub(crate) fn flush(&self) {
        let deadline = Instant::now() + LAST_WORDS_LIMIT;
        let written = [&self.out, &self.err].map(|writer| {
            let (written, is_written) = sync_channel(1);
            writer.send(Message::Flush(written));
            is_written
        });
        for is_written in written {
            let left = deadline.saturating_duration_since(Instant::now());
            let _ = is_written.recv_timeout(left);
        }
    }

    /// A line of a part's log, if it is to be seen.
    pub(crate) fn log(&self, part: &str, line: &str) {
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

/// The last thing that a command says when it has failed. A terminal that was stopped does not keep it from ending.
pub fn tell_error(error: &anyhow::Error) {
    let screen = Screen::new(Show::Everything);
    screen.tell(&format!("{ERROR}error:{ERROR:#} {error:#}"));
    screen.flush();
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
    bar: Waiting,
    began: Instant,
    screen: Screen,
}

impl PartLine {
    /// The part is ready at `address`.
    pub(crate) fn ready(self, address: &str) {
        let Self {
            part,
            bar,
            began,
            screen,
        } = self;
        drop(bar);
        let seconds = began.elapsed().as_secs_f64();
        let mark = if screen.interactive {
            "✔"
        } else {
            "ready   "
        };
        screen.tell(&format!(
            "{READY}{mark}{READY:#} {part:<NAME_WIDTH$} {address} {DIM}{seconds:.1} s{DIM:#}"
        ));
    }
}

/// A line that stands for as long as something is waited for.
#[derive(Debug)]
pub(crate) struct Waiting {
    bar: ProgressBar,
    writer: Writer,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let bar = mem::replace(&mut self.bar, ProgressBar::hidden());
        self.writer.send(Message::End(bar));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[test]
    fn what_nobody_reads_is_left_out_and_nobody_waits_for_it() {
        let (queue, messages) = sync_channel(2);
        let left_out = Arc::new(AtomicUsize::new(0));
        let stuck = Writer {
            queue,
            left_out: Arc::clone(&left_out),
        };
        let screen = Screen {
            out: stuck.clone(),
            err: stuck,
            show: Show::Everything,
            interactive: false,
        };
        for _ in 0..5 {
            screen.print("a line");
        }
        screen.flush();
        assert_eq!(messages.try_iter().count(), 2);
        assert!(left_out.load(Relaxed) >= 3);
    }
}
