//! How often the carriers allocate, beside OpenTelemetry's own map carrier doing the same work.
//!
//! librdkafka allocates in C, which is not counted here; the benchmark times it.

use std::collections::HashMap;

use allocation_counter::measure;
use aws_sdk_sqs::types::Message;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use otel_carriers::{kafka, pubsub, sqs};
use rdkafka::message::OwnedHeaders;

use crate::helpers::{context, w3c};

fn injecting(carrier: &mut dyn Injector) -> u64 {
    let (propagator, context) = (w3c(), context());
    measure(|| propagator.inject_context(&context, carrier)).count_total
}

/// `extract` makes the extractor and hands it on, so that making it is counted.
fn extracting(extract: impl Fn(&dyn Fn(&dyn Extractor))) -> u64 {
    let (propagator, context) = (w3c(), opentelemetry::Context::new());
    let read = |carrier: &dyn Extractor| drop(propagator.extract_with_context(&context, carrier));
    measure(|| extract(&read)).count_total
}

fn map() -> HashMap<String, String> {
    HashMap::new()
}

#[test]
fn kafka_allocates_less_than_a_map_to_inject() {
    let mut headers = OwnedHeaders::new();
    let ours = injecting(&mut kafka::MetadataInjector::new(&mut headers));
    // The three keys and the table of the map.
    assert_eq!(ours + 4, injecting(&mut map()));
}

#[test]
fn sqs_allocates_three_times_more_than_a_map_to_inject() {
    let mut attributes = HashMap::new();
    let ours = injecting(&mut sqs::MetadataInjector::new(&mut attributes));
    // The SDK keeps the data type of each attribute, `String`, as a string of its own.
    assert_eq!(ours, injecting(&mut map()) + 3);
}

#[test]
fn pubsub_allocates_as_often_as_a_map_to_inject() {
    let mut attributes = map();
    let ours = injecting(&mut pubsub::MetadataInjector::new(&mut attributes));
    assert_eq!(ours, injecting(&mut map()));
}

#[test]
fn all_allocate_less_than_a_map_to_extract() {
    let (mut headers, mut attributes, mut map) = (OwnedHeaders::new(), HashMap::new(), map());
    injecting(&mut kafka::MetadataInjector::new(&mut headers));
    injecting(&mut sqs::MetadataInjector::new(&mut attributes));
    injecting(&mut map);
    let message = Message::builder()
        .set_message_attributes(Some(attributes))
        .build();
    // A map carrier folds each key that it is asked for to lower case.
    let least = extracting(|read| read(&map)) - 3;
    let kafka = extracting(|read| read(&kafka::MetadataExtractor::new(Some(&headers))));
    let sqs = extracting(|read| read(&sqs::MetadataExtractor::of(&message)));
    let pubsub = extracting(|read| read(&pubsub::MetadataExtractor::new(&map)));
    // Kafka's headers are listed once, and then searched.
    assert_eq!([kafka, sqs, pubsub], [least + 1, least, least]);
}
