//! While something that handlers need is away, nothing more is received.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Closes for a while when a handler finds something unavailable, and opens when one gets on.
///
/// It also opens by itself after that while, for a try: a handler that blames the world for one message's fault slows
/// its consumer down, but does not end it.
pub(crate) struct Gate {
    closed_until: watch::Sender<Option<Instant>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            closed_until: watch::Sender::new(None),
        }
    }

    pub(crate) fn close(&self, period: Duration) {
        let until = Instant::now() + period;
        self.closed_until.send_if_modified(|closed| {
            let later = closed.is_none_or(|already| already < until);
            if later {
                *closed = Some(until);
            }
            later
        });
    }

    pub(crate) fn open(&self) {
        self.closed_until
            .send_if_modified(|closed| closed.take().is_some());
    }

    /// Waits until it is open.
    pub(crate) async fn opened(&self) {
        let mut changes = self.closed_until.subscribe();
        loop {
            let Some(until) = *changes.borrow_and_update() else {
                return;
            };
            if tokio::time::timeout_at(until, changes.changed())
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn opens_after_a_while_or_when_somebody_gets_on() {
        let gate = Gate::new();
        assert!(gate.opened().now_or_never().is_some());
        gate.close(Duration::from_secs(5));
        gate.close(Duration::from_secs(1));
        assert!(gate.opened().now_or_never().is_none());
        gate.opened().await;
        gate.close(Duration::from_hours(1));
        tokio::join!(gate.opened(), async { gate.open() });
    }
}
