//! Worker: decides about one order. Idempotent, because inventory answers a repeated request as the first.

use std::sync::Arc;

use anyhow::Context;
use domain::ClassificationJob;
use otel_messaging::{Delivery, Dependency, Handler, HandlerError};
use tracing::{Instrument, info_span};

use super::ClassifierEvents;
use crate::classifier::Classifier;

#[derive(Debug)]
pub(crate) struct JobHandler {
    classifier: Arc<Classifier>,
    events: ClassifierEvents,
}

impl JobHandler {
    pub(crate) fn new(classifier: Arc<Classifier>, events: ClassifierEvents) -> Self {
        Self { classifier, events }
    }

    async fn classify(&self, job: &ClassificationJob) -> anyhow::Result<()> {
        let event = self.classifier.decide(job).await?;
        tracing::info!(order_id = %event.order_id, outcome = ?event.outcome, "order classified");
        self.events
            .order_classified(&event)
            .await
            .context(Dependency("pubsub"))
    }
}

impl Handler for JobHandler {
    type Event = ClassificationJob;

    fn idempotency_key(&self, job: &ClassificationJob) -> String {
        job.order_id.to_string()
    }

    async fn handle(&self, job: &ClassificationJob, _: &Delivery) -> Result<(), HandlerError> {
        let span = info_span!("classify order");
        let classified = self.classify(job).instrument(span.clone()).await;
        classified.map_err(|error| {
            telemetry::fail(&span, "classify", &format!("{error:#}"));
            HandlerError::Retry(error)
        })
    }

    /// The order ends all the same, and keeps nothing reserved.
    async fn dead_lettered(&self, job: &ClassificationJob, _: &str) -> anyhow::Result<()> {
        let event = self.classifier.give_up(job).await?;
        self.events
            .order_classified(&event)
            .await
            .context(Dependency("pubsub"))
    }
}
