//! The messaging spans and attributes, all of them.
//!
//! <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Link, Span as _, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value, global};
use opentelemetry_semantic_conventions::attribute::{
    AWS_SQS_QUEUE_URL, ERROR_TYPE, MESSAGING_BATCH_MESSAGE_COUNT, MESSAGING_CONSUMER_GROUP_NAME,
    MESSAGING_DESTINATION_NAME, MESSAGING_DESTINATION_PARTITION_ID,
    MESSAGING_DESTINATION_SUBSCRIPTION_NAME, MESSAGING_GCP_PUBSUB_MESSAGE_ORDERING_KEY,
    MESSAGING_KAFKA_MESSAGE_KEY, MESSAGING_KAFKA_OFFSET, MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION_NAME, MESSAGING_OPERATION_TYPE, MESSAGING_SYSTEM, SERVER_ADDRESS,
    SERVER_PORT,
};
use otel_carriers::w3c::only_baggage;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::delivery::{Delivery, Origin};
use crate::destination::Destination;
use crate::error::{Dependency, HandlerError, SendError};
use crate::settings::Relation;

/// How long the message waited in the broker, in milliseconds.
const QUEUE_TIME: &str = "orderflow.messaging.queue_time_ms";
/// Which delivery of the message this is; on SQS and Pub/Sub the broker's own count.
const ATTEMPT: &str = "orderflow.messaging.attempt";
/// What makes two deliveries the same.
const IDEMPOTENCY_KEY: &str = "orderflow.messaging.idempotency_key";
/// Whose clock the queue time of a Kafka record begins by: `LogAppendTime` is the broker's, `CreateTime` the producer's.
const TIMESTAMP_TYPE: &str = "orderflow.messaging.kafka.timestamp_type";
/// The dependency that made an attempt fail.
const FAILED_DEPENDENCY: &str = "orderflow.messaging.failed_dependency";

/// The most links that the SDK keeps on a span.
const MAX_LINKS: usize = 128;

/// `send <destination>`, PRODUCER, child of `parent`.
pub(crate) fn send(destination: &Destination, parent: Context) -> Span {
    produce("send", destination, parent)
}

/// `send <destination>`, PRODUCER, a root with a link to what sent the dead letter: the message is sent once more.
pub(crate) fn redrive(destination: &Destination, letter: &Context) -> Span {
    let span = send(destination, only_baggage(letter));
    link_to(&span, letter);
    span
}

/// `create <destination>`, PRODUCER, child of `parent`: one for each message of a batch, so that each has a context.
pub(crate) fn create(destination: &Destination, parent: Context) -> Span {
    produce("create", destination, parent)
}

fn produce(operation: &'static str, destination: &Destination, parent: Context) -> Span {
    let span =
        info_span!(parent: None, "send", otel.name = tracing::field::Empty, otel.kind = "producer");
    if span.is_disabled() {
        return span;
    }
    adopt(&span, parent);
    name(&span, operation, operation, destination);
    span
}

/// `send <destination>`, CLIENT: hands a batch to the broker, linked to the `create` span of each message.
pub(crate) fn send_batch(destination: &Destination, created: &[Span]) -> Span {
    let span = info_span!(
        "send",
        otel.name = tracing::field::Empty,
        otel.kind = "client"
    );
    for create in created.iter().take(MAX_LINKS) {
        link(&span, create);
    }
    name(&span, "send", "send", destination);
    let count = i64::try_from(created.len()).unwrap_or(i64::MAX);
    span.set_attribute(MESSAGING_BATCH_MESSAGE_COUNT, count);
    span
}

/// `process <destination>`, CONSUMER, related to the span that sent the message.
pub(crate) fn process(delivery: &Delivery, relation: Relation) -> Span {
    let span = info_span!(parent: None, "process", otel.name = tracing::field::Empty, otel.kind = "consumer");
    // Nobody listens: nothing is described for nobody.
    if span.is_disabled() {
        return span;
    }
    let creation = delivery.context();
    match relation {
        Relation::Parent => adopt(&span, creation.clone()),
        Relation::Link => adopt(&span, only_baggage(creation)),
    }
    link_to(&span, creation);
    name(&span, "process", "process", delivery.source());
    span.set_attribute(MESSAGING_MESSAGE_ID, delivery.message_id().to_owned());
    span.set_attribute(ATTEMPT, i64::from(delivery.attempt()));
    if let Some(waited) = delivery.queue_time() {
        span.set_attribute(QUEUE_TIME, waited.as_secs_f64() * 1000.0);
    }
    describe_origin(&span, delivery);
    span
}

/// `process <destination>`, CONSUMER, for several messages at once: a root of its own, linked to what sent each.
pub(crate) fn process_batch(batch: &[Delivery]) -> Span {
    let span = info_span!(parent: None, "process", otel.name = tracing::field::Empty, otel.kind = "consumer");
    adopt(&span, Context::new());
    for delivery in batch.iter().take(MAX_LINKS) {
        link_to(&span, delivery.context());
    }
    if let Some(first) = batch.first() {
        name(&span, "process", "process", first.source());
    }
    let count = i64::try_from(batch.len()).unwrap_or(i64::MAX);
    span.set_attribute(MESSAGING_BATCH_MESSAGE_COUNT, count);
    span
}

