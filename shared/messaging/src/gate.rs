//! While something that handlers need is away, no more is received than tells whether it is back.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How often one more message is let through while it is closed.
///
/// A handler may blame the world for what is one message's fault: then the next one gets on, and opens the gate, however
/// long the first one waits for its next try.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Closes when a handler finds something unavailable, and opens when one gets on.
pub(crate) struct Gate {
    closed_until: watch::Sender<Option<Instant>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            closed_until: watch::Sender::new(None),
        }
    }

    /// Until something gets on, or for [`TRY_EVERY`] at most; `period` is how long the message waits that found it so.
    pub(crate) fn close(&self, period: Duration) {
        let until = Instant::now() + period.min(TRY_EVERY);
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

    /// Waits until messages may come, and says how many of those that there is room for: one for a try, or all.
    pub(crate) async fn admits(&self, room: usize) -> usize {
        let mut changes = self.closed_until.subscribe();
        loop {
            let Some(until) = *changes.borrow_and_update() else {
                return room;
            };
            let waited = tokio::time::timeout_at(until, changes.changed()).await;
            if waited.is_err() {
                self.close(TRY_EVERY);
                return room.min(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lets_one_through_now_and_then_and_all_when_somebody_gets_on() {
        let gate = Gate::new();
        assert_eq!(gate.admits(10).now_or_never(), Some(10));
        gate.close(Duration::from_hours(1));
        assert_eq!(gate.admits(10).now_or_never(), None);
        for tries in 1..=3 {
            let closed = Instant::now();
            assert_eq!(gate.admits(10).await, 1, "{tries}");
            assert_eq!(closed.elapsed(), TRY_EVERY);
        }
        let (admitted, ()) = tokio::join!(gate.admits(10), async { gate.open() });
        assert_eq!(admitted, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn is_closed_no_longer_than_the_message_waits_that_found_something_away() {
        let gate = Gate::new();
        gate.close(Duration::from_millis(20));
        let closed = Instant::now();
        assert_eq!(gate.admits(10).await, 1);
        assert_eq!(closed.elapsed(), Duration::from_millis(20));
    }
}
