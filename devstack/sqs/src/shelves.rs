//! Where the messages of one queue stand, and on a FIFO queue the groups that order them.
//!
//! A message is *delayed*, *ready* or *in flight*; [`Shelves::advance`] moves those whose time has come.
//! On a FIFO queue it may also be *waiting*: of each group at most the first message is ready, and only
//! while none of the group is in flight. So taking what is ready, and what stands behind it, keeps the order.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    clock::Timestamp,
    limits,
    message::{Key, Message},
};

/// Messages by the time at which they came, or will come, to be ready.
type Shelf = BTreeSet<(Timestamp, Key)>;

/// The messages of one group by sequence, which is the order in which they were sent.
type Group = BTreeMap<u64, Key>;

#[derive(Debug, Default)]
pub(crate) struct Shelves {
    is_fifo: bool,
    /// Everything that is in the queue, the oldest first, which is the order in which messages expire.
    entries: BTreeMap<Key, Entry>,
    /// On a FIFO queue only.
    groups: HashMap<String, Group>,
    delayed: Shelf,
    /// Due, but others of the same group come first; on a FIFO queue only.
    waiting: Shelf,
    /// The one that has waited longest first, so that a message which fails at once does not block the others.
    ready: Shelf,
    in_flight: Shelf,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: Message,
    pub(crate) place: Place,
    ready_at: Timestamp,
    /// Receives from this queue alone.
    pub(crate) deliveries: u32,
    pub(crate) received_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
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

impl Shelves {
    pub(crate) fn new(is_fifo: bool) -> Self {
        Self {
            is_fifo,
            ..Self::default()
        }
    }

    /// Adds a message that becomes ready at `ready_at`.
    pub(crate) fn insert(
        &mut self,
        key: Key,
        message: Message,
        ready_at: Timestamp,
        now: Timestamp,
    ) {
        let place = if ready_at > now {
            Place::Delayed
        } else {
            self.place_when_due()
        };
        if let Some(group) = self.group(&message) {
            let messages = self.groups.entry(group).or_default();
            messages.insert(key.sequence, key);
        }
        self.shelf(place).insert((ready_at, key));
        let entry = Entry {
            message,
            place,
            ready_at,
            deliveries: 0,
            received_at: now,
        };
        self.entries.insert(key, entry);
        self.open_group_of(key);
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Entry> {
        self.entries.get(&key)
    }

    /// Puts a message in flight until `ready_at`.
    pub(crate) fn deliver(
        &mut self,
        key: Key,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Option<&Entry> {
        self.hide(key, ready_at);
        let entry = self.entries.get_mut(&key)?;
        entry.deliveries += 1;
        entry.received_at = now;
        entry.message.receive_count += 1;
        entry.message.first_received_at.get_or_insert(now);
        Some(entry)
    }

    /// Leaves a message in flight until `ready_at`.
    pub(crate) fn hide(&mut self, key: Key, ready_at: Timestamp) {
        self.place(key, Place::InFlight, ready_at);
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Message> {
        let entry = self.entries.remove(&key)?;
        self.shelf(entry.place).remove(&(entry.ready_at, key));
        if let Some(group) = self.group(&entry.message) {
            self.leave(&group, key);
        }
        Some(entry.message)
    }

    /// Drops what is older than the retention period, and makes ready what was hidden until `now`.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some((&key, _)) = self.entries.first_key_value()
            && key.sent_at.plus_seconds(limits::RETENTION_SECONDS) <= now
        {
            self.remove(key);
        }
        for place in [Place::Delayed, Place::InFlight] {
            while let Some(&(ready_at, key)) = self.shelf(place).first()
                && ready_at <= now
            {
                self.place(key, self.place_when_due(), ready_at);
                self.open_group_of(key);
            }
        }
    }

    pub(crate) fn first_ready(&self) -> Option<Key> {
        self.ready.first().map(|&(_, key)| key)
    }

    /// The message that stands behind `key` in its group, if it is due.
    pub(crate) fn next_of_group(&self, key: Key) -> Option<Key> {
        let group = self.groups.get(&self.group_of(key)?)?;
        let (_, &next) = group.range(key.sequence + 1..).next()?;
        let entry = self.entries.get(&next)?;
        (entry.place == Place::Waiting).then_some(next)
    }

    /// When the next hidden message becomes ready, if there is one.
    pub(crate) fn next_ready_at(&self) -> Option<Timestamp> {
        let hidden = [&self.delayed, &self.in_flight].into_iter();
        hidden
            .filter_map(|shelf| shelf.first())
            .map(|&(at, _)| at)
            .min()
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            ready: self.ready.len() + self.waiting.len(),
            delayed: self.delayed.len(),
            in_flight: self.in_flight.len(),
        }
    }

    /// Where a message goes that is neither delayed nor in flight.
    fn place_when_due(&self) -> Place {
        if self.is_fifo {
            Place::Waiting
        } else {
            Place::Ready
        }
    }

    fn place(&mut self, key: Key, place: Place, ready_at: Timestamp) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        let from = (entry.place, entry.ready_at);
        (entry.place, entry.ready_at) = (place, ready_at);
        self.shelf(from.0).remove(&(from.1, key));
        self.shelf(place).insert((ready_at, key));
    }

    fn shelf(&mut self, place: Place) -> &mut Shelf {
        match place {
            Place::Delayed => &mut self.delayed,
            Place::Waiting => &mut self.waiting,
            Place::Ready => &mut self.ready,
            Place::InFlight => &mut self.in_flight,
        }
    }

    /// The group that orders the message here: a standard queue has none, whatever the sender gave.
    fn group(&self, message: &Message) -> Option<String> {
        let group = || message.content.group_id.clone().unwrap_or_default();
        self.is_fifo.then(group)
    }

    fn group_of(&self, key: Key) -> Option<String> {
        self.group(&self.entries.get(&key)?.message)
    }

    fn leave(&mut self, group: &str, key: Key) {
        if let Some(messages) = self.groups.get_mut(group) {
            messages.remove(&key.sequence);
            if messages.is_empty() {
                self.groups.remove(group);
            }
        }
        self.open(group);
    }

    fn open_group_of(&mut self, key: Key) {
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

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let mut shelves = [&self.delayed, &self.waiting, &self.ready, &self.in_flight].into_iter();
        self.entries.is_empty() && self.groups.is_empty() && shelves.all(BTreeSet::is_empty)
    }
}
