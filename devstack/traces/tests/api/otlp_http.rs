//! OTLP over HTTP, byte by byte.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tonic_types::Status;
use traces::Limits;

use crate::helpers::{TRACE, TestStore, export, protobuf, span, with};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const TRACE_PATH: &str = "/api/v3/traces/5b8efff798038103d269b633813fc60c";

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// HTTP's `deflate` is the zlib format, RFC 9110 section 8.4.1.2.
fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

async fn stored_names(store: &TestStore) -> Vec<String> {
    let body = store.get_ok(TRACE_PATH).await;
    let spans = body["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
        .as_array()
        .unwrap()
        .clone();
    spans
        .iter()
        .map(|span| span["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn accepts_protobuf_and_json_compressed_and_not() {
    let body = export("orders", &[span(1, None, "send", 0)]);
    let (protobuf, json) = (protobuf(&body), body.to_string().into_bytes());
    let gzipped = ("content-encoding", "gzip");
    let deflated = ("content-encoding", "deflate");
    let zstandard = ("content-encoding", "zstd");
    let identity = ("content-encoding", "identity");
    let zstd_of = |bytes: &[u8]| zstd::encode_all(bytes, 0).unwrap();
    for (headers, body) in [
        (vec![PROTOBUF], protobuf.clone()),
        (vec![PROTOBUF, identity], protobuf.clone()),
        (vec![PROTOBUF, gzipped], gzip(&protobuf)),
        (vec![PROTOBUF, deflated], deflate(&protobuf)),
        (vec![PROTOBUF, zstandard], zstd_of(&protobuf)),
        (vec![JSON], json.clone()),
        (vec![JSON, gzipped], gzip(&json)),
        (vec![JSON, zstandard], zstd_of(&json)),
    ] {
        let store = TestStore::start().await;
        let response = store.post("/v1/traces", &headers, body).await;
        assert_eq!(response.status(), StatusCode::OK, "{headers:?}");
        let sent_type = headers[0].1.split(';').next().unwrap();
        assert_eq!(response.headers()["content-type"], sent_type);
        assert_eq!(stored_names(&store).await, ["send"], "{headers:?}");
    }
}

/// What `@opentelemetry/exporter-trace-otlp-http` sends: numbers for small integers, a status without a message.
#[tokio::test]
async fn accepts_what_the_javascript_sdk_sends() {
    let store = TestStore::start().await;
    let body = json!({ "resourceSpans": [{
        "resource": {
            "attributes": [
                { "key": "service.name", "value": { "stringValue": "shop" } },
                { "key": "process.pid", "value": { "intValue": 4242 } },
                { "key": "process.command_args", "value": { "arrayValue": { "values": [{ "stringValue": "node" }] } } },
            ],
            "droppedAttributesCount": 0,
        },
        "scopeSpans": [{
            "scope": { "name": "shop", "version": "" },
            "spans": [{
                "traceId": TRACE, "spanId": "eee19b7ec3c1b174", "parentSpanId": "eee19b7ec3c1b173", "traceState": null,
                "name": "send order.created", "kind": 4, "flags": 257,
                "startTimeUnixNano": "1700000000123456789", "endTimeUnixNano": "1700000000223456789",
                "attributes": [{ "key": "ratio", "value": { "doubleValue": 0.5 } }, { "key": "big", "value": { "intValue": 9_007_199_254_740_991_i64 } }],
                "droppedAttributesCount": 0,
                "events": [{ "attributes": [], "name": "queued", "timeUnixNano": "1700000000200000000", "droppedAttributesCount": 0 }],
                "droppedEventsCount": 0,
                "status": { "code": 0 },
                "links": [{ "attributes": [], "spanId": "eee19b7ec3c1b173", "traceId": TRACE, "droppedAttributesCount": 0, "flags": 257 }],
                "droppedLinksCount": 0,
            }],
        }],
    }] });
    assert_eq!(
        store.post_json("/v1/traces", &body).await,
        (StatusCode::OK, json!({}))
    );
    let stored = store.get_ok(TRACE_PATH).await;
    let span = &stored["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["startTimeUnixNano"], "1700000000123456789");
    assert_eq!(span["flags"], 257);
    assert_eq!(
        span["attributes"][1]["value"],
        json!({ "intValue": "9007199254740991" })
    );
    assert_eq!(span["links"][0]["spanId"], "eee19b7ec3c1b173");
}

#[tokio::test]
async fn spans_without_valid_ids_are_rejected_and_the_others_kept() {
    let store = TestStore::start().await;
    let body = export(
        "orders",
        &[
            span(1, None, "kept", 0),
            with(span(2, None, "a", 0), json!({ "traceId": "0".repeat(32) })),
            with(span(3, None, "b", 0), json!({ "traceId": "abcd" })),
            with(span(4, None, "c", 0), json!({ "spanId": "0".repeat(16) })),
            with(span(5, None, "d", 0), json!({ "parentSpanId": "ab" })),
        ],
    );
    let (code, answer) = store.post_json("/v1/traces", &body).await;
    assert_eq!(code, StatusCode::OK);
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "4");
    assert_eq!(
        answer["partialSuccess"]["errorMessage"],
        "trace_id is not 16 bytes with a bit set"
    );

    let response = store.post("/v1/traces", &[PROTOBUF], protobuf(&body)).await;
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 4);
    assert_eq!(stored_names(&store).await, ["kept"]);
    let stats = store.get_ok("/api/orderflow/stats").await;
    assert_eq!(
        (
            &stats["received_spans"],
            &stats["rejected_spans"],
            &stats["replaced_spans"]
        ),
        (&json!(10), &json!(8), &json!(1))
    );
}

#[tokio::test]
async fn refuses_malformed_requests_with_a_status_in_their_own_encoding() {
    let limits = Limits {
        max_request_bytes: 1000,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    let brotli = ("content-encoding", "br");
    let gzipped = ("content-encoding", "gzip");
    let bomb = gzip(&vec![b' '; 1_000_000]);
    assert!(bomb.len() < 1000 + 1000);
    for (headers, body, status, code) in [
        (vec![PROTOBUF], b"\xff\xff".to_vec(), 400, 3),
        (vec![PROTOBUF, brotli], Vec::new(), 415, 3),
        (vec![PROTOBUF, gzipped], b"not gzip".to_vec(), 400, 3),
        (vec![PROTOBUF], vec![0; 1001], 413, 8),
        (vec![PROTOBUF, gzipped], bomb, 413, 8),
    ] {
        let response = store.post("/v1/traces", &headers, body).await;
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["content-type"]
            ),
            (status, &PROTOBUF.1.parse().unwrap()),
            "{headers:?}"
        );
        let error = Status::decode(response.bytes().await.unwrap()).unwrap();
        assert_eq!(error.code, code);
        assert!(!error.message.is_empty());
    }
    for (content_type, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("text/plain", "{}", 415),
    ] {
        let response = store
            .post("/v1/traces", &[("content-type", content_type)], body.into())
            .await;
        assert_eq!(response.status().as_u16(), status);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["code"], 3, "{error}");
        assert_ne!(error["message"], "");
    }
}

