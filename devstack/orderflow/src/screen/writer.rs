//! A thread for each stream writes what is said, so that nobody waits for a reader.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How many lines may wait to be written.
const QUEUE: usize = 10_000;

#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Out,
    Err,
}

#[derive(Debug)]
pub(super) enum Message {
    Line(Stream, String),
    /// A line that stands, and moves, for as long as something is waited for.
    Begin(ProgressBar, String),
    End(ProgressBar),
    Flush(SyncSender<()>),
}

/// The thread that writes a stream, from the side of whoever has something to say.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) queue: SyncSender<Message>,
    pub(super) left_out: Arc<AtomicUsize>,
}

impl Writer {
    pub(super) fn start(bars: MultiProgress, stream: Stream) -> Self {
        let (queue, messages) = sync_channel(QUEUE);
        let left_out = Arc::new(AtomicUsize::new(0));
        let missed = Arc::clone(&left_out);
        thread::spawn(move || write_all(&bars, stream, &messages, &missed));
        Self { queue, left_out }
    }

    pub(super) fn send(&self, message: Message) {
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
