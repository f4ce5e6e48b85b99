//! Any headers and attributes, read by each carrier for the W3C propagators.
//!
//! A line of the input is a header, `name:value`; without a colon its value is null, as Kafka allows.
//! The same lines are the attributes of SQS and Pub/Sub, and `AWSTraceHeader` is SQS's system attribute.

#![no_main]

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use otel_carriers::{kafka, pubsub, sqs, w3c};
use libfuzzer_sys::fuzz_target;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use rdkafka::message::{Header, OwnedHeaders};

type Line<'a> = (String, Option<&'a [u8]>);

fuzz_target!(|input: &[u8]| {
    let lines: Vec<_> = input.split(|&byte| byte == b'\n').map(line).collect();
    kafka_carries(&lines);
    sqs_carries(&lines);
    pubsub_carries(&lines);
});

fn line(line: &[u8]) -> Line<'_> {
    let colon = line.iter().position(|&byte| byte == b':');
    let (name, value) = line.split_at(colon.unwrap_or(line.len()));
    let name = String::from_utf8_lossy(name).into_owned();
    (name, value.split_first().map(|(_, value)| value))
}

/// The lines as a map of strings: the last of a name stays.
fn texts<'a>(lines: &'a [Line]) -> impl Iterator<Item = (String, String)> + 'a {
    lines.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.unwrap_or_default());
        (name.clone(), value.into_owned())
    })
}

fn kafka_carries(lines: &[Line]) {
    let mut headers = OwnedHeaders::new();
    for (key, value) in lines {
        headers = headers.insert(Header { key, value: *value });
    }
    let context = extract(&kafka::MetadataExtractor::new(Some(&headers)));
    w3c::propagator().inject_context(&context, &mut kafka::MetadataInjector::new(&mut headers));
    assert_same(
        &context,
        &extract(&kafka::MetadataExtractor::new(Some(&headers))),
    );
}

fn sqs_carries(lines: &[Line]) {
    let mut attributes: HashMap<_, _> = texts(lines)
        .map(|(name, value)| {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value);
            (name, value.build().expect("it has a data type"))
        })
        .collect();
    let trace_header = attributes
        .get("AWSTraceHeader")
        .and_then(|value| value.string_value.clone());
    let message = Message::builder()
        .set_message_attributes(Some(attributes.clone()))
        .attributes(
            MessageSystemAttributeName::AwsTraceHeader,
            trace_header.unwrap_or_default(),
        )
        .build();
    let context = extract(&sqs::MetadataExtractor::of(&message));
    let mut injector = sqs::MetadataInjector::new(&mut attributes);
    w3c::propagator().inject_context(&context, &mut injector);
    if injector.left_out() == 0 {
        assert_same(
            &context,
            &extract(&sqs::MetadataExtractor::new(Some(&attributes))),
        );
    }
}

fn pubsub_carries(lines: &[Line]) {
    let mut attributes: HashMap<_, _> = texts(lines).collect();
    let context = extract(&pubsub::MetadataExtractor::new(&attributes));
    let mut injector = pubsub::MetadataInjector::new(&mut attributes);
    w3c::propagator().inject_context(&context, &mut injector);
    if injector.left_out() == 0 {
        assert_same(
            &context,
            &extract(&pubsub::MetadataExtractor::new(&attributes)),
        );
    }
}

/// Reads all there is, as a propagator may, and then what the W3C propagators read.
fn extract(carrier: &dyn Extractor) -> Context {
    for key in carrier.keys() {
        carrier.get(key);
        carrier.get_all(key);
    }
    w3c::propagator().extract_with_context(&Context::new(), carrier)
}

/// A span that was read from anything is read again after it was written.
///
/// Its `tracestate` and the baggage may be shorter then: what is too long to be sent is left out.
fn assert_same(read: &Context, again: &Context) {
    let (read, again) = (read.span(), again.span());
    let (read, again) = (read.span_context(), again.span_context());
    if read.is_valid() {
        assert_eq!(read.trace_id(), again.trace_id());
        assert_eq!(read.span_id(), again.span_id());
        assert_eq!(read.trace_flags(), again.trace_flags());
    }
}
