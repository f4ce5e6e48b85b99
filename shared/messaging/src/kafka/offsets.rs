//! Which offset of a partition may be committed: all records before it are settled.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The records of a partition that were received and not yet committed.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// In their order, with whether they are settled; the first one never is.
    records: VecDeque<(i64, bool)>,
    /// The last offset before the first of them.
    settled: Option<i64>,
    /// Another member has the partition: what is settled here now is not ours to commit.
    closed: bool,
}

impl Offsets {
    pub(super) fn begin(&self, offset: i64) {
        self.state().records.push_back((offset, false));
    }

    pub(super) fn settle(&self, offset: i64) {
        let mut state = self.state();
        let found = state
            .records
            .binary_search_by_key(&offset, |(offset, _)| *offset);
        if let Ok(index) = found {
            state.records[index].1 = true;
        }
        while let Some((offset, true)) = state.records.front().copied() {
            state.settled = Some(offset);
            state.records.pop_front();
        }
    }

    /// How many records there are from the first one that is not settled to the last.
    pub(super) fn ahead(&self) -> usize {
        self.state().records.len()
    }

    /// The last offset without a hole before it, if it is another than at the last call.
    pub(super) fn take_settled(&self) -> Option<i64> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        state.settled.take()
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(received: &[i64]) -> Offsets {
        let offsets = Offsets::default();
        for offset in received {
            offsets.begin(*offset);
        }
        offsets
    }

    #[test]
    fn what_is_settled_behind_a_hole_waits() {
        let offsets = offsets(&[3, 4, 9, 10]);
        offsets.settle(4);
        offsets.settle(9);
        assert_eq!((offsets.take_settled(), offsets.ahead()), (None, 4));
        offsets.settle(3);
        assert_eq!((offsets.take_settled(), offsets.ahead()), (Some(9), 1));
        assert_eq!(offsets.take_settled(), None);
        offsets.settle(10);
        assert_eq!((offsets.take_settled(), offsets.ahead()), (Some(10), 0));
    }

    #[test]
    fn nothing_is_committed_after_the_partition_went() {
        let offsets = offsets(&[1]);
        offsets.close();
        offsets.settle(1);
        assert_eq!(offsets.take_settled(), None);
    }
}
