//! Messages on their way out: what a pull takes, and leases.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::{Place, StreamId};
use super::flow::Budget;
use super::{AckId, Subscription};
use crate::proto::PubsubMessage;

/// A message on its way to a client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) ack_id: AckId,
    pub(crate) message: Arc<PubsubMessage>,
    /// Counted from 1; only subscriptions with a dead-letter policy tell it.
    pub(crate) attempt: Option<u32>,
}

impl Subscription {
    /// Leases up to `max` messages to a caller that takes them once.
    pub(crate) fn pull(&mut self, max: usize, now: Instant) -> Vec<Delivery> {
        let deadline = now + self.settings.ack_deadline;
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
        let share = self.streams.share(stream, self.ready.len());
        let budget = self.streams.budget(stream)?;
        Some(self.take(budget, share, Some(stream), now + ack_deadline))
    }

    fn take(
        &mut self,
        mut budget: Budget,
        share: usize,
        stream: Option<StreamId>,
        deadline: Instant,
    ) -> Vec<Delivery> {
        let mut taken = Vec::new();
        for _ in 0..share {
            let Some(&sequence) = self.ready.first() else {
                break;
            };
            if !budget.spend(self.entry(sequence).size) {
                break;
            }
            taken.push(self.lease(sequence, stream, deadline));
            self.take_followers(sequence, &mut budget, stream, deadline, &mut taken);
        }
        taken
    }

    /// Messages with the same ordering key go out together, in order, as far as they fit.
    fn take_followers(
        &mut self,
        head: u64,
        budget: &mut Budget,
        stream: Option<StreamId>,
        deadline: Instant,
        taken: &mut Vec<Delivery>,
    ) {
        let Some(key) = self.ordering_key(head) else {
            return;
        };
        while let Some(sequence) = self.lanes.follower(&key) {
            let entry = self.entry(sequence);
            if entry.not_before.is_some() || !budget.spend(entry.size) {
                break;
            }
            taken.push(self.lease(sequence, stream, deadline));
        }
    }

    fn lease(&mut self, sequence: u64, stream: Option<StreamId>, deadline: Instant) -> Delivery {
        self.ready.remove(&sequence);
        if let Some(key) = self.ordering_key(sequence) {
            self.lanes.lease(&key, sequence);
        }
        self.place(sequence, Place::Leased { deadline, stream });
        let counts_attempts = self.settings.dead_letter.is_some();
        let subscription = self.identity;
        let entry = self.entry(sequence);
        entry.not_before = None;
        entry.delivery += 1;
        Delivery {
            ack_id: AckId {
                subscription,
                sequence,
                delivery: entry.delivery,
            },
            message: Arc::clone(&entry.message),
            attempt: counts_attempts.then_some(entry.failures + 1),
        }
    }
}
