//! SQS: context in message attributes, retry by visibility timeout, a dead-letter queue.

mod consumer;
mod lease;
mod producer;
mod settle;
mod unwrapped;

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

pub use consumer::Receivers;
pub use producer::Queue;
pub use unwrapped::Unwrapped;

use crate::consumer::Probe;
use crate::destination::Destination;
use crate::error::ConnectError;
use crate::settings::Settings;

const SYSTEM: &str = "aws_sqs";

/// What the names of FIFO queues end with.
const FIFO: &str = ".fifo";

/// The most entries of a batch request.
const MAX_BATCH: usize = 10;

/// How long SQS may take to answer; the SDK alone would wait for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Sends events to one queue. Cheap to clone.
pub type Producer<C = crate::Json> = crate::Producer<Queue, C>;

/// Receives events from one queue.
///
/// Messages are processed side by side, on a FIFO queue those of one message group in their order. A retry makes the
/// message visible again after its delay; SQS counts the attempts.
pub type Consumer = crate::Consumer<Receivers>;

/// Makes producers and consumers from one client of the AWS SDK. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    client: aws_sdk_sqs::Client,
}

impl Client {
    /// Uses a client as it is, with its credentials, its endpoint and its time-outs.
    pub fn new(client: aws_sdk_sqs::Client) -> Self {
        Self { client }
    }

    /// A client for a configuration as `aws_config` loads it; requests get a time-out if it has none.
    pub fn from_config(config: &SdkConfig) -> Self {
        let mut own = aws_sdk_sqs::config::Builder::from(config);
        let given = config
            .timeout_config()
            .is_some_and(|timeouts| timeouts.operation_attempt_timeout().is_some());
        if !given {
            own = own.timeout_config(timeouts(ANSWER_WITHIN));
        }
        Self::new(aws_sdk_sqs::Client::from_conf(own.build()))
    }

    /// A producer for the queue named `queue`, which must be there.
    pub async fn producer(&self, queue: &str) -> Result<Producer, ConnectError> {
        Ok(Producer::new(self.queue(queue).await?))
    }

    /// A consumer of the queue named `queue`, which must be there.
    ///
    /// A redrive policy of the queue is a safety net for consumers that die before they decide;
    /// its `maxReceiveCount` must be larger than [`Settings::max_attempts`].
    pub async fn consumer(
        &self,
        queue: &str,
        settings: &Settings,
    ) -> Result<Consumer, ConnectError> {
        let queue = Arc::new(self.queue(queue).await?);
        let probed = queue.clone();
        let probe = Probe::new(move || {
            let queue = probed.clone();
            async move { queue.look_up().await.map(drop) }
        });
        let receivers = Receivers::new(queue, settings);
        Ok(Consumer::new(receivers, settings, probe))
    }

    async fn queue(&self, name: &str) -> Result<Queue, ConnectError> {
        let found = self.client.get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| ConnectError(reason(&error)))?;
        let url = found.queue_url.unwrap_or_default();
        let server = server(&url).to_owned();
        Ok(Queue {
            client: self.client.clone(),
            url: url.into(),
            is_fifo: name.ends_with(FIFO),
            destination: Arc::new(Destination::new(SYSTEM, name, &server)),
        })
    }
}

/// `host:port` of a queue's URL.
fn server(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn timeouts(of_an_attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(of_an_attempt)
        .build()
}

/// The service's own words if it answered, otherwise why it could not be asked.
fn reason<E>(error: &SdkError<E>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match error.as_service_error() {
        Some(answer) => match answer.message() {
            Some(message) => message.to_owned(),
            None => answer.to_string(),
        },
        None => DisplayErrorContext(error).to_string(),
    }
}

/// The service's error code, or what kind of failure kept it from answering.
fn class<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let class = match error {
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "connection",
        answered => answered.code().unwrap_or("_OTHER"),
    };
    class.to_owned()
}

/// SQS knows no fractions: rounded up, so that a delay is never none.
fn whole_seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_nanos().div_ceil(1_000_000_000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_never_none() {
        for (micros, seconds) in [(0, 0), (1, 1), (999, 1), (1_000_000, 1), (1_000_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_micros(micros)), seconds);
        }
    }
}
