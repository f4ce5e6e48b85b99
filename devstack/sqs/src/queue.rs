//! One queue as a state machine: no clock, no lock, no waiting; every method is told the time.
//!
//! A message is *hidden*, delayed or in flight, until its time has come, and *ready* then.
//! On a FIFO queue it may also be *waiting*: of each group at most the first message is ready, and only
//! while none of the group is in flight. So taking what is ready, and what stands behind it, keeps the order.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::{
    clock::Timestamp,
    config::QueueConfig,
    error::Error,
    limits,
    message::{Accepted, Message},
};

#[derive(Debug)]
pub(crate) struct Queue {
    /// Tells this queue's receipt handles from those of a deleted queue of the same name.
    id: Uuid,
    pub(crate) config: QueueConfig,
    next_sequence: u64,
    /// Everything that is in the queue, in the order in which it came.
    entries: BTreeMap<u64, Entry>,
    /// The messages of each group in their order; on a FIFO queue only.
    groups: HashMap<String, BTreeSet<u64>>,
    hidden: Shelf,
    /// The one that has waited longest first, so that a message which fails at once does not block the others.
    ready: Shelf,
    /// What a FIFO queue knows a message again by: when each deduplication id was accepted, and as what.
    /// It is remembered for five minutes, even when the message is gone by then.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html>
    accepted: HashMap<String, (Timestamp, Accepted)>,
}

/// Messages by the time at which they came, or will come, to be ready.
type Shelf = BTreeSet<(Timestamp, u64)>;

#[derive(Debug)]
struct Entry {
    message: Message,
    place: Place,
    ready_at: Timestamp,
    /// Receives from this queue alone.
    deliveries: u32,
    received_at: Timestamp,
}

impl Entry {
    fn is_in_flight(&self) -> bool {
        self.place == Place::Hidden && self.deliveries > 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Hidden,
    /// Due, but others of the same group come first; on a FIFO queue only.
    Waiting,
    Ready,
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
    /// Seconds for which the messages stay hidden from other receivers; `None` is the queue's own timeout.
    pub(crate) visibility_timeout: Option<u64>,
}

/// What one receive got.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// With the receipt handle of each.
    pub(crate) deliveries: Vec<(String, Message)>,
    /// No longer in this queue: to be moved to the dead-letter queue.
    pub(crate) dead_letters: Vec<Message>,
    /// Messages are ready, but too many are in flight; a FIFO queue does not tell.
    pub(crate) over_limit: bool,
}

