use std::collections::HashMap;
use std::sync::Mutex;

use clap::Parser;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use serde::Deserialize;
use telemetry::testing::{Recorder, attribute};

use super::*;
use crate::context::{StoredContext, extract};
use crate::error::Dependency;
use crate::settings::Relation;

const SENDER: &str = "00-b2611246a58fd7ea623d2264c5a1e226-b2c9b811f2f424af-01";

#[derive(Parser)]
struct Service {
    #[command(flatten)]
    messaging: Settings,
}

fn settings(relation: Relation) -> Settings {
    let defaults = Service::parse_from(["service", "--messaging-max-attempts", "3"]).messaging;
    Settings {
        messaging_trace_relation: relation,
        ..defaults
    }
}

#[derive(Deserialize)]
struct Event {
    id: String,
}

/// Answers as it was told, and remembers what was given up.
#[derive(Default)]
struct Scripted {
    answer: Mutex<Option<HandlerError>>,
    given_up: Mutex<Vec<String>>,
    patient: bool,
}

impl Handler for Scripted {
    type Event = Event;

    fn idempotency_key(&self, event: &Event) -> String {
        assert_ne!(event.id, "panic in the key", "as the test wants");
        event.id.clone()
    }

    async fn handle(&self, event: &Event, _: &Delivery) -> Result<(), HandlerError> {
        assert_ne!(event.id, "panic", "as the test wants");
        self.answer.lock().unwrap().take().map_or(Ok(()), Err)
    }

    fn gives_up(&self) -> bool {
        !self.patient
    }

    async fn dead_lettered(&self, event: &Event, _: &str) -> anyhow::Result<()> {
        assert_ne!(event.id, "panic at the end", "as the test wants");
        self.given_up.lock().unwrap().push(event.id.clone());
        Ok(())
    }
}

/// Keeps the reasons, or refuses to take a letter.
#[derive(Default)]
struct Letters {
    reasons: Mutex<Vec<String>>,
    full: bool,
}

impl DeadLetters for Letters {
    async fn give_up(&self, letter: DeadLetter<'_>) -> Result<(), SendError> {
        if self.full {
            return Err(SendError::Broker {
                destination: "dlq".to_owned(),
                reason: "full".to_owned(),
            });
        }
        self.reasons.lock().unwrap().push(letter.reason.to_owned());
        Ok(())
    }
}

fn processor(answer: Option<HandlerError>) -> Processor<Scripted, Letters> {
    Processor {
        source: Destination::new("kafka", "order.created", "localhost:9092"),
        settings: settings(Relation::Parent),
        handler: Arc::new(Scripted {
            answer: Mutex::new(answer),
            ..Scripted::default()
        }),
        dead_letters: Letters::default(),
    }
}

fn message(payload: &str, attempt: u32) -> Message<'_> {
    let carrier = HashMap::from([("traceparent".to_owned(), SENDER.to_owned())]);
    Message {
        creation: extract(&carrier),
        key: None,
        payload: payload.as_bytes(),
        delivery: Delivery {
            message_id: "m-1".to_owned(),
            attempt,
            queue_time: Some(Duration::from_millis(12)),
        },
        describe: &|_| (),
    }
}

const GOOD: &str = r#"{"id":"7"}"#;

#[tokio::test]
async fn the_process_span_is_child_of_and_linked_to_the_sender() {
    let recorder = Recorder::start();
    let outcome = processor(None).process(message(GOOD, 1)).await;
    assert_eq!(outcome, Outcome::Settle);
    let span = recorder.span("process order.created");
    assert_eq!(span.span_kind, SpanKind::Consumer);
    assert_eq!(span.parent_span_id.to_string(), "b2c9b811f2f424af");
    assert_eq!(span.links.len(), 1);
    assert_eq!(span.links[0].span_context.span_id(), span.parent_span_id);
    for (key, value) in [
        ("messaging.system", "kafka"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "order.created"),
        ("messaging.message.id", "m-1"),
        ("orderflow.messaging.attempt", "1"),
        ("orderflow.messaging.queue_time_ms", "12"),
        ("orderflow.messaging.idempotency_key", "7"),
    ] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
}

#[tokio::test]
async fn by_link_the_process_span_begins_a_trace() {
    let recorder = Recorder::start();
    let mut processor = processor(None);
    processor.settings = settings(Relation::Link);
    processor.process(message(GOOD, 1)).await;
    let span = recorder.span("process order.created");
    let sender = span.links[0].span_context.trace_id();
    assert_eq!(sender.to_string(), "b2611246a58fd7ea623d2264c5a1e226");
    assert_ne!(span.span_context.trace_id(), sender);
}

#[tokio::test]
async fn a_message_without_context_begins_a_trace() {
    let recorder = Recorder::start();
    let message = Message {
        creation: Context::new(),
        ..message(GOOD, 1)
    };
    processor(None).process(message).await;
    let span = recorder.span("process order.created");
    assert!(span.links.is_empty());
    assert_eq!(span.parent_span_id, opentelemetry::SpanId::INVALID);
}

