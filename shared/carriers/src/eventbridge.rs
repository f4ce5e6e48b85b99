//! Trace context in the detail of events for EventBridge.
//!
//! An event has no attributes, and its `TraceHeader` takes X-Ray's form alone. So context rides in the detail, as members
//! of its own beside the application's: the same names as in the headers of HTTP, so that a publisher in any language
//! lets its propagator write into the object, and a structured CloudEvent has `traceparent` and `tracestate` where its
//! extension wants them.
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md>
//!
//! The detail is a string of JSON, so no client of AWS is needed here.

use std::collections::HashMap;

use opentelemetry::propagation::{Extractor, Injector};
use serde_json::Value;

use crate::attributes;
use crate::envelope::Envelope;
use crate::members::{Members, text};
use crate::w3c::{BAGGAGE, FIELDS};

pub use crate::envelope::payload;

/// The most bytes an event may have: its detail, detail type, source and resources, and 14 for its time.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
///
/// ```
/// // As much as a queue takes, but there the event has an envelope too.
/// assert_eq!(otel_carriers::eventbridge::MAX_ENTRY_BYTES, 1024 * 1024);
/// ```
pub const MAX_ENTRY_BYTES: usize = 1024 * 1024;

/// Writes context into the detail of an event that is about to be put.
///
/// ```
/// use otel_carriers::eventbridge::MetadataInjector;
/// use opentelemetry::{Context, global};
///
/// let mut detail = r#"{"order_id": 7}"#.to_owned();
/// global::get_text_map_propagator(|propagator| {
///     propagator.inject_context(&Context::current(), &mut MetadataInjector::new(&mut detail));
/// });
/// // Then: `PutEventsRequestEntry::builder().detail(detail)`.
/// ```
#[derive(Debug)]
pub struct MetadataInjector<'a> {
    detail: &'a mut String,
    room: usize,
    left_out: usize,
}

impl<'a> MetadataInjector<'a> {
    /// Writes into `detail`, replacing what stands under the same key; the other members stay as they are written.
    ///
    /// What is no JSON object stays as it is, and so does a member that is not context, such as baggage that one checks
    /// in at an airport.
    ///
    /// ```
    /// use otel_carriers::eventbridge::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let mut detail = r#"{"price": 1.10}"#.to_owned();
    /// MetadataInjector::new(&mut detail).set("baggage", "order.id=7".to_owned());
    /// assert_eq!(detail, r#"{"price": 1.10,"baggage":"order.id=7"}"#);
    /// ```
    pub fn new(detail: &'a mut String) -> Self {
        Self {
            detail,
            room: MAX_ENTRY_BYTES,
            left_out: 0,
        }
    }

    /// No more than `bytes` for the detail: [`MAX_ENTRY_BYTES`] without what the rest of the entry takes, or fewer if a
    /// target takes fewer.
    ///
    /// ```
    /// use otel_carriers::eventbridge::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let mut detail = "{}".to_owned();
    /// let mut injector = MetadataInjector::new(&mut detail).with_room(20);
    /// injector.set("baggage", "order.id=7".to_owned());
    /// assert_eq!(injector.left_out(), 1);
    /// ```
    #[must_use]
    pub fn with_room(self, bytes: usize) -> Self {
        Self {
            room: bytes,
            ..self
        }
    }

    /// How many values are not in the event because there was no room, or no object to put them in.
    ///
    /// ```
    /// use otel_carriers::eventbridge::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let mut detail = "[1, 2]".to_owned();
    /// let mut injector = MetadataInjector::new(&mut detail);
    /// injector.set("baggage", "order.id=7".to_owned());
    /// assert_eq!(injector.left_out(), 1);
    /// ```
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Takes the context under `key` out; whether the key is free now.
    fn free(&mut self, key: &str) -> bool {
        let Some(members) = Members::of(self.detail) else {
            return false;
        };
        let is_key = |name: &str| name.eq_ignore_ascii_case(key);
        let (under_key, others): (Vec<_>, Vec<_>) =
            members.iter().partition(|(name, _)| is_key(name));
        let is_ours = under_key.iter().all(|(_, value)| is_context(key, value));
        if is_ours && !under_key.is_empty() {
            *self.detail = object(&others);
        }
        is_ours
    }

