//! The shared state behind the server: the queues, the clock, and who waits for what.

use std::sync::{Mutex, PoisonError};

use tokio::{sync::Notify, time::sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, Timestamp},
    config::Queues,
    error::Error,
    queue::{Receive, Received},
    queue_set::QueueSet,
};

#[derive(Debug)]
pub(crate) struct Emulator {
    clock: Clock,
    /// One lock for all queues, because dead letters move between them; it is never held over an await.
    queues: Mutex<QueueSet>,
    /// Receivers that wait look again whenever it fires.
    changed: Notify,
    shutdown: CancellationToken,
}

impl Emulator {
    /// An emulator with the queues of `config`, or the reason why one of them cannot be.
    pub(crate) fn start(config: &Queues, shutdown: CancellationToken) -> anyhow::Result<Self> {
        Ok(Self {
            clock: Clock::start(),
            queues: Mutex::new(QueueSet::of(config)?),
            changed: Notify::new(),
            shutdown,
        })
    }

    /// Looks at the queues, or changes them, after which receivers look again.
    pub(crate) fn change<T>(
        &self,
        operation: impl FnOnce(&mut QueueSet, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = self.look(operation);
        self.changed.notify_waiters();
        result
    }

    fn look<T>(&self, operation: impl FnOnce(&mut QueueSet, Timestamp) -> T) -> T {
        // A request that panicked left the queues consistent enough to go on with.
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        // Read while the lock is held, so that messages are sent in the order of their times.
        operation(&mut queues, self.clock.now())
    }

    /// Receives from a queue, waiting up to `wait_seconds` for a first message.
    ///
    /// Ends early and empty when the emulator stops.
    pub(crate) async fn receive(
        &self,
        queue: &str,
        wanted: Receive,
        wait_seconds: u64,
    ) -> Result<Received, Error> {
        let deadline = self.clock.now().plus_seconds(wait_seconds);
        loop {
            let mut woken = std::pin::pin!(self.changed.notified());
            // Listening starts before looking, so that a message sent in between is not slept through.
            woken.as_mut().enable();
            let (received, now, next_ready_at) = self.look(|queues, now| {
                let received = queues.receive(queue, wanted, now)?;
                Ok::<_, Error>((received, now, queues.get(queue)?.next_ready_at()))
            })?;
            if !received.dead_letters.is_empty() {
                self.changed.notify_waiters();
            }
            if !received.deliveries.is_empty() || now >= deadline || self.shutdown.is_cancelled() {
                return Ok(received);
            }
            let look_again_at = next_ready_at.map_or(deadline, |at| at.min(deadline));
            tokio::select! {
                () = woken => {}
                () = sleep_until(self.clock.instant(look_again_at)) => {}
                () = self.shutdown.cancelled() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use futures::poll;

    use super::*;
    use crate::{
        config::QueueConfig,
        message::{Content, Message},
        message_attributes::MessageAttributes,
    };

    /// Far shorter than the polls here, and far longer than a busy machine needs to wake one.
    const SOON: Duration = Duration::from_secs(5);

    const ONE: Receive = Receive {
        max: 1,
        visibility_timeout: None,
    };

    fn emulator() -> Emulator {
        let jobs = Queues::new().with_queue(QueueConfig::new("jobs"));
        Emulator::start(&jobs, CancellationToken::new()).unwrap()
    }

    fn send(emulator: &Emulator) {
        let content = Content::new("a".to_owned(), MessageAttributes::new());
        let sent = emulator.change(|queues, now| {
            let message = Message::new(content, now);
            Ok(queues.get("jobs")?.send(message, now, now))
        });
        sent.unwrap();
    }

    #[tokio::test]
    async fn a_send_wakes_a_waiting_receiver() {
        let emulator = emulator();
        let mut poll = pin!(emulator.receive("jobs", ONE, 20));
        assert!(poll!(&mut poll).is_pending());
        send(&emulator);
        let received = tokio::time::timeout(SOON, poll).await.unwrap().unwrap();
        assert_eq!(received.deliveries.len(), 1);
    }

    #[tokio::test]
    async fn one_message_goes_to_one_of_two_waiting_receivers() {
        let emulator = emulator();
        let mut one = pin!(emulator.receive("jobs", ONE, 20));
        let mut other = pin!(emulator.receive("jobs", ONE, 20));
        assert!(poll!(&mut one).is_pending());
        assert!(poll!(&mut other).is_pending());
        send(&emulator);
        assert!(poll!(&mut one).is_ready());
        assert!(poll!(&mut other).is_pending());
    }

    #[tokio::test]
    async fn a_receiver_that_went_away_takes_no_message_along() {
        let emulator = emulator();
        {
            let mut gone = pin!(emulator.receive("jobs", ONE, 20));
            assert!(poll!(&mut gone).is_pending());
        }
        send(&emulator);
        let received = emulator.receive("jobs", ONE, 0).await.unwrap();
        assert_eq!(received.deliveries.len(), 1);
    }

    #[tokio::test]
    async fn the_shutdown_ends_a_waiting_receiver_without_messages() {
        let emulator = emulator();
        let mut poll = pin!(emulator.receive("jobs", ONE, 20));
        assert!(poll!(&mut poll).is_pending());
        emulator.shutdown.cancel();
        let received = tokio::time::timeout(SOON, poll).await.unwrap().unwrap();
        assert!(received.deliveries.is_empty());
    }

    #[tokio::test]
    async fn the_deletion_of_the_queue_ends_a_waiting_receiver() {
        let emulator = emulator();
        let mut poll = pin!(emulator.receive("jobs", ONE, 20));
        assert!(poll!(&mut poll).is_pending());
        let deleted = emulator.change(|queues, _| queues.delete("jobs"));
        deleted.unwrap();
        let received = tokio::time::timeout(SOON, poll).await.unwrap();
        assert!(matches!(received, Err(Error::QueueDoesNotExist)));
    }
}
