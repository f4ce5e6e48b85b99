//! One queue as a state machine: no clock, no lock, no waiting.
//!
//! A message is *delayed*, *ready* or *in flight*; [`Queue::advance`] moves those whose time has come.
//! On a FIFO queue it may also be *waiting* for others of its group.
//! Every method that depends on time is told the time.

mod deduplication;
mod groups;
mod shelves;

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use self::{deduplication::Deduplication, groups::Group, shelves::Shelf};
use crate::{
    clock::Timestamp,
    error::Error,
    limits,
    message::{Accepted, Key, Message, ReceiptHandle},
    settings::Settings,
};

#[derive(Debug)]
pub(crate) struct Queue {
    /// Tells this queue's receipt handles from those of a deleted queue of the same name.
    id: Uuid,
    pub(crate) settings: Settings,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    purged_at: Option<Timestamp>,
    next_sequence: u64,
    /// Everything that is in the queue, the oldest first, which is the order in which messages expire.
    entries: BTreeMap<Key, Entry>,
    /// On a FIFO queue only.
    groups: HashMap<String, Group>,
    deduplication: Deduplication,
    delayed: Shelf,
    /// Due, but others of the same group come first; on a FIFO queue only.
    waiting: Shelf,
    /// The one that has waited longest first, so that a message which fails at once does not block the others.
    ready: Shelf,
    in_flight: Shelf,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    place: Place,
    ready_at: Timestamp,
    /// Receives from this queue alone.
    deliveries: u32,
    received_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Delayed,
    Waiting,
    Ready,
    InFlight,
}

/// How many messages stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) ready: usize,
    pub(crate) delayed: usize,
    pub(crate) in_flight: usize,
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
    pub(crate) fn new(settings: Settings, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            settings,
            tags: BTreeMap::new(),
            created_at: now,
            modified_at: now,
            purged_at: None,
            next_sequence: 0,
            entries: BTreeMap::new(),
            groups: HashMap::new(),
            deduplication: Deduplication::default(),
            delayed: Shelf::new(),
            waiting: Shelf::new(),
            ready: Shelf::new(),
            in_flight: Shelf::new(),
        }
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
        let place = if ready_at > now {
            Place::Delayed
        } else {
            self.place_when_due()
        };
        message.sequence_number = self.is_fifo().then_some(key.sequence);
        let accepted = Accepted {
            message_id: message.id,
            sequence_number: message.sequence_number,
        };
        self.shelf(place).insert((ready_at, key));
        let entry = Entry {
            message,
            place,
            ready_at,
            deliveries: 0,
            received_at: now,
        };
        self.entries.insert(key, entry);
        self.join_group(key);
        accepted
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.settings.fifo.is_some()
    }

    /// Hands out up to `wanted.max` messages and hides them.
    pub(crate) fn receive(&mut self, wanted: Receive, now: Timestamp) -> Received {
        self.advance(now);
        let mut received = Received::default();
        let mut next = self.first_ready();
        while let Some(key) = next
            && received.deliveries.len() < wanted.max
        {
            // Asked for now, because a message that is taken out leaves its group.
            let behind = self.next_of_group(key);
            if self.is_exhausted(key, wanted.max_receive_count) {
                received.dead_letters.extend(self.remove(key));
            } else if self.in_flight.len() >= limits::MAX_IN_FLIGHT {
                received.over_limit = !self.is_fifo();
                break;
            } else {
                let ready_at = now.plus_seconds(wanted.visibility_timeout);
                received.deliveries.extend(self.deliver(key, ready_at, now));
            }
            // As much of one group as fits comes before the next group, as on AWS.
            next = behind.or_else(|| self.first_ready());
        }
        received
    }

    fn is_exhausted(&self, key: Key, max_receive_count: Option<u32>) -> bool {
        let deliveries = self.entries.get(&key).map_or(0, |entry| entry.deliveries);
        max_receive_count.is_some_and(|max| deliveries >= max)
    }

    fn deliver(
        &mut self,
        key: Key,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Option<(ReceiptHandle, Message)> {
        self.place(key, Place::InFlight, ready_at);
        let entry = self.entries.get_mut(&key)?;
        entry.deliveries += 1;
        entry.received_at = now;
        entry.message.receive_count += 1;
        entry.message.first_received_at.get_or_insert(now);
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
        self.advance(now);
        let handle = self.handle(text)?;
        let Some(entry) = self.entries.get(&handle.key) else {
            return Ok(());
        };
        let is_latest = entry.deliveries == handle.delivery;
        if self.is_fifo() && !(is_latest && entry.place == Place::InFlight) {
            return Err(Error::InvalidParameterValue(format!(
                "Value {text} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )));
        }
        if is_latest {
            self.remove(handle.key);
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
        self.advance(now);
        let handle = self.handle(handle)?;
        let entry = self.entries.get(&handle.key);
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
        self.place(handle.key, Place::InFlight, ready_at);
        Ok(())
    }

    /// Deletes every message, at most once a minute.
    pub(crate) fn purge(&mut self, name: &str, now: Timestamp) -> Result<(), Error> {
        let allowed_at = |purged: Timestamp| purged.plus_seconds(limits::COOL_DOWN_SECONDS);
        if self
            .purged_at
            .is_some_and(|purged| now < allowed_at(purged))
        {
            return Err(Error::PurgeQueueInProgress(name.to_owned()));
        }
        self.purged_at = Some(now);
        self.entries.clear();
        self.groups.clear();
        self.deduplication = Deduplication::default();
        self.delayed.clear();
        self.waiting.clear();
        self.ready.clear();
        self.in_flight.clear();
        Ok(())
    }

    /// The message that has been ready for longest.
    pub(crate) fn peek_ready(&mut self, now: Timestamp) -> Option<&Message> {
        self.advance(now);
        let key = self.first_ready()?;
        self.entries.get(&key).map(|entry| &entry.message)
    }

    /// Takes out the message that has been ready for longest.
    pub(crate) fn take_ready(&mut self, now: Timestamp) -> Option<Message> {
        self.advance(now);
        self.remove(self.first_ready()?)
    }

    pub(crate) fn counts(&mut self, now: Timestamp) -> Counts {
        self.advance(now);
        Counts {
            ready: self.ready.len() + self.waiting.len(),
            delayed: self.delayed.len(),
            in_flight: self.in_flight.len(),
        }
    }

    fn handle(&self, text: &str) -> Result<ReceiptHandle, Error> {
        ReceiptHandle::decode(text)
            .filter(|handle| handle.queue == self.id)
            .ok_or(Error::ReceiptHandleIsInvalid)
    }

    fn first_ready(&self) -> Option<Key> {
        self.ready.first().map(|&(_, key)| key)
    }
}

#[cfg(test)]
mod fifo_tests;
#[cfg(test)]
mod tests;
