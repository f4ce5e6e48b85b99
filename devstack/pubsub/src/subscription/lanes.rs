//! Order within an ordering key.
//!
//! A lane holds the messages of one key that are neither settled nor up for delivery.
//! Its head alone is offered. Taking the head may take followers with it, and then the lane is
//! closed until all of them are settled: nothing overtakes a message that may yet come back.

use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Default)]
pub(super) struct Lanes(HashMap<String, Lane>);

#[derive(Debug, Default)]
struct Lane {
    waiting: BTreeSet<u64>,
    offered: Option<u64>,
    leased: BTreeSet<u64>,
}

impl Lanes {
    pub(super) fn push(&mut self, key: &str, sequence: u64) {
        self.0
            .entry(key.to_owned())
            .or_default()
            .waiting
            .insert(sequence);
    }

    /// The message to offer next, if the lane is open; a lane without messages is forgotten.
    pub(super) fn offer(&mut self, key: &str) -> Option<u64> {
        let lane = self.0.get_mut(key)?;
        if lane.offered.is_some() || !lane.leased.is_empty() {
            return None;
        }
        lane.offered = lane.waiting.pop_first();
        if lane.offered.is_none() {
            self.0.remove(key);
            return None;
        }
        lane.offered
    }

    /// Notes that a message was delivered.
    pub(super) fn lease(&mut self, key: &str, sequence: u64) {
        if let Some(lane) = self.0.get_mut(key) {
            lane.offered.take_if(|offered| *offered == sequence);
            lane.waiting.remove(&sequence);
            lane.leased.insert(sequence);
        }
    }

    /// The message behind those that were just delivered.
    pub(super) fn follower(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.waiting.first().copied()
    }

    /// Messages that were delivered after this one and are not settled.
    pub(super) fn leased_after(&self, key: &str, sequence: u64) -> Vec<u64> {
        self.0.get(key).map_or_else(Vec::new, |lane| {
            lane.leased.range(sequence + 1..).copied().collect()
        })
    }

    pub(super) fn remove(&mut self, key: &str, sequence: u64) {
        if let Some(lane) = self.0.get_mut(key) {
            lane.offered.take_if(|offered| *offered == sequence);
            lane.waiting.remove(&sequence);
            lane.leased.remove(&sequence);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
