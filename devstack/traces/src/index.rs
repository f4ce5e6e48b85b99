//! Which traces a service, an operation or a link leads to, without looking at any span.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::ids::{SpanId, TraceId};
use crate::span::{SpanRef, StoredSpan};

/// Traces by service, and by operation of a service.
#[derive(Debug, Default)]
pub(crate) struct ServiceIndex {
    services: BTreeMap<Arc<str>, Service>,
}

#[derive(Debug, Default)]
struct Service {
    traces: TraceCounts,
    operations: BTreeMap<Operation, TraceCounts>,
}

/// What a service does: a span name and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    pub(crate) name: Arc<str>,
    pub(crate) kind: SpanKind,
}

/// How many spans of each trace an entry stands for, so that the entry goes when the last of them does.
#[derive(Debug, Default)]
struct TraceCounts(HashMap<TraceId, usize>);

impl ServiceIndex {
    pub(crate) fn add(&mut self, trace_id: TraceId, span: &StoredSpan) {
        let service = self
            .services
            .entry(Arc::clone(&span.origin.service))
            .or_default();
        service.traces.add(trace_id);
        service
            .operations
            .entry(Operation::of(span))
            .or_default()
            .add(trace_id);
    }

    pub(crate) fn remove(&mut self, trace_id: TraceId, span: &StoredSpan) {
        let Some(service) = self.services.get_mut(&span.origin.service) else {
            return;
        };
        let operation = Operation::of(span);
        if let Some(traces) = service.operations.get_mut(&operation)
            && traces.remove(trace_id)
        {
            service.operations.remove(&operation);
        }
        if service.traces.remove(trace_id) {
            self.services.remove(&span.origin.service);
        }
    }

    pub(crate) fn services(&self) -> Vec<Arc<str>> {
        self.services.keys().cloned().collect()
    }

    pub(crate) fn operations(&self, service: &str) -> Vec<Operation> {
        let service = self.services.get(service);
        service
            .map(|service| service.operations.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The traces in which the service takes part, with spans of that name if one is given; in no order.
    pub(crate) fn traces(&self, service: &str, operation: Option<&str>) -> Vec<TraceId> {
        let Some(service) = self.services.get(service) else {
            return Vec::new();
        };
        let Some(name) = operation else {
            return service.traces.ids().collect();
        };
        let named = service
            .operations
            .iter()
            .filter(|(operation, _)| &*operation.name == name);
        // One trace can have spans of the same name with different kinds.
        let ids: BTreeSet<_> = named.flat_map(|(_, traces)| traces.ids()).collect();
        ids.into_iter().collect()
    }
}

impl Operation {
    fn of(span: &StoredSpan) -> Self {
        Self {
            name: Arc::clone(&span.name),
            kind: span.kind,
        }
    }
}

impl TraceCounts {
    fn add(&mut self, id: TraceId) {
        *self.0.entry(id).or_default() += 1;
    }

    /// True when nothing is left.
    fn remove(&mut self, id: TraceId) -> bool {
        if let Some(count) = self.0.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&id);
            }
        }
        self.0.is_empty()
    }

    fn ids(&self) -> impl Iterator<Item = TraceId> {
        self.0.keys().copied()
    }
}

/// Who links to a trace. A link may arrive before the trace it leads to, or outlive it.
#[derive(Debug, Default)]
pub(crate) struct BacklinkIndex {
    by_target: HashMap<TraceId, BTreeSet<Backlink>>,
}

/// A span anywhere that links to a span of the trace that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Backlink {
    pub(crate) from: SpanRef,
    pub(crate) to: SpanId,
}

impl BacklinkIndex {
    pub(crate) fn add(&mut self, trace_id: TraceId, span: &StoredSpan) {
        for (target, backlink) in backlinks(trace_id, span) {
            self.by_target.entry(target).or_default().insert(backlink);
        }
    }

    pub(crate) fn remove(&mut self, trace_id: TraceId, span: &StoredSpan) {
        for (target, backlink) in backlinks(trace_id, span) {
            let Some(known) = self.by_target.get_mut(&target) else {
                continue;
            };
            known.remove(&backlink);
            if known.is_empty() {
                self.by_target.remove(&target);
            }
        }
    }

    pub(crate) fn to(&self, target: TraceId) -> Vec<Backlink> {
        let known = self.by_target.get(&target);
        known
            .map(|known| known.iter().copied().collect())
            .unwrap_or_default()
    }
}

fn backlinks(trace_id: TraceId, span: &StoredSpan) -> impl Iterator<Item = (TraceId, Backlink)> {
    span.links.iter().map(move |link| {
        let from = SpanRef {
            trace_id,
            span_id: span.id,
        };
        (
            link.trace_id,
            Backlink {
                from,
                to: link.span_id,
            },
        )
    })
}
