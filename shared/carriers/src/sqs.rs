//! Trace context in SQS message attributes.
//!
//! A message has at most ten attributes, and a receiver gets only those it asked for by name:
//! pass [`PROPAGATION_ATTRIBUTES`] as `MessageAttributeNames` to `ReceiveMessage`.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use opentelemetry::propagation::{Extractor, Injector};

use crate::aws::{is_name, is_text};
use crate::envelope::{Envelope, is_trace};
use crate::w3c::{FIELDS, TRACEPARENT};
use crate::{attributes, w3c, xray};

pub use crate::envelope::payload;

/// The most attributes a message may have.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
///
/// ```
/// // What the context leaves to the application.
/// assert_eq!(otel_carriers::sqs::MAX_ATTRIBUTES - otel_carriers::sqs::PROPAGATION_ATTRIBUTES.len(), 7);
/// ```
pub const MAX_ATTRIBUTES: usize = 10;

/// What W3C Trace Context and Baggage write, to be asked for by name on receive.
///
/// Ask for the system attribute `AWSTraceHeader` too: AWS services that send to a queue write their context there.
///
/// ```
/// use aws_sdk_sqs::types::MessageSystemAttributeName::AwsTraceHeader;
/// use otel_carriers::sqs::PROPAGATION_ATTRIBUTES;
///
/// fn receive(client: &aws_sdk_sqs::Client) -> aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder {
///     client
///         .receive_message()
///         .set_message_attribute_names(Some(PROPAGATION_ATTRIBUTES.map(str::to_owned).to_vec()))
///         .message_system_attribute_names(AwsTraceHeader)
/// }
/// ```
pub const PROPAGATION_ATTRIBUTES: [&str; 3] = FIELDS;

/// Writes context into the attributes of a message that is about to be sent.
///
/// ```
/// use std::collections::HashMap;
/// use otel_carriers::sqs::MetadataInjector;
/// use opentelemetry::{Context, global};
///
/// let mut attributes = HashMap::new();
/// global::get_text_map_propagator(|propagator| {
///     propagator.inject_context(&Context::current(), &mut MetadataInjector::new(&mut attributes));
/// });
/// // Then: `client.send_message().set_message_attributes(Some(attributes))`.
/// ```
#[derive(Debug)]
pub struct MetadataInjector<'a> {
    attributes: &'a mut HashMap<String, MessageAttributeValue>,
    left_out: usize,
}

impl<'a> MetadataInjector<'a> {
    /// Writes into `attributes`, replacing what stands under the same key.
    ///
    /// Write the application's own attributes first: what it adds later may be the eleventh.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use otel_carriers::sqs::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let mut attributes = HashMap::new();
    /// MetadataInjector::new(&mut attributes).set("baggage", "order.id=7".to_owned());
    /// assert_eq!(attributes["baggage"].string_value(), Some("order.id=7"));
    /// ```
    pub fn new(attributes: &'a mut HashMap<String, MessageAttributeValue>) -> Self {
        Self {
            attributes,
            left_out: 0,
        }
    }

    /// How many values are not in the message because there was no room, or because SQS would refuse them.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use aws_sdk_sqs::types::MessageAttributeValue;
    /// # use otel_carriers::sqs::{MAX_ATTRIBUTES, MetadataInjector};
    /// # use opentelemetry::propagation::Injector;
    /// # let own = || MessageAttributeValue::builder().data_type("Number").string_value("1").build().unwrap();
    /// let mut attributes: HashMap<_, _> =
    ///     (0..MAX_ATTRIBUTES).map(|n| (format!("own-{n}"), own())).collect();
    /// let mut injector = MetadataInjector::new(&mut attributes);
    /// injector.set("baggage", "order.id=7".to_owned());
    /// assert_eq!(injector.left_out(), 1);
    /// ```
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether there is a place for `key`, if need be that of a key that matters less.
    fn has_room(&mut self, key: &str) -> bool {
        if self.attributes.len() != MAX_ATTRIBUTES {
            return self.attributes.len() < MAX_ATTRIBUTES;
        }
        let made = attributes::make_way(self.attributes, key);
        self.left_out += usize::from(made);
        made
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        attributes::remove(self.attributes, key);
        // SQS refuses the whole message for one empty attribute, and an empty `tracestate` says nothing.
        if value.is_empty() {
            return;
        }
        if (FIELDS.contains(&key) || is_name(key)) && is_text(&value) && self.has_room(key) {
            self.attributes.insert(key.to_owned(), string(value));
        } else {
            self.left_out += 1;
        }
    }
}

