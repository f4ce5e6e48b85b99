//! The kept traces and their indexes: plain data, no locks, no clock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::ids::TraceId;
use crate::index::{Backlink, BacklinkIndex, Operation, ServiceIndex};
use crate::limits::Limits;
use crate::search::Search;
use crate::span::{Rejection, StoredSpan};
use crate::trace::Trace;

/// All kept traces; every span in one of them is in every index, and no other span is.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    traces: HashMap<TraceId, Arc<Trace>>,
    /// The kept traces by the arrival of their first span, oldest first.
    arrivals: VecDeque<TraceId>,
    services: ServiceIndex,
    backlinks: BacklinkIndex,
    len: usize,
    bytes: usize,
}

/// What became of a span.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    New,
    /// It took the place of one with the same trace and span id.
    Replaced,
}

/// What had to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
}

impl Spans {
    pub(crate) fn add(
        &mut self,
        id: TraceId,
        span: StoredSpan,
        limits: &Limits,
    ) -> Result<Added, Rejection> {
        let trace = self.traces.entry(id).or_insert_with(|| {
            self.arrivals.push_back(id);
            Arc::new(Trace::new(id))
        });
        if trace.len() >= limits.max_spans_per_trace && trace.get(span.id).is_none() {
            return Err(Rejection::TraceFull(trace.len()));
        }
        let span = Arc::new(span);
        // Copies the trace only if a reader holds it at this moment.
        let replaced = Arc::make_mut(trace).insert(Arc::clone(&span));
        if let Some(old) = &replaced {
            self.forget(id, old);
        }
        self.remember(id, &span);
        Ok(replaced.map_or(Added::New, |_| Added::Replaced))
    }

    /// Drops the oldest traces until the rest fits.
    pub(crate) fn drop_oldest(&mut self, limits: &Limits) -> Dropped {
        let mut dropped = Dropped::default();
        while self.len > limits.max_spans || self.bytes > limits.max_span_bytes {
            let Some(trace) = self
                .arrivals
                .pop_front()
                .and_then(|id| self.traces.remove(&id))
            else {
                break;
            };
            for span in trace.spans() {
                self.forget(trace.id, span);
            }
            dropped.traces += 1;
            dropped.spans += trace.len() as u64;
        }
        dropped
    }

    fn remember(&mut self, id: TraceId, span: &StoredSpan) {
        self.len += 1;
        self.bytes += span.size();
        self.services.add(id, span);
        self.backlinks.add(id, span);
    }

    fn forget(&mut self, id: TraceId, span: &StoredSpan) {
        self.len -= 1;
        self.bytes -= span.size();
        self.services.remove(id, span);
        self.backlinks.remove(id, span);
    }

    pub(crate) fn get(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.traces.get(&id).cloned()
    }

    /// The traces that a search has to look at: those of its service and operation, or else all; in no order.
    pub(crate) fn candidates(&self, search: &Search) -> Vec<Arc<Trace>> {
        let Some(service) = &search.service else {
            return self.traces.values().cloned().collect();
        };
        let ids = self.services.traces(service, search.operation.as_deref());
        ids.into_iter().filter_map(|id| self.get(id)).collect()
    }

    /// The traces whose first span arrived last, latest first.
    pub(crate) fn latest(&self, count: usize) -> Vec<Arc<Trace>> {
        self.arrivals
            .iter()
            .rev()
            .take(count)
            .filter_map(|id| self.get(*id))
            .collect()
    }

    pub(crate) fn backlinks(&self, target: TraceId) -> Vec<Backlink> {
        self.backlinks.to(target)
    }

    pub(crate) fn services(&self) -> Vec<Arc<str>> {
        self.services.services()
    }

    pub(crate) fn operations(&self, service: &str) -> Vec<Operation> {
        self.services.operations(service)
    }

