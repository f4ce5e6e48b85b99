//! One subscription as a state machine: what is published to it, delivered, settled, and comes back.
//!
//! No clock and no waiting in here: every operation is told the time, and [`Subscription::next_event`]
//! says when [`Subscription::advance`] has something to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost_types::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::proto::PubsubMessage;
use crate::settings::Settings;

mod ack_id;
mod delivery;
mod entry;
mod flow;
mod lanes;
mod moves;
#[cfg(test)]
mod tests;

pub(crate) use ack_id::AckId;
pub(crate) use delivery::Delivery;
pub(crate) use entry::StreamId;
pub(crate) use flow::Limits;

use entry::{Entry, Place};
use flow::Streams;
use lanes::Lanes;

#[derive(Debug)]
pub(crate) struct Subscription {
    identity: Uuid,
    settings: Settings,
    next_sequence: u64,
    /// Everything that is kept, in the order of publishing. The other collections index it.
    entries: BTreeMap<u64, Entry>,
    ready: BTreeSet<u64>,
    delayed: BTreeSet<(Instant, u64)>,
    leases: BTreeSet<(Instant, u64)>,
    exhausted: BTreeSet<u64>,
    lanes: Lanes,
    streams: Streams,
}

/// A message that failed as often as the dead-letter policy allows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exhausted {
    pub(crate) message: Arc<PubsubMessage>,
    pub(crate) attempts: u32,
}

impl Subscription {
    /// `identity` must be unique to this subscription in this run of the server: see [`AckId`].
    pub(crate) fn new(settings: Settings, identity: Uuid) -> Self {
        Self {
            identity,
            settings,
            next_sequence: 0,
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            delayed: BTreeSet::new(),
            leases: BTreeSet::new(),
            exhausted: BTreeSet::new(),
            lanes: Lanes::default(),
            streams: Streams::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes effect from the next delivery or failure on.
    pub(crate) fn reconfigure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// The topic is gone; what was published before stays.
    pub(crate) fn lose_topic(&mut self) {
        self.settings.topic = None;
    }

    pub(crate) fn open_stream(&mut self, limits: Limits) -> StreamId {
        self.streams.open(limits)
    }

    /// What the stream has not settled stays leased until its deadline.
    pub(crate) fn close_stream(&mut self, stream: StreamId) {
        self.streams.close(stream);
    }

    /// Messages that can be delivered now.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Takes in a message that was published at `published`.
    pub(crate) fn publish(&mut self, message: Arc<PubsubMessage>, published: Instant) {
        let filter = self.settings.filter.as_ref();
        if filter.is_some_and(|filter| !filter.matches(&message.attributes)) {
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.entries
            .insert(sequence, Entry::new(message, published));
        self.enqueue(sequence, published);
    }

    /// Settles a message. A late acknowledgement counts until the message is handed out again.
    pub(crate) fn acknowledge(&mut self, id: AckId, now: Instant) {
        if let Some(sequence) = self.find(id) {
            self.settle(sequence, now);
        }
    }

    /// Moves the deadline of a lease that has not ended; any other id is ignored.
    pub(crate) fn extend(&mut self, id: AckId, deadline: Instant) {
        let Some(sequence) = self.find(id) else {
            return;
        };
        let entry = self.entry(sequence);
        if let Place::Leased {
            deadline: old,
            stream,
        } = entry.place
        {
            entry.place = Place::Leased { deadline, stream };
            self.leases.remove(&(old, sequence));
            self.leases.insert((deadline, sequence));
        }
    }

    /// The client could not process the message.
    pub(crate) fn nack(&mut self, id: AckId, now: Instant) {
        let Some(sequence) = self.find(id) else {
            return;
        };
        if matches!(self.entry(sequence).place, Place::Leased { .. }) {
            self.fail(sequence, now);
        }
    }

    /// Does what has become due: ends leases and back-offs, and drops messages past their retention.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some(sequence) = first_due(&self.leases, now) {
            self.fail(sequence, now);
        }
        while let Some(sequence) = first_due(&self.delayed, now) {
            self.delayed.pop_first();
            self.place(sequence, Place::Ready);
        }
        while let Some((&sequence, entry)) = self.entries.first_key_value() {
            if entry.published + self.settings.retention > now {
                break;
            }
            self.remove(sequence, now);
        }
    }

    /// When [`Self::advance`] next has something to do.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        let lease = self.leases.first().map(|(deadline, _)| *deadline);
        let delayed = self.delayed.first().map(|(until, _)| *until);
        let oldest = self.entries.values().next();
        let retention = oldest.map(|entry| entry.published + self.settings.retention);
        [lease, delayed, retention].into_iter().flatten().min()
    }

    /// Hands over, for good, the messages that belong in the dead-letter topic.
    pub(crate) fn take_exhausted(&mut self, now: Instant) -> Vec<Exhausted> {
        let sequences = std::mem::take(&mut self.exhausted);
        sequences
            .into_iter()
            .filter_map(|sequence| {
                let entry = self.entries.get(&sequence)?;
                let exhausted = Exhausted {
                    message: Arc::clone(&entry.message),
                    attempts: entry.failures,
                };
                self.settle(sequence, now);
                Some(exhausted)
            })
            .collect()
    }

    /// There is no dead-letter topic to take them: they are delivered on, as the real service does.
    pub(crate) fn keep_exhausted(&mut self, now: Instant) {
        for sequence in std::mem::take(&mut self.exhausted) {
            self.enqueue(sequence, now);
        }
    }

    /// Settles everything published before `time` and makes everything since available again.
    /// Acknowledged messages come back only if the settings retain them.
    pub(crate) fn seek(&mut self, time: Timestamp, now: Instant) {
        let sequences: Vec<u64> = self.entries.keys().copied().collect();
        self.ready.clear();
        self.delayed.clear();
        self.leases.clear();
        self.exhausted.clear();
        self.lanes.clear();
        self.streams.reset();
        for sequence in sequences {
            let entry = self.entry(sequence);
            entry.place = Place::Nowhere;
            entry.not_before = None;
            if is_before(entry.message.publish_time, time) {
                self.settle(sequence, now);
            } else {
                self.enqueue(sequence, now);
            }
        }
    }

    /// The message of an ack id, unless it was settled or has been handed out again since.
    fn find(&self, id: AckId) -> Option<u64> {
        let entry = self.entries.get(&id.sequence)?;
        let is_current = id.subscription == self.identity && id.delivery == entry.delivery;
        (is_current && entry.place != Place::Acked).then_some(id.sequence)
    }
}

fn first_due(queue: &BTreeSet<(Instant, u64)>, now: Instant) -> Option<u64> {
    let (due, sequence) = queue.first()?;
    (*due <= now).then_some(*sequence)
}

fn is_before(published: Option<Timestamp>, time: Timestamp) -> bool {
    published.is_some_and(|at| (at.seconds, at.nanos) < (time.seconds, time.nanos))
}
