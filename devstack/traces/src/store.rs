//! The store that the receivers fill and the query paths read.

use std::cmp::Reverse;
use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use story::TraceId;

use crate::kept::Kept;
use crate::limits::Limits;
use crate::search::Search;
use crate::source::{Source, service_name};
use crate::span::{StoredLog, StoredSpan};
use crate::trace::Trace;

/// Spans and logs in memory, shared by all connections.
///
/// A lock is held for the few map operations of a request, never while spans are encoded, decoded or serialised:
/// readers take `Arc`s with them.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) limits: Limits,
    kept: RwLock<Kept>,
}

/// The part of an export that was not kept; becomes OTLP's `partial_success`.
#[derive(Debug, Default)]
pub(crate) struct Rejected {
    pub(crate) count: u64,
    /// Why the first one was rejected.
    pub(crate) reason: String,
}

impl Rejected {
    fn add(&mut self, reason: &impl Display) {
        self.count += 1;
        if self.reason.is_empty() {
            self.reason = reason.to_string();
        }
    }
}

impl Store {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            kept: RwLock::default(),
        }
    }

    /// Keeps the spans that can be kept, and says how many cannot.
    pub(crate) fn add_spans(&self, batch: Vec<ResourceSpans>) -> Rejected {
        let mut rejected = Rejected::default();
        let prepared = prepare(batch, &mut rejected);
        let received = prepared.len() as u64 + rejected.count;

        let mut kept = self.write();
        for (trace_id, span) in prepared {
            if let Err(reason) = kept.add(trace_id, span, &self.limits) {
                rejected.add(&reason);
            }
        }
        kept.drop_oldest(&self.limits);
        kept.counts.received_spans += received;
        kept.counts.rejected_spans += rejected.count;
        rejected
    }

    /// Keeps the records that were written within a trace; the others have no reader here and are only counted.
    pub(crate) fn add_logs(&self, batch: Vec<ResourceLogs>) -> Rejected {
        let (mut traced, mut untraced) = (Vec::new(), 0);
        for resource_logs in batch {
            let service = Arc::from(service_name(resource_logs.resource.as_ref()));
            let scopes = resource_logs.scope_logs.into_iter();
            for record in scopes.flat_map(|logs| logs.log_records) {
                match TraceId::from_bytes(&record.trace_id) {
                    Some(id) => traced.push((id, StoredLog::new(&record, Arc::clone(&service)))),
                    None => untraced += 1,
                }
            }
        }

        let mut rejected = Rejected::default();
        let mut kept = self.write();
        kept.counts.received_logs += untraced + traced.len() as u64;
        for (trace_id, log) in traced {
            if let Err(reason) = kept.add_log(trace_id, log, &self.limits) {
                rejected.add(&reason);
            }
        }
        kept.drop_oldest(&self.limits);
        kept.counts.untraced_logs += untraced;
        kept.counts.rejected_logs += rejected.count;
        rejected
    }

    /// Metrics have no reader here either.
    pub(crate) fn count_data_points(&self, count: u64) {
        self.write().counts.metric_data_points += count;
    }

    /// A trace of which at least one span has arrived.
    pub(crate) fn trace(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.read().get(id).filter(|trace| trace.len() > 0)
    }

    /// The traces that match, newest first, up to the bounds of an answer.
    pub(crate) fn search(&self, search: &Search) -> Vec<Arc<Trace>> {
        let mut found: Vec<_> = self.read().latest().cloned().collect();
        found.retain(|trace| search.matches(trace));
        found.sort_by_cached_key(|trace| Reverse(trace.start_nanos()));
        found.truncate(search.limit.min(self.limits.max_found));
        let mut bytes = 0;
        let fits = |trace: &&Arc<Trace>| {
            let is_first = bytes == 0;
            bytes += trace.bytes_alone();
            is_first || bytes <= self.limits.max_found_bytes
        };
        let fitting = found.iter().take_while(fits).count();
        found.truncate(fitting);
        found
    }

    // A request that panicked must not end the store for all others, hence no failing on poison.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(batch: Vec<ResourceSpans>, rejected: &mut Rejected) -> Vec<(TraceId, StoredSpan)> {
    let mut prepared = Vec::new();
    for mut resource_spans in batch {
        let scopes = std::mem::take(&mut resource_spans.scope_spans);
        let resource = Arc::new(Source::resource(&resource_spans));
        for mut scope_spans in scopes {
            let spans = std::mem::take(&mut scope_spans.spans);
            let scope = Arc::new(Source::scope(&scope_spans));
            for span in spans {
                match StoredSpan::new(&span, Arc::clone(&resource), Arc::clone(&scope)) {
                    Ok(pair) => prepared.push(pair),
                    Err(reason) => rejected.add(&reason),
                }
            }
        }
    }
    prepared
}
