mod passing;

use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use futures::future::BoxFuture;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use serde::Deserialize;
use telemetry::testing::{Recorder, attribute};
use tower::{ServiceBuilder, ServiceExt};

use super::*;
use crate::context::StoredContext;
use crate::dead_letter::{DeadLetters, Letter};
use crate::error::{Dependency, ErrorType, SendError};
use crate::handler::Handler;
use crate::headers::Headers;
use crate::settings::Relation;
use crate::testing::{delivery, destination};

const GOOD: &str = r#"{"id":"7"}"#;

#[derive(Deserialize)]
struct Event {
    id: String,
}

/// Answers as it was told, and remembers what was given up.
#[derive(Default)]
struct Scripted {
    answer: Mutex<Option<HandlerError>>,
    given_up: Arc<Mutex<Vec<String>>>,
}

impl Handler for Scripted {
    type Event = Event;

    fn idempotency_key(&self, event: &Event) -> Option<String> {
        assert_ne!(event.id, "panic in the key", "as the test wants");
        Some(event.id.clone())
    }

    async fn handle(&self, event: Event, _: &Delivery) -> Result<(), HandlerError> {
        assert_ne!(event.id, "panic", "as the test wants");
        self.answer.lock().unwrap().take().map_or(Ok(()), Err)
    }

    async fn before_dead_letter(&self, event: Event, _: &HandlerError) -> Result<(), HandlerError> {
        self.given_up.lock().unwrap().push(event.id);
        Ok(())
    }
}

/// Keeps the headers of the letters, or refuses to take any.
#[derive(Clone, Default)]
struct Letters {
    headers: Arc<Mutex<Vec<Headers>>>,
    full: bool,
}

impl DeadLetters for Letters {
    fn send<'a>(&'a self, letter: Letter<'a>) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            if self.full {
                return Err(SendError::unavailable("dlq", "full", "full"));
            }
            self.headers.lock().unwrap().push(letter.headers());
            Ok(())
        })
    }
}

impl Letters {
    fn reasons(&self) -> Vec<String> {
        let letters = self.headers.lock().unwrap();
        let reasons = letters
            .iter()
            .map(|headers| headers.text("dead-letter-reason"));
        reasons.map(|reason| reason.unwrap().to_owned()).collect()
    }
}

/// What a stack of three attempts says about one message.
async fn outcome(handler: Scripted, letters: &Letters, message: Delivery) -> Outcome {
    let handler = handle(handler);
    let layer = DeadLetterLayer::new(Arc::new(letters.clone()), 3);
    let stack = ServiceBuilder::new()
        .layer(TraceLayer::default())
        .layer(layer.before(Arc::new(handler.clone())))
        .layer(CatchPanicLayer)
        .service(handler);
    let mut outcomes = stack.oneshot(vec![message]).await.unwrap();
    outcomes.remove(0)
}

fn answers(error: HandlerError) -> Scripted {
    Scripted {
        answer: Mutex::new(Some(error)),
        ..Scripted::default()
    }
}

