//! What happens to a message between receive and settle, the same for every broker.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use opentelemetry::Context;
use tracing::{Instrument, Span};

use crate::error::{HandlerError, SendError};
use crate::handler::{Delivery, Handler};
use crate::settings::Settings;
use crate::span::{self, Destination};

/// A message as a consumer describes it.
pub(crate) struct Message<'a> {
    /// The context that came with it.
    pub(crate) creation: Context,
    /// Only Kafka's messages have one.
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) payload: &'a [u8],
    pub(crate) delivery: Delivery,
    /// Adds what only this broker knows to the span.
    pub(crate) describe: &'a (dyn Fn(&Span) + Sync),
}

/// What the consumer does with the message now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledge, delete or commit it.
    Settle,
    /// Deliver it again after this delay.
    Retry(Duration),
}

/// The header or attribute of a dead letter that says why it is one.
pub(crate) const DEAD_LETTER_REASON: &str = "orderflow-dead-letter-reason";
/// Pub/Sub takes no attribute value of more than 1024 bytes.
const LONGEST_REASON: usize = 1024;

/// A message that was given up.
pub(crate) struct DeadLetter<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) payload: &'a [u8],
    pub(crate) reason: &'a str,
    pub(crate) last_attempt: &'a Span,
}

/// Where messages go that were given up.
pub(crate) trait DeadLetters: Send + Sync + 'static {
    /// Sends the payload on, linked to the last attempt, with the reason under [`DEAD_LETTER_REASON`].
    fn give_up(&self, letter: DeadLetter<'_>)
    -> impl Future<Output = Result<(), SendError>> + Send;
}

/// Everything about processing that does not change from message to message.
pub(crate) struct Processor<H, D> {
    pub(crate) source: Destination,
    pub(crate) settings: Settings,
    pub(crate) handler: Arc<H>,
    pub(crate) dead_letters: D,
}

impl<H: Handler, D: DeadLetters> Processor<H, D> {
    /// Extracted context → span → decode → handle → outcome.
    pub(crate) async fn process(&self, message: Message<'_>) -> Outcome {
        let relation = self.settings.messaging_trace_relation;
        let span = span::process(&self.source, &message.creation, relation, &message.delivery);
        (message.describe)(&span);
        self.in_span(&message, &span).instrument(span.clone()).await
    }

    async fn in_span(&self, message: &Message<'_>, span: &Span) -> Outcome {
        let event = match serde_json::from_slice::<H::Event>(message.payload) {
            Ok(event) => event,
            Err(error) => {
                // Not serde's words, which tell what was sent.
                let (line, column) = (error.line(), error.column());
                let error = anyhow!("the payload is not the event, at line {line} column {column}");
                span::fail(span, "decode", &error);
                return self.give_up(message, None, &error, span).await;
            }
        };
        match self.handle(&event, &message.delivery, span).await {
            Ok(()) => Outcome::Settle,
            Err(HandlerError::Reject(error)) => {
                span::fail(span, "reject", &error);
                self.give_up(message, Some(&event), &error, span).await
            }
            Err(HandlerError::Retry(error)) => {
                span::fail(span, "retry", &error);
                self.retry_or_give_up(message, &event, &error, span).await
            }
        }
    }

    async fn handle(
        &self,
        event: &H::Event,
        delivery: &Delivery,
        span: &Span,
    ) -> Result<(), HandlerError> {
        let work = async {
            span::set_idempotency_key(span, self.handler.idempotency_key(event));
            self.handler.handle(event, delivery).await
        };
        let handled = unless_it_panics(work).await;
        handled.unwrap_or_else(|panic| Err(HandlerError::Retry(panic)))
    }

    async fn retry_or_give_up(
        &self,
        message: &Message<'_>,
        event: &H::Event,
        error: &anyhow::Error,
        span: &Span,
    ) -> Outcome {
        let attempt = message.delivery.attempt;
        if self.handler.gives_up() && attempt >= self.settings.messaging_max_attempts {
            return self.give_up(message, Some(event), error, span).await;
        }
        let delay = self.settings.retry_delay(attempt);
        tracing::warn!(attempt, delay_ms = delay.as_millis(), reason = %format!("{error:#}"), "will retry");
        Outcome::Retry(delay)
    }

    /// First the handler's last word, then the dead letter, then settle: dying in between repeats, and loses nothing.
    async fn give_up(
        &self,
        message: &Message<'_>,
        event: Option<&H::Event>,
        error: &anyhow::Error,
        span: &Span,
    ) -> Outcome {
        let reason = format!("{error:#}");
        let given_up = self.try_to_give_up(message, event, &reason, span).await;
        let Err(error) = given_up else {
            tracing::error!(
                attempt = message.delivery.attempt,
                reason,
                "given up, see the dead letters"
            );
            return Outcome::Settle;
        };
        tracing::error!(reason = %format!("{error:#}"), "cannot give the message up, will retry");
        Outcome::Retry(self.settings.retry_delay(message.delivery.attempt))
    }

    async fn try_to_give_up(
        &self,
        message: &Message<'_>,
        event: Option<&H::Event>,
        reason: &str,
        span: &Span,
    ) -> anyhow::Result<()> {
        if let Some(event) = event {
            unless_it_panics(self.handler.dead_lettered(event, reason)).await??;
        }
        let letter = DeadLetter {
            key: message.key,
            payload: message.payload,
            reason: &reason[..reason.floor_char_boundary(LONGEST_REASON)],
            last_attempt: span,
        };
        Ok(self.dead_letters.give_up(letter).await?)
    }
}

/// A handler that panics must not take the consumer with it.
async fn unless_it_panics<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|_| anyhow!("the handler panicked"))
}

#[cfg(test)]
mod tests;
