//! Worker: decides about one order. Idempotent, because inventory answers a repeated request as the first.

use domain::ClassificationJob;
use otel_messaging::{Delivery, Handler, HandlerError};
use tracing::{Instrument, info_span};

use super::ClassifierEvents;
use crate::classifier::Classifier;
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
        let event = self.classifier.decide(job).await.map_err(decide)?;
        tracing::info!(order_id = %event.order_id, outcome = ?event.outcome, "order classified");
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

    /// The order ends all the same, and keeps nothing reserved.
    async fn before_dead_letter(
        &self,
        job: ClassificationJob,
        _: &HandlerError,
    ) -> Result<(), HandlerError> {
        let event = self.classifier.give_up(&job).await.map_err(decide)?;
        self.events.order_classified(&event).await
    }
}

/// No order fails because inventory or the embeddings API is away.
fn decide(error: anyhow::Error) -> HandlerError {
    if clients::is_unavailable(&error) {
        HandlerError::Unavailable(error)
    } else {
        HandlerError::Retry(error)
    }
}