fn string(value: String) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder().data_type("String").build();
    let mut attribute = attribute.expect("a data type is all that is required");
    // Set here, a large builder is moved once less.
    attribute.string_value = Some(value);
    attribute
}

/// Reads context from the attributes of a message that was received.
///
/// ```
/// use aws_sdk_sqs::types::Message;
/// use otel_carriers::sqs::MetadataExtractor;
/// use opentelemetry::{Context, global};
///
/// fn context_of(message: &Message) -> Context {
///     // A new context: what the consumer does at the moment has nothing to do with this message.
///     global::get_text_map_propagator(|propagator| {
///         propagator.extract_with_context(&Context::new(), &MetadataExtractor::of(message))
///     })
/// }
/// ```
#[derive(Debug)]
pub struct MetadataExtractor<'a> {
    attributes: Option<&'a HashMap<String, MessageAttributeValue>>,
    /// What stands elsewhere, where the attributes hold no usable `traceparent`.
    elsewhere: HashMap<String, String>,
}

impl<'a> MetadataExtractor<'a> {
    /// Reads from `attributes` alone; `None` is a message without attributes.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use otel_carriers::sqs::{MetadataExtractor, MetadataInjector};
    /// use opentelemetry::propagation::{Extractor, Injector};
    ///
    /// let mut attributes = HashMap::new();
    /// MetadataInjector::new(&mut attributes).set("baggage", "order.id=7".to_owned());
    /// assert_eq!(MetadataExtractor::new(Some(&attributes)).get("baggage"), Some("order.id=7"));
    /// ```
    pub fn new(attributes: Option<&'a HashMap<String, MessageAttributeValue>>) -> Self {
        Self {
            attributes,
            elsewhere: HashMap::new(),
        }
    }

    /// Reads from the attributes of `message`. Where they hold no usable `traceparent`, it looks also into the envelope
    /// that SNS or EventBridge put around the body, and then at the system attribute `AWSTraceHeader`.
    ///
    /// ```
    /// use aws_sdk_sqs::types::{Message, MessageSystemAttributeName::AwsTraceHeader};
    /// use otel_carriers::sqs::MetadataExtractor;
    /// use opentelemetry::propagation::Extractor;
    ///
    /// let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    /// let message = Message::builder().attributes(AwsTraceHeader, xray).build();
    /// assert_eq!(
    ///     MetadataExtractor::of(&message).get("traceparent"),
    ///     Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"),
    /// );
    /// ```
    pub fn of(message: &'a Message) -> Self {
        let read = Self::new(message.message_attributes());
        if read.attribute(TRACEPARENT).is_some_and(w3c::is_usable) {
            return read;
        }
        let envelope = message.body().and_then(Envelope::open);
        let mut elsewhere = envelope.map(Envelope::context).unwrap_or_default();
        if attributes::find(&elsewhere, TRACEPARENT).is_none() {
            let system = message.attributes();
            let header =
                system.and_then(|all| all.get(&MessageSystemAttributeName::AwsTraceHeader));
            let traceparent = header.and_then(|header| xray::traceparent(header));
            elsewhere.extend(traceparent.map(|value| (TRACEPARENT.to_owned(), value)));
        }
        Self { elsewhere, ..read }
    }

    fn elsewhere(&self, key: &str) -> Option<&str> {
        attributes::find(&self.elsewhere, key).map(String::as_str)
    }

    /// The value under `key` if it is a string; a binary attribute is no trace context.
    fn attribute(&self, key: &str) -> Option<&'a str> {
        attributes::find(self.attributes?, key)?.string_value()
    }
}

impl Extractor for MetadataExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        // One `tracestate` belongs to each `traceparent`, so both are from the same place.
        if is_trace(key) && self.elsewhere(TRACEPARENT).is_some() {
            return self.elsewhere(key);
        }
        self.attribute(key).or_else(|| self.elsewhere(key))
    }

    fn keys(&self) -> Vec<&str> {
        let names = self.attributes.into_iter().flat_map(HashMap::keys);
        let elsewhere = self.elsewhere.keys();
        names.chain(elsewhere).map(String::as_str).collect()
    }
}
