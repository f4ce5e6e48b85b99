//! What a service writes for each event it receives.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::error::HandlerError;

/// Processes one kind of event.
///
/// A handler may be called twice with the same event, and by several tasks at once.
pub trait Handler: Send + Sync + 'static {
    /// The event as it is on the wire; what cannot be decoded is dead-lettered.
    type Event: DeserializeOwned + Send + Sync;

    /// What makes two deliveries the same: the attribute `orderflow.messaging.idempotency_key`.
    fn idempotency_key(&self, event: &Self::Event) -> String;

    /// Processes `event`, and decides what becomes of the message if that fails.
    fn handle(
        &self,
        event: &Self::Event,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Whether an event that failed too often is given up.
    ///
    /// `false` is for events that must be processed in the end, however long a dependency is away: then only
    /// [`HandlerError::Reject`] and the broker's own bound end the attempts.
    fn gives_up(&self) -> bool {
        true
    }

    /// The event was given up, because of `reason`: called before it goes to the dead-letter destination.
    ///
    /// An error keeps the message, so that this is called again.
    fn dead_lettered(
        &self,
        event: &Self::Event,
        reason: &str,
    ) -> impl Future<Output = anyhow::Result<()>> + Send {
        let _ = (event, reason);
        async { Ok(()) }
    }
}

/// What the broker says about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The broker's id of the message; on Kafka `topic/partition/offset`.
    pub message_id: String,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// How long the message waited in the broker, by the broker's timestamp; unknown if it has none.
    pub queue_time: Option<Duration>,
}
