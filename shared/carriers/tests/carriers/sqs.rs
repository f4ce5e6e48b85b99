use std::collections::HashMap;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use otel_carriers::sqs::{
    MAX_ATTRIBUTES, MetadataExtractor, MetadataInjector, PROPAGATION_ATTRIBUTES,
};

use crate::helpers::{
    OTHER_TRACEPARENT, TRACEPARENT, UNUSABLE, assert_same, baggage_first, context, extract, inject,
    traceparent, w3c,
};

type Attributes = HashMap<String, MessageAttributeValue>;

/// [`OTHER_TRACEPARENT`] in the words of X-Ray.
const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

fn string(value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value);
    value.build().expect("it has a data type")
}

fn own(count: usize) -> Attributes {
    (0..count)
        .map(|n| (format!("own-{n}"), string("kept")))
        .collect()
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), string(value)))
        .collect()
}

fn read(attributes: &Attributes) -> MetadataExtractor<'_> {
    MetadataExtractor::new(Some(attributes))
}

fn message(pairs: &[(&str, &str)], trace_header: &str) -> Message {
    Message::builder()
        .set_message_attributes(Some(attributes(pairs)))
        .attributes(MessageSystemAttributeName::AwsTraceHeader, trace_header)
        .build()
}

#[test]
fn carries_a_context_in_attributes_that_a_receiver_asks_for() {
    let mut attributes = Attributes::new();
    inject(&context(), &mut MetadataInjector::new(&mut attributes));
    assert_same(&extract(&read(&attributes)), &context());
    let mut names: Vec<_> = attributes.keys().map(String::as_str).collect();
    let mut asked_for = PROPAGATION_ATTRIBUTES;
    names.sort_unstable();
    asked_for.sort_unstable();
    assert_eq!(names, asked_for);
}

#[test]
fn replaces_a_key_in_any_case() {
    let mut attributes = attributes(&[
        ("TraceParent", "old"),
        ("TRACEPARENT", "older"),
        ("other", "kept"),
    ]);
    MetadataInjector::new(&mut attributes).set("traceparent", "new".to_owned());
    assert_eq!(attributes.len(), 2);
    assert_eq!(attributes["traceparent"], string("new"));
    assert_eq!(attributes["other"], string("kept"));
}

#[test]
fn replaces_a_key_where_there_is_no_room_for_another() {
    let mut attributes = own(MAX_ATTRIBUTES - 1);
    attributes.insert("traceparent".to_owned(), string("old"));
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("traceparent", "new".to_owned());
    assert_eq!(injector.left_out(), 0);
    assert_eq!(attributes["traceparent"], string("new"));
}

#[test]
fn never_writes_an_empty_attribute_and_takes_the_old_one_out() {
    let mut attributes = attributes(&[("tracestate", "of=another")]);
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("tracestate", String::new());
    assert_eq!(injector.left_out(), 0);
    assert!(attributes.is_empty());
}

#[test]
fn leaves_out_and_counts_what_finds_no_room() {
    let mut attributes = own(MAX_ATTRIBUTES);
    let mut injector = MetadataInjector::new(&mut attributes);
    inject(&context(), &mut injector);
    assert_eq!(injector.left_out(), 3);
    assert_eq!(attributes, own(MAX_ATTRIBUTES));
}

#[test]
fn gives_the_last_place_to_traceparent_in_whatever_order_it_is_written() {
    for propagator in [w3c(), baggage_first()] {
        let mut attributes = own(MAX_ATTRIBUTES - 1);
        let mut injector = MetadataInjector::new(&mut attributes);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 2);
        assert_eq!(attributes.len(), MAX_ATTRIBUTES);
        assert_eq!(traceparent(&extract(&read(&attributes))), TRACEPARENT);
    }
}

#[test]
fn gives_the_last_but_one_place_to_tracestate() {
    for propagator in [w3c(), baggage_first()] {
        let mut attributes = own(MAX_ATTRIBUTES - 2);
        let mut injector = MetadataInjector::new(&mut attributes);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 1);
        assert!(attributes.contains_key("traceparent"));
        assert!(attributes.contains_key("tracestate"));
    }
}

#[test]
fn takes_nothing_out_of_a_message_that_is_too_full_anyway() {
    let mut attributes = own(MAX_ATTRIBUTES);
    attributes.insert("baggage".to_owned(), string("kept"));
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("traceparent", TRACEPARENT.to_owned());
    assert_eq!(injector.left_out(), 1);
    assert_eq!(attributes["baggage"], string("kept"));
}

#[test]
fn leaves_out_a_name_that_sqs_refuses() {
    let long = "n".repeat(257);
    for name in [
        "", ".a", "a.", "a..b", "a b", "é", "AWS.a", "aws.a", "Amazon.a", &long,
    ] {
        let mut attributes = Attributes::new();
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set(name, "value".to_owned());
        assert_eq!(injector.left_out(), 1, "{name}");
        assert!(attributes.is_empty(), "{name}");
    }
}

