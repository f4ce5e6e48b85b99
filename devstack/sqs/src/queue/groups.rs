//! The order within the groups of a FIFO queue.
//!
//! Of each group at most the first message is *ready*, and only while none of the group is in flight;
//! others that are due are *waiting*.
//! So taking what is ready, and what stands behind it, keeps the order.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use std::collections::BTreeMap;

use super::{Entry, Place, Queue};
use crate::message::{Key, Message};

/// The messages of one group by sequence, which is the order in which they were sent.
pub(super) type Group = BTreeMap<u64, Key>;

impl Queue {
    /// Where a message goes that is neither delayed nor in flight.
    pub(super) fn place_when_due(&self) -> Place {
        if self.is_fifo() {
            Place::Waiting
        } else {
            Place::Ready
        }
    }

    pub(super) fn join_group(&mut self, key: Key) {
        let Some(group) = self.group_of(key) else {
            return;
        };
        let messages = self.groups.entry(group.clone()).or_default();
        messages.insert(key.sequence, key);
        self.open(&group);
    }

    pub(super) fn leave_group(&mut self, key: Key, message: &Message) {
        let Some(group) = self.group(message) else {
            return;
        };
        if let Some(messages) = self.groups.get_mut(&group) {
            messages.remove(&key.sequence);
            if messages.is_empty() {
                self.groups.remove(&group);
            }
        }
        self.open(&group);
    }

    pub(super) fn open_group_of(&mut self, key: Key) {
        if let Some(group) = self.group_of(key) {
            self.open(&group);
        }
    }

    /// Makes the first message of the group ready if it is due and none of the group is in flight.
    fn open(&mut self, group: &str) {
        let Some(messages) = self.groups.get(group) else {
            return;
        };
        let mut entries = messages.values().filter_map(|key| self.entries.get(key));
        // Messages are delivered in order: behind one that never was, none is in flight.
        let mut delivered = entries.by_ref().take_while(|entry| entry.deliveries > 0);
        if delivered.any(|entry| entry.place == Place::InFlight) {
            return;
        }
        if let Some((_, &first)) = messages.first_key_value()
            && let Some(&Entry {
                place, ready_at, ..
            }) = self.entries.get(&first)
            && place == Place::Waiting
        {
            self.place(first, Place::Ready, ready_at);
        }
    }

    /// The message that stands behind `key` in its group, if it is due.
    pub(super) fn next_of_group(&self, key: Key) -> Option<Key> {
        let group = self.groups.get(&self.group_of(key)?)?;
        let (_, &next) = group.range(key.sequence + 1..).next()?;
        let entry = self.entries.get(&next)?;
        (entry.place == Place::Waiting).then_some(next)
    }

    fn group_of(&self, key: Key) -> Option<String> {
        self.group(&self.entries.get(&key)?.message)
    }

    /// The group that orders the message here: a standard queue has none, whatever the sender gave.
    pub(super) fn group(&self, message: &Message) -> Option<String> {
        let group = || message.content.group_id.clone().unwrap_or_default();
        self.is_fifo().then(group)
    }
}
