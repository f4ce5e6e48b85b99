//! Backlinks, logs and statistics.

use reqwest::StatusCode;
use serde_json::json;

use crate::helpers::{OTHER_TRACE, TRACE, TestStore, span, with};

#[tokio::test]
async fn tells_who_links_to_a_trace() {
    let store = TestStore::start().await;
    let link = json!({ "traceId": OTHER_TRACE, "links": [{ "traceId": TRACE, "spanId": "0000000000000001" }] });
    store
        .send("classifier", &[with(span(9, None, "process", 1), link)])
        .await;
    store.send("orders", &[span(1, None, "send", 0)]).await;

    let backlinks = store
        .get_ok(&format!("/api/orderflow/backlinks/{TRACE}"))
        .await;
    assert_eq!(
        backlinks,
        json!({ "data": [{
        "trace_id": OTHER_TRACE,
        "span_id": "0000000000000009",
        "linked_trace_id": TRACE,
        "linked_span_id": "0000000000000001",
    }] })
    );
    assert_eq!(
        store
            .get_ok(&format!("/api/orderflow/backlinks/{OTHER_TRACE}"))
            .await,
        json!({ "data": [] })
    );
    assert_eq!(
        store.get("/api/orderflow/backlinks/xyz").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn lists_the_logs_of_a_trace_by_time() {
    let store = TestStore::start().await;
    let body = json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "orders" } }] },
        "scopeLogs": [{ "logRecords": [
            { "traceId": TRACE, "observedTimeUnixNano": "1700000001000000000", "severityNumber": 9, "body": { "kvlistValue": { "values": [{ "key": "a", "value": { "intValue": "1" } }] } } },
            { "traceId": TRACE, "spanId": "0000000000000001", "timeUnixNano": "1700000000000000001", "severityText": "warn", "severityNumber": 13, "body": { "stringValue": "first" } },
            { "traceId": OTHER_TRACE, "body": { "stringValue": "elsewhere" } },
            { "body": { "stringValue": "nowhere" } },
        ] }],
    }] });
    assert_eq!(
        store.post_json("/v1/logs", &body).await,
        (StatusCode::OK, json!({}))
    );
    let lines = store.get_ok(&format!("/api/orderflow/logs/{TRACE}")).await;
    assert_eq!(
        lines,
        json!([
            { "time": "2023-11-14T22:13:20.000000001Z", "severity": "warn", "service": "orders", "body": "first", "trace_id": TRACE, "span_id": "0000000000000001", "attributes": {} },
            { "time": "2023-11-14T22:13:21.000000000Z", "severity": "INFO", "service": "orders", "body": { "a": 1 }, "trace_id": TRACE, "span_id": "", "attributes": {} },
        ])
    );
    assert_eq!(store.get_ok("/api/orderflow/logs/abc").await, json!([]));
    assert_eq!(
        store.get("/api/orderflow/logs/xyz").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_retried_export_does_not_double_spans() {
    let store = TestStore::start().await;
    for _ in 0..2 {
        store
            .send(
                "orders",
                &[span(1, None, "send", 0), span(2, Some(1), "insert", 0)],
            )
            .await;
    }
    let stats = store.get_ok("/api/orderflow/stats").await;
    assert_eq!((&stats["traces"], &stats["spans"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&stats["received_spans"], &stats["replaced_spans"]),
        (&json!(4), &json!(2))
    );
}
