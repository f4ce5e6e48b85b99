//! Ctrl-C, SIGTERM and SIGHUP as two steps: the first asks everything to stop, the second kills.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The two steps, as tokens that any part can wait for.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Cancelled by the first signal: stop in order.
    pub(crate) stop: CancellationToken,
    /// Cancelled by the second: kill at once.
    pub(crate) kill: CancellationToken,
    _watcher: JoinSet<()>,
}

impl Signals {
    /// Starts to listen; from here on the signals no longer end this process by themselves.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let sources = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let mut watcher = JoinSet::new();
        watcher.spawn(watch(sources, stop.clone(), kill.clone()));
        Ok(Self {
            stop,
            kill,
            _watcher: watcher,
        })
    }
}

impl Signals {
    /// From here on, the end of standard input asks everything to stop as well.
    pub(crate) fn stop_with_input(&self) {
        let stop = self.stop.clone();
        // A thread of its own, not one of the runtime's: those are waited for at the end, and this one may read for ever.
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            stop.cancel();
        });
    }
}

async fn watch(sources: [Signal; 3], stop: CancellationToken, kill: CancellationToken) {
    let [mut interrupt, mut terminate, mut hangup] = sources;
    for step in [stop, kill] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        step.cancel();
    }
}
