//! Trace context in Kafka record headers.
//!
//! A header's value is bytes: it may be null, binary, or stand there several times.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::propagation::{Extractor, Injector};
use rdkafka::message::{Header, Headers, OwnedHeaders};

use crate::w3c::TRACEPARENT;

/// Writes context into the headers of a record that is about to be sent.
///
/// ```
/// use otel_carriers::kafka::MetadataInjector;
/// use opentelemetry::{Context, global};
/// use rdkafka::message::OwnedHeaders;
///
/// let mut headers = OwnedHeaders::new();
/// global::get_text_map_propagator(|propagator| {
///     propagator.inject_context(&Context::current(), &mut MetadataInjector::new(&mut headers));
/// });
/// // Then: `FutureRecord::to("orders").headers(headers)`.
/// ```
#[derive(Debug)]
pub struct MetadataInjector<'a> {
    headers: &'a mut OwnedHeaders,
}

impl<'a> MetadataInjector<'a> {
    /// Writes into `headers`, replacing what stands under the same key.
    ///
    /// ```
    /// use otel_carriers::kafka::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    /// use rdkafka::message::{Headers, OwnedHeaders};
    ///
    /// let mut headers = OwnedHeaders::new();
    /// for attempt in ["first", "second"] {
    ///     MetadataInjector::new(&mut headers).set("baggage", format!("attempt={attempt}"));
    /// }
    /// assert_eq!(headers.count(), 1);
    /// ```
    pub fn new(headers: &'a mut OwnedHeaders) -> Self {
        Self { headers }
    }

    /// Kafka limits the record, not its headers, so nothing is ever left out.
    ///
    /// ```
    /// # use otel_carriers::kafka::MetadataInjector;
    /// # let mut headers = rdkafka::message::OwnedHeaders::new();
    /// assert_eq!(MetadataInjector::new(&mut headers).left_out(), 0);
    /// ```
    pub fn left_out(&self) -> usize {
        0
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        // `OwnedHeaders::insert` appends, so a record that is sent again would carry two `traceparent`.
        if readable(self.headers).any(|header| header.key.eq_ignore_ascii_case(key)) {
            *self.headers = without(self.headers, key);
        }
        if !value.is_empty() {
            let headers = mem::replace(self.headers, OwnedHeaders::new_with_capacity(0));
            let value = Some(&value);
            *self.headers = headers.insert(Header { key, value });
        }
    }
}

/// The only way to take a header out is to write the others again.
fn without(headers: &OwnedHeaders, key: &str) -> OwnedHeaders {
    readable(headers)
        .filter(|header| !header.key.eq_ignore_ascii_case(key))
        .fold(
            OwnedHeaders::new_with_capacity(headers.count() + 1),
            OwnedHeaders::insert,
        )
}

/// All headers, except those whose name is not UTF-8.
///
/// Any sender can put such a name on a record, and rdkafka 0.39 panics on it: `Headers::try_get` unwraps the name.
/// A consumer that lets the panic through is stopped by that record, and again after each restart.
///
/// ```
/// use otel_carriers::kafka::readable;
/// use rdkafka::message::{Header, OwnedHeaders};
///
/// let headers = OwnedHeaders::new().insert(Header { key: "tenant", value: Some("acme") });
/// assert_eq!(readable(&headers).next().unwrap().key, "tenant");
/// ```
pub fn readable<H: Headers>(headers: &H) -> impl Iterator<Item = Header<'_, &[u8]>> {
    (0..headers.count()).filter_map(|index| {
        // Reading changes nothing, so nothing is left half done.
        let header = catch_unwind(AssertUnwindSafe(|| headers.try_get(index)));
        header.ok().flatten()
    })
}

/// Reads context from the headers of a record that was received.
///
/// ```
/// use otel_carriers::kafka::MetadataExtractor;
/// use opentelemetry::{Context, global};
/// use rdkafka::Message;
///
/// fn context_of(record: &impl Message) -> Context {
///     let headers = MetadataExtractor::new(record.headers());
///     // A new context: what the consumer does at the moment has nothing to do with this record.
///     global::get_text_map_propagator(|propagator| {
///         propagator.extract_with_context(&Context::new(), &headers)
///     })
/// }
/// ```
#[derive(Debug)]
pub struct MetadataExtractor<'a> {
    headers: Vec<Header<'a, &'a [u8]>>,
}

impl<'a> MetadataExtractor<'a> {
    /// Reads from `headers`; `None` is a record without headers.
    ///
    /// ```
    /// use otel_carriers::kafka::MetadataExtractor;
    /// use opentelemetry::propagation::Extractor;
    /// use rdkafka::message::{Header, OwnedHeaders};
    ///
    /// let headers = OwnedHeaders::new().insert(Header { key: "Baggage", value: Some("order.id=7") });
    /// let extractor = MetadataExtractor::new(Some(&headers));
    /// assert_eq!(extractor.get("baggage"), Some("order.id=7"));
    /// ```
    pub fn new<H: Headers>(headers: Option<&'a H>) -> Self {
        Self {
            headers: headers.into_iter().flat_map(readable).collect(),
        }
    }

    /// The values under `key` that are text.
    fn values(&self, key: &str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |header| header.key.eq_ignore_ascii_case(key))
            .filter_map(|header| text(header.value?))
    }
}

impl Extractor for MetadataExtractor<'_> {
    /// The last value under `key` that is text: headers are appended, so the last one is the newest.
    fn get(&self, key: &str) -> Option<&str> {
        self.values(key).next_back()
    }

    /// All values under `key` that are text, in their order, as a list that was sent in several headers.
    ///
    /// A record with several `traceparent` was given a context several times, as happens when it is sent again; then the
    /// last value of each key is the newest, and the others say nothing any more.
    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        if self.values(TRACEPARENT).nth(1).is_some() {
            return self.get(key).map(|newest| vec![newest]);
        }
        let values: Vec<_> = self.values(key).collect();
        (!values.is_empty()).then_some(values)
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.iter().map(|header| header.key).collect()
    }
}

/// An empty value says as little as none.
fn text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty()).then_some(text)
}
