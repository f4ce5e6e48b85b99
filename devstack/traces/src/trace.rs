//! The spans of one trace that have arrived so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{SpanId, TraceId};
use crate::span::StoredSpan;

/// A trace; cheap to clone, which is how readers get one that does not change under them.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) id: TraceId,
    spans: BTreeMap<SpanId, Arc<StoredSpan>>,
}

/// How many spans a service has in a trace, and how many of them failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanCounts {
    pub(crate) spans: usize,
    pub(crate) errors: usize,
}

impl Trace {
    pub(crate) fn new(id: TraceId) -> Self {
        Self {
            id,
            spans: BTreeMap::new(),
        }
    }

    /// Adds a span, and gives back the one that had its id: an exporter's retry replaces, it does not double.
    pub(crate) fn insert(&mut self, span: Arc<StoredSpan>) -> Option<Arc<StoredSpan>> {
        self.spans.insert(span.id, span)
    }

    pub(crate) fn get(&self, id: SpanId) -> Option<&StoredSpan> {
        self.spans.get(&id).map(AsRef::as_ref)
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = &StoredSpan> {
        self.spans.values().map(AsRef::as_ref)
    }

    /// The spans by start time, which is the order people read them in.
    pub(crate) fn by_start(&self) -> Vec<&StoredSpan> {
        let mut spans: Vec<_> = self.spans().collect();
        spans.sort_by_key(|span| span.start_nanos);
        spans
    }

    pub(crate) fn start_nanos(&self) -> u64 {
        self.spans().map(|span| span.start_nanos).min().unwrap_or(0)
    }

    pub(crate) fn end_nanos(&self) -> u64 {
        self.spans().map(|span| span.end_nanos).max().unwrap_or(0)
    }

    pub(crate) fn duration_nanos(&self) -> u64 {
        self.end_nanos().saturating_sub(self.start_nanos())
    }

    /// The earliest span without a parent; while that one has not arrived, the earliest whose parent is missing.
    pub(crate) fn root(&self) -> Option<&StoredSpan> {
        let earliest = |span: &&StoredSpan| span.start_nanos;
        let orphans = || {
            self.spans()
                .filter(|span| self.is_orphan(span))
                .min_by_key(earliest)
        };
        let roots = self.spans().filter(|span| span.parent.is_none());
        roots.min_by_key(earliest).or_else(orphans)
    }

    /// Whether the span has a parent that is not in this trace, or not yet.
    pub(crate) fn is_orphan(&self, span: &StoredSpan) -> bool {
        span.parent
            .is_some_and(|parent| !self.spans.contains_key(&parent))
    }

    pub(crate) fn orphans(&self) -> usize {
        self.spans().filter(|span| self.is_orphan(span)).count()
    }

    pub(crate) fn errors(&self) -> usize {
        self.spans().filter(|span| span.failed).count()
    }

    pub(crate) fn services(&self) -> BTreeMap<&str, SpanCounts> {
        let mut services = BTreeMap::<&str, SpanCounts>::new();
        for span in self.spans() {
            let counts = services.entry(&span.origin.service).or_default();
            counts.spans += 1;
            counts.errors += usize::from(span.failed);
        }
        services
    }
}
