//! The messages of one subscription, each in the index that says what comes next for it.
//!
//! With ordering, the messages of a key stand in a lane until they are settled. The first of a lane
//! alone is offered. Those behind it may be leased along with it, and then none is offered until all of
//! those are settled: nothing overtakes a message that may yet come back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use prost_types::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::ack_id::AckId;
use crate::flow::StreamId;
use crate::message;
use crate::proto::PubsubMessage;

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: Arc<PubsubMessage>,
    pub(crate) size: usize,
    /// The delivery whose ack id works. It changes with each, and when earlier ids must stop working.
    pub(crate) delivery: Option<Uuid>,
    /// Nacks and expired leases so far.
    pub(crate) failures: u32,
    /// The end of the back-off after the last failure.
    pub(crate) not_before: Option<Instant>,
    place: Place,
}

/// Which of the indexes holds the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// None, but for its lane.
    Waiting,
    /// Can be delivered now.
    Ready,
    /// Waits for its back-off to end.
    Delayed(Instant),
    /// Delivered, and not settled before the deadline.
    Leased(Instant, Option<StreamId>),
}

#[derive(Debug)]
pub(crate) struct Queue {
    ordered: bool,
    next_sequence: u64,
    /// Everything that is kept, in the order of publishing. The other collections index it.
    entries: BTreeMap<u64, Entry>,
    ready: BTreeSet<u64>,
    /// The ends of leases and back-offs.
    due: BTreeSet<(Instant, u64)>,
    lanes: HashMap<String, BTreeSet<u64>>,
}

impl Queue {
    pub(crate) fn new(ordered: bool) -> Self {
        Self {
            ordered,
            next_sequence: 0,
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            due: BTreeSet::new(),
            lanes: HashMap::new(),
        }
    }

