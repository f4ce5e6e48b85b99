//! Trace context in Kafka record headers.
//!
//! A header's value is bytes: it may be null, binary, or stand there several times.

use opentelemetry::propagation::{Extractor, Injector};
use rdkafka::message::{Header, Headers, OwnedHeaders};

/// Writes context into the headers of a record that is about to be sent.
#[derive(Debug)]
pub struct MetadataInjector<'a> {
    headers: &'a mut OwnedHeaders,
}

impl<'a> MetadataInjector<'a> {
    /// Writes into `headers`, replacing what stands under the same key.
    pub fn new(headers: &'a mut OwnedHeaders) -> Self {
        Self { headers }
    }

    /// Kafka limits the record, not its headers, so nothing is ever left out.
    pub fn left_out(&self) -> usize {
        0
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            return;
        }
        // `OwnedHeaders::insert` appends, so a record that is sent again would carry two `traceparent`.
        let kept = without(self.headers, key);
        *self.headers = kept.insert(Header {
            key,
            value: Some(&value),
        });
    }
}

fn without(headers: &OwnedHeaders, key: &str) -> OwnedHeaders {
    headers
        .iter()
        .filter(|header| !header.key.eq_ignore_ascii_case(key))
        .fold(
            OwnedHeaders::new_with_capacity(headers.count() + 1),
            OwnedHeaders::insert,
        )
}

/// Reads context from the headers of a record that was received.
#[derive(Debug)]
pub struct MetadataExtractor<'a, H> {
    headers: Option<&'a H>,
}

impl<'a, H: Headers> MetadataExtractor<'a, H> {
    /// Reads from `headers`; `None` is a record without headers.
    pub fn new(headers: Option<&'a H>) -> Self {
        Self { headers }
    }

    fn all(&self) -> impl Iterator<Item = Header<'a, &'a [u8]>> {
        self.headers.into_iter().flat_map(Headers::iter)
    }
}

impl<H: Headers> Extractor for MetadataExtractor<'_, H> {
    /// The last readable value under `key`: headers are appended, so the last one is the newest.
    fn get(&self, key: &str) -> Option<&str> {
        self.all()
            .filter(|header| header.key.eq_ignore_ascii_case(key))
            .filter_map(|header| std::str::from_utf8(header.value?).ok())
            .last()
    }

    fn keys(&self) -> Vec<&str> {
        self.all().map(|header| header.key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, Option<&[u8]>)]) -> OwnedHeaders {
        pairs
            .iter()
            .fold(OwnedHeaders::new(), |headers, &(key, value)| {
                headers.insert(Header { key, value })
            })
    }

    #[test]
    fn replaces_a_key_whatever_its_case() {
        let mut headers = headers(&[("Traceparent", Some(b"old")), ("other", Some(b"kept"))]);
        MetadataInjector::new(&mut headers).set("traceparent", "new".to_owned());
        assert_eq!(headers.count(), 2);
        let read = MetadataExtractor::new(Some(&headers));
        assert_eq!(read.get("traceparent"), Some("new"));
        assert_eq!(read.get("other"), Some("kept"));
    }

    #[test]
    fn keeps_null_and_binary_values_of_others() {
        let mut headers = headers(&[("null", None), ("binary", Some(&[0xff, 0x00]))]);
        MetadataInjector::new(&mut headers).set("baggage", "a=1".to_owned());
        assert_eq!(headers.get(0).value, None);
        assert_eq!(headers.get(1).value, Some(&[0xff, 0x00][..]));
    }

    #[test]
    fn reads_the_last_readable_duplicate() {
        let headers = headers(&[
            ("traceparent", Some(b"first")),
            ("traceparent", Some(b"second")),
            ("traceparent", Some(&[0xff])),
            ("traceparent", None),
        ]);
        let read = MetadataExtractor::new(Some(&headers));
        assert_eq!(read.get("traceparent"), Some("second"));
    }

    #[test]
    fn reads_a_record_without_headers_as_empty() {
        let read = MetadataExtractor::<OwnedHeaders>::new(None);
        assert_eq!(read.get("traceparent"), None);
        assert!(read.keys().is_empty());
    }
}
