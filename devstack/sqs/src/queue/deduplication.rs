//! How a FIFO queue knows a message again.
//!
//! What was accepted is remembered for five minutes, even when the message is gone by then.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html>

use std::collections::{HashMap, VecDeque};

use super::Queue;
use crate::{
    clock::Timestamp,
    limits,
    message::{Accepted, Message},
};

/// The deduplication id, with its group if the queue tells messages of different groups apart.
type Id = (Option<String>, String);

#[derive(Debug, Default)]
pub(super) struct Deduplication {
    accepted: HashMap<Id, Accepted>,
    /// The oldest first.
    by_age: VecDeque<(Timestamp, Id)>,
}

impl Deduplication {
    /// What the sender of the first message with this id learned.
    fn find(&mut self, id: Option<&Id>, now: Timestamp) -> Option<Accepted> {
        let is_over = |at: Timestamp| at.plus_seconds(limits::DEDUPLICATION_SECONDS) <= now;
        while let Some((_, id)) = self.by_age.pop_front_if(|(at, _)| is_over(*at)) {
            self.accepted.remove(&id);
        }
        self.accepted.get(id?).copied()
    }

    fn remember(&mut self, id: Option<Id>, accepted: Accepted, now: Timestamp) {
        if let Some(id) = id {
            self.by_age.push_back((now, id.clone()));
            self.accepted.insert(id, accepted);
        }
    }
}

impl Queue {
    /// Adds a message from a client, unless the queue is FIFO and accepted it within the last five minutes.
    pub(crate) fn send(
        &mut self,
        message: Message,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Accepted {
        let id = self.deduplication_id(&message);
        if let Some(first) = self.deduplication.find(id.as_ref(), now) {
            return first;
        }
        let accepted = self.add(message, ready_at, now);
        self.deduplication.remember(id, accepted, now);
        accepted
    }

    /// `None` on a standard queue, where no message is like another.
    fn deduplication_id(&self, message: &Message) -> Option<Id> {
        let fifo = self.settings.fifo.as_ref()?;
        let group = self.group(message).filter(|_| fifo.deduplicates_per_group);
        Some((group, message.deduplication_id.clone()?))
    }
}
