//! Which spans link to a trace, without looking at any of them.

use std::collections::{BTreeSet, HashMap};

use story::{SpanId, SpanRef, TraceId};

use crate::span::StoredSpan;

/// Who links to a trace. A link may arrive before the trace it leads to, or outlive it.
#[derive(Debug, Default)]
pub(crate) struct Backlinks {
    by_target: HashMap<TraceId, BTreeSet<Backlink>>,
}

/// A span anywhere that links to a span of the trace that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Backlink {
    pub(crate) from: SpanRef,
    pub(crate) to: SpanId,
}

impl Backlinks {
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
        known.into_iter().flatten().copied().collect()
    }
}

fn backlinks(trace_id: TraceId, span: &StoredSpan) -> impl Iterator<Item = (TraceId, Backlink)> {
    let span_id = span.id;
    let from = SpanRef { trace_id, span_id };
    let links = span.links.iter();
    links.map(move |link| {
        let to = link.span_id;
        (link.trace_id, Backlink { from, to })
    })
}
