//! What a broker's module gives to the core: where deliveries come from, and how each is settled.

use std::time::Duration;

use bytes::Bytes;

use crate::delivery::Delivery;
use crate::error::ReceiveError;

/// Where deliveries come from: a partition, a receiver of a queue, the stream of a subscription.
pub(crate) trait Source: Send + 'static {
    type Receipt: Receipt;

    /// How many more messages may be received while `in_hand` are not settled.
    fn room(&self, in_hand: usize) -> usize;

    /// Waits for messages, up to `room`. May be cancelled without losing any.
    ///
    /// What heals by itself is waited for here; an error ends the consumer.
    fn receive(
        &mut self,
        room: usize,
    ) -> impl Future<Output = Result<Vec<Received<Self::Receipt>>, ReceiveError>> + Send;

    /// What keeps messages in order: those of one lane are processed one after the other.
    fn lane(&self, delivery: &Delivery) -> Option<Bytes> {
        delivery.key().cloned()
    }

    /// Nothing more is asked for; answers with what a request that is under way still brings.
    fn close(&mut self) -> impl Future<Output = Vec<Received<Self::Receipt>>> + Send {
        async { Vec::new() }
    }
}

pub(crate) type Received<R> = (Delivery, R);

/// How a delivery is settled. Dropped without a word, it is given back.
pub(crate) trait Receipt: Send + Sync + 'static {
    /// Whether the broker cannot take a message back, so that a retry waits here.
    const RETRIES_IN_PLACE: bool;

    /// It is processed, and does not come again.
    fn ack(self);

    /// It is to come again, after this delay.
    fn retry(self, after: Duration);
}
