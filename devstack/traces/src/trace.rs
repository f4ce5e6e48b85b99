//! What has arrived of one trace so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use story::{SpanId, TraceId};

use crate::span::{StoredLog, StoredSpan};

/// A trace; cheap to clone, which is how readers get one that does not change under them.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) id: TraceId,
    spans: BTreeMap<SpanId, Arc<StoredSpan>>,
    /// In the order of their arrival.
    logs: Vec<Arc<StoredLog>>,
    bytes: usize,
}

impl Trace {
    /// Bytes that a trace takes before it has anything.
    pub(crate) const ENTRY: usize = 256;

    pub(crate) fn new(id: TraceId) -> Self {
        Self {
            id,
            spans: BTreeMap::new(),
            logs: Vec::new(),
            bytes: Self::ENTRY,
        }
    }

    /// Adds a span, and gives back the one that had its id: an exporter's retry replaces, it does not double.
    pub(crate) fn insert(&mut self, span: Arc<StoredSpan>) -> Option<Arc<StoredSpan>> {
        self.bytes += span.size();
        let replaced = self.spans.insert(span.id, span);
        self.bytes -= replaced.as_ref().map_or(0, |old| old.size());
        replaced
    }

    pub(crate) fn insert_log(&mut self, log: StoredLog) {
        self.bytes += log.size();
        self.logs.push(Arc::new(log));
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

    pub(crate) fn logs(&self) -> &[Arc<StoredLog>] {
        &self.logs
    }

    /// Bytes that it takes, shared resources and scopes left out.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that it takes by itself, where nothing is shared with other traces, as in an answer.
    pub(crate) fn bytes_alone(&self) -> usize {
        let sources = self.spans().flat_map(|span| [&span.resource, &span.scope]);
        let distinct: BTreeMap<_, _> = sources
            .map(|source| (Arc::as_ptr(source), source.size()))
            .collect();
        self.bytes + distinct.values().sum::<usize>()
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

    pub(crate) fn duration_nanos(&self) -> u64 {
        let end = self.spans().map(|span| span.end_nanos).max().unwrap_or(0);
        end.saturating_sub(self.start_nanos())
    }

    /// The earliest span without a parent; while that one has not arrived, the earliest whose parent is missing.
    pub(crate) fn root(&self) -> Option<&StoredSpan> {
        let tops = self.spans().filter(|span| {
            let parent = span.parent;
            parent.is_none_or(|parent| !self.spans.contains_key(&parent))
        });
        tops.min_by_key(|span| (span.parent.is_some(), span.start_nanos))
    }

    pub(crate) fn errors(&self) -> usize {
        self.spans().filter(|span| span.failed).count()
    }

    pub(crate) fn services(&self) -> BTreeSet<&str> {
        self.spans().map(|span| &*span.resource.service).collect()
    }
}
