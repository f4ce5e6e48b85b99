//! Trace context in the attributes of messages that SNS publishes.
//!
//! A subscription with raw message delivery hands the attributes on as they are, so what reads them is the carrier of
//! what is subscribed, such as `sqs`. Without it, which is how subscriptions are made unless one asks otherwise,
//! attributes stand in an envelope of JSON around the message: the carrier `sqs` looks there too, and
//! [`MetadataExtractor`] reads it wherever else it arrives, such as at an HTTP endpoint.

use std::collections::HashMap;

use aws_sdk_sns::types::MessageAttributeValue;
use opentelemetry::propagation::{Extractor, Injector};

use crate::attributes;
use crate::aws::{is_name, is_text};
use crate::envelope::Envelope;
use crate::w3c::FIELDS;

pub use crate::envelope::payload;

/// The most attributes a message may have that is to reach a queue with raw message delivery: SNS takes more, and then
/// discards the message.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>
///
/// ```
/// // What the context leaves to the application.
/// assert_eq!(otel_carriers::sns::MAX_ATTRIBUTES - 3, 7);
/// ```
pub const MAX_ATTRIBUTES: usize = 10;

const DATA_TYPE: &str = "String";

/// Writes context into the attributes of a message that is about to be published.
///
/// ```
/// use std::collections::HashMap;
/// use otel_carriers::sns::MetadataInjector;
/// use opentelemetry::{Context, global};
///
/// let mut attributes = HashMap::new();
/// global::get_text_map_propagator(|propagator| {
///     propagator.inject_context(&Context::current(), &mut MetadataInjector::new(&mut attributes));
/// });
/// // Then: `client.publish().set_message_attributes(Some(attributes))`, or the same with an entry of `publish_batch`.
/// ```
#[derive(Debug)]
pub struct MetadataInjector<'a> {
    attributes: &'a mut HashMap<String, MessageAttributeValue>,
    places: usize,
    room: usize,
    left_out: usize,
}

impl<'a> MetadataInjector<'a> {
    /// Writes into `attributes`, replacing what stands under the same key.
    ///
    /// Write the application's own attributes first: what it adds later may be the eleventh.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use otel_carriers::sns::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let mut attributes = HashMap::new();
    /// MetadataInjector::new(&mut attributes).set("baggage", "order.id=7".to_owned());
    /// assert_eq!(attributes["baggage"].string_value(), Some("order.id=7"));
    /// ```
    pub fn new(attributes: &'a mut HashMap<String, MessageAttributeValue>) -> Self {
        Self {
            attributes,
            places: MAX_ATTRIBUTES,
            room: usize::MAX,
            left_out: 0,
        }
    }

    /// As many attributes as `places`, for a topic none of whose subscriptions delivers raw: SNS itself has no limit.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use otel_carriers::sns::{MAX_ATTRIBUTES, MetadataInjector};
    /// # let mut attributes = HashMap::new();
    /// let injector = MetadataInjector::new(&mut attributes).with_places(usize::MAX);
    /// # let _ = injector;
    /// ```
    #[must_use]
    pub fn with_places(self, places: usize) -> Self {
        Self { places, ..self }
    }

    /// No more than `bytes` for all attributes together, as SNS counts them: names, data types and values.
    ///
    /// A topic takes 256 KiB for attributes and message, unless its `MaximumMessageSize` says otherwise; the messages of a
    /// batch share them.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use otel_carriers::sns::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let (message, mut attributes) = ("x".repeat(256 * 1024), HashMap::new());
    /// let room = (256 * 1024_usize).saturating_sub(message.len());
    /// let mut injector = MetadataInjector::new(&mut attributes).with_room(room);
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

    /// How many values are not in the message because there was no room, or because SNS or SQS would refuse them.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use otel_carriers::sns::MetadataInjector;
    /// # use opentelemetry::propagation::Injector;
    /// # let mut attributes = HashMap::new();
    /// let mut injector = MetadataInjector::new(&mut attributes);
    /// injector.set("AWS.reserved", "value".to_owned());
    /// assert_eq!(injector.left_out(), 1);
    /// ```
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether there is room for `key`, if need be that of keys that matter less.
    fn has_room(&mut self, key: &str, value: &str) -> bool {
        let size = key.len() + DATA_TYPE.len() + value.len();
        if self.attributes.len() > self.places || self.taken() > self.room {
            return false;
        }
        while self.attributes.len() == self.places || self.taken().saturating_add(size) > self.room
        {
            if !attributes::make_way(self.attributes, key) {
                return false;
            }
            self.left_out += 1;
        }
        true
    }

    fn taken(&self) -> usize {
        let sizes = self.attributes.iter().map(|(name, value)| {
            let text = value.string_value().map_or(0, str::len);
            let binary = value.binary_value().map_or(0, |blob| blob.as_ref().len());
            name.len() + value.data_type().len() + text + binary
        });
        sizes.sum()
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        attributes::remove(self.attributes, key);
        // SNS refuses the whole message for one empty attribute, and an empty `tracestate` says nothing.
        if value.is_empty() {
            return;
        }
        let is_allowed = (FIELDS.contains(&key) || is_name(key)) && is_text(&value);
        if is_allowed && self.has_room(key, &value) {
            self.attributes.insert(key.to_owned(), string(value));
        } else {
            self.left_out += 1;
        }
    }
}

fn string(value: String) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder().data_type(DATA_TYPE);
    let attribute = attribute.string_value(value).build();
    attribute.expect("a data type is all that is required")
}

/// Reads context from the envelope of JSON in which SNS delivers a message that is not delivered raw.
///
/// ```
/// use otel_carriers::sns::MetadataExtractor;
/// use opentelemetry::{Context, global};
///
/// fn context_of(request_body: &str) -> Context {
///     // A new context: what the endpoint does at the moment has nothing to do with this message.
///     global::get_text_map_propagator(|propagator| {
///         propagator.extract_with_context(&Context::new(), &MetadataExtractor::new(request_body))
///     })
/// }
/// ```
#[derive(Debug)]
pub struct MetadataExtractor {
    texts: HashMap<String, String>,
}

impl MetadataExtractor {
    /// Reads the attributes in `envelope`, or the event of EventBridge that it holds; what is no envelope has no context.
    ///
    /// ```
    /// use otel_carriers::sns::MetadataExtractor;
    /// use opentelemetry::propagation::Extractor;
    ///
    /// let envelope = r#"{"Type": "Notification", "TopicArn": "arn:aws:sns:…:orders", "Message": "an order",
    ///     "MessageAttributes": {"baggage": {"Type": "String", "Value": "order.id=7"}}
    /// }"#;
    /// assert_eq!(MetadataExtractor::new(envelope).get("baggage"), Some("order.id=7"));
    /// ```
    pub fn new(envelope: &str) -> Self {
        let texts = Envelope::open(envelope).map(Envelope::context);
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
