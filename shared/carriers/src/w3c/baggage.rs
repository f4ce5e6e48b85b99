//! <https://www.w3.org/TR/baggage/#header-content>

use std::sync::{Arc, LazyLock};

use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata, KeyValueMetadata};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::{Context, Key, StringValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

pub(crate) const BAGGAGE: &str = "baggage";

/// What every reader must take, of all headers together.
const MAX_MEMBERS: usize = 64;
const MAX_BYTES: usize = 8192;

/// What a value may not hold as it is, and `=`, at which many readers cut.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b',')
    .add(b';')
    .add(b'\\')
    .add(b'%')
    .add(b'=');

const OWS: [char; 2] = [' ', '\t'];

static NAMES: LazyLock<[String; 1]> = LazyLock::new(|| [BAGGAGE.to_owned()]);

/// The members that came with a message, in their order, which the API's [`Baggage`] does not keep.
#[derive(Debug, Clone)]
struct Received(Vec<(Key, StringValue)>);

/// Carries baggage as W3C Baggage says.
///
/// - **Read**: all headers of that name are one list. A member that the specification does not allow is passed over, and
///   the others stay; of two with the same key the last counts. Values are decoded once; properties are the member's
///   metadata, as they are written.
/// - **Write**: what was set or changed since the baggage was read goes first, by name, then what was read, in its order;
///   what is more than 64 members or 8192 bytes is left out, whole members only. So what matters to the one who set it is
///   not pushed out by what came from far away, and keeps its place in front at each further hop.
///
/// The API's `Baggage` is limited in the same way and refuses what is set when it is full: [`add_baggage`] makes room.
///
/// ```
/// use std::collections::HashMap;
/// use opentelemetry::Context;
/// use opentelemetry::propagation::TextMapPropagator;
/// use otel_carriers::w3c::BaggagePropagator;
///
/// let w3c = BaggagePropagator::new();
/// let received = HashMap::from([("baggage".to_owned(), "rate = 5%25;kind=vat , broken".to_owned())]);
/// let context = w3c.extract_with_context(&Context::new(), &received);
/// let mut sent = HashMap::new();
/// w3c.inject_context(&context, &mut sent);
/// assert_eq!(sent["baggage"], "rate=5%25;kind=vat");
/// ```
#[derive(Debug, Clone, Default)]
pub struct BaggagePropagator {
    _private: (),
}

impl BaggagePropagator {
    /// There is nothing to be set.
    ///
    /// ```
    /// # use otel_carriers::w3c::BaggagePropagator;
    /// opentelemetry::global::set_text_map_propagator(BaggagePropagator::new());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }
}

impl TextMapPropagator for BaggagePropagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let header = header(context);
        if !header.is_empty() {
            injector.set(BAGGAGE, header);
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let lists = extractor.get_all(BAGGAGE).unwrap_or_default();
        let (baggage, received) = parse(&lists);
        if baggage.is_empty() {
            return context.clone();
        }
        context.with_baggage(baggage).with_value(received)
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*NAMES)
    }
}

