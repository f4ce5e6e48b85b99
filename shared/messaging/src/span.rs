//! The messaging spans and attributes, all of them.
//!
//! <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>

use std::time::{Duration, SystemTime};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Link, Span as _, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value, global};
use opentelemetry_semantic_conventions::attribute::{
    ERROR_TYPE, MESSAGING_BATCH_MESSAGE_COUNT, MESSAGING_DESTINATION_NAME, MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION_NAME, MESSAGING_OPERATION_TYPE, MESSAGING_SYSTEM, SERVER_ADDRESS,
    SERVER_PORT,
};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::error::Dependency;
use crate::handler::Delivery;
use crate::settings::Relation;

/// How long the message waited in the broker, in milliseconds.
const QUEUE_TIME: &str = "orderflow.messaging.queue_time_ms";
/// Which delivery of the message this is; on SQS and Pub/Sub the broker's own count.
const ATTEMPT: &str = "orderflow.messaging.attempt";
/// What makes two deliveries the same.
const IDEMPOTENCY_KEY: &str = "orderflow.messaging.idempotency_key";
/// The dependency that made an attempt fail.
const FAILED_DEPENDENCY: &str = "orderflow.messaging.failed_dependency";

/// The most links that the SDK keeps on a span.
const MAX_LINKS: usize = 128;

/// A topic or queue, as spans describe it.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) system: &'static str,
    pub(crate) name: String,
    pub(crate) server_address: String,
    pub(crate) server_port: Option<u16>,
}

impl Destination {
    /// `server` is `host:port`.
    pub(crate) fn new(system: &'static str, name: &str, server: &str) -> Self {
        let (address, port) = match server.rsplit_once(':') {
            Some((address, port)) => (address, port.parse().ok()),
            None => (server, None),
        };
        Self {
            system,
            name: name.to_owned(),
            server_address: address.to_owned(),
            server_port: port,
        }
    }

    fn describe(&self, span: &Span) {
        span.set_attribute(MESSAGING_SYSTEM, self.system);
        span.set_attribute(MESSAGING_DESTINATION_NAME, self.name.clone());
        span.set_attribute(SERVER_ADDRESS, self.server_address.clone());
        if let Some(port) = self.server_port {
            span.set_attribute(SERVER_PORT, i64::from(port));
        }
    }
}

/// `send <destination>`, PRODUCER, child of `parent`.
pub(crate) fn send(destination: &Destination, parent: Context) -> Span {
    let span =
        info_span!(parent: None, "send", otel.name = tracing::field::Empty, otel.kind = "producer");
    adopt(&span, parent);
    name(&span, "send", "send", destination);
    span
}

/// `process <destination>`, CONSUMER, related to the span that sent the message.
pub(crate) fn process(
    destination: &Destination,
    creation: &Context,
    relation: Relation,
    delivery: &Delivery,
) -> Span {
    let span = info_span!(parent: None, "process", otel.name = tracing::field::Empty, otel.kind = "consumer");
    let sender = creation.span().span_context().clone();
    match relation {
        Relation::Parent => adopt(&span, creation.clone()),
        Relation::Link => adopt(&span, only_baggage(creation)),
    }
    if sender.is_valid() {
        span.add_link(sender);
    }
    name(&span, "process", "process", destination);
    span.set_attribute(MESSAGING_MESSAGE_ID, delivery.message_id.clone());
    span.set_attribute(ATTEMPT, i64::from(delivery.attempt));
    if let Some(waited) = delivery.queue_time {
        span.set_attribute(QUEUE_TIME, waited.as_secs_f64() * 1000.0);
    }
    span
}

/// `receive <destination>`, CLIENT: only for batches, with a link to each message's sender.
///
/// It is a root of its own, since the messages belong to different traces,
/// and is made after the fact, since an empty receive is not worth a span.
pub(crate) fn receive(destination: &Destination, started: SystemTime, senders: &[Context]) {
    let links = senders
        .iter()
        .map(|context| context.span().span_context().clone())
        .filter(opentelemetry::trace::SpanContext::is_valid)
        .take(MAX_LINKS)
        .map(Link::with_context)
        .collect();
    let mut attributes = vec![
        KeyValue::new(MESSAGING_SYSTEM, destination.system),
        KeyValue::new(MESSAGING_OPERATION_NAME, "receive"),
        KeyValue::new(MESSAGING_OPERATION_TYPE, "receive"),
        KeyValue::new(MESSAGING_DESTINATION_NAME, destination.name.clone()),
        KeyValue::new(SERVER_ADDRESS, destination.server_address.clone()),
        KeyValue::new(
            MESSAGING_BATCH_MESSAGE_COUNT,
            i64::try_from(senders.len()).unwrap_or(i64::MAX),
        ),
    ];
    attributes.extend(
        destination
            .server_port
            .map(|port| KeyValue::new(SERVER_PORT, i64::from(port))),
    );
    let tracer = global::tracer("messaging");
    tracer
        .span_builder(format!("receive {}", destination.name))
        .with_kind(SpanKind::Client)
        .with_start_time(started)
        .with_attributes(attributes)
        .with_links(links)
        .start_with_context(&tracer, &Context::new())
        .end();
}

fn name(span: &Span, operation: &'static str, kind: &'static str, destination: &Destination) {
    span.record("otel.name", format!("{operation} {}", destination.name));
    span.set_attribute(MESSAGING_OPERATION_NAME, operation);
    span.set_attribute(MESSAGING_OPERATION_TYPE, kind);
    destination.describe(span);
}

/// Tracing never fails a message: a span that cannot get its parent begins a trace of its own.
fn adopt(span: &Span, parent: Context) {
    if let Err(error) = span.set_parent(parent) {
        tracing::debug!(%error, "a span was begun without its parent");
    }
}

fn only_baggage(context: &Context) -> Context {
    let baggage = context
        .baggage()
        .iter()
        .map(|(key, (value, _))| KeyValue::new(key.clone(), value.clone()));
    Context::new().with_baggage(baggage.collect::<Vec<_>>())
}

/// What makes two deliveries the same message.
pub(crate) fn set_idempotency_key(span: &Span, key: String) {
    span.set_attribute(IDEMPOTENCY_KEY, key);
}

/// Links `span` to the span `to`, which is in the same process.
pub(crate) fn link(span: &Span, to: &Span) {
    span.add_link(to.context().span().span_context().clone());
}

/// The attempt failed: `class` is one of a few words, `error` says why.
pub(crate) fn fail(span: &Span, class: &'static str, error: &anyhow::Error) {
    span.set_attribute(ERROR_TYPE, class);
    span.set_status(Status::error(format!("{error:#}")));
    if let Some(Dependency(name)) = error.downcast_ref::<Dependency>() {
        span.set_attribute(FAILED_DEPENDENCY, *name);
    }
}

/// The broker did not take the message: `class` is its code for why.
pub(crate) fn refused(span: &Span, class: String, error: &impl ToString) {
    span.set_attribute(ERROR_TYPE, class);
    span.set_status(Status::error(error.to_string()));
}

/// How long ago `sent` was; zero if the broker's clock is ahead of ours.
pub(crate) fn queue_time(sent: SystemTime) -> Duration {
    sent.elapsed().unwrap_or_default()
}

/// Sets an attribute that only one broker has.
pub(crate) fn set(span: &Span, key: &'static str, value: impl Into<Value>) {
    span.set_attribute(key, value);
}