    /// Whether there is room for `bytes` more, if need be that of keys that matter less than `key`.
    fn has_room(&mut self, key: &str, bytes: usize) -> bool {
        if self.detail.len() > self.room {
            return false;
        }
        let rank = FIELDS
            .iter()
            .position(|field| field.eq_ignore_ascii_case(key));
        let lesser = rank.map_or(&[][..], |rank| &FIELDS[rank + 1..]);
        for field in lesser.iter().rev() {
            if self.detail.len() + bytes <= self.room {
                return true;
            }
            let before = self.detail.len();
            self.free(field);
            self.left_out += usize::from(self.detail.len() < before);
        }
        self.detail.len() + bytes <= self.room
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        let is_free = self.free(key);
        if value.is_empty() {
            return;
        }
        let member = format!("{}:{}", Value::from(key), Value::from(value));
        if is_free && self.has_room(key, member.len() + 1) {
            append(self.detail, &member);
        } else {
            self.left_out += 1;
        }
    }
}

/// Whether `value` under `key` is context, and not the application's.
fn is_context(key: &str, value: &str) -> bool {
    // Baggage is the one key that is a word of other trades too, but without an `=` it is not W3C's.
    let is_baggage = key.eq_ignore_ascii_case(BAGGAGE);
    let of_w3c = |text: String| !is_baggage || text.is_empty() || text.contains('=');
    text(value).is_some_and(of_w3c)
}

fn object(members: &[(&str, &str)]) -> String {
    let members = members.iter();
    let members = members.map(|(name, value)| format!("{}:{value}", Value::from(*name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Appends `member` to the object `detail`.
fn append(detail: &mut String, member: &str) {
    // It is an object, so the last character that is not white space closes it.
    detail.truncate(detail.trim_end().len() - 1);
    detail.truncate(detail.trim_end().len());
    if !detail.ends_with('{') {
        detail.push(',');
    }
    detail.push_str(member);
    detail.push('}');
}

/// Reads context from an event of EventBridge, as it arrives at a target.
///
/// ```
/// use otel_carriers::eventbridge::MetadataExtractor;
/// use opentelemetry::{Context, global};
///
/// fn context_of(event: &str) -> Context {
///     // A new context: what the target does at the moment has nothing to do with this event.
///     global::get_text_map_propagator(|propagator| {
///         propagator.extract_with_context(&Context::new(), &MetadataExtractor::new(event))
///     })
/// }
/// ```
#[derive(Debug)]
pub struct MetadataExtractor {
    texts: HashMap<String, String>,
}

impl MetadataExtractor {
    /// Reads the detail of `event`, or what an input path or an input transformer left of it, if that has a
    /// `traceparent` at its top. Where a detail has none, what Datadog's libraries wrote into its `_datadog` is read.
    ///
    /// ```
    /// use otel_carriers::eventbridge::MetadataExtractor;
    /// use opentelemetry::propagation::Extractor;
    ///
    /// let event = r#"{"detail-type": "order.created", "source": "shop", "detail": {"baggage": "order.id=7"}}"#;
    /// assert_eq!(MetadataExtractor::new(event).get("baggage"), Some("order.id=7"));
    /// ```
    pub fn new(event: &str) -> Self {
        let texts = Envelope::open(event).map(Envelope::context);
        Self {
            texts: texts.unwrap_or_default(),
        }
    }
}

impl Extractor for MetadataExtractor {
    fn get(&self, key: &str) -> Option<&str> {
        attributes::find(&self.texts, key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.texts.keys().map(String::as_str).collect()
    }
}
