//! OTLP over gRPC, beyond what the SDK's exporter does.

use std::slice::from_ref;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use serde_json::json;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use traces::Limits;

use crate::helpers::{TRACE, TestStore, export, span, with};

fn request(export: &serde_json::Value) -> ExportTraceServiceRequest {
    serde_json::from_value(export.clone()).unwrap()
}

#[tokio::test]
async fn reports_rejected_spans_and_keeps_the_others() {
    let store = TestStore::start().await;
    let client = TraceServiceClient::connect(format!("http://{}", store.grpc))
        .await
        .unwrap();
    let mut client = client.send_compressed(CompressionEncoding::Zstd);
    let good = span(1, None, "send", 0);
    let bad = with(span(2, None, "send", 0), json!({ "traceId": "" }));

    let answer = client
        .export(request(&export("orders", from_ref(&good))))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().partial_success, None);
    let answer = client
        .export(request(&export("orders", &[good, bad])))
        .await
        .unwrap();
    let partial = answer.into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert_eq!(
        partial.error_message,
        "trace_id is not 16 bytes with a bit set"
    );
    store.get_ok(&format!("/api/v3/traces/{TRACE}")).await;
}

#[tokio::test]
async fn refuses_requests_that_are_too_large_even_when_they_arrive_small() {
    let limits = Limits {
        max_request_bytes: 10_000,
        ..Limits::default()
    };
    let store = TestStore::start_with(limits).await;
    let large = request(&export("orders", &[span(1, None, &"x".repeat(20_000), 0)]));
    let client = TraceServiceClient::connect(format!("http://{}", store.grpc))
        .await
        .unwrap();
    let mut plain = client.clone();
    let mut compressed = client.send_compressed(CompressionEncoding::Gzip);
    assert_eq!(
        plain.export(large.clone()).await.unwrap_err().code(),
        Code::OutOfRange
    );
    assert_eq!(
        compressed.export(large).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
}

#[tokio::test]
async fn counts_metrics_without_keeping_them() {
    let store = TestStore::start().await;
    let body = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [
        { "name": "a", "gauge": { "dataPoints": [{ "asDouble": 1.5, "timeUnixNano": "1" }] } },
    ] }] }] });
    let request: ExportMetricsServiceRequest = serde_json::from_value(body).unwrap();
    let mut client = MetricsServiceClient::connect(format!("http://{}", store.grpc))
        .await
        .unwrap();
    client.export(request).await.unwrap();
    assert_eq!(
        store.get_ok("/api/orderflow/stats").await["metric_data_points"],
        1
    );
}
