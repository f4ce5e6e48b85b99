//! One subscription as a state machine: what is published to it, delivered, settled, and comes back.
//!
//! No clock and no waiting in here: every operation is told the time, and [`Subscription::next_event`]
//! says when [`Subscription::advance`] has something to do.
//!
//! With ordering, the messages of a key stand in a lane until they are settled. The first of a lane
//! alone is offered. Those behind it may be leased along with it, and then none is offered until all of
//! those are settled: nothing overtakes a message that may yet come back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use prost_types::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::Error;
use crate::flow::{Budget, StreamId, Streams};
use crate::message;
use crate::proto::PubsubMessage;
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) settings: Settings,
    pub(crate) streams: Streams,
    /// Messages that failed as often as the dead-letter policy allows, and how often that was.
    pub(crate) exhausted: Vec<(Arc<PubsubMessage>, u32)>,
    next_sequence: u64,
    /// Everything that is kept, in the order of publishing. The other collections index it.
    entries: BTreeMap<u64, Entry>,
    ready: BTreeSet<u64>,
    /// The ends of leases and back-offs.
    due: BTreeSet<(Instant, u64)>,
    lanes: HashMap<String, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Entry {
    message: Arc<PubsubMessage>,
    size: usize,
    /// The ack id that works. It changes with each delivery, and when earlier ids must stop working.
    ack_id: Option<Uuid>,
    /// Nacks and expired leases so far.
    failures: u32,
    /// The end of the back-off after the last failure.
    not_before: Option<Instant>,
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

/// A message on its way to a client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    /// What a client returns to settle it.
    ///
    /// One half is random, so that an id which outlived a restart of the server, or the subscription,
    /// settles no other message that happens to have the same number, which is the other half.
    pub(crate) ack_id: Uuid,
    pub(crate) message: Arc<PubsubMessage>,
    /// Counted from 1; only subscriptions with a dead-letter policy tell it.
    pub(crate) attempt: Option<u32>,
}

