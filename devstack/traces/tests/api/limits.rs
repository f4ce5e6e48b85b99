//! What happens when the store is full.

use serde_json::json;
use traces::Limits;

use crate::helpers::{TRACE, TestStore, export, protobuf, span, with};

fn span_of(trace: u128, id: u64) -> serde_json::Value {
    with(
        span(id, None, "send", id),
        json!({ "traceId": format!("{trace:032x}") }),
    )
}

#[tokio::test]
async fn the_oldest_traces_give_way_to_the_byte_and_the_page_says_so() {
    let limits = Limits {
        max_bytes: 10_000,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    assert!(!store.get_text("/").await.1.contains("made room"));
    let large =
        json!({ "attributes": [{ "key": "k", "value": { "stringValue": "x".repeat(4_000) } }] });
    for trace in 1..=4 {
        store
            .send("orders", &[with(span_of(trace, 1), large.clone())])
            .await;
    }
    let stats = store.get_ok("/api/orderflow/stats").await;
    assert_eq!((&stats["traces"], &stats["spans"]), (&json!(2), &json!(2)));
    assert_eq!(
        (&stats["dropped_traces"], &stats["dropped_spans"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(store.get("/api/v3/traces/2").await.0, 404);
    assert_eq!(store.get("/api/v3/traces/3").await.0, 200);
    let page = store.get_text("/").await.1;
    assert!(
        page.contains("2 older ones with 2 spans have made room"),
        "{page}"
    );
}

#[tokio::test]
async fn resources_count_by_their_size() {
    const MIB: usize = 1024 * 1024;
    let limits = Limits {
        max_bytes: 8 * MIB,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    for trace in 1..=20 {
        let mut body = export("orders", &[span_of(trace, 1)]);
        let attributes = &mut body["resourceSpans"][0]["resource"]["attributes"];
        let value = format!("{trace}{}", "x".repeat(2 * MIB));
        let long = json!({ "key": "long", "value": { "stringValue": value } });
        attributes.as_array_mut().unwrap().push(long);
        let headers = [("content-type", "application/x-protobuf")];
        let answer = store.post("/v1/traces", &headers, protobuf(&body)).await;
        assert_eq!(answer.status(), 200);
    }
    let stats = store.get_ok("/api/orderflow/stats").await;
    assert_eq!(stats["traces"], 3);
    assert!(stats["bytes"].as_u64().unwrap() <= 8 * 1024 * 1024);
}

#[tokio::test]
async fn a_log_record_that_is_too_much_for_its_trace_is_refused_by_partial_success() {
    let limits = Limits {
        max_trace_bytes: 1_000,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    let record = json!({ "traceId": TRACE, "body": { "stringValue": "x".repeat(600) } });
    let body =
        json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [record.clone(), record] }] }] });
    let (_, answer) = store.post_json("/v1/logs", &body).await;
    assert_eq!(
        answer["partialSuccess"],
        json!({ "rejectedLogRecords": "1", "errorMessage": "more than 1000 bytes of a trace are not kept" })
    );
}

#[tokio::test]
async fn one_endless_trace_does_not_push_out_the_others() {
    let limits = Limits {
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
