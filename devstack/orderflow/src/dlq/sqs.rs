//! Dead letters of SQS: received, and given back at once unless they are redriven.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System, QueueAttributeName};
use chrono::DateTime;
use otel_messaging::{DeadLetter, Headers};

use super::letter::Letter;
use super::place::Place;

/// How long SQS may take to answer; the SDK alone would wait for ever.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most messages that SQS gives at once.
const AT_ONCE: i32 = 10;
/// A queue that says it holds messages is asked on every one of its servers.
const WAIT_SECONDS: i32 = 1;

#[derive(Debug)]
pub(super) struct Sqs {
    pub(super) endpoint: String,
    pub(super) client: Client,
}

impl Sqs {
    pub(super) fn new(endpoint: &str, region: String, key_id: &str, secret: &str) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
        // Of what else a shell or an account says about AWS, nothing is meant for this queue.
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(region))
            .credentials_provider(Credentials::new(key_id, secret, None, None, "orderflow"))
            .timeout_config(timeouts)
            .build();
        Self {
            endpoint: endpoint.to_owned(),
            client: Client::from_conf(config),
        }
    }

    /// Every letter that nobody has in hand; they are ours for `lease`.
    pub(super) async fn look(
        &self,
        place: &'static Place,
        lease: Duration,
    ) -> anyhow::Result<Vec<Letter>> {
        let queue = self.url(place.name).await?;
        let expected = self.count(&queue).await?;
        let mut letters = Vec::new();
        while letters.len() < expected {
            let request = self.client.receive_message().queue_url(&queue);
            let request = request
                .max_number_of_messages(AT_ONCE)
                .wait_time_seconds(WAIT_SECONDS)
                .visibility_timeout(i32::try_from(lease.as_secs())?)
                .message_attribute_names("All")
                .message_system_attribute_names(System::All);
            let received = request.send().await.map_err(|error| reason(&error))?;
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            letters.extend(messages.into_iter().map(|message| letter(place, message)));
        }
        Ok(letters)
    }

    pub(super) async fn give_back(&self, place: &Place, letters: &[&Letter]) -> anyhow::Result<()> {
        let queue = self.url(place.name).await?;
        for letter in letters {
            let request = self.client.change_message_visibility().queue_url(&queue);
            let request = request
                .set_receipt_handle(letter.receipt.clone())
                .visibility_timeout(0);
            request.send().await.map_err(|error| reason(&error))?;
        }
        Ok(())
    }

    pub(super) async fn remove(&self, letter: &Letter) -> anyhow::Result<()> {
        let queue = self.url(letter.place.name).await?;
        let request = self.client.delete_message().queue_url(queue);
        let request = request.set_receipt_handle(letter.receipt.clone());
        request.send().await.map_err(|error| reason(&error))?;
        Ok(())
    }

    async fn url(&self, queue: &str) -> anyhow::Result<String> {
        let found = self.client.get_queue_url().queue_name(queue).send().await;
        let found = found.map_err(|error| reason(&error));
        let found = found.with_context(|| format!("the queue {queue}"))?;
        found.queue_url.context("the queue has no URL")
    }

    async fn count(&self, queue: &str) -> anyhow::Result<usize> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.client.get_queue_attributes().queue_url(queue);
        let asked = asked.attribute_names(name.clone()).send().await;
        let answer = asked.map_err(|error| reason(&error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let count = attributes.get(&name).and_then(|count| count.parse().ok());
        count.context("it does not say how many messages there are")
    }
}

/// The service's own words if it answered, otherwise why it could not be asked.
fn reason<E>(error: &SdkError<E>) -> anyhow::Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let answer = error.as_service_error();
    match answer.and_then(ProvideErrorMetadata::message) {
        Some(words) => anyhow!("{words}"),
        None => anyhow!("{}", DisplayErrorContext(error)),
    }
}

fn letter(place: &'static Place, message: Message) -> Letter {
    let system = message.attributes.unwrap_or_default();
    let key = system.get(&System::MessageGroupId).cloned();
    let mut headers = Headers::new();
    for (name, value) in message.message_attributes.unwrap_or_default() {
        let text = value.string_value.map(String::into_bytes);
        let bytes = text.or_else(|| Some(value.binary_value?.into_inner()));
        if let Some(bytes) = bytes {
            headers.append(name, bytes);
        }
    }
    let body = message.body.map(Into::into);
    let read = DeadLetter::read(key.map(Into::into), body, &headers);
    let id = message.message_id.unwrap_or_default();
    let sent = system.get(&System::SentTimestamp);
    let sent = sent.and_then(|millis| millis.parse().ok());
    let sent = sent.and_then(DateTime::from_timestamp_millis);
    Letter::new(place, &id, sent, read, message.receipt_handle)
}
