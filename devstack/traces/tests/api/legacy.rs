//! Jaeger's older API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::helpers::{OTHER_TRACE, TRACE, TestStore, span, with};

async fn store() -> TestStore {
    let store = TestStore::start().await;
    let consumer = json!({
        "kind": 5,
        "status": { "code": 2, "message": "broker gone" },
        "attributes": [
            { "key": "attempt", "value": { "intValue": "2" } },
            { "key": "big", "value": { "intValue": "9007199254740993" } },
            { "key": "list", "value": { "arrayValue": { "values": [{ "boolValue": true }] } } },
        ],
        "events": [{ "name": "retry", "timeUnixNano": "1700000001500000999", "attributes": [{ "key": "ratio", "value": { "doubleValue": 0.5 } }] }],
        "links": [{ "traceId": TRACE, "spanId": "0000000000000001" }, { "traceId": OTHER_TRACE, "spanId": "0000000000000009" }],
    });
    store
        .send(
            "orders",
            &[with(span(2, Some(1), "process order.created", 1), consumer)],
        )
        .await;
    store
        .send("gateway", &[span(1, None, "POST /orders", 0)])
        .await;
    store
        .send(
            "orders",
            &[with(
                span(9, None, "GET /orders", 60),
                json!({ "traceId": OTHER_TRACE }),
            )],
        )
        .await;
    store
}

fn found(body: &Value) -> Vec<&str> {
    let traces = body["data"].as_array().unwrap();
    traces
        .iter()
        .map(|trace| trace["traceID"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn gives_a_trace_with_the_parent_before_the_links() {
    let store = store().await;
    let body = store.get_ok(&format!("/api/traces/{TRACE}")).await;
    let trace = &body["data"][0];
    assert_eq!(trace["processes"]["p1"]["serviceName"], "gateway");
    assert_eq!(trace["processes"]["p2"]["serviceName"], "orders");
    let span = &trace["spans"][1];
    assert_eq!(span["processID"], "p2");
    assert_eq!(span["operationName"], "process order.created");
    assert_eq!(
        (&span["startTime"], &span["duration"]),
        (&json!(1_700_000_001_000_000_u64), &json!(1_000_000))
    );
    assert_eq!(
        span["references"],
        json!([
            { "refType": "CHILD_OF", "traceID": TRACE, "spanID": "0000000000000001" },
            { "refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": "0000000000000001" },
            { "refType": "FOLLOWS_FROM", "traceID": OTHER_TRACE, "spanID": "0000000000000009" },
        ])
    );
    assert_eq!(
        span["tags"],
        json!([
            { "key": "otel.scope.name", "type": "string", "value": "test" },
            { "key": "otel.scope.version", "type": "string", "value": "1" },
            { "key": "attempt", "type": "int64", "value": 2 },
            { "key": "big", "type": "int64", "value": "9007199254740993" },
            { "key": "list", "type": "string", "value": "[true]" },
            { "key": "span.kind", "type": "string", "value": "consumer" },
            { "key": "otel.status_code", "type": "string", "value": "ERROR" },
            { "key": "error", "type": "bool", "value": true },
            { "key": "otel.status_description", "type": "string", "value": "broker gone" },
        ])
    );
    assert_eq!(
        span["logs"],
        json!([{ "timestamp": 1_700_000_001_500_000_u64, "fields": [
        { "key": "event", "type": "string", "value": "retry" },
        { "key": "ratio", "type": "float64", "value": 0.5 },
    ] }])
    );
}

#[tokio::test]
async fn answers_unknown_and_malformed_ids_as_jaeger_does() {
    let store = TestStore::start().await;
    let (status, body) = store.get(&format!("/api/traces/{TRACE}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let error = json!({ "code": 404, "msg": "trace not found" });
    assert_eq!(
        body,
        json!({ "data": null, "total": 0, "limit": 0, "offset": 0, "errors": [error] })
    );
    let (status, body) = store.get("/api/traces/xyz").await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (StatusCode::BAD_REQUEST, &json!(400))
    );
}

#[tokio::test]
async fn searches() {
    let store = store().await;
    for (query, expected) in [
        ("service=orders", vec![OTHER_TRACE, TRACE]),
        ("service=orders&operation=GET%20/orders", vec![OTHER_TRACE]),
        (
            r#"service=orders&tags={"attempt":"2","error":"true"}"#,
            vec![TRACE],
        ),
        ("service=orders&tag=attempt:2", vec![TRACE]),
        ("service=orders&limit=1", vec![OTHER_TRACE]),
        ("service=orders&start=1700000030000000", vec![OTHER_TRACE]),
        ("service=orders&end=1700000030000000", vec![TRACE]),
        ("service=orders&minDuration=1.5s", vec![]),
        (
            "service=orders&minDuration=1s&maxDuration=1s&lookback=1h",
            vec![OTHER_TRACE, TRACE],
        ),
        (&format!("traceID={TRACE}&traceID=abc"), vec![TRACE]),
    ] {
        let body = store.get_ok(&format!("/api/traces?{query}")).await;
        assert_eq!(found(&body), expected, "{query}");
    }
}

#[tokio::test]
async fn a_malformed_search_names_the_parameter() {
    let store = TestStore::start().await;
    for (query, named) in [
        ("", "service"),
        ("service=a&limit=x", "limit"),
        ("service=a&tags=1", "tags"),
        ("service=a&start=x", "start"),
        ("traceID=x", "traceID"),
        ("service=a&tag=x", "tag"),
        ("service=a&minDuration=1", "minDuration"),
    ] {
        let (status, body) = store.get(&format!("/api/traces?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(
            body["errors"][0]["msg"].as_str().unwrap().contains(named),
            "{body}"
        );
    }
}

#[tokio::test]
async fn lists_services_and_operations() {
    let store = store().await;
    assert_eq!(
        store.get_ok("/api/services").await["data"],
        json!(["gateway", "orders"])
    );
    assert_eq!(
        store.get_ok("/api/services/orders/operations").await["data"],
        json!(["GET /orders", "process order.created"])
    );
    let operations = store.get_ok("/api/operations?service=gateway").await;
    assert_eq!(
        operations["data"],
        json!([{ "name": "POST /orders", "spanKind": "server" }])
    );
    assert_eq!(
        store.get("/api/operations").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn counts_calls_between_services_within_the_time_asked_for() {
    let store = store().await;
    let then = store
        .get_ok("/api/dependencies?endTs=1700000100000&lookback=600000")
        .await;
    assert_eq!(
        then["data"],
        json!([{ "parent": "gateway", "child": "orders", "callCount": 1 }])
    );
    assert_eq!(
        store.get_ok("/api/dependencies?lookback=600000").await["data"],
        json!([])
    );
}
