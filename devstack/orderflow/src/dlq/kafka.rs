//! Dead letters of Kafka: read from the beginning, as a member of no group, so that looking leaves no mark.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use chrono::DateTime;
use otel_carriers::kafka::readable;
use otel_messaging::{DeadLetter, Headers};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

use super::letter::Letter;
use super::place::Place;

/// How long Kafka may take to answer a question, and to hand out the next record.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Kafka {
    pub(super) brokers: String,
}

impl Kafka {
    pub(super) async fn look(&self, place: &'static Place) -> anyhow::Result<Vec<Letter>> {
        let mut config = self.config();
        config
            // The client insists on a name; nobody joins or commits under it.
            .set("group.id", "orderflow-dlq")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "20");
        // librdkafka's calls block.
        tokio::task::spawn_blocking(move || read(&config, place)).await?
    }

    pub(super) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

fn read(config: &ClientConfig, place: &'static Place) -> anyhow::Result<Vec<Letter>> {
    let consumer: BaseConsumer = config.create().context("connecting")?;
    let mut unread = assign_all(&consumer, place.name)?;
    let mut letters = Vec::new();
    let mut heard = Instant::now();
    while unread > 0 {
        ensure!(
            heard.elapsed() < PATIENCE,
            "it stopped in the middle of {}",
            place.name
        );
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => letters.push(letter(place, &record)),
            Some(Err(KafkaError::PartitionEOF(_))) => unread -= 1,
            Some(Err(error)) => tracing::debug!(%error, "the client goes on"),
            None => continue,
        }
        heard = Instant::now();
    }
    Ok(letters)
}

/// Answers with the number of partitions, each of which says when it has been read to its end.
fn assign_all(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<usize> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let described = metadata
        .topics()
        .first()
        .context("it does not know the topic")?;
    if let Some(error) = described.error() {
        let code = rdkafka::error::RDKafkaErrorCode::from(error);
        return Err(anyhow!("the topic {topic}: {code}"));
    }
    let mut partitions = TopicPartitionList::new();
    for partition in described.partitions() {
        partitions.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    Ok(partitions.count())
}

fn letter(place: &'static Place, record: &BorrowedMessage<'_>) -> Letter {
    let mut headers = Headers::new();
    for header in record.headers().into_iter().flat_map(readable) {
        match header.value {
            Some(value) => headers.append(header.key, value.to_vec()),
            None => headers.append_null(header.key),
        }
    }
    let owned = |bytes: &[u8]| bytes.to_vec().into();
    let read = DeadLetter::read(
        record.key().map(owned),
        record.payload().map(owned),
        &headers,
    );
    let (topic, partition, offset) = (record.topic(), record.partition(), record.offset());
    let arrived = record.timestamp().to_millis();
    let arrived = arrived.and_then(DateTime::from_timestamp_millis);
    Letter::new(
        place,
        &format!("{topic}/{partition}/{offset}"),
        arrived,
        read,
        None,
    )
}
