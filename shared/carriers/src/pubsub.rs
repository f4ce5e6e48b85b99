//! Trace context in Pub/Sub message attributes.
//!
//! Pub/Sub limits them: <https://cloud.google.com/pubsub/quotas#resource_limits>.

use std::collections::HashMap;
use std::hash::BuildHasher;

use opentelemetry::propagation::{Extractor, Injector};

/// The most attributes a message may have.
pub const MAX_ATTRIBUTES: usize = 100;
/// The most bytes an attribute's value may have; W3C baggage may be eight times as long.
pub const MAX_VALUE_BYTES: usize = 1024;

/// Writes context into the attributes of a message that is about to be published.
#[derive(Debug)]
pub struct MetadataInjector<'a, S> {
    attributes: &'a mut HashMap<String, String, S>,
    left_out: usize,
}

impl<'a, S> MetadataInjector<'a, S> {
    /// Writes into `attributes`, replacing what stands under the same key.
    pub fn new(attributes: &'a mut HashMap<String, String, S>) -> Self {
        Self {
            attributes,
            left_out: 0,
        }
    }

    /// How many keys found no room, or had a value longer than [`MAX_VALUE_BYTES`].
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl<S: BuildHasher> Injector for MetadataInjector<'_, S> {
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            return;
        }
        self.attributes
            .retain(|name, _| !name.eq_ignore_ascii_case(key));
        if self.attributes.len() >= MAX_ATTRIBUTES || value.len() > MAX_VALUE_BYTES {
            self.left_out += 1;
            return;
        }
        self.attributes.insert(key.to_owned(), value);
    }
}

/// Reads context from the attributes of a message that was received.
#[derive(Debug)]
pub struct MetadataExtractor<'a, S> {
    attributes: &'a HashMap<String, String, S>,
}

impl<'a, S> MetadataExtractor<'a, S> {
    /// Reads from `attributes`.
    pub fn new(attributes: &'a HashMap<String, String, S>) -> Self {
        Self { attributes }
    }
}

impl<S: BuildHasher> Extractor for MetadataExtractor<'_, S> {
    fn get(&self, key: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.attributes.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_key_whatever_its_case() {
        let mut attributes = HashMap::from([("TraceParent".to_owned(), "old".to_owned())]);
        MetadataInjector::new(&mut attributes).set("traceparent", "new".to_owned());
        assert_eq!(attributes.len(), 1);
        let read = MetadataExtractor::new(&attributes);
        assert_eq!(read.get("traceparent"), Some("new"));
    }

    #[test]
    fn leaves_out_and_counts_a_value_that_is_too_long() {
        let mut attributes = HashMap::new();
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set("traceparent", "fits".to_owned());
        injector.set("baggage", "x".repeat(MAX_VALUE_BYTES + 1));
        assert_eq!(injector.left_out(), 1);
        assert_eq!(attributes.len(), 1);
    }

    #[test]
    fn leaves_out_what_finds_no_room() {
        let mut attributes: HashMap<_, _> = (0..MAX_ATTRIBUTES)
            .map(|n| (format!("own-{n}"), "x".to_owned()))
            .collect();
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set("traceparent", "no room".to_owned());
        assert_eq!(injector.left_out(), 1);
        assert_eq!(attributes.len(), MAX_ATTRIBUTES);
    }
}
