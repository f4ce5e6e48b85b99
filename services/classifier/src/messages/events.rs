//! Everything that this service sends.

use domain::{ClassificationJob, OrderClassified};
use otel_messaging::{ConnectError, SendError, pubsub, sqs};
use telemetry::Hop;

use crate::config::Config;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct ClassifierEvents {
    jobs: sqs::Producer,
    classified: pubsub::Producer,
}

impl ClassifierEvents {
    pub(crate) async fn connect(config: &Config) -> Result<Self, ConnectError> {
        let mut jobs = sqs::Producer::connect(&config.sqs, ClassificationJob::QUEUE).await?;
        if !config.faults.propagates(Hop::Sqs) {
            jobs = jobs.without_context();
        }
        let mut classified =
            pubsub::Producer::connect(&config.pubsub, OrderClassified::TOPIC).await?;
        if !config.faults.propagates(Hop::Pubsub) {
            classified = classified.without_context();
        }
        Ok(Self { jobs, classified })
    }

    /// There is an order to classify.
    pub(crate) async fn job(&self, job: &ClassificationJob) -> Result<(), SendError> {
        self.jobs.send(job).await
    }

    /// It was decided what becomes of an order.
    pub(crate) async fn order_classified(&self, event: &OrderClassified) -> Result<(), SendError> {
        self.classified.send(event).await
    }

    /// Whether SQS answers and has the queue.
    pub(crate) async fn check_sqs(&self) -> Result<(), ConnectError> {
        self.jobs.check().await
    }

    /// Whether Pub/Sub answers and has the topic.
    pub(crate) async fn check_pubsub(&self) -> Result<(), ConnectError> {
        self.classified.check().await
    }
}
