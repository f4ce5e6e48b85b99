//! What happens to a message between receive and settle: a stack of [`tower`] services.
//!
//! The request is a [`Batch`], with one message in it unless the consumer runs a batch handler; the answer is one
//! [`Outcome`] for each message, in their order. A service that fails as a whole has failed for each of them, so any
//! layer of `tower` fits, as [`TimeoutLayer`](tower::timeout::TimeoutLayer).
//!
//! [`Consumer::run`](crate::Consumer::run) has a stack of its own: [`TraceLayer`], [`DeadLetterLayer`],
//! [`CatchPanicLayer`], `TimeoutLayer`, and [`Handle`] in the middle.
//! [`Consumer::run_service`](crate::Consumer::run_service) takes another:
//!
//! ```
//! use std::time::Duration;
//! use otel_messaging::stack::{CatchPanicLayer, Process, TraceLayer, handle};
//! use otel_messaging::{Delivery, Handler, HandlerError, Raw};
//! use tower::ServiceBuilder;
//!
//! struct Count;
//! impl Handler for Count {
//!     type Event = Option<otel_messaging::Bytes>;
//!     async fn handle(&self, _: Self::Event, _: &Delivery) -> Result<(), HandlerError> { Ok(()) }
//! }
//!
//! fn stack() -> impl Process {
//!     ServiceBuilder::new()
//!         .layer(TraceLayer::default())
//!         .concurrency_limit(4) // of all partitions together
//!         .layer(CatchPanicLayer)
//!         .timeout(Duration::from_secs(3))
//!         .service(handle(Count).with_codec(Raw))
//! }
//! ```

mod catch_panic;
mod dead_letter;
mod handle;
mod manual;
mod trace;

use anyhow::anyhow;
use tower::timeout::error::Elapsed;
use tower::{BoxError, Service};

pub(crate) use catch_panic::panicked;
pub use catch_panic::{CatchPanic, CatchPanicLayer};
pub use dead_letter::{BeforeDeadLetter, DeadLetter, DeadLetterLayer};
pub use handle::{Handle, HandleBatch, handle, handle_batch};
pub use manual::{Deliveries, Manual, PendingDelivery, manual};
pub use trace::{Trace, TraceLayer};

use crate::delivery::Delivery;
use crate::error::HandlerError;

/// Messages that are processed in one call.
pub type Batch = Vec<Delivery>;

/// What became of a message.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is processed.
    Processed,
    /// It could not be processed, for this reason, and was put with the dead letters.
    DeadLettered(HandlerError),
    /// It could not be processed: what is to be done about that is for the consumer.
    Failed(HandlerError),
}

impl From<Result<(), HandlerError>> for Outcome {
    fn from(result: Result<(), HandlerError>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Processed)
    }
}

/// A stack that a consumer can run: every service of this shape is one.
pub trait Process:
    Service<Batch, Response = Vec<Outcome>, Error: Into<BoxError> + Send, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Process for S where
    S: Service<Batch, Response = Vec<Outcome>, Error: Into<BoxError> + Send, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Waits for `call`; what failed as a whole has failed for each of the messages.
pub(crate) async fn outcomes<E: Into<BoxError>>(
    messages: usize,
    call: impl Future<Output = Result<Vec<Outcome>, E>>,
) -> Vec<Outcome> {
    match call.await {
        Ok(outcomes) => outcomes,
        Err(error) => failed_all(messages, error.into()),
    }
}

pub(crate) fn failed_all(messages: usize, error: BoxError) -> Vec<Outcome> {
    let reason = error.to_string();
    let mut outcomes = vec![Outcome::Failed(failed(error))];
    outcomes.resize_with(messages, || {
        Outcome::Failed(HandlerError::Retry(anyhow!("{reason}")))
    });
    outcomes
}

/// A layer that says nothing more may try again.
fn failed(error: BoxError) -> HandlerError {
    let error = match error.downcast::<HandlerError>() {
        Ok(decision) => return *decision,
        Err(error) => error,
    };
    match error.downcast::<Elapsed>() {
        Ok(elapsed) => HandlerError::Retry(anyhow::Error::new(*elapsed)),
        Err(error) => HandlerError::Retry(anyhow::Error::from_boxed(error)),
    }
}

#[cfg(test)]
mod tests;
