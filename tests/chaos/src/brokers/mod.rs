//! What is left in the brokers, asked past every proxy.

mod kafka;
mod pubsub;
mod sqs;

use anyhow::{Context as _, bail};
use serde_json::Value;
use stack::Stack;

use self::kafka::Kafka;
use self::pubsub::Pubsub;
use self::sqs::Sqs;
use crate::books::{Ended, Waiting};
use crate::part::Part;

#[derive(Debug)]
pub(crate) struct Brokers {
    kafka: Kafka,
    sqs: Sqs,
    pubsub: Pubsub,
}

impl Brokers {
    pub(crate) fn of(stack: &Stack) -> anyhow::Result<Self> {
        Ok(Self {
            kafka: Kafka::at(stack.setting("KAFKA_BROKERS")?)?,
            sqs: Sqs::at(stack.setting("AWS_ENDPOINT_URL_SQS")?)?,
            pubsub: Pubsub::at(
                stack.setting("PUBSUB_EMULATOR_HOST")?,
                stack.setting("PUBSUB_PROJECT_ID")?,
            )?,
        })
    }

    /// The places of Kafka and SQS where messages wait or lie dead, with their numbers.
    pub(crate) async fn waiting(&self) -> anyhow::Result<Vec<Waiting>> {
        let mut waiting = self.kafka.waiting().await.context("asking Kafka")?;
        waiting.extend(self.sqs.waiting().await.context("asking SQS")?);
        Ok(waiting)
    }

    /// Those of Pub/Sub. To look there is to take, so it is for when nothing else is under way: what is found is handed
    /// back, and its next delivery comes the later for it.
    pub(crate) async fn waiting_in_pubsub(&self) -> anyhow::Result<Vec<Waiting>> {
        self.pubsub.waiting().await.context("asking Pub/Sub")
    }

    /// Takes all messages away, as if they had never been sent.
    pub(crate) async fn empty(&self, part: Part) -> anyhow::Result<()> {
        match part {
            Part::Sqs => self.sqs.empty().await,
            Part::Pubsub => self.pubsub.empty().await,
            other => bail!("{} does not forget", other.name()),
        }
    }

    /// A record as somebody else would write it, without headers.
    pub(crate) async fn send_record(
        &self,
        topic: &str,
        key: &str,
        payload: &Value,
    ) -> anyhow::Result<()> {
        let sent = self.kafka.send(topic, key, payload).await;
        sent.context("sending to Kafka")
    }

    /// A message as somebody else would write it, without attributes.
    pub(crate) async fn send_message(&self, queue: &str, body: &Value) -> anyhow::Result<()> {
        let sent = self.sqs.send(queue, body).await;
        sent.context("sending to SQS")
    }

    /// A message as somebody else would write it, without attributes.
    pub(crate) async fn publish(&self, topic: &str, data: &Value) -> anyhow::Result<()> {
        let sent = self.pubsub.publish(topic, data).await;
        sent.context("publishing to Pub/Sub")
    }

    /// Every `order.ended` so far.
    pub(crate) async fn ended(&self) -> anyhow::Result<Vec<Ended>> {
        self.kafka.ended().await.context("reading order.ended")
    }
}