#[test]
fn takes_a_name_that_sqs_takes() {
    let long = "n".repeat(256);
    for name in ["a", "x-amzn-trace-id", "a.b_C-9", "awsome", &long] {
        let mut attributes = Attributes::new();
        MetadataInjector::new(&mut attributes).set(name, "value".to_owned());
        assert!(attributes.contains_key(name), "{name}");
    }
}

#[test]
fn leaves_out_a_value_that_sqs_refuses() {
    for value in ["a\0b", "\u{1b}[31m", "\u{fffe}", "\u{ffff}"] {
        let mut attributes = Attributes::new();
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set("tracestate", value.to_owned());
        assert_eq!(injector.left_out(), 1, "{value:?}");
        assert!(attributes.is_empty(), "{value:?}");
    }
}

#[test]
fn carries_a_baggage_that_its_reader_will_drop_for_its_length() {
    let mut attributes = attributes(&[("traceparent", TRACEPARENT)]);
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("baggage", format!("key={}", "x".repeat(8192)));
    assert_eq!(injector.left_out(), 0);
    let read = extract(&read(&attributes));
    assert_eq!(traceparent(&read), TRACEPARENT);
    assert!(read.baggage().is_empty());
}

#[test]
fn reads_a_name_in_any_case_and_the_exact_one_first() {
    let mut attributes = attributes(&[("TraceParent", TRACEPARENT)]);
    assert_eq!(traceparent(&extract(&read(&attributes))), TRACEPARENT);
    attributes.insert("traceparent".to_owned(), string(OTHER_TRACEPARENT));
    assert_eq!(traceparent(&extract(&read(&attributes))), OTHER_TRACEPARENT);
}

#[test]
fn reads_the_same_of_two_spellings_each_time() {
    for _ in 0..20 {
        // Each map has another order.
        let attributes = attributes(&[("TraceParent", "second"), ("TRACEPARENT", "first")]);
        assert_eq!(read(&attributes).get("traceparent"), Some("first"));
    }
}

#[test]
fn reads_a_binary_value_as_absent() {
    let binary = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(Blob::new(TRACEPARENT));
    let attributes = HashMap::from([(
        "traceparent".to_owned(),
        binary.build().expect("it has a data type"),
    )]);
    assert_eq!(read(&attributes).get("traceparent"), None);
}

#[test]
fn reads_an_unusable_traceparent_as_no_context() {
    for unusable in UNUSABLE {
        let message = message(&[("traceparent", unusable)], "");
        let read = extract(&MetadataExtractor::of(&message));
        assert_eq!(traceparent(&read), "", "{unusable}");
    }
}

#[test]
fn reads_a_message_without_attributes_as_empty() {
    let message = Message::builder().build();
    for read in [
        MetadataExtractor::new(None),
        MetadataExtractor::of(&message),
    ] {
        assert_eq!(read.get("traceparent"), None);
        assert!(read.keys().is_empty());
    }
}

#[test]
fn prefers_traceparent_to_the_trace_header() {
    let message = message(&[("traceparent", TRACEPARENT), ("tracestate", "a=b")], XRAY);
    let read = MetadataExtractor::of(&message);
    assert_eq!(traceparent(&extract(&read)), TRACEPARENT);
    assert_eq!(read.get("tracestate"), Some("a=b"));
}

#[test]
fn reads_the_trace_header_where_traceparent_is_absent() {
    let message = message(&[("baggage", "order.id=7")], XRAY);
    let read = MetadataExtractor::of(&message);
    let context = extract(&read);
    assert_eq!(traceparent(&context), OTHER_TRACEPARENT);
    assert_eq!(context.baggage().len(), 1);
    let mut keys = read.keys();
    keys.sort_unstable();
    assert_eq!(keys, ["baggage", "traceparent"]);
}

#[test]
fn reads_the_trace_header_instead_of_an_unusable_traceparent_and_its_tracestate() {
    for unusable in UNUSABLE {
        let message = message(&[("Traceparent", unusable), ("Tracestate", "a=b")], XRAY);
        let read = MetadataExtractor::of(&message);
        assert_eq!(traceparent(&extract(&read)), OTHER_TRACEPARENT);
        assert_eq!(read.get("tracestate"), None);
    }
}

#[test]
fn reads_an_unusable_trace_header_as_absent() {
    for header in ["", "garbage", "Root=1-5759e988-bd862e3fe1be46a994272793"] {
        let message = message(&[], header);
        let read = MetadataExtractor::of(&message);
        assert_eq!(read.get("traceparent"), None, "{header}");
    }
}
