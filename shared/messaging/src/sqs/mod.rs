//! SQS: context in message attributes, retry by visibility timeout, a dead-letter queue.

mod consumer;
mod producer;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use clap::Args;

pub use consumer::Consumer;
pub use producer::Producer;

use crate::error::ConnectError;
use crate::settings;
use crate::span::Destination;

const SYSTEM: &str = "aws_sqs";

/// How long SQS may take to answer; the SDK alone would wait for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Where SQS is, and as whom it is used.
#[derive(Debug, Clone, Args)]
#[group(id = "sqs")]
pub struct Address {
    /// SQS endpoint, if it is not AWS's own.
    #[arg(long, env = "AWS_ENDPOINT_URL_SQS", value_parser = settings::endpoint)]
    pub aws_endpoint_url_sqs: Option<String>,

    /// AWS region.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    pub aws_region: String,

    #[command(flatten)]
    pub keys: Option<Keys>,
}

/// Credentials; without them they come from AWS's own chain: a profile, a role.
#[derive(Clone, Args)]
#[group(id = "aws_keys")]
pub struct Keys {
    /// AWS access key; without it AWS's own chain is asked: a profile, a role.
    #[arg(
        long,
        env = "AWS_ACCESS_KEY_ID",
        requires = "aws_secret_access_key",
        required = false
    )]
    pub aws_access_key_id: String,

    /// Secret of the AWS access key.
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true,
        required = false
    )]
    pub aws_secret_access_key: String,

    /// Session token of temporary AWS credentials.
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub aws_session_token: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("aws_access_key_id", &self.aws_access_key_id)
            .finish_non_exhaustive()
    }
}

/// A queue, found by its name.
#[derive(Debug, Clone)]
struct Queue {
    client: Client,
    url: String,
    destination: Destination,
}

impl Keys {
    fn credentials(&self) -> Credentials {
        Credentials::new(
            &self.aws_access_key_id,
            &self.aws_secret_access_key,
            self.aws_session_token.clone(),
            None,
            "settings",
        )
    }
}

impl Address {
    async fn client(&self) -> Client {
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.aws_region.clone()))
            .timeout_config(timeouts(ANSWER_WITHIN));
        if let Some(endpoint) = &self.aws_endpoint_url_sqs {
            config = config.endpoint_url(endpoint);
        }
        if let Some(keys) = &self.keys {
            config = config.credentials_provider(keys.credentials());
        }
        Client::new(&config.load().await)
    }

    /// Where it is, as a URL.
    pub fn endpoint(&self) -> String {
        self.aws_endpoint_url_sqs
            .clone()
            .unwrap_or_else(|| format!("https://sqs.{}.amazonaws.com", self.aws_region))
    }

    fn destination(&self, queue: &str) -> Destination {
        let endpoint = self.endpoint();
        let server = endpoint
            .split_once("://")
            .map_or(&*endpoint, |(_, rest)| rest);
        Destination::new(SYSTEM, queue, server.trim_end_matches('/'))
    }
}

impl Queue {
    async fn find(address: &Address, name: &str) -> Result<Self, ConnectError> {
        let client = address.client().await;
        let found = client.get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| ConnectError(reason(&error)))?;
        Ok(Self {
            client,
            url: found.queue_url.unwrap_or_default(),
            destination: address.destination(name),
        })
    }

    async fn check(&self) -> Result<(), ConnectError> {
        let asked = self
            .client
            .get_queue_url()
            .queue_name(&self.destination.name);
        match asked.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(ConnectError(reason(&error))),
        }
    }
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
        answered => answered.code().unwrap_or("response"),
    };
    class.to_owned()
}
