use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tower::{BoxError, Layer, Service};

use super::{Batch, Outcome, Process, outcomes};
use crate::dead_letter::{DeadLetters, Letter};
use crate::delivery::Delivery;
use crate::error::HandlerError;

/// Puts messages aside that were rejected, or have failed too often.
///
/// First what is to be done before, then the letter, then the message is settled: dying in between repeats, and loses
/// nothing.
#[derive(Clone)]
pub struct DeadLetterLayer {
    letters: Arc<dyn DeadLetters>,
    before: Option<Arc<dyn BeforeDeadLetter>>,
    max_attempts: u32,
}

/// What is to be done before a message becomes a dead letter.
pub trait BeforeDeadLetter: Send + Sync + 'static {
    /// `delivery` is given up, because of `reason`. An error keeps the message, so that this is called again.
    fn before_dead_letter<'a>(
        &'a self,
        delivery: &'a Delivery,
        reason: &'a HandlerError,
    ) -> BoxFuture<'a, Result<(), HandlerError>>;
}

impl DeadLetterLayer {
    /// Puts messages into `letters`; those that fail with [`Retry`](HandlerError::Retry) after so many attempts.
    pub fn new(letters: Arc<dyn DeadLetters>, max_attempts: u32) -> Self {
        Self {
            letters,
            before: None,
            max_attempts,
        }
    }

    /// Something to do before each.
    pub fn before(self, before: Arc<dyn BeforeDeadLetter>) -> Self {
        Self {
            before: Some(before),
            ..self
        }
    }

    async fn judge(&self, delivery: &Delivery, outcome: Outcome) -> Outcome {
        let error = match outcome {
            Outcome::Failed(error @ HandlerError::Reject(_)) => error,
            Outcome::Failed(error @ HandlerError::Retry(_))
                if delivery.counted_attempts() >= self.max_attempts =>
            {
                error
            }
            other => return other,
        };
        match self.put_aside(delivery, &error).await {
            Ok(()) => {
                let attempt = delivery.attempt();
                let reason = format!("{error:#}");
                tracing::error!(attempt, reason, "given up, see the dead letters");
                Outcome::DeadLettered(error)
            }
            Err(why) => Outcome::Failed(why),
        }
    }

    /// What fails here is not the message's fault any more.
    async fn put_aside(
        &self,
        delivery: &Delivery,
        error: &HandlerError,
    ) -> Result<(), HandlerError> {
        if let Some(before) = &self.before {
            let done = before.before_dead_letter(delivery, error).await;
            done.map_err(still_here)?;
        }
        let sent = self.letters.send(Letter::new(delivery, error)).await;
        sent.map_err(HandlerError::unavailable)
    }
}

/// What has to be done before a message goes is not done, so the message stays.
fn still_here(error: HandlerError) -> HandlerError {
    match error {
        HandlerError::Retry(why) | HandlerError::Reject(why) | HandlerError::Unavailable(why) => {
            HandlerError::Unavailable(why)
        }
    }
}

impl std::fmt::Debug for DeadLetterLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetterLayer")
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for DeadLetterLayer {
    type Service = DeadLetter<S>;

    fn layer(&self, inner: S) -> DeadLetter<S> {
        DeadLetter {
            inner,
            layer: self.clone(),
        }
    }
}

/// See [`DeadLetterLayer`].
#[derive(Debug, Clone)]
pub struct DeadLetter<S> {
    inner: S,
    layer: DeadLetterLayer,
}

impl<S: Process> Service<Batch> for DeadLetter<S> {
    type Response = Vec<Outcome>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Vec<Outcome>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let layer = self.layer.clone();
        let call = self.inner.call(batch.clone());
        Box::pin(async move {
            let mut judged = Vec::with_capacity(batch.len());
            for (delivery, outcome) in batch.iter().zip(outcomes(batch.len(), call).await) {
                judged.push(layer.judge(delivery, outcome).await);
            }
            Ok(judged)
        })
    }
}
