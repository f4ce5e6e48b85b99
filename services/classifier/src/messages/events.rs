//! Everything that this service sends.

use std::sync::Arc;

use domain::{ClassificationJob, OrderClassified};
use otel_messaging::{ConnectError, Dependency, ErrorType, HandlerError, SendError, pubsub, sqs};
use telemetry::Hop;
use tokio::sync::OnceCell;

use crate::config::Config;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct ClassifierEvents {
    sqs: sqs::Client,
    /// SQS must be asked where the queue is, and may be away at the start.
    jobs: Arc<OnceCell<sqs::Producer>>,
    classified: pubsub::Producer,
    carries_context_to_jobs: bool,
}

impl ClassifierEvents {
    /// The brokers are connected to when they are needed.
    pub(crate) async fn new(config: &Config) -> Result<Self, ConnectError> {
        let classified = config.pubsub.client().await?;
        let classified = classified.producer(OrderClassified::TOPIC).await?;
        Ok(Self {
            sqs: config.sqs.client().await,
            jobs: Arc::default(),
            classified: classified.with_propagation(config.faults.propagates(Hop::Pubsub)),
            carries_context_to_jobs: config.faults.propagates(Hop::Sqs),
        })
    }

    /// There is an order to classify.
    pub(crate) async fn job(&self, job: &ClassificationJob) -> Result<(), HandlerError> {
        let jobs = self.jobs.get_or_try_init(|| self.find_jobs()).await;
        let jobs = jobs.map_err(|error| {
            let error = anyhow::Error::new(error).context(ErrorType("connection"));
            HandlerError::Unavailable(error.context(Dependency("sqs")))
        })?;
        let sent = jobs.send(job).await;
        sent.map(drop).map_err(|error| failed("sqs", error))
    }

    async fn find_jobs(&self) -> Result<sqs::Producer, ConnectError> {
        let jobs = self.sqs.producer(ClassificationJob::QUEUE).await?;
        Ok(jobs.with_propagation(self.carries_context_to_jobs))
    }

    /// This was found out about an order.
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
