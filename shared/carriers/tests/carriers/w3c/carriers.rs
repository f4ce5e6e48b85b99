//! The same headers in the form of each carrier: read, written again, and read once more.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use otel_carriers::{kafka, pubsub, sqs};
use rdkafka::message::{Header, OwnedHeaders};

use crate::helpers::{extract, inject};

/// Names and values, as they arrive.
pub(crate) type Sent<'a> = &'a [(&'a str, String)];
/// What is read from them, before and after a hop; `None` where the carrier has no form for them.
type Hop = fn(Sent) -> Option<[Context; 2]>;

pub(crate) const CARRIERS: [(&str, Hop); 4] = [
    ("HTTP", over_http),
    ("Kafka", over_kafka),
    ("SQS", over_sqs),
    ("Pub/Sub", over_pubsub),
];

#[expect(
    clippy::unnecessary_wraps,
    reason = "attributes have no form for some of it"
)]
fn over_http(sent: Sent) -> Option<[Context; 2]> {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("it is one");
        headers.append(name, HeaderValue::from_str(value).expect("it is text"));
    }
    let read = extract(&HeaderExtractor(&headers));
    let mut headers = HeaderMap::new();
    inject(&read, &mut HeaderInjector(&mut headers));
    Some([read, extract(&HeaderExtractor(&headers))])
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "attributes have no form for some of it"
)]
fn over_kafka(sent: Sent) -> Option<[Context; 2]> {
    let headers = sent
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            let value = Some(value);
            headers.insert(Header { key, value })
        });
    let read = extract(&kafka::MetadataExtractor::new(Some(&headers)));
    let mut headers = OwnedHeaders::new();
    inject(&read, &mut kafka::MetadataInjector::new(&mut headers));
    let again = extract(&kafka::MetadataExtractor::new(Some(&headers)));
    Some([read, again])
}

fn over_sqs(sent: Sent) -> Option<[Context; 2]> {
    let attribute = |text| {
        let attribute = MessageAttributeValue::builder().data_type("String");
        attribute.string_value(text).build().expect("it has a type")
    };
    let attributes = map(sent, attribute)?;
    let received = |attributes| {
        let message = Message::builder().set_message_attributes(Some(attributes));
        extract(&sqs::MetadataExtractor::of(&message.build()))
    };
    let read = received(attributes);
    let mut attributes = HashMap::new();
    inject(&read, &mut sqs::MetadataInjector::new(&mut attributes));
    let again = received(attributes);
    Some([read, again])
}

fn over_pubsub(sent: Sent) -> Option<[Context; 2]> {
    let attributes = map(sent, |text| text)?;
    let read = extract(&pubsub::MetadataExtractor::new(&attributes));
    let mut attributes = HashMap::new();
    inject(&read, &mut pubsub::MetadataInjector::new(&mut attributes));
    let again = extract(&pubsub::MetadataExtractor::new(&attributes));
    Some([read, again])
}

/// Attributes are a map, in which a name stands once.
fn map<V>(sent: Sent, value: impl Fn(String) -> V) -> Option<HashMap<String, V>> {
    let sent = sent
        .iter()
        .map(|(name, text)| ((*name).to_owned(), value(text.clone())));
    let all = sent.len();
    let map: HashMap<_, _> = sent.collect();
    (map.len() == all).then_some(map)
}
