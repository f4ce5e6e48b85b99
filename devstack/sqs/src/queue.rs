//! One queue as a state machine: no clock, no lock, no waiting; every method is told the time.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use crate::{
    clock::Timestamp,
    config::QueueConfig,
    error::Error,
    limits,
    message::{Accepted, Key, Message, ReceiptHandle},
    shelves::{Counts, Place, Shelves},
};

#[derive(Debug)]
pub(crate) struct Queue {
    /// Tells this queue's receipt handles from those of a deleted queue of the same name.
    id: Uuid,
    pub(crate) config: QueueConfig,
    next_sequence: u64,
    shelves: Shelves,
    /// On a FIFO queue only.
    deduplication: Deduplication,
}

/// What one receive wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receive {
    pub(crate) max: usize,
    /// Seconds for which the messages stay hidden from other receivers.
    pub(crate) visibility_timeout: u64,
    /// A message that was delivered this often is taken out as a dead letter instead.
    pub(crate) max_receive_count: Option<u32>,
}

/// What one receive got.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) deliveries: Vec<(ReceiptHandle, Message)>,
    /// No longer in this queue: to be moved to the dead-letter queue.
    pub(crate) dead_letters: Vec<Message>,
    /// Messages are ready, but too many are in flight; a FIFO queue does not tell.
    pub(crate) over_limit: bool,
}

impl Queue {
    pub(crate) fn new(config: QueueConfig) -> Self {
        Self {
            id: Uuid::new_v4(),
            shelves: Shelves::new(config.is_fifo()),
            config,
            next_sequence: 0,
            deduplication: Deduplication::default(),
        }
    }

