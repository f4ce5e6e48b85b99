//! The store that the receivers fill and the query paths read.

use std::cmp::Reverse;
use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use crate::ids::TraceId;
use crate::index::{Backlink, Operation};
use crate::limits::Limits;
use crate::logs::{Logs, StoredLog};
use crate::search::Search;
use crate::source::Sources;
use crate::span::StoredSpan;
use crate::spans::{Added, Spans};
use crate::stats::{Counters, Kept, Stats};
use crate::trace::Trace;

/// Spans and logs in memory, shared by all connections.
///
/// A lock is held for the few map operations of a request, never while spans are encoded, decoded or serialised:
/// readers take `Arc`s with them.
#[derive(Debug)]
pub(crate) struct Store {
    limits: Limits,
    sources: Sources,
    spans: RwLock<Spans>,
    logs: RwLock<Logs>,
    counters: Counters,
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
            sources: Sources::default(),
            spans: RwLock::default(),
            logs: RwLock::default(),
            counters: Counters::default(),
        }
    }

    /// Keeps the spans that can be kept, and says how many cannot.
    pub(crate) fn add_spans(&self, batch: Vec<ResourceSpans>) -> Rejected {
        let mut rejected = Rejected::default();
        let prepared = self.prepare(batch, &mut rejected);
        let received = prepared.len() as u64 + rejected.count;

        let mut replaced = 0;
        let mut spans = self.write_spans();
        for (trace_id, span) in prepared {
            match spans.add(trace_id, span, &self.limits) {
                Ok(Added::New) => {}
                Ok(Added::Replaced) => replaced += 1,
                Err(reason) => rejected.add(&reason),
            }
        }
        let dropped = spans.drop_oldest(&self.limits);
        drop(spans);

        self.counters.received_spans.add(received);
        self.counters.rejected_spans.add(rejected.count);
        self.counters.replaced_spans.add(replaced);
        self.counters.dropped_traces.add(dropped.traces);
        self.counters.dropped_spans.add(dropped.spans);
        rejected
    }

    fn prepare(
        &self,
        batch: Vec<ResourceSpans>,
        rejected: &mut Rejected,
    ) -> Vec<(TraceId, StoredSpan)> {
        let mut prepared = Vec::new();
        for resource_spans in batch {
            let origin = self
                .sources
                .origin(resource_spans.resource, resource_spans.schema_url);
            for scope_spans in resource_spans.scope_spans {
                let scope = self
                    .sources
                    .scope(scope_spans.scope, scope_spans.schema_url);
                for span in scope_spans.spans {
                    let name = self.sources.name(&span.name);
                    match StoredSpan::new(&span, name, Arc::clone(&origin), Arc::clone(&scope)) {
                        Ok(pair) => prepared.push(pair),
                        Err(reason) => rejected.add(&reason),
                    }
                }
            }
        }
        prepared
    }

    /// Keeps the records that were written within a trace; the others have no reader here and are only counted.
    pub(crate) fn add_logs(&self, batch: Vec<ResourceLogs>) {
        let mut traced = Vec::new();
        let mut received = 0;
        for resource_logs in batch {
            let origin = self
                .sources
                .origin(resource_logs.resource, resource_logs.schema_url);
            for record in resource_logs
                .scope_logs
                .into_iter()
                .flat_map(|logs| logs.log_records)
            {
                received += 1;
                if let Some(trace_id) = TraceId::from_bytes(&record.trace_id) {
                    traced.push((
                        trace_id,
                        Arc::new(StoredLog::new(&record, Arc::clone(&origin))),
                    ));
                }
            }
        }
        let untraced = received - traced.len() as u64;

        let mut logs = self.write_logs();
        for (trace_id, log) in traced {
            logs.add(trace_id, log);
        }
        let dropped = logs.drop_oldest(&self.limits) as u64;
        drop(logs);

        self.counters.received_logs.add(received);
        self.counters.untraced_logs.add(untraced);
        self.counters.dropped_logs.add(dropped);
    }

    /// Metrics have no reader here either.
    pub(crate) fn count_data_points(&self, count: u64) {
        self.counters.metric_data_points.add(count);
    }

    pub(crate) fn trace(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.read_spans().get(id)
    }

    /// The traces that match, newest first.
    pub(crate) fn search(&self, search: &Search) -> Vec<Arc<Trace>> {
        let mut found = self.read_spans().candidates(search);
        found.sort_by_cached_key(|trace| Reverse(trace.start_nanos()));
        found
            .into_iter()
            .filter(|trace| search.matches(trace))
            .take(search.limit)
            .collect()
    }

    /// The traces that arrived last, latest first.
    pub(crate) fn latest(&self, count: usize) -> Vec<Arc<Trace>> {
        self.read_spans().latest(count)
    }

    pub(crate) fn services(&self) -> Vec<Arc<str>> {
        self.read_spans().services()
    }

    pub(crate) fn operations(&self, service: &str) -> Vec<Operation> {
        self.read_spans().operations(service)
    }

    pub(crate) fn backlinks(&self, target: TraceId) -> Vec<Backlink> {
        self.read_spans().backlinks(target)
    }

    pub(crate) fn logs(&self, trace_id: TraceId) -> Vec<Arc<StoredLog>> {
        self.logs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .of(trace_id)
    }

    pub(crate) fn stats(&self) -> Stats {
        let (traces, spans) = {
            let spans = self.read_spans();
            (spans.traces(), spans.len())
        };
        let logs = self
            .logs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        self.counters.stats(Kept {
            traces,
            spans,
            logs,
        })
    }

    // A request that panicked must not end the store for all others, hence no failing on poison.
    fn read_spans(&self) -> RwLockReadGuard<'_, Spans> {
        self.spans.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_spans(&self) -> RwLockWriteGuard<'_, Spans> {
        self.spans.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_logs(&self) -> RwLockWriteGuard<'_, Logs> {
        self.logs.write().unwrap_or_else(PoisonError::into_inner)
    }
}
