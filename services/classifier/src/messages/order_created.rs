//! Intake: one job per order. Idempotent, because a second job about an order is decided as the first.

use anyhow::Context;
use domain::{ClassificationJob, OrderClassified, OrderCreated, Outcome};
use otel_messaging::{Delivery, Dependency, Handler, HandlerError};

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

    fn idempotency_key(&self, event: &OrderCreated) -> String {
        event.order_id.to_string()
    }

    async fn handle(&self, event: &OrderCreated, _: &Delivery) -> Result<(), HandlerError> {
        let job = ClassificationJob::from(event.clone());
        let sent = self.events.job(&job).await.context(Dependency("sqs"));
        sent.map_err(HandlerError::Retry)
    }

    /// The order ends all the same.
    async fn dead_lettered(&self, event: &OrderCreated, _: &str) -> anyhow::Result<()> {
        let failed = OrderClassified {
            order_id: event.order_id,
            customer_id: event.customer_id.clone(),
            outcome: Outcome::Failed,
            category: None,
            reason: Some("the order could not be processed".to_owned()),
        };
        self.events
            .order_classified(&failed)
            .await
            .context(Dependency("pubsub"))
    }
}