    /// Adds a message from a client, unless the queue is FIFO and accepted it within the last five minutes.
    pub(crate) fn send(
        &mut self,
        message: Message,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Accepted {
        let id = message.deduplication_id.clone();
        let Some(id) = id.filter(|_| self.config.is_fifo()) else {
            return self.add(message, ready_at, now);
        };
        if let Some(first) = self.deduplication.find(&id, now) {
            return first;
        }
        let accepted = self.add(message, ready_at, now);
        self.deduplication.remember(id, accepted, now);
        accepted
    }

    /// Adds a message that becomes ready at `ready_at`.
    pub(crate) fn add(
        &mut self,
        mut message: Message,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Accepted {
        let key = Key {
            sent_at: message.sent_at,
            sequence: self.next_sequence,
        };
        self.next_sequence += 1;
        message.sequence_number = self.config.is_fifo().then_some(key.sequence);
        let accepted = Accepted {
            message_id: message.id,
            sequence_number: message.sequence_number,
        };
        self.shelves.insert(key, message, ready_at, now);
        accepted
    }

    /// Hands out up to `wanted.max` messages and hides them.
    pub(crate) fn receive(&mut self, wanted: Receive, now: Timestamp) -> Received {
        self.shelves.advance(now);
        let mut received = Received::default();
        let mut next = self.shelves.first_ready();
        while let Some(key) = next
            && received.deliveries.len() < wanted.max
        {
            // Asked for now, because a message that is taken out leaves its group.
            let behind = self.shelves.next_of_group(key);
            if self.is_exhausted(key, wanted.max_receive_count) {
                received.dead_letters.extend(self.shelves.remove(key));
            } else if self.shelves.counts().in_flight >= limits::MAX_IN_FLIGHT {
                received.over_limit = !self.config.is_fifo();
                break;
            } else {
                let ready_at = now.plus_seconds(wanted.visibility_timeout);
                received.deliveries.extend(self.deliver(key, ready_at, now));
            }
            // As much of one group as fits comes before the next group, as on AWS.
            next = behind.or_else(|| self.shelves.first_ready());
        }
        received
    }

    fn is_exhausted(&self, key: Key, max_receive_count: Option<u32>) -> bool {
        let deliveries = self.shelves.get(key).map_or(0, |entry| entry.deliveries);
        max_receive_count.is_some_and(|max| deliveries >= max)
    }

    fn deliver(
        &mut self,
        key: Key,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Option<(ReceiptHandle, Message)> {
        let entry = self.shelves.deliver(key, ready_at, now)?;
        let handle = ReceiptHandle {
            queue: self.id,
            key,
            delivery: entry.deliveries,
        };
        Some((handle, entry.message.clone()))
    }

    /// Deletes the message that `handle` belongs to.
    ///
    /// Succeeds without deleting when the message is gone, or was received again since:
    /// AWS promises nothing for an old handle, so that relying on it should show here.
    /// A FIFO queue refuses the handle of a message that is there and no longer in flight by it.
    pub(crate) fn delete(&mut self, text: &str, now: Timestamp) -> Result<(), Error> {
        self.shelves.advance(now);
        let handle = self.handle(text)?;
        let Some(entry) = self.shelves.get(handle.key) else {
            return Ok(());
        };
        let is_latest = entry.deliveries == handle.delivery;
        if self.config.is_fifo() && !(is_latest && entry.place == Place::InFlight) {
            return Err(Error::InvalidParameterValue(format!(
                "Value {text} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )));
        }
        if is_latest {
            self.shelves.remove(handle.key);
        }
        Ok(())
    }

    /// Lets the message be ready `seconds` from `now`; 0 makes it ready at once.
    pub(crate) fn change_visibility(
        &mut self,
        handle: &str,
        seconds: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.shelves.advance(now);
        let handle = self.handle(handle)?;
        let entry = self.shelves.get(handle.key);
        let Some(entry) = entry.filter(|entry| entry.deliveries == handle.delivery) else {
            return Err(Error::InvalidParameterValue(
                "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist \
                 or is not available for visibility timeout change."
                    .to_owned(),
            ));
        };
        if entry.place != Place::InFlight {
            return Err(Error::MessageNotInflight);
        }
        let ready_at = now.plus_seconds(seconds);
        let longest = *limits::VISIBILITY_TIMEOUT.end();
        if ready_at > entry.received_at.plus_seconds(longest) {
            return Err(Error::InvalidParameterValue(format!(
                "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout \
                 for the message is beyond the limit [{longest} seconds]."
            )));
        }
        self.shelves.hide(handle.key, ready_at);
        Ok(())
    }

    /// Deletes every message.
    pub(crate) fn purge(&mut self) {
        self.shelves = Shelves::new(self.config.is_fifo());
        self.deduplication = Deduplication::default();
    }

    pub(crate) fn counts(&mut self, now: Timestamp) -> Counts {
        self.shelves.advance(now);
        self.shelves.counts()
    }

    /// When the next hidden message becomes ready, if there is one.
    pub(crate) fn next_ready_at(&self) -> Option<Timestamp> {
        self.shelves.next_ready_at()
    }

    fn handle(&self, text: &str) -> Result<ReceiptHandle, Error> {
        ReceiptHandle::decode(text)
            .filter(|handle| handle.queue == self.id)
            .ok_or(Error::ReceiptHandleIsInvalid)
    }
}

/// How a FIFO queue knows a message again: what it accepted it remembers for five minutes, even when it is gone by then.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html>
#[derive(Debug, Default)]
struct Deduplication {
    /// By deduplication id.
    accepted: HashMap<String, Accepted>,
    /// The oldest first.
    by_age: VecDeque<(Timestamp, String)>,
}

impl Deduplication {
    /// What the sender of the first message with this id learned.
    fn find(&mut self, id: &str, now: Timestamp) -> Option<Accepted> {
        let is_over = |at: Timestamp| at.plus_seconds(limits::DEDUPLICATION_SECONDS) <= now;
        while let Some((_, id)) = self.by_age.pop_front_if(|(at, _)| is_over(*at)) {
            self.accepted.remove(&id);
        }
        self.accepted.get(id).copied()
    }

    fn remember(&mut self, id: String, accepted: Accepted, now: Timestamp) {
        self.by_age.push_back((now, id.clone()));
        self.accepted.insert(id, accepted);
    }
}

#[cfg(test)]
mod tests;