#[tokio::test]
async fn the_process_span_is_child_of_and_linked_to_the_sender() {
    let recorder = Recorder::start();
    let processed = outcome(Scripted::default(), &Letters::default(), delivery(GOOD, 1)).await;
    assert!(matches!(processed, Outcome::Processed));
    let span = recorder.span("process order.created");
    assert_eq!(span.span_kind, SpanKind::Consumer);
    assert_eq!(span.parent_span_id.to_string(), "b2c9b811f2f424af");
    assert_eq!(span.links.len(), 1);
    assert_eq!(span.links[0].span_context.span_id(), span.parent_span_id);
    assert_eq!(span.status, Status::Unset);
    for (key, value) in [
        ("messaging.system", "kafka"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "order.created"),
        ("messaging.message.id", "order.created/0/7"),
        ("messaging.consumer.group.name", "classifier"),
        ("messaging.kafka.offset", "7"),
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
    let stack = ServiceBuilder::new()
        .layer(TraceLayer::new(Relation::Link))
        .service(handle(Scripted::default()));
    stack.oneshot(vec![delivery(GOOD, 1)]).await.unwrap();
    let span = recorder.span("process order.created");
    let sender = span.links[0].span_context.trace_id();
    assert_eq!(sender.to_string(), "b2611246a58fd7ea623d2264c5a1e226");
    assert_ne!(span.span_context.trace_id(), sender);
}

#[tokio::test]
async fn a_failed_attempt_says_what_failed() {
    let recorder = Recorder::start();
    let error = anyhow!("no room").context(ErrorType("out_of_stock"));
    let error = HandlerError::Retry(error.context(Dependency("inventory")));
    let failed = outcome(answers(error), &Letters::default(), delivery(GOOD, 1)).await;
    assert!(matches!(failed, Outcome::Failed(HandlerError::Retry(_))));
    let span = recorder.span("process order.created");
    let dependency = attribute(&span, "orderflow.messaging.failed_dependency");
    assert_eq!(dependency.as_deref(), Some("inventory"));
    let class = attribute(&span, "error.type");
    assert_eq!(class.as_deref(), Some("out_of_stock"));
    assert!(
        matches!(&span.status, Status::Error { description } if description.contains("no room"))
    );
}

#[tokio::test]
async fn the_last_attempt_ends_in_the_dead_letters() {
    let (handler, letters) = (
        answers(HandlerError::retry(anyhow!("still away"))),
        Letters::default(),
    );
    let given_up = handler.given_up.clone();
    let outcome = outcome(handler, &letters, delivery(GOOD, 3)).await;
    assert!(matches!(outcome, Outcome::DeadLettered(_)));
    assert_eq!(letters.reasons(), ["still away"]);
    assert_eq!(*given_up.lock().unwrap(), ["7"]);
}

#[tokio::test]
async fn what_is_unavailable_is_never_given_up() {
    let letters = Letters::default();
    let away = answers(HandlerError::unavailable(anyhow!("away")));
    let outcome = outcome(away, &letters, delivery(GOOD, 50)).await;
    assert!(matches!(
        outcome,
        Outcome::Failed(HandlerError::Unavailable(_))
    ));
    assert!(letters.reasons().is_empty());
}

#[tokio::test]
async fn garbage_goes_to_the_dead_letters_without_the_handler() {
    for garbage in ["", "{", "[]", r#"{"id":7}"#, "\u{0}"] {
        let (handler, letters) = (Scripted::default(), Letters::default());
        let given_up = handler.given_up.clone();
        outcome(handler, &letters, delivery(garbage, 1)).await;
        assert_eq!(letters.reasons().len(), 1, "{garbage:?}");
        assert!(given_up.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_tried_again() {
    for id in ["panic", "panic in the key"] {
        let payload = format!(r#"{{"id":"{id}"}}"#);
        let letters = Letters::default();
        let outcome = outcome(Scripted::default(), &letters, delivery(&payload, 1)).await;
        let Outcome::Failed(error @ HandlerError::Retry(_)) = outcome else {
            panic!("{id}: {outcome:?}");
        };
        assert_eq!(error.error_type(), "panic");
    }
}

#[tokio::test]
async fn a_letter_that_cannot_be_sent_keeps_the_message() {
    let full = Letters {
        full: true,
        ..Letters::default()
    };
    let rejects = answers(HandlerError::reject(anyhow!("no such order")));
    let outcome = outcome(rejects, &full, delivery(GOOD, 1)).await;
    assert!(matches!(
        outcome,
        Outcome::Failed(HandlerError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_letter_keeps_the_headers_and_says_where_it_comes_from() {
    let letters = Letters::default();
    let rejects = answers(HandlerError::reject(anyhow!("ä".repeat(5000))));
    outcome(rejects, &letters, delivery(GOOD, 2)).await;
    let headers = letters.headers.lock().unwrap()[0].clone();
    for (name, value) in [
        ("tenant", "acme"),
        ("dead-letter-topic", "order.created"),
        ("dead-letter-partition", "0"),
        ("dead-letter-offset", "7"),
        ("dead-letter-consumer-group", "classifier"),
        ("dead-letter-attempts", "2"),
        ("dead-letter-error-type", "_OTHER"),
    ] {
        assert_eq!(headers.text(name), Some(value), "{name}");
    }
    let reason = headers.text("dead-letter-reason").unwrap();
    assert_eq!(reason.len(), 1024, "every broker takes it");
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
    drop(crate::span::send(&destination("order.created"), restored));
    let sent = recorder.span("send order.created");
    assert_eq!(sent.parent_span_id, request.span_id());
    assert_eq!(attribute(&sent, "orderflow.order.id").as_deref(), Some("7"));
}