/// The nesting that a JSON body may have is bounded; up to there, what was accepted can be read.
#[tokio::test]
async fn deeply_nested_values_are_refused_or_readable() {
    let mut accepted = 0;
    for depth in (1..140).step_by(3) {
        for (open, close) in [
            (r#"{"arrayValue":{"values":["#, "]}}"),
            (r#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}"),
        ] {
            let store = TestStore::start().await;
            let value = format!("{}{{}}{}", open.repeat(depth), close.repeat(depth));
            let mut body = export(
                "orders",
                &[with(
                    span(1, None, "send", 0),
                    json!({ "attributes": [{ "key": "k", "value": "?" }] }),
                )],
            )
            .to_string();
            body = body.replace(r#""?""#, &value);
            let response = store.post("/v1/traces", &[JSON], body.into()).await;
            if response.status() == StatusCode::OK {
                accepted += 1;
                store.get_ok(TRACE_PATH).await;
            } else {
                assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            }
        }
    }
    assert!(accepted > 10);
}

#[tokio::test]
async fn counts_metrics_without_keeping_them() {
    let store = TestStore::start().await;
    let point = json!({ "timeUnixNano": "1", "asInt": "5", "attributes": [] });
    let histogram = json!({ "count": "2", "sum": 3, "bucketCounts": ["1", "1"], "explicitBounds": [1], "timeUnixNano": "1" });
    let body = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [
        { "name": "a", "unit": "1", "sum": { "dataPoints": [point, point], "aggregationTemporality": 2, "isMonotonic": true } },
        { "name": "b", "gauge": { "dataPoints": [{ "asDouble": 1.5, "timeUnixNano": "1" }] } },
        { "name": "c", "histogram": { "dataPoints": [histogram], "aggregationTemporality": 2 } },
    ] }] }] });
    assert_eq!(
        store.post_json("/v1/metrics", &body).await,
        (StatusCode::OK, json!({}))
    );
    assert_eq!(
        store.get_ok("/api/orderflow/stats").await["metric_data_points"],
        4
    );
}
