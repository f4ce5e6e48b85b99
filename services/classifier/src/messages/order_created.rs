//! Intake: one job per order. Idempotent, because a second job about an order finds what the first did.

use domain::OrderCreated;
use otel_messaging::{Delivery, Handler, HandlerError};

use super::ClassifierEvents;
use crate::classifier::given_up;

#[derive(Debug)]
pub(crate) struct IntakeHandler {
    events: ClassifierEvents,
}

impl IntakeHandler {
    pub(crate) fn new(events: ClassifierEvents) -> Self {
        Self { events }
    }
}

impl Handler for IntakeHandler {
    type Event = OrderCreated;

    fn idempotency_key(&self, event: &OrderCreated) -> Option<String> {
        Some(event.order_id.to_string())
    }

    /// An order that SQS will never take, such as one with a note that was accepted by an older version, is rejected.
    async fn handle(&self, event: OrderCreated, _: &Delivery) -> Result<(), HandlerError> {
        self.events.job(&event.into()).await
    }

    /// The order leaves `pending` all the same.
    async fn before_dead_letter(
        &self,
        event: OrderCreated,
        _: &HandlerError,
    ) -> Result<(), HandlerError> {
        let event = given_up(event.order_id, event.customer_id);
        self.events.order_classified(&event).await
    }
}