#[tokio::test]
async fn retry_comes_again_after_a_growing_delay() {
    let recorder = Recorder::start();
    for (attempt, millis) in [(1, 200), (2, 400)] {
        let error = anyhow!("timed out").context(Dependency("inventory"));
        let outcome = processor(Some(HandlerError::Retry(error)))
            .process(message(GOOD, attempt))
            .await;
        assert_eq!(outcome, Outcome::Retry(Duration::from_millis(millis)));
    }
    let span = &recorder.spans()[1];
    assert_eq!(attribute(span, "error.type").as_deref(), Some("retry"));
    assert_eq!(
        attribute(span, "orderflow.messaging.failed_dependency").as_deref(),
        Some("inventory")
    );
    assert!(
        matches!(&span.status, Status::Error { description } if description.contains("timed out"))
    );
}

#[tokio::test]
async fn the_last_attempt_ends_in_the_dead_letters() {
    let processor = processor(Some(HandlerError::retry(anyhow!("still away"))));
    assert_eq!(processor.process(message(GOOD, 3)).await, Outcome::Settle);
    assert_eq!(
        *processor.dead_letters.reasons.lock().unwrap(),
        ["still away"]
    );
    assert_eq!(*processor.handler.given_up.lock().unwrap(), ["7"]);
}

#[tokio::test]
async fn a_patient_handler_is_never_given_up_for_what_may_pass() {
    let mut processor = processor(None);
    processor.handler = Arc::new(Scripted {
        answer: Mutex::new(Some(HandlerError::retry(anyhow!("still away")))),
        patient: true,
        ..Scripted::default()
    });
    let outcome = processor.process(message(GOOD, 50)).await;
    assert_eq!(outcome, Outcome::Retry(Duration::from_secs(30)));
    assert!(processor.dead_letters.reasons.lock().unwrap().is_empty());
}

#[tokio::test]
async fn reject_is_not_tried_again() {
    let processor = processor(Some(HandlerError::reject(anyhow!("no such order"))));
    assert_eq!(processor.process(message(GOOD, 1)).await, Outcome::Settle);
    assert_eq!(
        *processor.dead_letters.reasons.lock().unwrap(),
        ["no such order"]
    );
}

#[tokio::test]
async fn garbage_goes_to_the_dead_letters_without_the_handler() {
    for garbage in ["", "{", "[]", r#"{"id":7}"#, "\u{0}"] {
        let processor = processor(None);
        assert_eq!(
            processor.process(message(garbage, 1)).await,
            Outcome::Settle
        );
        assert_eq!(
            processor.dead_letters.reasons.lock().unwrap().len(),
            1,
            "{garbage:?}"
        );
        assert!(processor.handler.given_up.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_tried_again() {
    for (id, answer) in [
        ("panic", None),
        ("panic in the key", None),
        (
            "panic at the end",
            Some(HandlerError::reject(anyhow!("no"))),
        ),
    ] {
        let payload = format!(r#"{{"id":"{id}"}}"#);
        let outcome = processor(answer).process(message(&payload, 1)).await;
        assert_eq!(outcome, Outcome::Retry(Duration::from_millis(200)), "{id}");
    }
}

#[tokio::test]
async fn a_letter_that_cannot_be_sent_keeps_the_message() {
    let mut processor = processor(Some(HandlerError::reject(anyhow!("no such order"))));
    processor.dead_letters.full = true;
    assert_eq!(
        processor.process(message(GOOD, 1)).await,
        Outcome::Retry(Duration::from_millis(200))
    );
}

#[tokio::test]
async fn a_long_reason_is_cut_to_what_every_broker_takes() {
    let processor = processor(Some(HandlerError::reject(anyhow!("ä".repeat(5000)))));
    processor.process(message(GOOD, 1)).await;
    assert_eq!(
        processor.dead_letters.reasons.lock().unwrap()[0].len(),
        LONGEST_REASON
    );
}

#[tokio::test]
async fn a_stored_context_is_the_one_it_was_captured_in() {
    let recorder = Recorder::start();
    let request = tracing::info_span!("request");
    let stored = request.in_scope(|| StoredContext::capture([("order.id", "7".to_owned())]));
    drop(request);
    let restored = stored.restore();
    let request = recorder.span("request").span_context;
    assert_eq!(restored.span().span_context().span_id(), request.span_id());
    assert_eq!(
        restored.span().span_context().trace_id(),
        request.trace_id()
    );
    let span = crate::span::send(
        &Destination::new("kafka", "order.created", "localhost:9092"),
        restored,
    );
    drop(span);
    let sent = recorder.span("send order.created");
    assert_eq!(sent.parent_span_id, request.span_id());
    assert_eq!(attribute(&sent, "orderflow.order.id").as_deref(), Some("7"));
}