/// Links `span` to the span of `context`, if there is one.
pub(crate) fn link_to(span: &Span, context: &Context) {
    let sender = context.span().span_context().clone();
    if sender.is_valid() {
        span.add_link(sender);
    }
}

/// Where a message goes to, or comes from.
fn describe(span: &Span, destination: &Destination) {
    span.set_attribute(MESSAGING_SYSTEM, destination.system);
    span.set_attribute(MESSAGING_DESTINATION_NAME, destination.name.clone());
    span.set_attribute(SERVER_ADDRESS, destination.server_address.clone());
    if let Some(port) = destination.server_port {
        span.set_attribute(SERVER_PORT, i64::from(port));
    }
}

/// What only one broker tells.
fn describe_origin(span: &Span, delivery: &Delivery) {
    let key = delivery.key().and_then(|key| std::str::from_utf8(key).ok());
    match delivery.origin() {
        Origin::Kafka {
            group,
            partition,
            offset,
            log_append_time,
        } => {
            set(span, MESSAGING_CONSUMER_GROUP_NAME, group.to_string());
            set(
                span,
                MESSAGING_DESTINATION_PARTITION_ID,
                partition.to_string(),
            );
            set(span, MESSAGING_KAFKA_OFFSET, *offset);
            set(span, TIMESTAMP_TYPE, timestamp_type(*log_append_time));
            if let Some(key) = key {
                set(span, MESSAGING_KAFKA_MESSAGE_KEY, key.to_owned());
            }
        }
        Origin::Sqs { queue_url, .. } => set(span, AWS_SQS_QUEUE_URL, queue_url.to_string()),
        Origin::PubSub { subscription } => {
            set(
                span,
                MESSAGING_DESTINATION_SUBSCRIPTION_NAME,
                subscription.to_string(),
            );
            if let Some(key) = key {
                set(
                    span,
                    MESSAGING_GCP_PUBSUB_MESSAGE_ORDERING_KEY,
                    key.to_owned(),
                );
            }
        }
    }
}

fn timestamp_type(log_append_time: bool) -> &'static str {
    if log_append_time {
        "LogAppendTime"
    } else {
        "CreateTime"
    }
}

/// `receive <destination>`, CLIENT: only for batches, with a link to each message's sender.
///
/// It is a root of its own, since the messages belong to different traces,
/// and is made after the fact, since an empty receive is not worth a span.
/// `asked` is when the client began to wait; the span begins when there was something to receive.
pub(crate) fn receive<'a>(
    asked: SystemTime,
    batch: impl ExactSizeIterator<Item = &'a Delivery> + Clone,
) {
    let (count, Some(first)) = (batch.len(), batch.clone().next()) else {
        return;
    };
    if count < 2 {
        return;
    }
    let destination = first.source();
    let newest = batch.clone().filter_map(Delivery::sent_at).max();
    let started = newest.map_or(asked, |sent| sent.min(first.received_at()).max(asked));
    let links = batch
        .map(|delivery| delivery.context().span().span_context().clone())
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
            i64::try_from(count).unwrap_or(i64::MAX),
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
    describe(span, destination);
}

/// Tracing never fails a message: a span that cannot get its parent begins a trace of its own.
fn adopt(span: &Span, parent: Context) {
    if let Err(error) = span.set_parent(parent) {
        tracing::debug!(%error, "a span was begun without its parent");
    }
}

/// The context of `span`; where nothing makes a span of it, `otherwise`: what came in goes out, whatever is recorded here.
pub(crate) fn context(span: &Span, otherwise: &Context) -> Context {
    let context = span.context();
    if context.span().span_context().is_valid() {
        return context;
    }
    otherwise.clone()
}

/// What makes two deliveries the same message.
pub(crate) fn set_idempotency_key(span: &Span, key: String) {
    span.set_attribute(IDEMPOTENCY_KEY, key);
}

/// Links `span` to the span `to`, which is in the same process.
pub(crate) fn link(span: &Span, to: &Span) {
    span.add_link(to.context().span().span_context().clone());
}

/// The attempt failed.
pub(crate) fn fail(span: &Span, error: &HandlerError) {
    span.set_attribute(ERROR_TYPE, error.error_type().into_owned());
    span.set_status(Status::error(format!("{error:#}")));
    if let Some(Dependency(name)) = error.cause().downcast_ref::<Dependency>() {
        span.set_attribute(FAILED_DEPENDENCY, *name);
    }
}

/// Nobody waits for the attempt any more: it neither succeeded nor failed, and will be made again.
pub(crate) fn abort(span: &Span) {
    span.set_attribute(ERROR_TYPE, "aborted");
    span.set_status(Status::error(
        "given up unfinished, the message comes again",
    ));
}

/// The broker did not take the message.
pub(crate) fn refused(span: &Span, error: &SendError) {
    span.set_attribute(ERROR_TYPE, error.error_type().to_owned());
    span.set_status(Status::error(error.to_string()));
}

/// How long `sent` is before `received`; zero if the broker's clock is ahead of ours.
pub(crate) fn queue_time(sent: SystemTime, received: SystemTime) -> Duration {
    received.duration_since(sent).unwrap_or_default()
}

/// Sets an attribute that only one broker has.
pub(crate) fn set(span: &Span, key: &'static str, value: impl Into<Value>) {
    span.set_attribute(key, value);
}
