//! Messages, handlers and brokers that misbehave.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use otel_messaging::Outgoing;
use telemetry::testing::{Recorder, attribute};
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::broker::{Broker, Event, LEASE, PANICS_IN_DECODE, Work, settings};
use crate::cases::A_MOMENT;
use crate::run::{Run, beside, beside_a_consumer, send};

pub(crate) async fn headers_cross_and_a_dead_letter_keeps_them_and_its_origin<
    B: Broker + 'static,
>(
    broker: Rc<B>,
) {
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        let event = Event::new("reject");
        run.broker
            .send(Outgoing::new(&event).header("tenant", "acme"))
            .await;
        let call = run.next().await;
        assert_eq!(call.headers.text("tenant"), Some("acme"));
        let letter = run.broker.next_dead_letter().await;
        assert_eq!(letter.headers["tenant"], "acme");
        assert_eq!(letter.reason(), "rejected by the test");
        let place = letter.origin("topic").or_else(|| letter.origin("queue"));
        assert_eq!(place, Some(destination));
        assert_eq!(letter.origin("attempts").as_deref(), Some("1"));
        for fact in ["message-id", "error-type", "first-time", "last-time"] {
            assert!(letter.origin(fact).is_some(), "{fact}");
        }
    })
    .await;
}

pub(crate) async fn a_batch_is_sent_with_a_span_for_each_message<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    let events: Vec<_> = (0..15).map(|n| Event::new(&format!("good-{n}"))).collect();
    beside_a_consumer(broker, async |run| {
        run.broker.send_batch(&events).await;
        let mut received = BTreeSet::new();
        while received.len() < events.len() {
            received.insert(run.next().await.id);
        }
    })
    .await;
    let spans = recorder.spans();
    let named = |name: &str| {
        let name = format!("{name} {destination}");
        spans.iter().filter(move |span| span.name == name)
    };
    let created: BTreeSet<_> = named("create")
        .map(|span| span.span_context.span_id().to_string())
        .collect();
    assert_eq!(created.len(), events.len());
    let send = recorder.span(&format!("send {destination}"));
    assert_eq!(send.span_kind, SpanKind::Client);
    assert_eq!(send.links.len(), events.len());
    for process in named("process") {
        assert!(created.contains(&process.parent_span_id.to_string()));
    }
}

pub(crate) async fn a_batch_handler_loses_nothing_for_one_bad_message<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let ids = ["good-1", "reject", "retry", "good-2", "good-3"];
    for id in ids {
        send(&*broker, id).await;
    }
    broker.send_foreign("this is not JSON").await;
    beside(broker, settings(), Work::InBatches, async |run| {
        let mut calls = Vec::new();
        // Each once, and the one that is retried twice.
        while calls.len() < ids.len() + 1 {
            calls.push(run.next_attempt().await);
        }
        for (id, attempts) in [("good-1", 1), ("reject", 1), ("retry", 2), ("good-3", 1)] {
            let of_id = calls.iter().filter(|(called, _)| called == id);
            assert_eq!(of_id.count(), attempts, "{id}");
        }
        let mut letters = BTreeSet::new();
        while letters.len() < 2 {
            letters.insert(run.broker.next_dead_letter().await.payload);
        }
        assert!(letters.contains("this is not JSON"));
        assert!(letters.contains(r#"{"id":"reject"}"#));
    })
    .await;
}

pub(crate) async fn a_panic_is_not_the_end<B: Broker + 'static>(broker: Rc<B>) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    beside_a_consumer(broker, async |run| {
        run.send(PANICS_IN_DECODE).await;
        let letter = run.broker.next_dead_letter().await;
        assert_eq!(letter.reason(), "the decoder panicked");
        run.send("panic").await;
        for attempt in 1..=3 {
            assert_eq!(run.next_attempt().await, ("panic".to_owned(), attempt));
        }
        let letter = run.broker.next_dead_letter().await;
        assert_eq!(letter.reason(), "the handler panicked");
        run.send("good").await;
        assert_eq!(run.next().await.id, "good");
    })
    .await;
    let name = format!("process {destination}");
    let spans = recorder.spans();
    let classes: BTreeSet<_> = spans
        .iter()
        .filter(|span| span.name == name)
        .filter_map(|span| attribute(span, "error.type"))
        .collect();
    assert_eq!(classes, BTreeSet::from(["decode".into(), "panic".into()]));
}

/// More messages than are processed at the same time.
pub(crate) async fn retries_are_in_nobodys_way<B: Broker + 'static>(broker: Rc<B>) {
    let mut settings = settings();
    settings.max_attempts = 90;
    settings.backoff.initial = Duration::from_secs(10);
    for n in 0..4 * settings.concurrency {
        send(&*broker, &format!("never-{n}")).await;
    }
    beside(broker, settings, Work::OneByOne, async |run| {
        let good: BTreeSet<_> = (0..8).map(|n| format!("good-{n}")).collect();
        for id in &good {
            run.send(id).await;
        }
        let mut received = BTreeSet::new();
        while received != good {
            let call = run.next().await;
            if call.id.starts_with("good") {
                received.insert(call.id);
            }
        }
    })
    .await;
}