/// `context` with more baggage, which has room however much there is already: what came with a message makes way, the
/// last of it first.
///
/// ```
/// use opentelemetry::baggage::BaggageExt;
/// use opentelemetry::{Context, KeyValue};
/// use otel_carriers::w3c::add_baggage;
///
/// let theirs = (0..64).map(|n| KeyValue::new(format!("their-{n}"), "x"));
/// let context = Context::new().with_baggage(theirs.collect::<Vec<_>>());
/// let context = add_baggage(&context, [KeyValue::new("order.id", "7")]);
/// assert_eq!(context.baggage().get("order.id").unwrap().as_str(), "7");
/// ```
pub fn add_baggage(
    context: &Context,
    added: impl IntoIterator<Item = impl Into<KeyValueMetadata>>,
) -> Context {
    let mut baggage: Baggage = added.into_iter().map(Into::into).collect();
    let is_added = |key: &Key, baggage: &Baggage| baggage.get(key).is_some();
    let received = context.get::<Received>().map(|Received(received)| {
        let others = received.iter().filter(|(key, _)| !is_added(key, &baggage));
        Received(others.cloned().collect())
    });
    for (key, (value, metadata)) in ordered(context) {
        if !is_added(key, &baggage) {
            baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
    let context = context.with_baggage(baggage);
    match received {
        Some(received) => context.with_value(received),
        None => context,
    }
}

/// The baggage of `context`, its order included, and nothing else: for what begins a trace of its own.
///
/// ```
/// use std::collections::HashMap;
/// use opentelemetry::{Context, trace::TraceContextExt};
/// use opentelemetry::propagation::TextMapPropagator;
/// use otel_carriers::w3c::{only_baggage, propagator};
///
/// let came = HashMap::from([
///     ("traceparent".to_owned(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
///     ("baggage".to_owned(), "tier=vip,order.id=7;p=1".to_owned()),
/// ]);
/// let context = only_baggage(&propagator().extract_with_context(&Context::new(), &came));
/// assert!(!context.has_active_span());
/// let mut goes = HashMap::new();
/// propagator().inject_context(&context, &mut goes);
/// assert_eq!(goes["baggage"], came["baggage"]);
/// ```
pub fn only_baggage(context: &Context) -> Context {
    let mut baggage = Baggage::new();
    for (key, (value, metadata)) in ordered(context) {
        baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
    }
    let alone = Context::new().with_baggage(baggage);
    match context.get::<Received>() {
        Some(received) => alone.with_value(received.clone()),
        None => alone,
    }
}

fn parse(lists: &[&str]) -> (Baggage, Received) {
    let (mut baggage, mut received, mut bytes) = (Baggage::new(), Vec::new(), 0);
    for text in lists.iter().flat_map(|list| list.split(',')) {
        let text = text.trim_matches(OWS);
        if bytes + text.len() > MAX_BYTES {
            continue;
        }
        let Some((key, value, metadata)) = member(text) else {
            continue;
        };
        let before = baggage.len();
        baggage.insert_with_metadata(key.clone(), value.clone(), metadata);
        if baggage.len() > before {
            received.push((key, value));
        } else if let Some(known) = received.iter_mut().find(|(other, _)| *other == key) {
            known.1 = value;
        }
        bytes += text.len() + ",".len();
    }
    (baggage, Received(received))
}

/// A member of a list, if it is as the specification says.
fn member(text: &str) -> Option<(Key, StringValue, BaggageMetadata)> {
    let (key, rest) = text.split_once('=')?;
    let mut parts = rest.split(';');
    let (key, value) = (key.trim_matches(OWS), parts.next()?.trim_matches(OWS));
    if !is_token(key) || !value.bytes().all(is_octet) {
        return None;
    }
    let value = percent_decode_str(value).decode_utf8_lossy();
    let properties: Vec<_> = parts.filter_map(property).collect();
    // Shared, so that remembering the order copies nothing.
    let (key, value) = (Arc::<str>::from(key), Arc::<str>::from(value));
    Some((key.into(), value.into(), properties.join(";").into()))
}

/// A property as it is written, but for white space: it is nobody's to decode but that of those who know its meaning.
fn property(text: &str) -> Option<String> {
    let text = text.trim_matches(OWS);
    let Some((key, value)) = text.split_once('=') else {
        return is_token(text).then(|| text.to_owned());
    };
    let (key, value) = (key.trim_matches(OWS), value.trim_matches(OWS));
    (is_token(key) && value.bytes().all(is_octet)).then(|| format!("{key}={value}"))
}

/// <https://www.rfc-editor.org/rfc/rfc7230#section-3.2.6>
fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_tchar)
}

fn is_octet(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\')
}

/// The baggage of `context` as it is sent, without the members for which there is no room.
fn header(context: &Context) -> String {
    let (mut header, mut members) = (String::new(), 0);
    for (key, (value, metadata)) in ordered(context) {
        let before = header.len();
        if before > 0 {
            header.push(',');
        }
        header.push_str(key.as_str());
        header.push('=');
        header.extend(utf8_percent_encode(value.as_str(), ESCAPED));
        for property in metadata.as_str().split(';').filter_map(property) {
            header.push(';');
            header.push_str(&property);
        }
        if header.len() > MAX_BYTES || members == MAX_MEMBERS {
            header.truncate(before);
        } else {
            members += 1;
        }
    }
    header
}

/// What was set here, by name, and then what was received and is still the same, in its order.
fn ordered(context: &Context) -> Vec<(&Key, &(StringValue, BaggageMetadata))> {
    let received = context.get::<Received>().map_or(&[][..], |all| &all.0);
    let place = |key: &Key, value: &StringValue| {
        let mut received = received.iter();
        received.position(|(other, was)| other == key && was == value)
    };
    let mut members: Vec<_> = context
        .baggage()
        .iter()
        .map(|(key, value)| (place(key, &value.0), key, value))
        .collect();
    members.sort_unstable_by(|left, right| (left.0, left.1).cmp(&(right.0, right.1)));
    let members = members.into_iter().map(|(_, key, value)| (key, value));
    members.collect()
}
