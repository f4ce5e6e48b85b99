//! Intake: one job per order. Idempotent, because a second job about an order is decided as the first.

use domain::{OrderClassified, OrderCreated, Outcome};
use otel_messaging::{Delivery, Handler, HandlerError};

use super::ClassifierEvents;

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

    async fn handle(&self, event: OrderCreated, _: &Delivery) -> Result<(), HandlerError> {
        self.events.job(&event.into()).await
    }

    /// The order ends all the same.
    async fn before_dead_letter(
        &self,
        event: OrderCreated,
        _: &HandlerError,
    ) -> Result<(), HandlerError> {
        let failed = OrderClassified {
            order_id: event.order_id,
            customer_id: event.customer_id,
            outcome: Outcome::Failed,
            category: None,
            reason: Some("the order could not be processed".to_owned()),
        };
        self.events.order_classified(&failed).await
    }
}
