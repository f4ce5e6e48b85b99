//! What stands in front of SQS: a publisher's trace goes on in our consumer, whatever is between them.

use opentelemetry::trace::SpanKind;
use otel_messaging::sqs::{Client, Unwrapped};
use otel_messaging::{Bytes, Delivery, Handler, HandlerError, Json, stack};
use telemetry::testing::{Recorder, attribute};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use crate::broker::{Event, settings, unique};
use crate::python::Server;
use crate::sqs::{create, sdk};

/// The ways that the publisher knows, and the names of their tests.
pub(crate) const WAYS: [(&str, &str); 3] = [
    (
        "sns",
        "what_sns_delivers_in_an_envelope_is_processed_in_the_trace_of_its_publisher",
    ),
    (
        "sns-raw",
        "what_sns_delivers_raw_is_processed_in_the_trace_of_its_publisher",
    ),
    (
        "eventbridge",
        "what_eventbridge_delivers_is_processed_in_the_trace_of_its_publisher",
    ),
];

/// Passes on what it gets.
struct Received(mpsc::UnboundedSender<(Event, Bytes)>);

impl Handler for Received {
    type Event = Event;

    async fn handle(&self, event: Event, delivery: &Delivery) -> Result<(), HandlerError> {
        let payload = delivery.payload().cloned().unwrap_or_default();
        self.0.send((event, payload)).map_err(HandlerError::retry)
    }
}

pub(crate) async fn is_processed_in_its_trace(moto: &Server, way: &str) {
    let recorder = Recorder::start();
    let queue = unique(way);
    let sdk = sdk(&moto.endpoint).await;
    create(&sdk, &queue, None).await;
    let consumer = Client::new(sdk)
        .consumer(&queue, &settings())
        .await
        .unwrap();
    let (received, mut events) = mpsc::unbounded_channel();
    let handler = stack::handle(Received(received)).with_codec(Unwrapped(Json));
    let publish = async {
        let shutdown = CancellationToken::new();
        let consuming = tokio::task::spawn_local(consumer.run(handler, shutdown.clone()));
        let published = moto.publish(way, &queue).await;
        let (event, payload) = events.recv().await.expect("the consumer runs");
        shutdown.cancel();
        consuming.await.unwrap().unwrap();
        assert_eq!(event, Event::new("order-7"));
        // A payload is the body as it came, so that whoever wants the envelope has it.
        let is_wrapped = payload.len() > r#"{"id": "order-7"}"#.len();
        assert_eq!(is_wrapped, way != "sns-raw");
        published
    };
    let (trace_id, span_id) = LocalSet::new().run_until(publish).await;
    let process = recorder.span(&format!("process {queue}"));
    assert_eq!(process.span_kind, SpanKind::Consumer);
    assert_eq!(process.span_context.trace_id().to_string(), trace_id);
    assert_eq!(process.parent_span_id.to_string(), span_id);
    assert_eq!(process.links[0].span_context.span_id().to_string(), span_id);
    let order = attribute(&process, "orderflow.order.id");
    assert_eq!(order.as_deref(), Some("order-7"));
}
