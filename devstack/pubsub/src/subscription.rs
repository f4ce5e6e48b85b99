//! One subscription as a state machine: what is published to it, delivered, settled, and comes back.
//!
//! No clock and no waiting in here: every operation is told the time, and [`Subscription::next_event`]
//! says when [`Subscription::advance`] has something to do.

use std::sync::Arc;
use std::time::Duration;

use prost_types::Timestamp;
use tokio::time::Instant;

use crate::ack_id::AckId;
use crate::flow::{Budget, Limits, StreamId, Streams};
use crate::proto::PubsubMessage;
use crate::queue::Queue;
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) settings: Settings,
    queue: Queue,
    streams: Streams,
    exhausted: Vec<Exhausted>,
}

/// A message on its way to a client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) ack_id: AckId,
    pub(crate) message: Arc<PubsubMessage>,
    /// Counted from 1; only subscriptions with a dead-letter policy tell it.
    pub(crate) attempt: Option<u32>,
}

/// A message that failed as often as the dead-letter policy allows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exhausted {
    pub(crate) message: Arc<PubsubMessage>,
    pub(crate) attempts: u32,
}

impl Subscription {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            queue: Queue::new(settings.enable_message_ordering),
            settings,
            streams: Streams::default(),
            exhausted: Vec::new(),
        }
    }

    pub(crate) fn publish(&mut self, message: Arc<PubsubMessage>, now: Instant) {
        self.queue.push(message, now);
    }

    pub(crate) fn open_stream(&mut self, limits: Limits) -> StreamId {
        self.streams.open(limits)
    }

    /// What the stream has not settled stays leased until its deadline.
    pub(crate) fn close_stream(&mut self, stream: StreamId) {
        self.streams.close(stream);
    }

    /// Leases up to `max` messages to a caller that takes them once.
    pub(crate) fn pull(&mut self, max: usize, now: Instant) -> Vec<Delivery> {
        let deadline = now + self.settings.ack_deadline();
        self.take(Budget::new(max), usize::MAX, None, deadline)
    }

    /// Leases what the stream's flow control admits, and leaves the other open streams their share.
    /// `None` when the stream was opened on a namesake of this subscription that was deleted.
    pub(crate) fn pull_stream(
        &mut self,
        stream: StreamId,
        ack_deadline: Duration,
        now: Instant,
    ) -> Option<Vec<Delivery>> {
        let share = self.streams.share(stream, self.queue.ready());
        let budget = self.streams.budget(stream)?;
        Some(self.take(budget, share, Some(stream), now + ack_deadline))
    }

    /// Messages with the same ordering key go out together, in order, as far as they fit.
    fn take(
        &mut self,
        mut budget: Budget,
        share: usize,
        stream: Option<StreamId>,
        deadline: Instant,
    ) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for _ in 0..share {
            let mut next = self.queue.first_ready();
            if next.is_none() {
                break;
            }
            while let Some(sequence) = next {
                if !budget.spend(self.queue.entry(sequence).size) {
                    return deliveries;
                }
                deliveries.push(self.lease(sequence, stream, deadline));
                next = self.queue.follower(sequence);
            }
        }
        deliveries
    }

    fn lease(&mut self, sequence: u64, stream: Option<StreamId>, deadline: Instant) -> Delivery {
        let ack_id = self.queue.lease(sequence, deadline, stream);
        let counts_attempts = self.settings.dead_letter_policy.is_some();
        let entry = self.queue.entry(sequence);
        self.streams.add(stream, entry.size);
        Delivery {
            ack_id,
            message: Arc::clone(&entry.message),
            attempt: counts_attempts.then_some(entry.failures + 1),
        }
    }

    /// Settles a message. A late acknowledgement counts until the message is handed out again.
    pub(crate) fn acknowledge(&mut self, id: AckId, now: Instant) {
        if let Some(sequence) = self.queue.find(id) {
            self.remove(sequence, now);
        }
    }

    /// Moves the deadline of a lease that has not ended to `extension` from now; zero gives the message back.
    /// Any other id is ignored.
    pub(crate) fn modify_deadline(&mut self, id: AckId, extension: Duration, now: Instant) {
        let Some(sequence) = self.queue.find(id) else {
            return;
        };
        if !extension.is_zero() {
            self.queue.extend(sequence, now + extension);
        } else if self.queue.is_leased(sequence) {
            self.fail(sequence, now);
        }
    }

    /// Settles everything published before `time`. What was settled before does not come back.
    pub(crate) fn seek(&mut self, time: Timestamp, now: Instant) {
        for sequence in self.queue.published_before(time) {
            self.remove(sequence, now);
        }
    }

    /// Does what has become due, at the time when it was: ends leases and back-offs.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((due, sequence)) = self.queue.first_due()
            && due <= now
        {
            if self.queue.is_leased(sequence) {
                self.fail(sequence, due);
            } else {
                self.queue.release(sequence);
                self.queue.offer(sequence, due);
            }
        }
    }

    /// When [`Self::advance`] next has something to do.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        self.queue.first_due().map(|(due, _)| due)
    }

    /// Hands over, for good, the messages that belong in the dead-letter topic.
    pub(crate) fn take_exhausted(&mut self) -> Vec<Exhausted> {
        std::mem::take(&mut self.exhausted)
    }

    /// The delivery ended without an acknowledgement.
    fn fail(&mut self, sequence: u64, now: Instant) {
        self.release(sequence);
        // What was delivered after it with its ordering key comes again after it. That is no failure of theirs.
        for follower in self.queue.leased_behind(sequence) {
            self.release(follower);
            self.queue.entry(follower).delivery = None;
        }
        let retry = self.settings.retry_policy;
        let policy = self.settings.dead_letter_policy.as_ref();
        let most = policy.map_or(u32::MAX, |policy| policy.max_delivery_attempts);
        let entry = self.queue.entry(sequence);
        entry.failures += 1;
        entry.not_before = retry.map(|retry| now + retry.backoff(entry.failures));
        if entry.failures < most {
            self.queue.offer(sequence, now);
        } else if let Some(entry) = self.queue.remove(sequence, now) {
            self.exhausted.push(Exhausted {
                message: entry.message,
                attempts: entry.failures,
            });
        }
    }

    fn remove(&mut self, sequence: u64, now: Instant) {
        self.release(sequence);
        self.queue.remove(sequence, now);
    }

    fn release(&mut self, sequence: u64) {
        let stream = self.queue.release(sequence);
        let size = self.queue.entry(sequence).size;
        self.streams.subtract(stream, size);
    }
}

#[cfg(test)]
mod tests;
