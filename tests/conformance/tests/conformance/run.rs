//! A consumer at work, as the cases see it.

use std::rc::Rc;
use std::sync::Arc;

use otel_messaging::{Outgoing, ReceiveError, Settings};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, LocalSet};
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, Event, Work, settings};
use crate::handler::{Call, Scripted};

/// A consumer at work on a broker.
pub(crate) struct Run<B> {
    pub(crate) broker: Rc<B>,
    calls: mpsc::UnboundedReceiver<Call>,
    pub(crate) let_go: Arc<Semaphore>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) consumer: JoinHandle<Result<(), ReceiveError>>,
}

impl<B: Broker + 'static> Run<B> {
    /// Must be called within a [`LocalSet`].
    pub(crate) fn start(broker: Rc<B>) -> Self {
        Self::start_with(broker, settings(), Work::OneByOne)
    }

    pub(crate) fn start_with(
        broker: Rc<B>,
        settings: Settings,
        work: impl FnOnce(Scripted) -> Work,
    ) -> Self {
        let (handler, calls, let_go) = Scripted::new();
        let (work, shutdown) = (work(handler), CancellationToken::new());
        let (consuming, stop) = (broker.clone(), shutdown.clone());
        let consumer =
            tokio::task::spawn_local(async move { consuming.consume(work, settings, stop).await });
        Self {
            broker,
            calls,
            let_go,
            shutdown,
            consumer,
        }
    }

    pub(crate) async fn next(&mut self) -> Call {
        self.calls.recv().await.expect("the consumer runs")
    }

    /// The next call, as its id and attempt.
    pub(crate) async fn next_attempt(&mut self) -> (String, u32) {
        let call = self.next().await;
        (call.id, call.attempt)
    }

    pub(crate) async fn send(&self, id: &str) {
        send(&*self.broker, id).await;
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let ended = self.consumer.await;
        let ended = ended.expect("the consumer ends without a panic");
        ended.expect("the consumer ends because it was told to");
    }

    /// Stops the consumer; the calls it got that nobody has asked for.
    pub(crate) async fn stop_and_drain(mut self) -> Vec<Call> {
        self.shutdown.cancel();
        let mut calls = Vec::new();
        while let Some(call) = self.calls.recv().await {
            calls.push(call);
        }
        let ended = self.consumer.await;
        let ended = ended.expect("the consumer ends without a panic");
        ended.expect("the consumer ends because it was told to");
        calls
    }
}

pub(crate) async fn send<B: Broker>(broker: &B, id: &str) {
    broker.send(Outgoing::new(&Event::new(id))).await;
}

/// Sends events of these ids with the same key, in this order.
pub(crate) async fn send_in_order<B: Broker>(broker: &B, key: &str, ids: &[String]) {
    for id in ids {
        let event = Event::new(id);
        let event = Outgoing::new(&event).key(key.to_owned());
        broker.send(event.deduplication_id(id)).await;
    }
}

/// Runs `case` beside a consumer, then stops the consumer and waits for its end.
pub(crate) async fn beside_a_consumer<B: Broker + 'static>(
    broker: Rc<B>,
    case: impl AsyncFnOnce(&mut Run<B>),
) {
    beside(broker, settings(), Work::OneByOne, case).await;
}

/// As [`beside_a_consumer`], with settings and a way to work of its own.
pub(crate) async fn beside<B: Broker + 'static>(
    broker: Rc<B>,
    settings: Settings,
    work: impl FnOnce(Scripted) -> Work,
    case: impl AsyncFnOnce(&mut Run<B>),
) {
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start_with(broker, settings, work);
            case(&mut run).await;
            run.stop().await;
        })
        .await;
}

/// What a consumer has in hand when `end` ends it comes again, to the next one.
pub(crate) async fn comes_again_after<B: Broker + 'static>(
    broker: Rc<B>,
    end: impl AsyncFnOnce(Run<B>),
) {
    LocalSet::new()
        .run_until(async {
            let mut first = Run::start(broker.clone());
            first.send("slow").await;
            assert_eq!(first.next().await.id, "slow");
            end(first).await;
            let mut second = Run::start(broker);
            assert_eq!(second.next().await.id, "slow");
            second.let_go.add_permits(1);
            second.stop().await;
        })
        .await;
}
