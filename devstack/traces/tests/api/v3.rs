//! Jaeger's API, version 3.

use reqwest::StatusCode;
use serde_json::{Value, json};
use traces::Limits;

use crate::helpers::{OTHER_TRACE, TRACE, TestStore, span, with};

const TIMES: &str =
    "query.start_time_min=2023-11-14T22:13:20Z&query.start_time_max=2023-11-14T23:00:00Z";
const CAMEL_TIMES: &str =
    "query.startTimeMin=2023-11-14T22:13:20Z&query.startTimeMax=2023-11-14T23:00:00Z";

/// Two traces: one of gateway and orders with an error, and a later one of orders alone.
async fn store() -> TestStore {
    let store = TestStore::start().await;
    let failed = json!({ "kind": 4, "status": { "code": 2 }, "attributes": [{ "key": "attempt", "value": { "intValue": "2" } }] });
    store
        .send(
            "orders",
            &[with(span(2, Some(1), "send order.created", 1), failed)],
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
                json!({ "traceId": OTHER_TRACE, "endTimeUnixNano": "1700000060300000000" }),
            )],
        )
        .await;
    store
}

fn found(body: &Value) -> Vec<&str> {
    let mut ids = Vec::new();
    for group in body["result"]["resourceSpans"].as_array().unwrap() {
        let id = group["scopeSpans"][0]["spans"][0]["traceId"]
            .as_str()
            .unwrap();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

#[tokio::test]
async fn lists_services() {
    let store = store().await;
    assert_eq!(
        store.get_ok("/api/v3/services").await,
        json!({ "services": ["gateway", "orders"] })
    );
}

#[tokio::test]
async fn gives_a_trace_that_arrived_in_parts_as_otlp_json() {
    let store = store().await;
    let body = store.get_ok(&format!("/api/v3/traces/{TRACE}")).await;
    let groups = body["result"]["resourceSpans"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(
        groups[0]["resource"]["attributes"][0]["value"]["stringValue"],
        "gateway"
    );
    assert_eq!(groups[0]["scopeSpans"][0]["scope"]["name"], "test");
    let span = &groups[1]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["parentSpanId"], "0000000000000001");
    assert_eq!(span["kind"], 4);
    assert_eq!(span["startTimeUnixNano"], "1700000001000000000");
    assert_eq!(
        span["attributes"],
        json!([{ "key": "attempt", "value": { "intValue": "2" } }])
    );
}

#[tokio::test]
async fn pads_short_ids_and_ignores_their_case() {
    let store = TestStore::start().await;
    let short = with(
        span(1, None, "a", 0),
        json!({ "traceId": "00000000000000000000000000000abc" }),
    );
    store.send("orders", &[short]).await;
    store.get_ok("/api/v3/traces/ABC").await;
}

#[tokio::test]
async fn answers_unknown_and_malformed_ids_as_jaeger_does() {
    let store = TestStore::start().await;
    let (status, body) = store.get(&format!("/api/v3/traces/{TRACE}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(
        body,
        json!({ "error": { "httpCode": 404, "message": "No traces found" } })
    );
    for id in ["xyz", &"a".repeat(33), "0", "%20"] {
        let (status, body) = store.get(&format!("/api/v3/traces/{id}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{id}");
        assert_eq!(body["error"]["httpCode"], 400);
        assert!(
            body["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("malformed parameter trace_id")
        );
    }
}

#[tokio::test]
async fn searches_in_both_spellings() {
    let store = store().await;
    for (query, expected) in [
        (
            format!("{TIMES}&query.service_name=orders"),
            vec![OTHER_TRACE, TRACE],
        ),
        (
            format!("{CAMEL_TIMES}&query.serviceName=orders"),
            vec![OTHER_TRACE, TRACE],
        ),
        (format!("{TIMES}&query.service_name=gateway"), vec![TRACE]),
        (
            format!("{TIMES}&query.service_name=orders&query.operation_name=GET%20/orders"),
            vec![OTHER_TRACE],
        ),
        (
            format!("{CAMEL_TIMES}&query.serviceName=orders&query.operationName=GET%20/orders"),
            vec![OTHER_TRACE],
        ),
        (
            format!("{TIMES}&query.service_name=orders&query.num_traces=1"),
            vec![OTHER_TRACE],
        ),
        (
            format!("{CAMEL_TIMES}&query.serviceName=orders&query.searchDepth=1"),
            vec![OTHER_TRACE],
        ),
        (
            format!(r#"{TIMES}&query.attributes={{"attempt":"2","service.name":"orders"}}"#),
            vec![TRACE],
        ),
        (TIMES.to_owned(), vec![OTHER_TRACE, TRACE]),
    ] {
        let body = store.get_ok(&format!("/api/v3/traces?{query}")).await;
        assert_eq!(found(&body), expected, "{query}");
    }
}

#[tokio::test]
async fn a_search_without_a_match_is_a_404() {
    let store = store().await;
    for query in [
        "query.service_name=nobody",
        r#"query.attributes={"attempt":"3"}"#,
    ] {
        let (status, body) = store.get(&format!("/api/v3/traces?{TIMES}&{query}")).await;
        assert_eq!(
            (status, &body["error"]["message"]),
            (StatusCode::NOT_FOUND, &json!("No traces found"))
        );
    }
    let past =
        "query.start_time_min=2020-01-01T00:00:00Z&query.start_time_max=2021-01-01T00:00:00Z";
    assert_eq!(
        store.get(&format!("/api/v3/traces?{past}")).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_malformed_search_names_the_parameter() {
    let store = TestStore::start().await;
    for (query, named) in [
        ("", "query.start_time_min"),
        (
            "query.start_time_min=now&query.start_time_max=now",
            "query.start_time_min",
        ),
        (
            "query.startTimeMin=2023-11-14T22:13:20Z&query.startTimeMax=later",
            "query.startTimeMax",
        ),
        (&format!("{TIMES}&query.num_traces=-1"), "query.num_traces"),
        (
            &format!("{TIMES}&query.durationMin=5s"),
            "query.durationMin",
        ),
        (&format!("{TIMES}&query.attributes=a"), "query.attributes"),
    ] {
        let (status, body) = store.get(&format!("/api/v3/traces?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(
            body["error"]["message"].as_str().unwrap().contains(named),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_search_for_everything_gets_no_more_than_an_answer_holds() {
    let limits = Limits {
        max_found: 3,
        max_found_bytes: 5_000,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    for trace in 1..=5 {
        let id = json!({ "traceId": format!("{trace:032x}") });
        let large = json!({ "attributes": [{ "key": "k", "value": { "stringValue": "x".repeat(3_000) } }] });
        store
            .send("orders", &[with(span(1, None, "small", trace), id.clone())])
            .await;
        store
            .send(
                "email",
                &[with(with(span(2, None, "large", trace), id), large)],
            )
            .await;
    }
    let everything = format!("/api/v3/traces?{TIMES}&query.num_traces=4000000000");
    assert_eq!(found(&store.get_ok(&everything).await).len(), 1);
}

#[tokio::test]
async fn a_search_is_clamped_to_the_traces_of_one_answer() {
    let limits = Limits {
        max_found: 3,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    for trace in 1..=5 {
        let id = json!({ "traceId": format!("{trace:032x}") });
        store
            .send("orders", &[with(span(1, None, "send", trace), id)])
            .await;
    }
    let everything = format!("/api/v3/traces?{TIMES}&query.num_traces=4000000000");
    assert_eq!(found(&store.get_ok(&everything).await).len(), 3);
}
