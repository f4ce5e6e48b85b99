//! Log records by the trace they were written in.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message as _;

use crate::ids::TraceId;
use crate::limits::Limits;
use crate::source::Origin;

/// A log record in its OTLP encoding, and who wrote it.
#[derive(Debug)]
pub(crate) struct StoredLog {
    pub(crate) origin: Arc<Origin>,
    encoded: Box<[u8]>,
}

impl StoredLog {
    pub(crate) fn new(record: &LogRecord, origin: Arc<Origin>) -> Self {
        Self {
            origin,
            encoded: record.encode_to_vec().into(),
        }
    }

    /// The record as it was sent.
    pub(crate) fn decode(&self) -> LogRecord {
        LogRecord::decode(&*self.encoded).expect("it was encoded here, from a record")
    }
}

/// The kept records; the oldest give way to new ones.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    by_trace: HashMap<TraceId, VecDeque<Arc<StoredLog>>>,
    /// The trace of each kept record, oldest record first.
    arrivals: VecDeque<TraceId>,
    bytes: usize,
}

impl Logs {
    pub(crate) fn add(&mut self, trace_id: TraceId, log: Arc<StoredLog>) {
        self.bytes += log.encoded.len();
        self.arrivals.push_back(trace_id);
        self.by_trace.entry(trace_id).or_default().push_back(log);
    }

    /// Drops the oldest records until the rest fits, and says how many.
    pub(crate) fn drop_oldest(&mut self, limits: &Limits) -> usize {
        let before = self.len();
        while self.len() > limits.max_logs || self.bytes > limits.max_log_bytes {
            if !self.pop() {
                break;
            }
        }
        before - self.len()
    }

    /// Records of one trace arrive in the order in which they stand in `arrivals`, so the first of each is the same.
    fn pop(&mut self) -> bool {
        let Some(trace_id) = self.arrivals.pop_front() else {
            return false;
        };
        if let Some(records) = self.by_trace.get_mut(&trace_id) {
            let oldest = records.pop_front();
            self.bytes -= oldest.map_or(0, |log| log.encoded.len());
            if records.is_empty() {
                self.by_trace.remove(&trace_id);
            }
        }
        true
    }

    /// The records of a trace, in the order of their arrival.
    pub(crate) fn of(&self, trace_id: TraceId) -> Vec<Arc<StoredLog>> {
        let records = self.by_trace.get(&trace_id);
        records
            .map(|records| records.iter().cloned().collect())
            .unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.arrivals.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::testing::trace_id;

    fn log(text: &str) -> Arc<StoredLog> {
        let record = LogRecord {
            severity_text: text.into(),
            ..LogRecord::default()
        };
        Arc::new(StoredLog::new(
            &record,
            Sources::default().origin(None, String::new()),
        ))
    }

    #[test]
    fn the_oldest_records_give_way_whichever_trace_they_belong_to() {
        let limits = Limits {
            max_logs: 2,
            ..Limits::default()
        };
        let mut logs = Logs::default();
        for (trace, text) in [(1, "a"), (2, "b"), (1, "c"), (2, "d")] {
            logs.add(trace_id(trace), log(text));
        }
        assert_eq!(logs.drop_oldest(&limits), 2);
        let texts = |trace| {
            logs.of(trace_id(trace))
                .iter()
                .map(|log| log.decode().severity_text)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (texts(1), texts(2)),
            (vec!["c".to_owned()], vec!["d".to_owned()])
        );
    }

    #[test]
    fn dropping_all_records_leaves_nothing_behind() {
        let limits = Limits {
            max_log_bytes: 0,
            ..Limits::default()
        };
        let mut logs = Logs::default();
        logs.add(trace_id(1), log("a"));
        logs.add(trace_id(2), log("b"));
        assert_eq!(logs.drop_oldest(&limits), 2);
        assert!(logs.by_trace.is_empty());
        assert_eq!((logs.len(), logs.bytes), (0, 0));
    }
}
