//! Ctrl-C, SIGTERM and SIGHUP as two steps: the first asks everything to stop, the second ends this process at once.

use std::io;
use std::process;
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell calls a command that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Listens from here on, in whichever phase: the token is cancelled by the first signal, and after the second one, and
/// `last`, nothing more is done.
pub(crate) fn listen(last: impl FnOnce() + Send + 'static) -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(guard);
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    let first = stop.clone();
    // A thread of its own: whatever the others are busy with, a signal is heard.
    thread::spawn(move || {
        runtime.block_on(async {
            next().await;
            first.cancel();
            next().await;
        });
        last();
        process::exit(INTERRUPTED.into());
    });
    Ok(stop)
}

/// From here on, the end of standard input asks everything to stop as well.
pub(crate) fn stop_with_input(stop: CancellationToken) {
    // Not one of the runtime's threads: those are waited for at the end, and this one may read for ever.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        stop.cancel();
    });
}