/// Longer than its bound on attempts: what is away costs none.
pub(crate) async fn what_is_unavailable_costs_no_attempt<B: Broker + 'static>(broker: Rc<B>) {
    beside_a_consumer(broker, async |run| {
        run.send("away").await;
        for attempt in 1..=5 {
            assert_eq!(run.next_attempt().await, ("away".to_owned(), attempt));
        }
        run.send("good").await;
        assert_eq!(run.next().await.id, "good");
    })
    .await;
}

pub(crate) async fn a_message_stays_ours_however_long_its_handler_takes<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let mut settings = settings();
    if B::SYSTEM == "gcp_pubsub" {
        settings.lease = Duration::from_secs(10);
    }
    let longer = settings.lease + LEASE;
    beside(broker, settings, Work::OneByOne, async |run| {
        run.send("slow").await;
        assert_eq!(run.next().await.attempt, 1);
        let twice = timeout(longer, run.next()).await;
        twice.expect_err("it is worked on");
        run.let_go.add_permits(1);
    })
    .await;
}

/// Its lease is so long that a message which was left behind would not come in time.
pub(crate) async fn a_shutdown_leaves_nothing_behind<B: Broker + 'static>(broker: Rc<B>) {
    let mut settings = settings();
    settings.lease = Duration::from_mins(10);
    let sent: BTreeSet<String> = (0..40).map(|n| format!("good-{n}")).collect();
    LocalSet::new()
        .run_until(async {
            let mut first = Run::start_with(broker.clone(), settings.clone(), Work::OneByOne);
            first.send("good").await;
            first.next().await;
            first.shutdown.cancel();
            for id in &sent {
                send(&*broker, id).await;
            }
            let calls = first.stop_and_drain().await;
            let mut received: BTreeSet<_> = calls.into_iter().map(|call| call.id).collect();
            let mut second = Run::start_with(broker.clone(), settings, Work::OneByOne);
            while !received.is_superset(&sent) {
                received.insert(second.next().await.id);
            }
            second.stop().await;
        })
        .await;
}

pub(crate) async fn a_letter_that_is_too_large_goes_without_what_does_not_fit<
    B: Broker + 'static,
>(
    broker: Rc<B>,
) {
    let frame = serde_json::to_vec(&Event::new("reject-")).unwrap().len();
    let padding = "x".repeat(B::TOO_LARGE_FOR_A_LETTER - frame);
    beside_a_consumer(broker, async |run| {
        run.send(&format!("reject-{padding}")).await;
        run.next().await;
        let letter = run.broker.next_dead_letter().await;
        match letter.headers.get("dead-letter-omitted") {
            Some(omitted) => assert!(omitted.contains("payload"), "{omitted}"),
            // ElasticMQ does not count attributes into the size of a message, so it takes the letter whole.
            None => assert_eq!(letter.payload.len(), B::TOO_LARGE_FOR_A_LETTER),
        }
        run.send("good").await;
        assert_eq!(run.next().await.id, "good");
    })
    .await;
}

pub(crate) async fn a_handler_that_takes_too_long_is_tried_again<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    let mut settings = settings();
    settings.handler_timeout = Some(A_MOMENT);
    beside(broker, settings, Work::OneByOne, async |run| {
        run.send("slow").await;
        assert_eq!(run.next_attempt().await, ("slow".to_owned(), 1));
        assert_eq!(run.next_attempt().await, ("slow".to_owned(), 2));
        run.let_go.add_permits(10);
    })
    .await;
    let name = format!("process {destination}");
    let first = recorder.spans().into_iter().find(|span| span.name == name);
    let class = attribute(&first.unwrap(), "error.type");
    assert_eq!(class.as_deref(), Some("timeout"));
}

pub(crate) async fn an_attempt_that_shutdown_cuts_off_says_so<B: Broker + 'static>(broker: Rc<B>) {
    let recorder = Recorder::start();
    let destination = broker.destination().to_owned();
    let mut settings = settings();
    settings.drain_timeout = A_MOMENT;
    beside(broker, settings, Work::OneByOne, async |run| {
        run.send("slow").await;
        run.next().await;
    })
    .await;
    let process = recorder.span(&format!("process {destination}"));
    assert!(matches!(process.status, Status::Error { .. }));
    let class = attribute(&process, "error.type");
    assert_eq!(class.as_deref(), Some("aborted"));
}

pub(crate) async fn a_consumer_ends_when_what_it_receives_from_is_gone<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let mut settings = settings();
    settings.fatal_after = Duration::from_secs(1);
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start_with(broker.clone(), settings, Work::OneByOne);
            run.send("good").await;
            run.next().await;
            broker.take_away().await;
            let ended = run.consumer.await.expect("the consumer does not panic");
            let error = ended.expect_err("it cannot go on");
            assert_eq!(error.destination, broker.destination());
        })
        .await;
}
