//! How a message moves between the indexes: every entry is in the one that its `place` names.

use tokio::time::Instant;

use super::Subscription;
use super::entry::{Entry, Place};

impl Subscription {
    /// The delivery ended without an acknowledgement.
    pub(super) fn fail(&mut self, sequence: u64, now: Instant) {
        self.withdraw(sequence);
        self.recall_followers(sequence);
        let retry = self.settings.retry;
        let dead_letter = self.settings.dead_letter.as_ref();
        let most = dead_letter.map(|policy| policy.max_delivery_attempts);
        let entry = self.entry(sequence);
        entry.failures += 1;
        entry.not_before = retry.map(|retry| now + retry.backoff(entry.failures));
        if most.is_some_and(|most| entry.failures >= most) {
            self.place(sequence, Place::Exhausted);
        } else {
            self.enqueue(sequence, now);
        }
    }

    /// Messages of the same ordering key that were delivered after a failed one come again after it,
    /// so their ack ids must stop working. That is not a failure of theirs.
    fn recall_followers(&mut self, sequence: u64) {
        let Some(key) = self.ordering_key(sequence) else {
            return;
        };
        for follower in self.lanes.leased_after(&key, sequence) {
            self.withdraw(follower);
            self.entry(follower).delivery += 1;
            self.lanes.push(&key, follower);
            self.place(follower, Place::Lane);
        }
    }

    pub(super) fn settle(&mut self, sequence: u64, now: Instant) {
        if self.settings.retain_acked {
            self.withdraw(sequence);
            self.place(sequence, Place::Acked);
            self.open_lane(sequence, now);
        } else {
            self.remove(sequence, now);
        }
    }

    pub(super) fn remove(&mut self, sequence: u64, now: Instant) {
        self.withdraw(sequence);
        self.open_lane(sequence, now);
        self.entries.remove(&sequence);
    }

    /// Puts a message where it waits for its delivery.
    pub(super) fn enqueue(&mut self, sequence: u64, now: Instant) {
        match self.ordering_key(sequence) {
            Some(key) => {
                self.lanes.push(&key, sequence);
                self.place(sequence, Place::Lane);
                self.offer_next(&key, now);
            }
            None => self.offer(sequence, now),
        }
    }

    /// A message left its lane, so the next may go.
    fn open_lane(&mut self, sequence: u64, now: Instant) {
        if let Some(key) = self.ordering_key(sequence) {
            self.offer_next(&key, now);
        }
    }

    fn offer_next(&mut self, key: &str, now: Instant) {
        if let Some(next) = self.lanes.offer(key) {
            self.offer(next, now);
        }
    }

    fn offer(&mut self, sequence: u64, now: Instant) {
        let entry = self.entry(sequence);
        let place = match entry.not_before {
            Some(until) if until > now => Place::Delayed(until),
            _ => Place::Ready,
        };
        self.place(sequence, place);
    }

    /// Enters a message in the index of its new place.
    pub(super) fn place(&mut self, sequence: u64, place: Place) {
        match place {
            Place::Ready => {
                self.ready.insert(sequence);
            }
            Place::Delayed(until) => {
                self.delayed.insert((until, sequence));
            }
            Place::Leased { deadline, stream } => {
                self.leases.insert((deadline, sequence));
                let size = self.entry(sequence).size;
                self.streams.add(stream, size);
            }
            Place::Exhausted => {
                self.exhausted.insert(sequence);
            }
            Place::Nowhere | Place::Lane | Place::Acked => {}
        }
        self.entry(sequence).place = place;
    }

    /// Takes a message out of the index that holds it, and out of its lane.
    pub(super) fn withdraw(&mut self, sequence: u64) {
        let entry = self.entry(sequence);
        let size = entry.size;
        match std::mem::replace(&mut entry.place, Place::Nowhere) {
            Place::Ready => {
                self.ready.remove(&sequence);
            }
            Place::Delayed(until) => {
                self.delayed.remove(&(until, sequence));
            }
            Place::Leased { deadline, stream } => {
                self.leases.remove(&(deadline, sequence));
                self.streams.subtract(stream, size);
            }
            Place::Exhausted => {
                self.exhausted.remove(&sequence);
            }
            Place::Nowhere | Place::Lane | Place::Acked => {}
        }
        if let Some(key) = self.ordering_key(sequence) {
            self.lanes.remove(&key, sequence);
        }
    }

    /// The key that orders this message; without ordering enabled, keys are only passed on.
    pub(super) fn ordering_key(&self, sequence: u64) -> Option<String> {
        let key = &self.entries.get(&sequence)?.message.ordering_key;
        (self.settings.ordered && !key.is_empty()).then(|| key.clone())
    }

    pub(super) fn entry(&mut self, sequence: u64) -> &mut Entry {
        self.entries
            .get_mut(&sequence)
            .expect("the indexes name only messages that are kept")
    }
}
