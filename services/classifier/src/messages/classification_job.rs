//! Worker: finds out about one order. Idempotent, because inventory answers a repeated hold as the first.

use domain::ClassificationJob;
use otel_messaging::{Delivery, Handler, HandlerError};
use tracing::{Instrument, info_span};

use super::ClassifierEvents;
use crate::classifier::{Classifier, given_up};
use crate::clients;

#[derive(Debug)]
pub(crate) struct JobHandler {
    classifier: Classifier,
    events: ClassifierEvents,
}

impl JobHandler {
    pub(crate) fn new(classifier: Classifier, events: ClassifierEvents) -> Self {
        Self { classifier, events }
    }

    async fn classify(&self, job: &ClassificationJob) -> Result<(), HandlerError> {
        let found = self.classifier.classify(job).await;
        let Some(event) = found.map_err(clients::failed)? else {
            tracing::info!(order_id = %job.order_id, "the order has ended, there is nothing to report");
            return Ok(());
        };
        tracing::info!(order_id = %event.order_id, finding = ?event.finding, "order classified");
        self.events.order_classified(&event).await
    }
}

impl Handler for JobHandler {
    type Event = ClassificationJob;

    fn idempotency_key(&self, job: &ClassificationJob) -> Option<String> {
        Some(job.order_id.to_string())
    }

    async fn handle(&self, job: ClassificationJob, _: &Delivery) -> Result<(), HandlerError> {
        let span = info_span!("classify order");
        let classified = self.classify(&job).instrument(span.clone()).await;
        classified.inspect_err(|error| {
            telemetry::fail(&span, error.error_type().into_owned(), &error.to_string());
        })
    }

    /// The order leaves `pending` all the same.
    async fn before_dead_letter(
        &self,
        job: ClassificationJob,
        _: &HandlerError,
    ) -> Result<(), HandlerError> {
        let event = given_up(job.order_id, job.customer_id);
        self.events.order_classified(&event).await
    }
}