impl Subscription {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            streams: Streams::default(),
            exhausted: Vec::new(),
            next_sequence: 0,
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            due: BTreeSet::new(),
            lanes: HashMap::new(),
        }
    }

    pub(crate) fn publish(&mut self, message: Arc<PubsubMessage>, now: Instant) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let entry = Entry {
            size: message::size(&message),
            message,
            ack_id: None,
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

    /// Leases up to `max` messages to a caller that takes them once.
    pub(crate) fn pull(&mut self, max: usize, now: Instant) -> Vec<Delivery> {
        let deadline = now + self.settings.ack_deadline();
        self.take(Budget::new(max), usize::MAX, Place::Leased(deadline, None))
    }

    /// Leases what the stream's flow control admits, and leaves the other open streams their share.
    /// Refused when the stream was opened on a namesake of this subscription that was deleted.
    pub(crate) fn pull_stream(
        &mut self,
        stream: StreamId,
        ack_deadline: Duration,
        now: Instant,
    ) -> Result<Vec<Delivery>, Error> {
        let share = self.streams.share(stream, self.ready.len());
        let budget = self.streams.budget(stream);
        let budget = budget.ok_or_else(|| Error::NotFound(self.settings.name.clone()))?;
        let lease = Place::Leased(now + ack_deadline, Some(stream));
        Ok(self.take(budget, share, lease))
    }

    /// Messages with the same ordering key go out together, in order, as far as they fit.
    fn take(&mut self, mut budget: Budget, share: usize, lease: Place) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for _ in 0..share {
            let mut next = self.ready.first().copied();
            if next.is_none() {
                break;
            }
            while let Some(sequence) = next {
                if !budget.spend(self.entry(sequence).size) {
                    return deliveries;
                }
                deliveries.push(self.deliver(sequence, lease));
                next = self.follower(sequence);
            }
        }
        deliveries
    }

    fn deliver(&mut self, sequence: u64, lease: Place) -> Delivery {
        self.put(sequence, lease);
        let counts_attempts = self.settings.dead_letter_policy.is_some();
        let (random, _) = Uuid::new_v4().as_u64_pair();
        let ack_id = Uuid::from_u64_pair(random, sequence);
        let entry = self.entry(sequence);
        entry.not_before = None;
        entry.ack_id = Some(ack_id);
        Delivery {
            ack_id,
            message: Arc::clone(&entry.message),
            attempt: counts_attempts.then_some(entry.failures + 1),
        }
    }

    /// Settles a message. A late acknowledgement counts until the message is handed out again.
    pub(crate) fn acknowledge(&mut self, id: Uuid, now: Instant) {
        if let Some((sequence, _)) = self.find(id) {
            self.remove(sequence, now);
        }
    }

    /// Moves the deadline of a lease that has not ended to `extension` from now; zero gives the message back.
    /// Any other id is ignored.
    pub(crate) fn modify_deadline(&mut self, id: Uuid, extension: Duration, now: Instant) {
        if let Some((sequence, Place::Leased(_, stream))) = self.find(id) {
            if extension.is_zero() {
                self.fail(sequence, now);
            } else {
                self.put(sequence, Place::Leased(now + extension, stream));
            }
        }
    }

    /// The message of an ack id, unless it was settled or has been handed out again since.
    fn find(&self, id: Uuid) -> Option<(u64, Place)> {
        let (_, sequence) = id.as_u64_pair();
        let entry = self.entries.get(&sequence)?;
        (entry.ack_id == Some(id)).then_some((sequence, entry.place))
    }

    /// Settles everything published before `time`. What was settled before does not come back.
    pub(crate) fn seek(&mut self, time: Timestamp, now: Instant) {
        let time = (time.seconds, time.nanos);
        let is_before = |entry: &Entry| {
            let published = entry.message.publish_time;
            published.is_some_and(|at| (at.seconds, at.nanos) < time)
        };
        let before = self.entries.iter().filter(|(_, entry)| is_before(entry));
        for sequence in before.map(|(sequence, _)| *sequence).collect::<Vec<_>>() {
            self.remove(sequence, now);
        }
    }

    /// Does what has become due, at the time when it was: ends leases and back-offs.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some(&(due, sequence)) = self.due.first()
            && due <= now
        {
            if self.is_leased(sequence) {
                self.fail(sequence, due);
            } else {
                self.put(sequence, Place::Waiting);
                self.offer(sequence, due);
            }
        }
    }

    /// When [`Self::advance`] next has something to do.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The delivery ended without an acknowledgement.
    fn fail(&mut self, sequence: u64, now: Instant) {
        self.put(sequence, Place::Waiting);
        // What was delivered after it with its ordering key comes again after it. That is no failure of theirs.
        let behind = self.behind(sequence);
        for follower in behind
            .filter(|one| self.is_leased(*one))
            .collect::<Vec<_>>()
        {
            self.put(follower, Place::Waiting);
            self.entry(follower).ack_id = None;
        }
        let retry = self.settings.retry_policy;
        let policy = self.settings.dead_letter_policy.as_ref();
        let most = policy.map_or(u32::MAX, |policy| policy.max_delivery_attempts);
        let entry = self.entry(sequence);
        entry.failures += 1;
        entry.not_before = retry.map(|retry| now + retry.backoff(entry.failures));
        if entry.failures < most {
            self.offer(sequence, now);
        } else if let Some(entry) = self.remove(sequence, now) {
            self.exhausted.push((entry.message, entry.failures));
        }
    }

    /// Forgets a message; the next of its lane may go.
    fn remove(&mut self, sequence: u64, now: Instant) -> Option<Entry> {
        self.put(sequence, Place::Waiting);
        if let Some(key) = self.key(sequence)
            && let Some(lane) = self.lanes.get_mut(&key)
        {
            lane.remove(&sequence);
            match lane.first() {
                Some(&next) => self.offer(next, now),
                None => drop(self.lanes.remove(&key)),
            }
        }
        self.entries.remove(&sequence)
    }

    /// Makes a message available, or that of its lane whose turn it is.
    fn offer(&mut self, sequence: u64, now: Instant) {
        let lane = self.key(sequence).and_then(|key| self.lanes.get(&key));
        let first = lane.and_then(|lane| lane.first().copied());
        let first = first.unwrap_or(sequence);
        let entry = self.entry(first);
        if entry.place == Place::Waiting {
            let place = match entry.not_before {
                Some(until) if until > now => Place::Delayed(until),
                _ => Place::Ready,
            };
            self.put(first, place);
        }
    }

    /// The message behind this one in its lane, if it can be delivered along with it.
    fn follower(&self, sequence: u64) -> Option<u64> {
        let next = self.behind(sequence).next()?;
        let entry = self.entries.get(&next)?;
        (entry.place == Place::Waiting && entry.not_before.is_none()).then_some(next)
    }

    fn behind(&self, sequence: u64) -> impl Iterator<Item = u64> {
        let lane = self.key(sequence).and_then(|key| self.lanes.get(&key));
        let behind = lane.map(|lane| lane.range(sequence + 1..));
        behind.into_iter().flatten().copied()
    }

    /// The key that orders this message; without ordering, keys are only passed on.
    fn key(&self, sequence: u64) -> Option<String> {
        let key = &self.entries.get(&sequence)?.message.ordering_key;
        (self.settings.enable_message_ordering && !key.is_empty()).then(|| key.clone())
    }

    fn is_leased(&self, sequence: u64) -> bool {
        let place = self.entries.get(&sequence).map(|entry| entry.place);
        matches!(place, Some(Place::Leased(..)))
    }

    fn entry(&mut self, sequence: u64) -> &mut Entry {
        self.entries
            .get_mut(&sequence)
            .expect("the indexes name only messages that are kept")
    }

    /// Moves a message from the index that holds it to another, and from the stream that has it.
    fn put(&mut self, sequence: u64, place: Place) {
        let entry = self.entry(sequence);
        let size = entry.size;
        match std::mem::replace(&mut entry.place, place) {
            Place::Waiting => {}
            Place::Ready => drop(self.ready.remove(&sequence)),
            Place::Delayed(at) => drop(self.due.remove(&(at, sequence))),
            Place::Leased(at, stream) => {
                self.due.remove(&(at, sequence));
                stream.inspect(|stream| self.streams.subtract(*stream, size));
            }
        }
        match place {
            Place::Waiting => {}
            Place::Ready => drop(self.ready.insert(sequence)),
            Place::Delayed(at) => drop(self.due.insert((at, sequence))),
            Place::Leased(at, stream) => {
                self.due.insert((at, sequence));
                stream.inspect(|stream| self.streams.add(*stream, size));
            }
        }
    }
}

#[cfg(test)]
mod tests;
