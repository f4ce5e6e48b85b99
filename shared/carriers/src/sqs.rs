//! Trace context in SQS message attributes.
//!
//! A message has at most ten attributes, and a receiver gets only those it asked for by name:
//! pass [`PROPAGATION_ATTRIBUTES`] as `MessageAttributeNames` to `ReceiveMessage`.

use std::collections::HashMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use opentelemetry::propagation::{Extractor, Injector};

/// The most attributes a message may have.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
pub const MAX_ATTRIBUTES: usize = 10;

/// What W3C Trace Context and Baggage write, to be asked for by name on receive.
pub const PROPAGATION_ATTRIBUTES: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// Writes context into the attributes of a message that is about to be sent.
#[derive(Debug)]
pub struct MetadataInjector<'a> {
    attributes: &'a mut HashMap<String, MessageAttributeValue>,
    left_out: usize,
}

impl<'a> MetadataInjector<'a> {
    /// Writes into `attributes`, replacing what stands under the same key.
    pub fn new(attributes: &'a mut HashMap<String, MessageAttributeValue>) -> Self {
        Self {
            attributes,
            left_out: 0,
        }
    }

    /// How many keys found no room.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        // SQS refuses the whole message for one empty attribute, and an empty `tracestate` says nothing.
        if value.is_empty() {
            return;
        }
        self.attributes
            .retain(|name, _| !name.eq_ignore_ascii_case(key));
        if self.attributes.len() >= MAX_ATTRIBUTES {
            self.left_out += 1;
            return;
        }
        self.attributes.insert(key.to_owned(), string(value));
    }
}

fn string(value: String) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("a data type is all that is required")
}

/// Reads context from the attributes of a message that was received.
#[derive(Debug)]
pub struct MetadataExtractor<'a> {
    attributes: Option<&'a HashMap<String, MessageAttributeValue>>,
}

impl<'a> MetadataExtractor<'a> {
    /// Reads from `attributes`; `None` is a message without attributes.
    pub fn new(attributes: Option<&'a HashMap<String, MessageAttributeValue>>) -> Self {
        Self { attributes }
    }

    fn all(&self) -> impl Iterator<Item = (&'a String, &'a MessageAttributeValue)> {
        self.attributes.into_iter().flatten()
    }
}

impl Extractor for MetadataExtractor<'_> {
    /// The value under `key` if it is a string; a binary attribute is no trace context.
    fn get(&self, key: &str) -> Option<&str> {
        self.all()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .and_then(|(_, value)| value.string_value())
    }

    fn keys(&self) -> Vec<&str> {
        self.all().map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(
        names: impl IntoIterator<Item = String>,
    ) -> HashMap<String, MessageAttributeValue> {
        names
            .into_iter()
            .map(|name| (name, string("old".to_owned())))
            .collect()
    }

    #[test]
    fn replaces_a_key_whatever_its_case() {
        let mut attributes = attributes(["TraceParent".to_owned()]);
        MetadataInjector::new(&mut attributes).set("traceparent", "new".to_owned());
        assert_eq!(attributes.len(), 1);
        let read = MetadataExtractor::new(Some(&attributes));
        assert_eq!(read.get("traceparent"), Some("new"));
    }

    #[test]
    fn leaves_out_and_counts_what_finds_no_room() {
        let mut attributes = attributes((0..9).map(|n| format!("own-{n}")));
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set("traceparent", "fits".to_owned());
        injector.set("baggage", "does not".to_owned());
        assert_eq!(injector.left_out(), 1);
        assert_eq!(attributes.len(), MAX_ATTRIBUTES);
        assert!(!attributes.contains_key("baggage"));
    }

    #[test]
    fn never_writes_an_empty_attribute() {
        let mut attributes = HashMap::new();
        MetadataInjector::new(&mut attributes).set("tracestate", String::new());
        assert!(attributes.is_empty());
    }

    #[test]
    fn reads_a_message_without_attributes_as_empty() {
        let read = MetadataExtractor::new(None);
        assert_eq!(read.get("traceparent"), None);
        assert!(read.keys().is_empty());
    }
}
