//! The cases. None waits for a time: each waits for what must happen, and hangs if it does not.

use std::sync::Arc;

use messaging::StoredContext;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use telemetry::testing::{Recorder, attribute};
use tokio::sync::{Notify, mpsc};
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;
use tracing::info_span;

use crate::broker::{Broker, Event};
use crate::handler::{Call, Scripted};

/// A consumer at work on a broker.
struct Run<B> {
    broker: Arc<B>,
    calls: mpsc::UnboundedReceiver<Call>,
    let_go: Arc<Notify>,
    shutdown: CancellationToken,
}

impl<B: Broker> Run<B> {
    async fn next(&mut self) -> Call {
        self.calls.recv().await.expect("the consumer runs")
    }

    async fn send(&self, id: &str) {
        self.broker.send(&Event { id: id.to_owned() }).await;
    }
}

/// Runs `case` beside a consumer, then stops the consumer and waits for its end.
async fn beside_a_consumer<B: Broker + 'static>(case: impl AsyncFnOnce(&mut Run<B>)) {
    let broker = Arc::new(B::start().await);
    let (handler, calls, let_go) = Scripted::new();
    let shutdown = CancellationToken::new();
    let mut run = Run {
        broker: broker.clone(),
        calls,
        let_go,
        shutdown: shutdown.clone(),
    };
    let tasks = LocalSet::new();
    tasks
        .run_until(async {
            let stop = shutdown.clone();
            let consumer =
                tokio::task::spawn_local(async move { broker.consume(handler, stop).await });
            case(&mut run).await;
            shutdown.cancel();
            consumer.await.expect("the consumer ends without a panic");
        })
        .await;
}

fn call(id: &str, attempt: u32) -> Call {
    Call {
        id: id.to_owned(),
        attempt,
    }
}

pub(crate) async fn context_and_baggage_cross<B: Broker + 'static>() {
    let recorder = Recorder::start();
    let mut destination = String::new();
    beside_a_consumer::<B>(async |run| {
        run.broker.destination().clone_into(&mut destination);
        let request = info_span!("request");
        let context = request.in_scope(|| StoredContext::capture([("order.id", "7".to_owned())]));
        let event = Event {
            id: "good".to_owned(),
        };
        run.broker.send_from(&context, &event).await;
        drop(request);
        assert_eq!(run.next().await, call("good", 1));
    })
    .await;
    let request = recorder.span("request");
    let send = recorder.span(&format!("send {destination}"));
    let process = recorder.span(&format!("process {destination}"));
    assert_eq!(send.span_kind, SpanKind::Producer);
    assert_eq!(process.span_kind, SpanKind::Consumer);
    assert_eq!(send.parent_span_id, request.span_context.span_id());
    assert_eq!(process.parent_span_id, send.span_context.span_id());
    assert_eq!(
        process.span_context.trace_id(),
        request.span_context.trace_id()
    );
    assert_eq!(process.links.len(), 1);
    assert_eq!(
        process.links[0].span_context.span_id(),
        send.span_context.span_id()
    );
    assert_eq!(
        attribute(&process, "messaging.system").as_deref(),
        Some(B::SYSTEM)
    );
    assert_eq!(
        attribute(&process, "orderflow.order.id").as_deref(),
        Some("7")
    );
    assert!(attribute(&process, "orderflow.messaging.queue_time_ms").is_some());
}

pub(crate) async fn a_message_without_context_begins_a_trace<B: Broker + 'static>() {
    let recorder = Recorder::start();
    let mut destination = String::new();
    beside_a_consumer::<B>(async |run| {
        run.broker.destination().clone_into(&mut destination);
        run.broker.send_foreign(r#"{"id":"good"}"#).await;
        assert_eq!(run.next().await, call("good", 1));
    })
    .await;
    let process = recorder.span(&format!("process {destination}"));
    assert_eq!(process.parent_span_id, SpanId::INVALID);
    assert!(process.links.is_empty());
}

pub(crate) async fn retry_comes_again_with_the_next_attempt<B: Broker + 'static>() {
    let recorder = Recorder::start();
    let mut destination = String::new();
    beside_a_consumer::<B>(async |run| {
        run.broker.destination().clone_into(&mut destination);
        run.send("retry").await;
        assert_eq!(run.next().await, call("retry", 1));
        assert_eq!(run.next().await, call("retry", 2));
    })
    .await;
    let send = recorder.span(&format!("send {destination}")).span_context;
    let mut attempts = recorder.spans();
    attempts.retain(|span| span.name == format!("process {destination}"));
    assert_eq!(attempts.len(), 2);
    assert!(matches!(attempts[0].status, Status::Error { .. }));
    assert_eq!(attempts[1].status, Status::Unset);
    for attempt in attempts {
        assert_eq!(attempt.parent_span_id, send.span_id());
    }
}

pub(crate) async fn reject_is_dead_lettered_and_the_next_message_is_processed<
    B: Broker + 'static,
>() {
    let recorder = Recorder::start();
    let mut destination = String::new();
    beside_a_consumer::<B>(async |run| {
        run.broker.destination().clone_into(&mut destination);
        run.send("reject").await;
        assert_eq!(run.next().await, call("reject", 1));
        let letter = run.broker.next_dead_letter().await;
        assert_eq!(letter.payload, r#"{"id":"reject"}"#);
        assert_eq!(letter.reason, "rejected by the test");
        run.send("good").await;
        assert_eq!(run.next().await, call("good", 1));
    })
    .await;
    let spans = recorder.spans();
    let failed = spans
        .iter()
        .find(|span| span.name == format!("process {destination}"));
    let failed = failed
        .expect("the attempt has a span")
        .span_context
        .span_id();
    let letter = spans.iter().find(|span| span.parent_span_id == failed);
    let letter = letter.expect("the dead letter's span is below the last attempt");
    assert_eq!(letter.span_kind, SpanKind::Producer);
    assert_eq!(letter.links[0].span_context.span_id(), failed);
}

pub(crate) async fn attempts_are_bounded<B: Broker + 'static>() {
    beside_a_consumer::<B>(async |run| {
        run.send("never").await;
        for attempt in 1..=3 {
            assert_eq!(run.next().await, call("never", attempt));
        }
        assert_eq!(run.broker.next_dead_letter().await.reason, "never");
    })
    .await;
}

pub(crate) async fn garbage_does_not_stop_the_loop<B: Broker + 'static>() {
    beside_a_consumer::<B>(async |run| {
        run.broker.send_foreign("this is not JSON").await;
        assert_eq!(
            run.broker.next_dead_letter().await.payload,
            "this is not JSON"
        );
        run.send("good").await;
        assert_eq!(run.next().await, call("good", 1));
    })
    .await;
}

pub(crate) async fn shutdown_finishes_what_is_in_hand<B: Broker + 'static>() {
    let recorder = Recorder::start();
    let mut destination = String::new();
    beside_a_consumer::<B>(async |run| {
        run.broker.destination().clone_into(&mut destination);
        run.send("slow").await;
        assert_eq!(run.next().await, call("slow", 1));
        run.shutdown.cancel();
        run.let_go.notify_one();
    })
    .await;
    let process = recorder.span(&format!("process {destination}"));
    assert_eq!(process.status, Status::Unset);
}