    /// How many can be delivered now.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn first_ready(&self) -> Option<u64> {
        self.ready.first().copied()
    }

    /// The next lease or back-off to end.
    pub(crate) fn first_due(&self) -> Option<(Instant, u64)> {
        self.due.first().copied()
    }

    pub(crate) fn is_leased(&self, sequence: u64) -> bool {
        let entry = self.entries.get(&sequence);
        entry.is_some_and(|entry| matches!(entry.place, Place::Leased(..)))
    }

    pub(crate) fn entry(&mut self, sequence: u64) -> &mut Entry {
        self.entries
            .get_mut(&sequence)
            .expect("the indexes name only messages that are kept")
    }

    /// The message of an ack id, unless it was settled or has been handed out again since.
    pub(crate) fn find(&self, id: AckId) -> Option<u64> {
        let entry = self.entries.get(&id.sequence)?;
        (entry.delivery == Some(id.delivery)).then_some(id.sequence)
    }

    pub(crate) fn published_before(&self, time: Timestamp) -> Vec<u64> {
        let time = (time.seconds, time.nanos);
        let is_before = |entry: &Entry| {
            let published = entry.message.publish_time;
            published.is_some_and(|at| (at.seconds, at.nanos) < time)
        };
        let before = self.entries.iter().filter(|(_, entry)| is_before(entry));
        before.map(|(sequence, _)| *sequence).collect()
    }

    pub(crate) fn push(&mut self, message: Arc<PubsubMessage>, now: Instant) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let entry = Entry {
            size: message::size(&message),
            message,
            delivery: None,
            failures: 0,
            not_before: None,
            place: Place::Waiting,
        };
        self.entries.insert(sequence, entry);
        if let Some(key) = self.key(sequence) {
            self.lanes.entry(key).or_default().insert(sequence);
        }
        self.offer(sequence, now);
    }

    /// Makes a message available, or that of its lane whose turn it is.
    pub(crate) fn offer(&mut self, sequence: u64, now: Instant) {
        match self.key(sequence) {
            Some(key) => self.offer_first_of(&key, now),
            None => self.offer_one(sequence, now),
        }
    }

    fn offer_first_of(&mut self, key: &str, now: Instant) {
        let first = self.lanes.get(key).and_then(|lane| lane.first().copied());
        if let Some(first) = first
            && self.entry(first).place == Place::Waiting
        {
            self.offer_one(first, now);
        }
    }

    fn offer_one(&mut self, sequence: u64, now: Instant) {
        let place = match self.entry(sequence).not_before {
            Some(until) if until > now => Place::Delayed(until),
            _ => Place::Ready,
        };
        self.put(sequence, place);
    }

    /// Hands a message out: the ack id of the delivery.
    pub(crate) fn lease(
        &mut self,
        sequence: u64,
        deadline: Instant,
        stream: Option<StreamId>,
    ) -> AckId {
        self.put(sequence, Place::Leased(deadline, stream));
        let delivery = Uuid::new_v4();
        let entry = self.entry(sequence);
        entry.not_before = None;
        entry.delivery = Some(delivery);
        AckId { sequence, delivery }
    }

    /// Moves the deadline of a lease.
    pub(crate) fn extend(&mut self, sequence: u64, deadline: Instant) {
        if let Place::Leased(_, stream) = self.entry(sequence).place {
            self.put(sequence, Place::Leased(deadline, stream));
        }
    }

    /// Ends a lease or a back-off. The stream of the lease, if it had one, has the message no longer.
    pub(crate) fn release(&mut self, sequence: u64) -> Option<StreamId> {
        match self.put(sequence, Place::Waiting) {
            Place::Leased(_, stream) => stream,
            Place::Waiting | Place::Ready | Place::Delayed(_) => None,
        }
    }

    /// Forgets a message that was released; the next of its lane may go.
    pub(crate) fn remove(&mut self, sequence: u64, now: Instant) -> Option<Entry> {
        self.put(sequence, Place::Waiting);
        let key = self.key(sequence);
        let entry = self.entries.remove(&sequence);
        if let Some(key) = key {
            let lane = self.lanes.entry(key.clone()).or_default();
            lane.remove(&sequence);
            if lane.is_empty() {
                self.lanes.remove(&key);
            }
            self.offer_first_of(&key, now);
        }
        entry
    }

    /// The message behind this one in its lane, if it can be delivered along with it.
    pub(crate) fn follower(&self, sequence: u64) -> Option<u64> {
        let next = self.behind(sequence).next()?;
        let entry = self.entries.get(&next)?;
        (entry.place == Place::Waiting && entry.not_before.is_none()).then_some(next)
    }

    /// Messages of the same lane that were delivered after this one and are not settled.
    pub(crate) fn leased_behind(&self, sequence: u64) -> Vec<u64> {
        let behind = self.behind(sequence);
        behind.filter(|one| self.is_leased(*one)).collect()
    }

    fn behind(&self, sequence: u64) -> impl Iterator<Item = u64> {
        let lane = self.key(sequence).and_then(|key| self.lanes.get(&key));
        let behind = lane.map(|lane| lane.range(sequence + 1..));
        behind.into_iter().flatten().copied()
    }

    /// The key that orders this message; without ordering, keys are only passed on.
    fn key(&self, sequence: u64) -> Option<String> {
        let key = &self.entries.get(&sequence)?.message.ordering_key;
        (self.ordered && !key.is_empty()).then(|| key.clone())
    }

    /// Moves a message from the index that holds it to another, and says where it was.
    fn put(&mut self, sequence: u64, place: Place) -> Place {
        let before = std::mem::replace(&mut self.entry(sequence).place, place);
        match before {
            Place::Ready => self.ready.remove(&sequence),
            Place::Delayed(at) | Place::Leased(at, _) => self.due.remove(&(at, sequence)),
            Place::Waiting => false,
        };
        match place {
            Place::Ready => self.ready.insert(sequence),
            Place::Delayed(at) | Place::Leased(at, _) => self.due.insert((at, sequence)),
            Place::Waiting => false,
        };
        before
    }
}
