//! Trace context in Pub/Sub message attributes.
//!
//! Pub/Sub limits them: <https://cloud.google.com/pubsub/quotas#resource_limits>.

use std::collections::HashMap;
use std::hash::BuildHasher;

use opentelemetry::propagation::{Extractor, Injector};

use crate::w3c::{BAGGAGE, TRACEPARENT, TRACESTATE};
use crate::{attributes, w3c};

/// The most attributes a message may have.
///
/// ```
/// // What `traceparent`, `tracestate` and `baggage` leave to the application.
/// assert_eq!(otel_carriers::pubsub::MAX_ATTRIBUTES - 3, 97);
/// ```
pub const MAX_ATTRIBUTES: usize = 100;

/// The most bytes an attribute's key may have.
///
/// ```
/// assert!("traceparent".len() <= otel_carriers::pubsub::MAX_KEY_BYTES);
/// ```
pub const MAX_KEY_BYTES: usize = 256;

/// The most bytes an attribute's value may have; W3C baggage may be eight times as long, and is sent as far as it fits.
///
/// ```
/// # use std::collections::HashMap;
/// # use otel_carriers::pubsub::{MAX_VALUE_BYTES, MetadataInjector};
/// # use opentelemetry::propagation::Injector;
/// let mut attributes = HashMap::new();
/// let theirs = "x".repeat(MAX_VALUE_BYTES);
/// MetadataInjector::new(&mut attributes).set("baggage", format!("order.id=7,theirs={theirs}"));
/// assert_eq!(attributes["baggage"], "order.id=7");
/// ```
pub const MAX_VALUE_BYTES: usize = 1024;

/// Keys that begin like this are Google's.
const RESERVED_PREFIX: &str = "goog";

/// Writes context into the attributes of a message that is about to be published.
///
/// ```
/// use std::collections::HashMap;
/// use otel_carriers::pubsub::MetadataInjector;
/// use opentelemetry::{Context, global};
///
/// let mut attributes = HashMap::new();
/// global::get_text_map_propagator(|propagator| {
///     propagator.inject_context(&Context::current(), &mut MetadataInjector::new(&mut attributes));
/// });
/// // Then: `Message::new().set_attributes(attributes)`.
/// ```
#[derive(Debug)]
pub struct MetadataInjector<'a, S> {
    attributes: &'a mut HashMap<String, String, S>,
    left_out: usize,
}

impl<'a, S> MetadataInjector<'a, S> {
    /// Writes into `attributes`, replacing what stands under the same key.
    ///
    /// Write the application's own attributes first: what it adds later may be the hundred and first.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use otel_carriers::pubsub::MetadataInjector;
    /// use opentelemetry::propagation::Injector;
    ///
    /// let mut attributes = HashMap::new();
    /// MetadataInjector::new(&mut attributes).set("baggage", "order.id=7".to_owned());
    /// assert_eq!(attributes["baggage"], "order.id=7");
    /// ```
    pub fn new(attributes: &'a mut HashMap<String, String, S>) -> Self {
        Self {
            attributes,
            left_out: 0,
        }
    }

    /// How many values are not in the message, or not whole, because there was no room, or because Pub/Sub would refuse
    /// them.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use otel_carriers::pubsub::{MAX_ATTRIBUTES, MetadataInjector};
    /// # use opentelemetry::propagation::Injector;
    /// let mut attributes: HashMap<_, _> =
    ///     (0..MAX_ATTRIBUTES).map(|n| (format!("own-{n}"), String::new())).collect();
    /// let mut injector = MetadataInjector::new(&mut attributes);
    /// injector.set("baggage", "order.id=7".to_owned());
    /// assert_eq!(injector.left_out(), 1);
    /// ```
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Baggage that is too long goes as far as whole members of it fit, the first ones first: a propagator that knows what
    /// matters writes that in front.
    fn shortened(&mut self, key: &str, value: String) -> String {
        if value.len() <= MAX_VALUE_BYTES || !key.eq_ignore_ascii_case(BAGGAGE) {
            return value;
        }
        self.left_out += 1;
        within(MAX_VALUE_BYTES, &value)
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

impl<S: BuildHasher> Injector for MetadataInjector<'_, S> {
    fn set(&mut self, key: &str, value: String) {
        attributes::remove(self.attributes, key);
        // A message that is passed on would show one trace to us, and its old one to Google's clients.
        if let Some(google) = google(key) {
            self.attributes.remove(google);
        }
        let value = self.shortened(key, value);
        if value.is_empty() {
            return;
        }
        if is_key(key) && value.len() <= MAX_VALUE_BYTES && self.has_room(key) {
            self.attributes.insert(key.to_owned(), value);
        } else {
            self.left_out += 1;
        }
    }
}

/// As many whole members of `list` as fit into `bytes`, those in front first.
fn within(bytes: usize, list: &str) -> String {
    let mut kept = String::new();
    for member in list.split(',') {
        let comma = usize::from(!kept.is_empty());
        if kept.len() + comma + member.len() <= bytes {
            kept.push_str(&","[..comma]);
            kept.push_str(member);
        }
    }
    kept
}

fn is_key(key: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&key.len()) && !key.starts_with(RESERVED_PREFIX)
}

/// The attribute in which Google's own clients, with tracing switched on, carry `key`.
fn google(key: &str) -> Option<&'static str> {
    if key.eq_ignore_ascii_case(TRACEPARENT) {
        Some("googclient_traceparent")
    } else if key.eq_ignore_ascii_case(TRACESTATE) {
        Some("googclient_tracestate")
    } else {
        None
    }
}

/// Reads context from the attributes of a message that was received.
///
/// ```
/// use std::collections::HashMap;
/// use otel_carriers::pubsub::MetadataExtractor;
/// use opentelemetry::{Context, global};
///
/// fn context_of(attributes: &HashMap<String, String>) -> Context {
///     // A new context: what the consumer does at the moment has nothing to do with this message.
///     global::get_text_map_propagator(|propagator| {
///         propagator.extract_with_context(&Context::new(), &MetadataExtractor::new(attributes))
///     })
/// }
/// ```
#[derive(Debug)]
pub struct MetadataExtractor<'a, S> {
    attributes: &'a HashMap<String, String, S>,
    /// Whether the trace context is the one that Google's clients wrote.
    is_google: bool,
}

impl<'a, S: BuildHasher> MetadataExtractor<'a, S> {
    /// Reads from `attributes`; where they hold no usable `traceparent`, what Google's clients write under
    /// `googclient_traceparent` and `googclient_tracestate` takes its place.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use otel_carriers::pubsub::MetadataExtractor;
    /// use opentelemetry::propagation::Extractor;
    ///
    /// let traceparent = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    /// let attributes = HashMap::from([("googclient_traceparent".to_owned(), traceparent.to_owned())]);
    /// assert_eq!(MetadataExtractor::new(&attributes).get("traceparent"), Some(traceparent));
    /// ```
    pub fn new(attributes: &'a HashMap<String, String, S>) -> Self {
        let is_usable =
            |name| attributes::find(attributes, name).is_some_and(|v| w3c::is_usable(v));
        Self {
            attributes,
            is_google: !is_usable(TRACEPARENT) && google(TRACEPARENT).is_some_and(is_usable),
        }
    }
}

impl<S: BuildHasher> Extractor for MetadataExtractor<'_, S> {
    fn get(&self, key: &str) -> Option<&str> {
        let google = google(key).filter(|_| self.is_google);
        attributes::find(self.attributes, google.unwrap_or(key)).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        let names = self.attributes.keys().map(String::as_str);
        names.chain(self.is_google.then_some(TRACEPARENT)).collect()
    }
}
