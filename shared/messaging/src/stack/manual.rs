use std::ops::Deref;
use std::task::{Context, Poll};

use anyhow::anyhow;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tower::{BoxError, Service};
use tracing::Span;

use super::{Batch, Outcome};
use crate::delivery::Delivery;
use crate::error::HandlerError;

/// A service that hands each message to whoever waits at the other end, and waits for the verdict.
///
/// The layers around it work as around a handler: the lease is extended meanwhile, a rejected message becomes a dead
/// letter.
pub fn manual() -> (Manual, Deliveries) {
    let (sender, receiver) = mpsc::channel(1);
    (Manual { sender }, Deliveries { receiver })
}

/// See [`manual`].
#[derive(Debug, Clone)]
pub struct Manual {
    sender: mpsc::Sender<PendingDelivery>,
}

/// Messages to be settled by hand: see [`Consumer::deliveries`](crate::Consumer::deliveries).
#[derive(Debug)]
pub struct Deliveries {
    receiver: mpsc::Receiver<PendingDelivery>,
}

impl Deliveries {
    /// The next message; `None` when the consumer has ended.
    ///
    /// Up to [`Settings::concurrency`](crate::Settings::concurrency) may be pending at the same time, one of each key.
    pub async fn next(&mut self) -> Option<PendingDelivery> {
        self.receiver.recv().await
    }
}

/// A message that is ours until it is settled; dropped without a verdict, it is tried again.
#[derive(Debug)]
pub struct PendingDelivery {
    delivery: Delivery,
    span: Span,
    verdict: Option<oneshot::Sender<Result<(), HandlerError>>>,
}

impl PendingDelivery {
    /// It is processed.
    pub fn ack(self) {
        self.settle(Ok(()));
    }

    /// It could not be processed.
    pub fn fail(self, error: HandlerError) {
        self.settle(Err(error));
    }

    /// The span of this attempt, to work in; where none is made, what goes on is [`Delivery::context`].
    pub fn span(&self) -> &Span {
        &self.span
    }

    fn settle(mut self, verdict: Result<(), HandlerError>) {
        if let Some(sender) = self.verdict.take() {
            // The consumer may have ended meanwhile; then the message comes again.
            sender.send(verdict).ok();
        }
    }
}

impl Deref for PendingDelivery {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        &self.delivery
    }
}

impl Manual {
    async fn wait(&self, delivery: Delivery) -> Outcome {
        let (verdict, decided) = oneshot::channel();
        let pending = PendingDelivery {
            delivery,
            span: Span::current(),
            verdict: Some(verdict),
        };
        if self.sender.send(pending).await.is_err() {
            // It is no message's fault, so none becomes a dead letter for it.
            let nobody = anyhow!("nobody takes deliveries any more");
            return Outcome::Failed(HandlerError::Unavailable(nobody));
        }
        if let Ok(verdict) = decided.await {
            return verdict.into();
        }
        let dropped = anyhow!("dropped without a verdict");
        Outcome::Failed(HandlerError::Retry(dropped))
    }
}

impl Service<Batch> for Manual {
    type Response = Vec<Outcome>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Vec<Outcome>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let waits = batch.into_iter().map(|delivery| this.wait(delivery));
            Ok(futures::future::join_all(waits).await)
        })
    }
}
