//! Counts of what the store took in, kept and let go.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

/// A number that only grows. Readers may see one counter of a request before another.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) received_spans: Counter,
    pub(crate) rejected_spans: Counter,
    pub(crate) replaced_spans: Counter,
    pub(crate) dropped_traces: Counter,
    pub(crate) dropped_spans: Counter,
    pub(crate) received_logs: Counter,
    pub(crate) untraced_logs: Counter,
    pub(crate) dropped_logs: Counter,
    pub(crate) metric_data_points: Counter,
}

/// What is there now.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    pub(crate) traces: usize,
    pub(crate) spans: usize,
    pub(crate) logs: usize,
}

/// The answer of `GET /api/orderflow/stats`.
///
/// While no export is under way, `received_spans` is the sum of `spans` and the rejected, replaced and dropped ones.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    #[serde(flatten)]
    kept: Kept,
    received_spans: u64,
    /// Refused: without valid ids, or one too many in its trace.
    rejected_spans: u64,
    /// Sent again with the same ids.
    replaced_spans: u64,
    /// Made room for newer ones.
    dropped_traces: u64,
    dropped_spans: u64,
    received_logs: u64,
    /// Written outside any trace, and therefore not kept.
    untraced_logs: u64,
    dropped_logs: u64,
    metric_data_points: u64,
}

impl Counters {
    pub(crate) fn stats(&self, kept: Kept) -> Stats {
        Stats {
            kept,
            received_spans: self.received_spans.get(),
            rejected_spans: self.rejected_spans.get(),
            replaced_spans: self.replaced_spans.get(),
            dropped_traces: self.dropped_traces.get(),
            dropped_spans: self.dropped_spans.get(),
            received_logs: self.received_logs.get(),
            untraced_logs: self.untraced_logs.get(),
            dropped_logs: self.dropped_logs.get(),
            metric_data_points: self.metric_data_points.get(),
        }
    }
}
