use std::collections::HashMap;

use aws_sdk_sns::primitives::Blob;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sqs::types as sqs_types;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use otel_carriers::sns::{MAX_ATTRIBUTES, MetadataExtractor, MetadataInjector};
use otel_carriers::sqs;
use serde_json::json;

use crate::helpers::{TRACEPARENT, assert_same, baggage_first, context, extract, inject, w3c};

type Attributes = HashMap<String, MessageAttributeValue>;

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

/// A message of a queue, as a subscription with raw delivery makes it.
fn delivered_raw(attributes: &Attributes) -> sqs_types::Message {
    let attributes = attributes.iter().map(|(name, value)| {
        let attribute = sqs_types::MessageAttributeValue::builder()
            .data_type(value.data_type())
            .set_string_value(value.string_value().map(str::to_owned));
        let attribute = attribute.build().expect("it has a data type");
        (name.clone(), attribute)
    });
    sqs_types::Message::builder()
        .body("an order")
        .set_message_attributes(Some(attributes.collect()))
        .build()
}

/// The body that other subscriptions make.
fn envelope(attributes: &Attributes) -> String {
    let attributes = attributes.iter().map(|(name, value)| {
        let value = json!({"Type": value.data_type(), "Value": value.string_value()});
        (name.clone(), value)
    });
    let attributes: serde_json::Map<_, _> = attributes.collect();
    let topic = "arn:aws:sns:eu-central-1:000000000000:orders";
    json!({"Type": "Notification", "TopicArn": topic, "Message": "an order", "MessageAttributes": attributes})
        .to_string()
}

#[test]
fn carries_a_context_to_a_queue_raw_and_in_an_envelope() {
    let mut attributes = own(2);
    inject(&context(), &mut MetadataInjector::new(&mut attributes));
    let raw = delivered_raw(&attributes);
    assert_same(&extract(&sqs::MetadataExtractor::of(&raw)), &context());
    let body = envelope(&attributes);
    assert_same(&extract(&MetadataExtractor::new(&body)), &context());
    let enveloped = sqs_types::Message::builder().body(body).build();
    assert_same(
        &extract(&sqs::MetadataExtractor::of(&enveloped)),
        &context(),
    );
}

#[test]
fn replaces_a_key_in_any_case() {
    let mut attributes = own(1);
    attributes.insert("TraceParent".to_owned(), string("old"));
    MetadataInjector::new(&mut attributes).set("traceparent", "new".to_owned());
    assert_eq!(attributes.len(), 2);
    assert_eq!(attributes["traceparent"], string("new"));
}

#[test]
fn never_writes_an_empty_attribute_and_takes_the_old_one_out() {
    let mut attributes = Attributes::from([("tracestate".to_owned(), string("of=another"))]);
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("tracestate", String::new());
    assert_eq!(injector.left_out(), 0);
    assert!(attributes.is_empty());
}

#[test]
fn leaves_out_and_counts_what_would_have_raw_delivery_discard_the_message() {
    let mut attributes = own(MAX_ATTRIBUTES);
    let mut injector = MetadataInjector::new(&mut attributes);
    inject(&context(), &mut injector);
    assert_eq!(injector.left_out(), 3);
    assert_eq!(attributes, own(MAX_ATTRIBUTES));
}

#[test]
fn takes_more_places_where_nothing_is_delivered_raw() {
    let mut attributes = own(30);
    let mut injector = MetadataInjector::new(&mut attributes).with_places(usize::MAX);
    inject(&context(), &mut injector);
    assert_eq!(injector.left_out(), 0);
    assert_eq!(attributes.len(), 33);
}

#[test]
fn gives_the_last_place_to_traceparent_in_whatever_order_it_is_written() {
    for propagator in [w3c(), baggage_first()] {
        let mut attributes = own(MAX_ATTRIBUTES - 1);
        let mut injector = MetadataInjector::new(&mut attributes);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 2);
        assert_eq!(attributes.len(), MAX_ATTRIBUTES);
        assert_eq!(attributes["traceparent"], string(TRACEPARENT));
    }
}

#[test]
fn gives_the_last_bytes_to_traceparent_in_whatever_order_it_is_written() {
    let size = "traceparent".len() + "String".len() + TRACEPARENT.len();
    let taken = 2 * ("own-0".len() + "String".len() + "kept".len());
    for propagator in [w3c(), baggage_first()] {
        let mut attributes = own(2);
        let mut injector = MetadataInjector::new(&mut attributes).with_room(taken + size);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 2);
        assert_eq!(attributes.len(), 3);
        assert_eq!(attributes["traceparent"], string(TRACEPARENT));
    }
    let mut attributes = own(2);
    let mut injector = MetadataInjector::new(&mut attributes).with_room(taken + size - 1);
    inject(&context(), &mut injector);
    assert_eq!(attributes, {
        let mut others = own(2);
        others.insert("tracestate".to_owned(), string("ot=th:8,vendor=value"));
        others
    });
}

#[test]
fn counts_binary_attributes_too() {
    let binary = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(Blob::new(vec![0; 1000]));
    let binary = binary.build().expect("it has a data type");
    let mut attributes = Attributes::from([("picture".to_owned(), binary)]);
    let mut injector = MetadataInjector::new(&mut attributes).with_room(1010);
    injector.set("traceparent", TRACEPARENT.to_owned());
    assert_eq!(injector.left_out(), 1);
}

#[test]
fn leaves_out_what_sns_or_the_queue_behind_it_refuses() {
    for (name, value) in [
        ("", "a"),
        ("a..b", "a"),
        ("AWS.a", "a"),
        ("amazon.a", "a"),
        ("a", "\0"),
    ] {
        let mut attributes = Attributes::new();
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set(name, value.to_owned());
        assert_eq!(injector.left_out(), 1, "{name}");
        assert!(attributes.is_empty(), "{name}");
    }
}

#[test]
fn what_is_no_envelope_has_no_context() {
    for body in [
        "",
        "an order",
        "{}",
        r#"{"Type": "UnsubscribeConfirmation", "Message": "a"}"#,
    ] {
        let read = MetadataExtractor::new(body);
        assert_eq!(read.get("traceparent"), None);
        assert!(read.keys().is_empty());
    }
}
