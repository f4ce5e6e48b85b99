use story::SpanRef;

use super::*;
use crate::testing::{linked, span, span_id, trace_id};

fn add(kept: &mut Kept, trace: u128, span: StoredSpan) -> Result<(), Rejection> {
    kept.add(trace_id(trace), span, &Limits::default())
}

fn log(text: &str) -> StoredLog {
    let record = opentelemetry_proto::tonic::logs::v1::LogRecord {
        severity_text: text.into(),
        ..Default::default()
    };
    StoredLog::new(&record, Arc::from("orders"))
}

fn services(kept: &Kept) -> Vec<String> {
    kept.services().into_iter().collect()
}

fn ids(kept: &Kept) -> Vec<TraceId> {
    kept.latest().map(|trace| trace.id).collect()
}

#[test]
fn collects_a_trace_that_arrives_in_parts_and_out_of_order() {
    let mut kept = Kept::default();
    add(&mut kept, 1, span(3, Some(2), "email", "process")).unwrap();
    add(&mut kept, 1, span(2, Some(1), "orders", "send")).unwrap();
    let root = |kept: &Kept| kept.get(trace_id(1)).unwrap().root().unwrap().name.clone();
    assert_eq!(&*root(&kept), "send");
    add(&mut kept, 1, span(1, None, "gateway", "POST /orders")).unwrap();
    assert_eq!(kept.get(trace_id(1)).unwrap().len(), 3);
    assert_eq!(&*root(&kept), "POST /orders");
}

#[test]
fn a_span_that_is_sent_again_replaces_the_first_everywhere() {
    let mut kept = Kept::default();
    add(&mut kept, 1, linked(span(1, None, "old", "a"), 7, 7)).unwrap();
    add(&mut kept, 1, linked(span(1, None, "new", "b"), 8, 8)).unwrap();
    let stats = kept.stats();
    assert_eq!((stats.traces, stats.spans), (1, 1));
    assert_eq!(stats.counts.replaced_spans, 1);
    assert_eq!(services(&kept), ["new"]);
    assert!(kept.backlinks(trace_id(7)).is_empty());
    assert_eq!(kept.backlinks(trace_id(8)).len(), 1);
}

#[test]
fn drops_the_oldest_trace_whole_with_its_logs_and_forgets_it_everywhere() {
    let mut kept = Kept::default();
    add(&mut kept, 1, linked(span(1, None, "old", "a"), 2, 3)).unwrap();
    add(&mut kept, 2, span(3, None, "new", "b")).unwrap();
    kept.add_log(trace_id(1), log("late"), &Limits::default())
        .unwrap();
    let full = Limits {
        max_bytes: kept.bytes(),
        ..Limits::default()
    };
    kept.drop_oldest(&full);
    assert_eq!(ids(&kept), [trace_id(2), trace_id(1)]);

    kept.add_log(trace_id(2), log("one more"), &full).unwrap();
    kept.drop_oldest(&full);
    assert_eq!(ids(&kept), [trace_id(2)]);
    assert_eq!(services(&kept), ["new"]);
    assert!(kept.backlinks(trace_id(2)).is_empty());
    let counts = kept.stats().counts;
    let dropped = (
        counts.dropped_traces,
        counts.dropped_spans,
        counts.dropped_logs,
    );
    assert_eq!(dropped, (1, 1, 1));
}

#[test]
fn an_empty_store_occupies_no_bytes() {
    let limits = Limits {
        max_bytes: 0,
        ..Limits::default()
    };
    let mut kept = Kept::default();
    add(&mut kept, 1, span(1, None, "gateway", "a")).unwrap();
    add(&mut kept, 1, span(1, None, "gateway", "a longer name")).unwrap();
    kept.add_log(trace_id(2), log("a"), &limits).unwrap();
    kept.drop_oldest(&limits);
    assert_eq!((kept.traces.len(), kept.arrivals.len()), (0, 0));
    assert_eq!(kept.bytes(), 0);
}

#[test]
fn a_full_trace_takes_known_spans_only() {
    let limits = Limits {
        max_spans_per_trace: 1,
        ..Limits::default()
    };
    let mut kept = Kept::default();
    let mut add = |id| kept.add(trace_id(1), span(id, None, "gateway", "a"), &limits);
    assert_eq!(add(1), Ok(()));
    assert_eq!(add(2), Err(Rejection::TraceFull(1)));
    assert_eq!(add(1), Ok(()));
}

#[test]
fn a_trace_that_is_too_large_takes_no_more_spans_and_logs() {
    let limits = Limits {
        max_trace_bytes: 1_500,
        ..Limits::default()
    };
    let mut kept = Kept::default();
    let long = "x".repeat(500);
    let too_large = Err(Rejection::TooLarge(1_500));
    assert_eq!(
        kept.add(trace_id(1), span(1, None, "orders", &long), &limits),
        too_large
    );
    assert_eq!(kept.add_log(trace_id(1), log(&long), &limits), Ok(()));
    assert_eq!(kept.add_log(trace_id(1), log(&long), &limits), Ok(()));
    assert_eq!(kept.add_log(trace_id(1), log(&long), &limits), too_large);
    assert_eq!(kept.add_log(trace_id(2), log(&long), &limits), Ok(()));
}

#[test]
fn finds_who_links_to_a_trace_before_that_trace_arrives() {
    let mut kept = Kept::default();
    let consumer = linked(span(5, None, "classifier", "process"), 9, 6);
    add(&mut kept, 1, consumer).unwrap();
    let from = SpanRef {
        trace_id: trace_id(1),
        span_id: span_id(5),
    };
    let to = span_id(6);
    assert_eq!(kept.backlinks(trace_id(9)), [Backlink { from, to }]);
}

#[test]
fn a_reader_keeps_the_trace_it_took() {
    let mut kept = Kept::default();
    add(&mut kept, 1, span(1, None, "orders", "send")).unwrap();
    let taken = kept.get(trace_id(1)).unwrap();
    add(&mut kept, 1, span(2, Some(1), "orders", "send")).unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(kept.get(trace_id(1)).unwrap().len(), 2);
}
