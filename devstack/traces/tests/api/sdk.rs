//! The store as the OpenTelemetry SDK for Rust sees it.

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{Link, Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue, TraceId};
use opentelemetry_otlp::{
    Compression, LogExporter, Protocol, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::helpers::TestStore;

fn resource() -> Resource {
    Resource::builder().with_service_name("orders").build()
}

/// Sends a parent and a failed child with a link, an event and attributes, and returns their trace id.
fn send_trace(exporter: SpanExporter) -> TraceId {
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource())
        .build();
    let tracer = provider.tracer("test");
    let parent = tracer
        .span_builder("POST /orders")
        .with_kind(SpanKind::Server)
        .start(&tracer);
    let parent_context = parent.span_context().clone();
    let context = Context::new().with_span(parent);
    let mut child = tracer
        .span_builder("send order.created")
        .with_kind(SpanKind::Producer)
        .with_links(vec![Link::with_context(parent_context.clone())])
        .with_attributes([
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("attempt", 2),
        ])
        .start_with_context(&tracer, &context);
    child.add_event("retry", vec![KeyValue::new("why", "timeout")]);
    child.set_status(Status::error("broker gone"));
    child.end();
    context.span().end();
    provider.shutdown().unwrap();
    parent_context.trace_id()
}

async fn assert_whole(store: &TestStore, trace_id: TraceId) {
    let body = store.get_ok(&format!("/api/v3/traces/{trace_id}")).await;
    let groups = body["result"]["resourceSpans"].as_array().unwrap();
    assert_eq!(groups.len(), 1);
    let spans = &groups[0]["scopeSpans"][0]["spans"];
    let (parent, child) = (&spans[0], &spans[1]);
    assert_eq!(parent["name"], "POST /orders");
    assert_eq!(parent["kind"], 2);
    assert_eq!(parent["parentSpanId"], "");
    assert_eq!(child["name"], "send order.created");
    assert_eq!(child["parentSpanId"], parent["spanId"]);
    assert_eq!(child["traceId"], trace_id.to_string());
    assert_eq!(child["links"][0]["spanId"], parent["spanId"]);
    assert_eq!(child["links"][0]["traceId"], trace_id.to_string());
    assert_eq!(child["events"][0]["name"], "retry");
    assert_eq!(
        child["status"],
        json!({ "message": "broker gone", "code": 2 })
    );
    let attempt = json!({ "key": "attempt", "value": { "intValue": "2" } });
    assert!(child["attributes"].as_array().unwrap().contains(&attempt));
}

#[tokio::test(flavor = "multi_thread")]
async fn receives_traces_over_grpc() {
    let store = TestStore::start().await;
    for compression in [None, Some(Compression::Gzip)] {
        let mut builder = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(format!("http://{}", store.grpc));
        if let Some(compression) = compression {
            builder = builder.with_compression(compression);
        }
        let exporter = builder.build().unwrap();
        let trace_id = spawn_blocking(|| send_trace(exporter)).await.unwrap();
        assert_whole(&store, trace_id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receives_traces_over_http_as_protobuf_and_as_json() {
    let store = TestStore::start().await;
    for protocol in [Protocol::HttpBinary, Protocol::HttpJson] {
        let endpoint = format!("http://{}/v1/traces", store.http);
        let send = move || {
            // The exporter's blocking client cannot be made within the runtime.
            let builder = SpanExporter::builder()
                .with_http()
                .with_endpoint(endpoint)
                .with_protocol(protocol);
            send_trace(builder.build().unwrap())
        };
        let trace_id = spawn_blocking(send).await.unwrap();
        assert_whole(&store, trace_id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receives_logs_over_grpc() {
    let store = TestStore::start().await;
    let exporter = LogExporter::builder()
        .with_tonic()
        .with_endpoint(format!("http://{}", store.grpc))
        .build()
        .unwrap();
    let send = || {
        let provider = SdkLoggerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        let logger = provider.logger("test");
        let mut record = logger.create_log_record();
        record.set_body(AnyValue::from("order accepted"));
        record.set_severity_number(Severity::Warn);
        record.add_attribute("order.id", "42");
        record.set_trace_context(TraceId::from(7), 9.into(), None);
        logger.emit(record);
        logger.emit(logger.create_log_record());
        provider.shutdown().unwrap();
    };
    spawn_blocking(send).await.unwrap();

    let lines = store
        .get_ok(&format!("/api/orderflow/logs/{}", TraceId::from(7)))
        .await;
    let line = &lines.as_array().unwrap()[0];
    assert_eq!(line["body"], "order accepted");
    assert_eq!(line["severity"], "WARN");
    assert_eq!(line["service"], "orders");
    assert_eq!(line["span_id"], "0000000000000009");
    assert_eq!(line["attributes"], json!({ "order.id": "42" }));
    let stats = store.get_ok("/api/orderflow/stats").await;
    assert_eq!(
        (
            &stats["received_logs"],
            &stats["untraced_logs"],
            &stats["logs"]
        ),
        (&json!(2), &json!(1), &json!(1))
    );
}
