//! Everything that this service sends.

use domain::{ClassificationJob, OrderClassified};
use otel_messaging::{ConnectError, Dependency, HandlerError, SendError, pubsub, sqs};
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
        let jobs = config.sqs.client().await;
        let jobs = jobs.producer(ClassificationJob::QUEUE).await?;
        let classified = config.pubsub.client().await?;
        let classified = classified.producer(OrderClassified::TOPIC).await?;
        Ok(Self {
            jobs: jobs.with_propagation(config.faults.propagates(Hop::Sqs)),
            classified: classified.with_propagation(config.faults.propagates(Hop::Pubsub)),
        })
    }

    /// There is an order to classify.
    pub(crate) async fn job(&self, job: &ClassificationJob) -> Result<(), HandlerError> {
        let sent = self.jobs.send(job).await;
        sent.map(drop).map_err(|error| failed("sqs", error))
    }

    /// It was decided what becomes of an order.
    pub(crate) async fn order_classified(
        &self,
        event: &OrderClassified,
    ) -> Result<(), HandlerError> {
        let sent = self.classified.send(event).await;
        sent.map(drop).map_err(|error| failed("pubsub", error))
    }

    /// Whether Pub/Sub answers and has the topic.
    pub(crate) async fn check(&self) -> Result<(), ConnectError> {
        self.classified.check().await
    }
}

/// What the broker will never take is the fault of the message that led to it.
fn failed(broker: &'static str, error: SendError) -> HandlerError {
    let is_permanent = error.is_permanent();
    let cause = anyhow::Error::new(error).context(Dependency(broker));
    if is_permanent {
        HandlerError::Reject(cause)
    } else {
        HandlerError::Unavailable(cause)
    }
}