impl Queue {
    pub(crate) fn new(config: QueueConfig) -> Self {
        Self {
            id: Uuid::new_v4(),
            config,
            next_sequence: 0,
            entries: BTreeMap::new(),
            groups: HashMap::new(),
            hidden: Shelf::new(),
            ready: Shelf::new(),
            accepted: HashMap::new(),
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
        let is_recent = |at: Timestamp| at.plus_seconds(limits::DEDUPLICATION_SECONDS) > now;
        if let Some((at, first)) = self.accepted.get(&id)
            && is_recent(*at)
        {
            return first.clone();
        }
        // It forgets before it grows.
        if self.accepted.len() == self.accepted.capacity() {
            self.accepted.retain(|_, (at, _)| is_recent(*at));
        }
        let accepted = self.add(message, ready_at, now);
        self.accepted.insert(id, (now, accepted.clone()));
        accepted
    }

    /// Adds a message that becomes ready at `ready_at`.
    pub(crate) fn add(
        &mut self,
        mut message: Message,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Accepted {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        message.sequence_number = self.config.is_fifo().then(|| format!("{sequence:020}"));
        let accepted = Accepted {
            message_id: message.id,
            sequence_number: message.sequence_number.clone(),
        };
        let entry = Entry {
            message,
            place: Place::Hidden,
            ready_at,
            deliveries: 0,
            received_at: now,
        };
        self.entries.insert(sequence, entry);
        if let Some(group) = self.group_of(sequence) {
            self.groups.entry(group).or_default().insert(sequence);
        }
        self.put(sequence, Place::Hidden, ready_at);
        self.advance(now);
        accepted
    }

    /// Hands out up to `wanted.max` messages and hides them.
    ///
    /// A message that was delivered `max_receive_count` times is taken out as a dead letter instead.
    pub(crate) fn receive(
        &mut self,
        wanted: Receive,
        max_receive_count: Option<u32>,
        now: Timestamp,
    ) -> Received {
        self.advance(now);
        let own_timeout = self.config.visibility_timeout.as_secs();
        let ready_at = now.plus_seconds(wanted.visibility_timeout.unwrap_or(own_timeout));
        let mut received = Received::default();
        let mut next = self.first_ready();
        while let Some(sequence) = next
            && received.deliveries.len() < wanted.max
        {
            // Asked for now, because a message that is taken out leaves its group.
            let behind = self.next_of_group(sequence);
            let deliveries = self.entries.get(&sequence).map(|entry| entry.deliveries);
            if max_receive_count.is_some_and(|max| deliveries >= Some(max)) {
                received.dead_letters.extend(self.remove(sequence));
            } else if self.is_full() {
                received.over_limit = !self.config.is_fifo();
                break;
            } else {
                let delivery = self.deliver(sequence, ready_at, now);
                received.deliveries.extend(delivery);
            }
            // As much of one group as fits comes before the next group, as on AWS.
            next = behind.or_else(|| self.first_ready());
        }
        received
    }

    /// Puts a message in flight until `ready_at`.
    fn deliver(
        &mut self,
        sequence: u64,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Option<(String, Message)> {
        self.put(sequence, Place::Hidden, ready_at);
        let entry = self.entries.get_mut(&sequence)?;
        entry.deliveries += 1;
        entry.received_at = now;
        entry.message.receive_count += 1;
        entry.message.first_received_at.get_or_insert(now);
        // Only the handle of the last delivery settles the message.
        let handle = format!("{}/{sequence}/{}", self.id, entry.deliveries);
        Some((handle, entry.message.clone()))
    }

    /// Deletes the message that the handle belongs to.
    ///
    /// Succeeds without deleting when the message is gone, or was received again since:
    /// AWS promises nothing for an old handle, so that relying on it should show here.
    /// A FIFO queue refuses the handle of a message that is there and no longer in flight by it.
    pub(crate) fn delete(&mut self, handle: &str, now: Timestamp) -> Result<(), Error> {
        self.advance(now);
        let (sequence, delivery) = self.find(handle)?;
        let Some(entry) = self.entries.get(&sequence) else {
            return Ok(());
        };
        let is_latest = entry.deliveries == delivery;
        if self.config.is_fifo() && !(is_latest && entry.is_in_flight()) {
            return Err(Error::InvalidParameterValue(format!(
                "Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )));
        }
        if is_latest {
            self.remove(sequence);
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
        let (sequence, delivery) = self.find(handle)?;
        let entry = self.entries.get(&sequence);
        let Some(entry) = entry.filter(|entry| entry.deliveries == delivery) else {
            return Err(Error::InvalidParameterValue(
                "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist \
                 or is not available for visibility timeout change."
                    .to_owned(),
            ));
        };
        if !entry.is_in_flight() {
            return Err(Error::MessageNotInflight);
        }
        let ready_at = now.plus_seconds(seconds);
        let longest = limits::VISIBILITY_TIMEOUT.most;
        if ready_at > entry.received_at.plus_seconds(longest) {
            return Err(Error::InvalidParameterValue(format!(
                "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout \
                 for the message is beyond the limit [{longest} seconds]."
            )));
        }
        self.put(sequence, Place::Hidden, ready_at);
        Ok(())
    }

    /// Deletes every message.
    pub(crate) fn purge(&mut self) {
        *self = Self {
            id: self.id,
            next_sequence: self.next_sequence,
            ..Self::new(self.config.clone())
        };
    }

    pub(crate) fn counts(&mut self, now: Timestamp) -> Counts {
        self.advance(now);
        let in_flight = self.in_flight();
        Counts {
            ready: self.entries.len() - self.hidden.len(),
            delayed: self.hidden.len() - in_flight,
            in_flight,
        }
    }

    /// When the next hidden message becomes ready, if there is one.
    pub(crate) fn next_ready_at(&self) -> Option<Timestamp> {
        self.hidden.first().map(|&(ready_at, _)| ready_at)
    }

    /// The message that a handle names, and by which of its deliveries, if this queue ever gave it out.
    fn find(&self, handle: &str) -> Result<(u64, u32), Error> {
        let read = |text: &str| {
            let (queue, rest) = text.split_once('/')?;
            let (sequence, delivery) = rest.split_once('/')?;
            let found = (sequence.parse().ok()?, delivery.parse().ok()?);
            (queue == self.id.to_string()).then_some(found)
        };
        read(handle).ok_or(Error::ReceiptHandleIsInvalid)
    }

    fn in_flight(&self) -> usize {
        let hidden = self.hidden.iter();
        let entries = hidden.filter_map(|(_, sequence)| self.entries.get(sequence));
        entries.filter(|entry| entry.is_in_flight()).count()
    }

    /// Those in flight are only counted when they could be too many.
    fn is_full(&self) -> bool {
        let most = limits::MAX_IN_FLIGHT;
        self.hidden.len() >= most && self.in_flight() >= most
    }

    fn first_ready(&self) -> Option<u64> {
        self.ready.first().map(|&(_, sequence)| sequence)
    }

    /// The message that stands behind this one in its group, if it is due.
    fn next_of_group(&self, sequence: u64) -> Option<u64> {
        let group = self.groups.get(&self.group_of(sequence)?)?;
        let next = *group.range(sequence + 1..).next()?;
        let entry = self.entries.get(&next)?;
        (entry.place == Place::Waiting).then_some(next)
    }

    /// Makes ready what was hidden until `now`.
    fn advance(&mut self, now: Timestamp) {
        while let Some(&(ready_at, sequence)) = self.hidden.first()
            && ready_at <= now
        {
            if let Some(group) = self.group_of(sequence) {
                self.put(sequence, Place::Waiting, ready_at);
                self.open(&group);
            } else {
                self.put(sequence, Place::Ready, ready_at);
            }
        }
    }

    fn remove(&mut self, sequence: u64) -> Option<Message> {
        self.put(sequence, Place::Waiting, Timestamp(0));
        let group = self.group_of(sequence);
        let entry = self.entries.remove(&sequence)?;
        if let Some(group) = group
            && let Some(messages) = self.groups.get_mut(&group)
        {
            messages.remove(&sequence);
            if messages.is_empty() {
                self.groups.remove(&group);
            }
            self.open(&group);
        }
        Some(entry.message)
    }

    /// Moves a message from the shelf where it stands to another, or to none.
    fn put(&mut self, sequence: u64, place: Place, ready_at: Timestamp) {
        let Some(entry) = self.entries.get_mut(&sequence) else {
            return;
        };
        let from = (entry.ready_at, sequence);
        self.hidden.remove(&from);
        self.ready.remove(&from);
        (entry.place, entry.ready_at) = (place, ready_at);
        match place {
            Place::Hidden => self.hidden.insert((ready_at, sequence)),
            Place::Ready => self.ready.insert((ready_at, sequence)),
            Place::Waiting => false,
        };
    }

    /// The group that orders the message here: a standard queue has none, whatever the sender gave.
    fn group_of(&self, sequence: u64) -> Option<String> {
        let entry = self.entries.get(&sequence)?;
        let group = || entry.message.content.group_id.clone().unwrap_or_default();
        self.config.is_fifo().then(group)
    }

    /// Makes the first message of the group ready if it is due and none of the group is in flight.
    fn open(&mut self, group: &str) {
        let messages = self.groups.get(group).into_iter().flatten();
        let mut entries = messages.filter_map(|one| Some((*one, self.entries.get(one)?)));
        let Some((first, entry)) = entries.next() else {
            return;
        };
        let (is_due, ready_at) = (entry.place == Place::Waiting, entry.ready_at);
        // Messages are delivered in order: behind one that never was, none is in flight.
        let mut delivered = entries.take_while(|(_, entry)| entry.deliveries > 0);
        if is_due && !delivered.any(|(_, entry)| entry.is_in_flight()) {
            self.put(first, Place::Ready, ready_at);
        }
    }
}

#[cfg(test)]
mod tests;
