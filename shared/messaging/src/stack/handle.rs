use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::anyhow;
use futures::future::BoxFuture;
use tower::Service;
use tracing::Span;

use super::{Batch, BeforeDeadLetter, Outcome};
use crate::codec::{Decode, Json};
use crate::delivery::Delivery;
use crate::error::{HandlerError, Undecodable};
use crate::handler::{BatchHandler, Handler};
use crate::span;

/// A service that decodes each message and gives it to `handler`.
pub fn handle<H: Handler>(handler: H) -> Handle<H> {
    Handle {
        handler: Arc::new(handler),
        codec: Arc::new(Json),
    }
}

/// A service that decodes the messages and gives them to `handler` together.
pub fn handle_batch<H: BatchHandler>(handler: H) -> HandleBatch<H> {
    HandleBatch {
        handler: Arc::new(handler),
        codec: Arc::new(Json),
    }
}

/// A handler and its codec: see [`handle`].
#[derive(Debug)]
pub struct Handle<H, C = Json> {
    handler: Arc<H>,
    codec: Arc<C>,
}

/// A batch handler and its codec: see [`handle_batch`].
#[derive(Debug)]
pub struct HandleBatch<H, C = Json> {
    handler: Arc<H>,
    codec: Arc<C>,
}

impl<H> Handle<H> {
    /// Reads events with `codec` instead of as JSON.
    pub fn with_codec<C>(self, codec: C) -> Handle<H, C> {
        Handle {
            handler: self.handler,
            codec: Arc::new(codec),
        }
    }
}

impl<H> HandleBatch<H> {
    /// Reads events with `codec` instead of as JSON.
    pub fn with_codec<C>(self, codec: C) -> HandleBatch<H, C> {
        HandleBatch {
            handler: self.handler,
            codec: Arc::new(codec),
        }
    }
}

impl<H, C> Clone for Handle<H, C> {
    fn clone(&self) -> Self {
        Self {
            handler: self.handler.clone(),
            codec: self.codec.clone(),
        }
    }
}

impl<H, C> Clone for HandleBatch<H, C> {
    fn clone(&self) -> Self {
        Self {
            handler: self.handler.clone(),
            codec: self.codec.clone(),
        }
    }
}

impl<H: Handler, C: Decode<H::Event>> Handle<H, C> {
    async fn handle(&self, delivery: &Delivery) -> Result<(), HandlerError> {
        let event = decode(&*self.codec, delivery)?;
        if let Some(key) = self.handler.idempotency_key(&event) {
            span::set_idempotency_key(&Span::current(), key);
        }
        self.handler.handle(event, delivery).await
    }
}

impl<H: Handler, C: Decode<H::Event>> Service<Batch> for Handle<H, C> {
    type Response = Vec<Outcome>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Vec<Outcome>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let mut outcomes = Vec::with_capacity(batch.len());
            for delivery in &batch {
                outcomes.push(this.handle(delivery).await.into());
            }
            Ok(outcomes)
        })
    }
}

impl<H: Handler, C: Decode<H::Event>> BeforeDeadLetter for Handle<H, C> {
    fn before_dead_letter<'a>(
        &'a self,
        delivery: &'a Delivery,
        reason: &'a HandlerError,
    ) -> BoxFuture<'a, Result<(), HandlerError>> {
        Box::pin(async move {
            match decode(&*self.codec, delivery) {
                Ok(event) => self.handler.before_dead_letter(event, reason).await,
                Err(_undecodable) => Ok(()),
            }
        })
    }
}

impl<H: BatchHandler, C: Decode<H::Event>> HandleBatch<H, C> {
    async fn handle(&self, batch: Batch) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut events = Vec::with_capacity(batch.len());
        for delivery in batch {
            match decode(&*self.codec, &delivery) {
                Ok(event) => {
                    events.push((event, delivery));
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Outcome::Failed(error))),
            }
        }
        let mut answers = Vec::new();
        if !events.is_empty() {
            answers = self.handler.handle_batch(events).await;
        }
        let mut answers = answers.into_iter();
        let undecoded = outcomes.into_iter();
        let all = undecoded.map(|outcome| outcome.or_else(|| answers.next().map(Outcome::from)));
        all.map(|outcome| outcome.unwrap_or_else(unanswered))
            .collect()
    }
}

fn unanswered() -> Outcome {
    Outcome::Failed(HandlerError::Retry(anyhow!(
        "the batch handler did not answer for this message"
    )))
}

impl<H: BatchHandler, C: Decode<H::Event>> Service<Batch> for HandleBatch<H, C> {
    type Response = Vec<Outcome>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Vec<Outcome>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.handle(batch).await) })
    }
}

/// A payload that makes the decoder panic will do so each time.
fn decode<E, C: Decode<E>>(codec: &C, delivery: &Delivery) -> Result<E, HandlerError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| codec.decode(delivery.payload())));
    let decoded = decoded.unwrap_or_else(|_panic| Err(anyhow!("the decoder panicked")));
    decoded.map_err(|error| HandlerError::reject(Undecodable(error)))
}
