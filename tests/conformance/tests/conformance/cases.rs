//! The cases. Each waits for what must happen, and is given up if it does not; one gives a consumer the time to be wrong.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use otel_messaging::{Outgoing, StoredContext};
use telemetry::testing::{Recorder, attribute};
use tokio::task::LocalSet;
use tokio::time::timeout;
use tracing::info_span;

use crate::broker::{Broker, Event};
use crate::run::{Run, beside_a_consumer, comes_again_after, send};

/// Within this, a consumer that wrongly ends at once has ended.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(300);

fn call(id: &str, attempt: u32) -> (String, u32) {
    (id.to_owned(), attempt)
}

pub(crate) async fn context_and_baggage_cross<B: Broker + 'static>(broker: Rc<B>) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        let request = info_span!("request");
        let context = request.in_scope(|| StoredContext::capture([("order.id", "7".to_owned())]));
        let event = Event::new("good");
        run.broker
            .send(Outgoing::new(&event).context(&context))
            .await;
        drop(request);
        assert_eq!(run.next_attempt().await, call("good", 1));
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

pub(crate) async fn a_message_without_context_begins_a_trace<B: Broker + 'static>(broker: Rc<B>) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        run.broker.send_foreign(r#"{"id":"good"}"#).await;
        assert_eq!(run.next_attempt().await, call("good", 1));
    })
    .await;
    let process = recorder.span(&format!("process {destination}"));
    assert_eq!(process.parent_span_id, SpanId::INVALID);
    assert!(process.links.is_empty());
}

pub(crate) async fn retry_comes_again_with_the_next_attempt<B: Broker + 'static>(broker: Rc<B>) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        run.send("retry").await;
        assert_eq!(run.next_attempt().await, call("retry", 1));
        assert_eq!(run.next_attempt().await, call("retry", 2));
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
>(
    broker: Rc<B>,
) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        run.send("reject").await;
        assert_eq!(run.next_attempt().await, call("reject", 1));
        let letter = run.broker.next_dead_letter().await;
        assert_eq!(letter.payload, r#"{"id":"reject"}"#);
        assert_eq!(letter.reason(), "rejected by the test");
        run.send("good").await;
        assert_eq!(run.next_attempt().await, call("good", 1));
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

pub(crate) async fn attempts_are_bounded<B: Broker + 'static>(broker: Rc<B>) {
    beside_a_consumer(broker, async |run| {
        run.send("never").await;
        for attempt in 1..=3 {
            assert_eq!(run.next_attempt().await, call("never", attempt));
        }
        assert_eq!(run.broker.next_dead_letter().await.reason(), "never");
    })
    .await;
}

pub(crate) async fn garbage_does_not_stop_the_loop<B: Broker + 'static>(broker: Rc<B>) {
    beside_a_consumer(broker, async |run| {
        run.broker.send_foreign("this is not JSON").await;
        assert_eq!(
            run.broker.next_dead_letter().await.payload,
            "this is not JSON"
        );
        run.send("good").await;
        assert_eq!(run.next_attempt().await, call("good", 1));
    })
    .await;
}

pub(crate) async fn shutdown_finishes_what_is_in_hand<B: Broker + 'static>(broker: Rc<B>) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        run.send("slow").await;
        assert_eq!(run.next_attempt().await, call("slow", 1));
        run.shutdown.cancel();
        let ended = timeout(A_MOMENT, &mut run.consumer).await;
        ended.expect_err("it waits for what is in hand");
        run.let_go.add_permits(1);
    })
    .await;
    let process = recorder.span(&format!("process {destination}"));
    assert_eq!(process.status, Status::Unset);
}

pub(crate) async fn shutdown_has_a_deadline_and_what_it_cuts_off_comes_again<
    B: Broker + 'static,
>(
    broker: Rc<B>,
) {
    comes_again_after(broker, Run::stop).await;
}

pub(crate) async fn two_consumers_share_the_work<B: Broker + 'static>(broker: Rc<B>) {
    let sent: BTreeSet<String> = (0..40).map(|n| format!("slow-{n}")).collect();
    LocalSet::new()
        .run_until(async {
            let (mut one, mut other) = (Run::start(broker.clone()), Run::start(broker.clone()));
            for id in &sent {
                send(&*broker, id).await;
            }
            // Neither ends a message before both have one.
            let mut of_one = BTreeSet::from([one.next().await.id]);
            let mut of_other = BTreeSet::from([other.next().await.id]);
            for run in [&one, &other] {
                run.let_go.add_permits(10 * sent.len());
            }
            while of_one.union(&of_other).count() < sent.len() {
                tokio::select! {
                    call = one.next() => of_one.insert(call.id),
                    call = other.next() => of_other.insert(call.id),
                };
            }
            assert!(of_one.is_subset(&sent) && of_other.is_subset(&sent));
            // A message may come twice, to both; but neither is sent all that the other is.
            assert!(of_one != sent && of_other != sent);
            one.stop().await;
            other.stop().await;
        })
        .await;
}

pub(crate) async fn a_consumer_that_dies_loses_nothing<B: Broker + 'static>(broker: Rc<B>) {
    comes_again_after(broker, async |first| {
        first.consumer.abort();
        first.consumer.await.expect_err("it was aborted");
    })
    .await;
}

/// A broker decides itself how many messages it hands out at once, so it gets several chances.
pub(crate) async fn a_batch_has_one_receive_span_with_a_link_for_each_message<
    B: Broker + 'static,
>(
    broker: Rc<B>,
) {
    let recorder = Recorder::start();
    let name = format!("receive {}", broker.destination());
    let mut receives = Vec::new();
    for round in 1..=20 {
        for n in 0..10 {
            send(&*broker, &format!("good-{n}")).await;
        }
        LocalSet::new().run_until(take(&broker, 10)).await;
        let (of_receive, others): (Vec<_>, Vec<_>) = recorder
            .spans()
            .into_iter()
            .partition(|span| span.name == name);
        let of_process = others
            .iter()
            .filter(|span| span.name.starts_with("process "));
        assert_eq!(
            of_process.count(),
            10 * round,
            "each message has a span of its own"
        );
        receives = of_receive;
        if !B::RECEIVES_BATCHES || !receives.is_empty() {
            break;
        }
    }
    assert_eq!(receives.is_empty(), !B::RECEIVES_BATCHES);
    for receive in receives {
        assert_eq!(receive.span_kind, SpanKind::Client);
        assert_eq!(receive.parent_span_id, SpanId::INVALID);
        assert!(receive.links.len() > 1);
        let count = attribute(&receive, "messaging.batch.message_count");
        assert_eq!(count, Some(receive.links.len().to_string()));
    }
}

/// Must be called within a [`LocalSet`].
async fn take<B: Broker + 'static>(broker: &Rc<B>, count: usize) {
    let mut run = Run::start(broker.clone());
    for _ in 0..count {
        run.next().await;
    }
    run.stop().await;
}
