//! What happens when the store is full.

use serde_json::json;
use traces::Limits;

use crate::helpers::{TestStore, export, span, with};

fn span_of(trace: u128, id: u64) -> serde_json::Value {
    with(
        span(id, None, "send", id),
        json!({ "traceId": format!("{trace:032x}") }),
    )
}

#[tokio::test]
async fn the_oldest_traces_give_way_and_are_counted() {
    let limits = Limits {
        max_spans: 10,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    for trace in 1..=10 {
        store
            .send("orders", &[span_of(trace, 1), span_of(trace, 2)])
            .await;
    }
    let stats = store.get_ok("/api/orderflow/stats").await;
    assert_eq!((&stats["traces"], &stats["spans"]), (&json!(5), &json!(10)));
    assert_eq!(
        (&stats["dropped_traces"], &stats["dropped_spans"]),
        (&json!(5), &json!(10))
    );
    assert_eq!(store.get("/api/v3/traces/5").await.0, 404);
    assert_eq!(store.get("/api/v3/traces/6").await.0, 200);
}

#[tokio::test]
async fn large_spans_count_by_their_size() {
    let limits = Limits {
        max_span_bytes: 10_000,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    let large =
        json!({ "attributes": [{ "key": "k", "value": { "stringValue": "x".repeat(4_000) } }] });
    for trace in 1..=4 {
        store
            .send("orders", &[with(span_of(trace, 1), large.clone())])
            .await;
    }
    assert_eq!(store.get_ok("/api/orderflow/stats").await["traces"], 2);
}

#[tokio::test]
async fn one_endless_trace_does_not_push_out_the_others() {
    let limits = Limits {
        max_spans: 100,
        max_spans_per_trace: 3,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    store.send("orders", &[span_of(1, 1)]).await;
    let endless: Vec<_> = (1..=200).map(|id| span_of(2, id)).collect();
    let (_, answer) = store
        .post_json("/v1/traces", &export("orders", &endless))
        .await;
    assert_eq!(
        answer["partialSuccess"],
        json!({ "rejectedSpans": "197", "errorMessage": "the trace already has 3 spans" })
    );
    assert_eq!(store.get_ok("/api/orderflow/stats").await["traces"], 2);
}
