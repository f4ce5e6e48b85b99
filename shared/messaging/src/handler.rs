//! What a service writes for each event it receives.

pub use crate::stack::{Deliveries, PendingDelivery};

use crate::delivery::Delivery;
use crate::error::HandlerError;

/// Processes one kind of event, one at a time.
///
/// A handler may be called twice with the same event, and by several tasks at once.
pub trait Handler: Send + Sync + 'static {
    /// The event as the codec reads it; a payload that it cannot read becomes a dead letter.
    type Event: Send;

    /// What makes two deliveries the same: the attribute `orderflow.messaging.idempotency_key`.
    fn idempotency_key(&self, event: &Self::Event) -> Option<String> {
        let _ = event;
        None
    }

    /// Processes `event`, or decides what becomes of the message.
    fn handle(
        &self,
        event: Self::Event,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// The event is given up, because of `reason`: called before it goes to the dead letters.
    ///
    /// An error keeps the message, so that this is called again, however long it takes.
    fn before_dead_letter(
        &self,
        event: Self::Event,
        reason: &HandlerError,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        let _ = (event, reason);
        async { Ok(()) }
    }
}

/// Processes events of one kind, several at once.
///
/// A payload that the codec cannot read becomes a dead letter by itself, and is not in the batch.
pub trait BatchHandler: Send + Sync + 'static {
    /// The event as the codec reads it.
    type Event: Send;

    /// Processes `batch`, and answers for each of its messages in their order.
    ///
    /// A message after one of its key that fails comes again with it, whatever the answer.
    fn handle_batch(
        &self,
        batch: Vec<(Self::Event, Delivery)>,
    ) -> impl Future<Output = Vec<Result<(), HandlerError>>> + Send;
}
