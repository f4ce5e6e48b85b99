//! What people see: a line per part while it starts, and the log lines of all parts, each with its name.
//!
//! Progress goes to standard error, log lines to standard output.
//! Nobody waits until something is written: a reader that has stopped reading, or a terminal that was stopped (Ctrl-S),
//! must not stop the stack. A thread per stream writes, and what does not fit into its queue is counted and left out.
//! Failing to write is ignored: a terminal that was closed must not keep the stack from stopping in order.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::log_line::{LogLine, readable};

/// How many lines may wait to be written.
const QUEUE: usize = 10_000;

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

#[derive(Debug, Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// The thread that writes a stream, from the side of whoever has something to say.
#[derive(Debug, Clone)]
struct Writer {
    queue: SyncSender<Writing>,
    left_out: Arc<AtomicUsize>,
}

/// Something to be written, or done between two lines.
type Writing = Box<dyn FnOnce(&MultiProgress) + Send>;

impl Writer {
    fn start(bars: MultiProgress, stream: Stream) -> Self {
        let (queue, writings) = sync_channel::<Writing>(QUEUE);
        let left_out = Arc::new(AtomicUsize::new(0));
        let missed = Arc::clone(&left_out);
        // Until nobody is left who could say something.
        thread::spawn(move || {
            for write in writings {
                write(&bars);
                let count = missed.swap(0, Relaxed);
                if count > 0 {
                    let why = "since nobody read them; the logs have them";
                    let text = format!("{count} lines were not shown, {why}");
                    write_line(&bars, stream, text);
                }
            }
        });
        Self { queue, left_out }
    }

    fn send(&self, write: impl FnOnce(&MultiProgress) + Send + 'static) {
        if self.queue.try_send(Box::new(write)).is_err() {
            self.left_out.fetch_add(1, Relaxed);
        }
    }
}

fn write_line(bars: &MultiProgress, stream: Stream, mut text: String) {
    text.push('\n');
    let write = || match stream {
        Stream::Out => anstream::stdout().write_all(text.as_bytes()),
        Stream::Err => anstream::stderr().write_all(text.as_bytes()),
    };
    // What is no terminal shows no bars either, and may keep its writer waiting: that must not hold up the others.
    let _ = match stream {
        Stream::Out if !io::stdout().is_terminal() => write(),
        _ => bars.suspend(write),
    };
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
        let interactive = io::stderr().is_terminal();
        Self {
            out,
            err,
            show,
            interactive,
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
        let (shown, what) = (bar.clone(), what.into());
        self.err.send(move |bars| {
            let bar = bars.add(shown);
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}");
            bar.set_style(style.expect("the template is constant"));
            bar.set_message(what);
            bar.enable_steady_tick(Duration::from_millis(100));
        });
        let writer = self.err.clone();
        Waiting { bar, writer }
    }

    /// A line about the stack itself, on standard error.
    pub(crate) fn tell(&self, line: &str) {
        let line = line.to_owned();
        let write = |bars: &_| write_line(bars, Stream::Err, line);
        self.err.send(write);
    }

    /// What the command was asked for, on standard output.
    pub(crate) fn print(&self, text: &str) {
        let text = text.to_owned();
        let write = |bars: &_| write_line(bars, Stream::Out, text);
        self.out.send(write);
    }

    /// Waits until everything is written, unless nobody reads it.
    pub(crate) fn flush(&self) {
        let deadline = Instant::now() + LAST_WORDS_LIMIT;
        let written = [&self.out, &self.err].map(|writer| {
            let (written, is_written) = sync_channel(1);
            // Whoever asked may have lost patience.
            writer.send(move |_| {
                let _ = written.try_send(());
            });
            is_written
        });
        for is_written in written {
            let left = deadline.saturating_duration_since(Instant::now());
            let _ = is_written.recv_timeout(left);
        }
    }

    /// A line of a part's log, if it is to be seen.
    pub(crate) fn log(&self, part: &str, line: &str) {
        let is_shown = match self.show {
            Show::Everything => true,
            Show::Problems => LogLine::parse(line).is_none_or(|line| line.is_loud()),
        };
        if is_shown {
            let (colour, text) = (colour_of(part), readable(line));
            self.print(&format!("{colour}{part:<NAME_WIDTH$} │{colour:#} {text}"));
        }
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
        drop(self.bar);
        let (part, seconds) = (self.part, self.began.elapsed().as_secs_f64());
        let is_interactive = self.screen.interactive;
        let mark = if is_interactive { "✔" } else { "ready   " };
        self.screen.tell(&format!(
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
        let bar = self.bar.clone();
        self.writer.send(move |_| bar.finish_and_clear());
    }
}

#[cfg(test)]
mod tests {
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
