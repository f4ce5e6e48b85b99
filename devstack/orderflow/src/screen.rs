//! What people see: a line per part while it starts, and the log lines of all parts, each with its name.
//!
//! Progress goes to standard error, log lines to standard output.
//! Nobody waits until something is written: a reader that has stopped reading, or a terminal that was stopped (Ctrl-S),
//! must not stop the stack. A thread per stream writes, and what does not fit into its queue is counted and left out.
//! Failing to write is ignored: a terminal that was closed must not keep the stack from stopping in order.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::log_line::{Level, LogLine};

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

#[derive(Debug, Clone, Copy)]
enum Stream {
    Out,
    Err,
}

#[derive(Debug)]
enum Message {
    Line(Stream, String),
    /// A line that stands, and moves, for as long as something is waited for.
    Begin(ProgressBar, String),
    End(ProgressBar),
    Flush(SyncSender<()>),
}

/// The thread that writes a stream, from the side of whoever has something to say.
#[derive(Debug, Clone)]
struct Writer {
    queue: SyncSender<Message>,
    left_out: Arc<AtomicUsize>,
}

impl Writer {
    fn start(bars: MultiProgress, stream: Stream) -> Self {
        let (queue, messages) = sync_channel(QUEUE);
        let left_out = Arc::new(AtomicUsize::new(0));
        let missed = Arc::clone(&left_out);
        thread::spawn(move || write_all(&bars, stream, &messages, &missed));
        Self { queue, left_out }
    }

    fn send(&self, message: Message) {
        if self.queue.try_send(message).is_err() {
            self.left_out.fetch_add(1, Relaxed);
        }
    }
}

/// Writes until nobody is left who could say something.
fn write_all(
    bars: &MultiProgress,
    stream: Stream,
    messages: &Receiver<Message>,
    missed: &AtomicUsize,
) {
    for message in messages {
        match message {
            Message::Line(stream, text) => write_line(bars, stream, text),
            Message::Begin(bar, text) => {
                let bar = bars.add(bar);
                let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}");
                bar.set_style(style.expect("the template is constant"));
                bar.set_message(text);
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            Message::End(bar) => bar.finish_and_clear(),
            // Whoever asked may have lost patience.
            Message::Flush(written) => drop(written.try_send(())),
        }
        let count = missed.swap(0, Relaxed);
        if count > 0 {
            let text =
                format!("{count} lines were not shown, since nobody read them; the logs have them");
            write_line(bars, stream, text);
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
