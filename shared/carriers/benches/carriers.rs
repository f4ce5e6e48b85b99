//! The carriers beside OpenTelemetry's own map carrier, doing the same work:
//! the W3C propagators write `traceparent`, `tracestate` and `baggage` into a new carrier, and read them from a full one.

use std::collections::HashMap;
use std::hint::black_box;
use std::str::FromStr;

use aws_sdk_sqs::types::Message;
use criterion::{Criterion, criterion_group, criterion_main};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use otel_carriers::{kafka, pubsub, sqs, w3c::propagator};
use rdkafka::message::OwnedHeaders;

fn context() -> Context {
    let span = SpanContext::new(
        TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
        SpanId::from(0x00f0_67aa_0ba9_02b7),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_str("ot=th:8,vendor=value").expect("it is valid"),
    );
    Context::new().with_remote_span_context(span).with_baggage([
        KeyValue::new("order.id", "0198c0de-7a11-7000-8000-000000000001"),
        KeyValue::new("customer.tier", "gold"),
    ])
}

fn map(propagator: &TextMapCompositePropagator, context: &Context) -> HashMap<String, String> {
    let mut carrier = HashMap::new();
    propagator.inject_context(context, &mut carrier);
    carrier
}

fn headers(propagator: &TextMapCompositePropagator, context: &Context) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new();
    propagator.inject_context(context, &mut kafka::MetadataInjector::new(&mut headers));
    headers
}

fn message(propagator: &TextMapCompositePropagator, context: &Context) -> Message {
    let mut attributes = HashMap::new();
    propagator.inject_context(context, &mut sqs::MetadataInjector::new(&mut attributes));
    Message::builder()
        .set_message_attributes(Some(attributes))
        .build()
}

fn attributes(
    propagator: &TextMapCompositePropagator,
    context: &Context,
) -> HashMap<String, String> {
    let mut attributes = HashMap::new();
    propagator.inject_context(context, &mut pubsub::MetadataInjector::new(&mut attributes));
    attributes
}

/// Each iteration makes the carrier, fills it and drops it.
fn inject(criterion: &mut Criterion) {
    let (propagator, context) = (propagator(), context());
    let mut group = criterion.benchmark_group("inject");
    group.bench_function("map", |b| b.iter(|| map(&propagator, black_box(&context))));
    group.bench_function("kafka", |b| {
        b.iter(|| headers(&propagator, black_box(&context)));
    });
    group.bench_function("sqs", |b| {
        b.iter(|| message(&propagator, black_box(&context)));
    });
    group.bench_function("pubsub", |b| {
        b.iter(|| attributes(&propagator, black_box(&context)));
    });
    group.finish();
}

/// Each iteration makes the extractor and reads the context; the message is there already, as a client hands it over.
fn extract(criterion: &mut Criterion) {
    let (propagator, context, none) = (propagator(), context(), Context::new());
    let mut group = criterion.benchmark_group("extract");
    let received = map(&propagator, &context);
    group.bench_function("map", |b| {
        b.iter(|| propagator.extract_with_context(&none, black_box(&received)));
    });
    let received = headers(&propagator, &context);
    group.bench_function("kafka", |b| {
        b.iter(|| {
            let extractor = kafka::MetadataExtractor::new(Some(black_box(&received)));
            propagator.extract_with_context(&none, &extractor)
        });
    });
    let received = message(&propagator, &context);
    group.bench_function("sqs", |b| {
        b.iter(|| {
            let extractor = sqs::MetadataExtractor::of(black_box(&received));
            propagator.extract_with_context(&none, &extractor)
        });
    });
    let received = attributes(&propagator, &context);
    group.bench_function("pubsub", |b| {
        b.iter(|| {
            let extractor = pubsub::MetadataExtractor::new(black_box(&received));
            propagator.extract_with_context(&none, &extractor)
        });
    });
    group.finish();
}

criterion_group!(benches, inject, extract);
criterion_main!(benches);