    pub(crate) fn traces(&self) -> usize {
        self.traces.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::SpanRef;
    use crate::testing::{linked, span, span_id, trace_id};

    fn add(spans: &mut Spans, trace: u128, span: StoredSpan) -> Result<Added, Rejection> {
        spans.add(trace_id(trace), span, &Limits::default())
    }

    fn service_traces(spans: &Spans, service: &str) -> usize {
        let search = Search {
            service: Some(service.into()),
            ..Search::default()
        };
        spans.candidates(&search).len()
    }

    #[test]
    fn collects_a_trace_that_arrives_in_parts_and_out_of_order() {
        let mut spans = Spans::default();
        add(&mut spans, 1, span(3, Some(2), "email", "process")).unwrap();
        add(&mut spans, 1, span(2, Some(1), "orders", "send")).unwrap();
        assert_eq!(spans.get(trace_id(1)).unwrap().orphans(), 1);
        add(&mut spans, 1, span(1, None, "gateway", "POST /orders")).unwrap();

        let trace = spans.get(trace_id(1)).unwrap();
        assert_eq!((trace.len(), trace.orphans()), (3, 0));
        assert_eq!(&*trace.root().unwrap().name, "POST /orders");
    }

    #[test]
    fn a_span_that_is_sent_again_replaces_the_first_in_every_index() {
        let mut spans = Spans::default();
        let first = add(&mut spans, 1, linked(span(1, None, "old", "a"), 7, 7));
        let second = add(&mut spans, 1, linked(span(1, None, "new", "b"), 8, 8));
        assert_eq!((first, second), (Ok(Added::New), Ok(Added::Replaced)));
        assert_eq!((spans.traces(), spans.len()), (1, 1));
        assert_eq!(spans.services(), [Arc::from("new")]);
        assert!(spans.operations("old").is_empty());
        assert!(spans.backlinks(trace_id(7)).is_empty());
        assert_eq!(spans.backlinks(trace_id(8)).len(), 1);
    }

    #[test]
    fn drops_the_oldest_trace_whole_and_forgets_it_everywhere() {
        let limits = Limits {
            max_spans: 3,
            ..Limits::default()
        };
        let mut spans = Spans::default();
        add(&mut spans, 1, linked(span(1, None, "old", "a"), 2, 3)).unwrap();
        add(&mut spans, 2, span(3, None, "new", "b")).unwrap();
        add(&mut spans, 1, span(2, Some(1), "old", "a")).unwrap();
        assert_eq!(spans.drop_oldest(&limits), Dropped::default());

        add(&mut spans, 2, span(4, Some(3), "new", "b")).unwrap();
        let dropped = spans.drop_oldest(&limits);
        assert_eq!(
            dropped,
            Dropped {
                traces: 1,
                spans: 2
            }
        );
        assert!(spans.get(trace_id(1)).is_none());
        assert_eq!(spans.services(), [Arc::from("new")]);
        assert!(spans.backlinks(trace_id(2)).is_empty());
        assert_eq!((spans.traces(), spans.len()), (1, 2));
    }

    #[test]
    fn an_empty_store_occupies_no_bytes() {
        let limits = Limits {
            max_span_bytes: 0,
            ..Limits::default()
        };
        let mut spans = Spans::default();
        add(&mut spans, 1, span(1, None, "gateway", "a")).unwrap();
        add(&mut spans, 1, span(1, None, "gateway", "a longer name")).unwrap();
        spans.drop_oldest(&limits);
        assert_eq!((spans.traces(), spans.len(), spans.bytes), (0, 0, 0));
    }

    #[test]
    fn a_full_trace_takes_known_spans_only() {
        let limits = Limits {
            max_spans_per_trace: 1,
            ..Limits::default()
        };
        let mut spans = Spans::default();
        let mut add = |id| spans.add(trace_id(1), span(id, None, "gateway", "a"), &limits);
        assert_eq!(add(1), Ok(Added::New));
        assert_eq!(add(2), Err(Rejection::TraceFull(1)));
        assert_eq!(add(1), Ok(Added::Replaced));
    }

    #[test]
    fn finds_who_links_to_a_trace_before_that_trace_arrives() {
        let mut spans = Spans::default();
        add(
            &mut spans,
            1,
            linked(span(5, None, "classifier", "process"), 9, 6),
        )
        .unwrap();
        let from = SpanRef {
            trace_id: trace_id(1),
            span_id: span_id(5),
        };
        let expected = Backlink {
            from,
            to: span_id(6),
        };
        assert_eq!(spans.backlinks(trace_id(9)), [expected]);
    }

    #[test]
    fn finds_traces_by_service_and_operation() {
        let mut spans = Spans::default();
        add(&mut spans, 1, span(1, None, "orders", "send")).unwrap();
        add(&mut spans, 2, span(2, None, "orders", "process")).unwrap();
        add(&mut spans, 2, span(3, Some(2), "email", "send")).unwrap();
        assert_eq!(service_traces(&spans, "orders"), 2);
        assert_eq!(service_traces(&spans, "email"), 1);
        assert_eq!(service_traces(&spans, "gateway"), 0);

        let search = Search {
            service: Some("orders".into()),
            operation: Some("send".into()),
            ..Search::default()
        };
        let found = spans.candidates(&search);
        assert_eq!(
            found.iter().map(|trace| trace.id).collect::<Vec<_>>(),
            [trace_id(1)]
        );
    }

    #[test]
    fn a_reader_keeps_the_trace_it_took() {
        let mut spans = Spans::default();
        add(&mut spans, 1, span(1, None, "orders", "send")).unwrap();
        let taken = spans.get(trace_id(1)).unwrap();
        add(&mut spans, 1, span(2, Some(1), "orders", "send")).unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!(spans.get(trace_id(1)).unwrap().len(), 2);
    }
}
