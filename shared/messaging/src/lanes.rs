//! Which message may be processed next: those of one key one after the other, all others side by side.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// Messages that are in hand: waiting, or being processed.
pub(crate) struct Lanes<T> {
    by_key: HashMap<Bytes, VecDeque<T>>,
    /// Lanes that have something waiting, and nothing being processed.
    ready: VecDeque<Bytes>,
    /// What has no key waits for nobody.
    free: VecDeque<T>,
    in_hand: usize,
}

impl<T> Lanes<T> {
    pub(crate) fn new() -> Self {
        Self {
            by_key: HashMap::new(),
            ready: VecDeque::new(),
            free: VecDeque::new(),
            in_hand: 0,
        }
    }

    /// How many messages are waiting or being processed.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand
    }

    pub(crate) fn push(&mut self, lane: Option<Bytes>, message: T) {
        self.in_hand += 1;
        let Some(key) = lane else {
            return self.free.push_back(message);
        };
        if let Some(waiting) = self.by_key.get_mut(&key) {
            return waiting.push_back(message);
        }
        self.by_key.insert(key.clone(), VecDeque::from([message]));
        self.ready.push_back(key);
    }

    /// The next messages that may be processed together, up to `most`; the lane is busy until [`finish`](Self::finish).
    pub(crate) fn start(&mut self, most: usize) -> Option<(Option<Bytes>, Vec<T>)> {
        if let Some(key) = self.ready.pop_front() {
            let waiting = self.by_key.get_mut(&key)?;
            let started = waiting.drain(..most.min(waiting.len())).collect();
            return Some((Some(key), started));
        }
        self.free.pop_front().map(|message| (None, vec![message]))
    }

    /// What was started is settled.
    pub(crate) fn finish(&mut self, lane: Option<Bytes>, messages: usize) {
        self.in_hand -= messages;
        let Some(key) = lane else { return };
        if self.by_key.get(&key).is_some_and(VecDeque::is_empty) {
            self.by_key.remove(&key);
        } else {
            self.ready.push_back(key);
        }
    }

    /// Takes out what waits in a lane that is being processed, as far as it is `wanted`.
    pub(crate) fn take_waiting(&mut self, lane: &Bytes, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let Some(waiting) = self.by_key.get_mut(lane) else {
            return Vec::new();
        };
        let (taken, left): (Vec<_>, _) = waiting.drain(..).partition(wanted);
        *waiting = VecDeque::from(left);
        self.in_hand -= taken.len();
        taken
    }

    /// Takes out all that is waiting.
    pub(crate) fn take_all_waiting(&mut self) -> Vec<T> {
        self.ready.clear();
        let mut waiting: Vec<T> = self.free.drain(..).collect();
        for lane in self.by_key.values_mut() {
            waiting.extend(lane.drain(..));
        }
        self.in_hand -= waiting.len();
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(messages: &[(&'static str, u32)]) -> Lanes<u32> {
        let mut lanes = Lanes::new();
        for (key, message) in messages {
            let key = (!key.is_empty()).then(|| Bytes::from_static(key.as_bytes()));
            lanes.push(key, *message);
        }
        lanes
    }

    fn started(lanes: &mut Lanes<u32>) -> Vec<u32> {
        std::iter::from_fn(|| lanes.start(1))
            .flat_map(|(_, started)| started)
            .collect()
    }

    #[test]
    fn one_message_of_a_key_is_started_at_a_time() {
        let mut lanes = lanes(&[("a", 1), ("a", 2), ("b", 3), ("", 4), ("", 5)]);
        assert_eq!(started(&mut lanes), [1, 3, 4, 5]);
        lanes.finish(Some("a".into()), 1);
        assert_eq!(started(&mut lanes), [2]);
        lanes.finish(Some("a".into()), 1);
        assert_eq!(lanes.in_hand(), 3);
        assert!(started(&mut lanes).is_empty());
    }

    #[test]
    fn a_batch_takes_what_waits_in_a_lane() {
        let mut lanes = lanes(&[("a", 1), ("a", 2), ("a", 3)]);
        assert_eq!(lanes.start(2).unwrap().1, [1, 2]);
        assert!(lanes.start(2).is_none());
        lanes.finish(Some("a".into()), 2);
        assert_eq!(lanes.start(2).unwrap().1, [3]);
    }

    #[test]
    fn what_waits_behind_a_message_can_be_taken_out() {
        let mut lanes = lanes(&[("a", 1), ("a", 2), ("b", 3)]);
        lanes.start(1);
        assert!(
            lanes
                .take_waiting(&"a".into(), |message| *message > 2)
                .is_empty()
        );
        assert_eq!(lanes.take_waiting(&"a".into(), |_| true), [2]);
        lanes.finish(Some("a".into()), 1);
        assert_eq!(lanes.in_hand(), 1);
        assert_eq!(lanes.take_all_waiting(), [3]);
        assert_eq!(lanes.in_hand(), 0);
    }

    #[test]
    fn a_key_that_is_done_leaves_nothing_behind() {
        let mut lanes = lanes(&[("a", 1)]);
        lanes.start(1);
        lanes.finish(Some("a".into()), 1);
        assert!(lanes.by_key.is_empty() && lanes.ready.is_empty());
    }
}
