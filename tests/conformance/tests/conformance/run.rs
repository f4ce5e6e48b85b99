//! A consumer at work, as the cases see it.

use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, LocalSet};
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, Event};
use crate::handler::{Call, Scripted};

/// A consumer at work on a broker.
pub(crate) struct Run<B> {
    pub(crate) broker: Rc<B>,
    calls: mpsc::UnboundedReceiver<Call>,
    pub(crate) let_go: Arc<Semaphore>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) consumer: JoinHandle<()>,
}

impl<B: Broker + 'static> Run<B> {
    /// Must be called within a [`LocalSet`].
    pub(crate) fn start(broker: Rc<B>) -> Self {
        let (handler, calls, let_go) = Scripted::new();
        let shutdown = CancellationToken::new();
        let (consuming, stop) = (broker.clone(), shutdown.clone());
        let consumer =
            tokio::task::spawn_local(async move { consuming.consume(handler, stop).await });
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

    pub(crate) async fn send(&self, id: &str) {
        send(&*self.broker, id).await;
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.consumer
            .await
            .expect("the consumer ends without a panic");
    }
}

pub(crate) async fn send<B: Broker>(broker: &B, id: &str) {
    broker.send(&Event { id: id.to_owned() }).await;
}

/// Runs `case` beside a consumer, then stops the consumer and waits for its end.
pub(crate) async fn beside_a_consumer<B: Broker + 'static>(
    broker: Rc<B>,
    case: impl AsyncFnOnce(&mut Run<B>),
) {
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start(broker);
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
