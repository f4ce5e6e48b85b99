//! Sends a record to Kafka that nobody should send: garbage, or one that was sent before. For scripts/fault.sh; what goes
//! wrong on SQS and Pub/Sub, it does with curl.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, Subcommand};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::OwnedMessage;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

/// How long Kafka may take to answer a question, or to hand out the next record.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a record to Kafka that nobody should send.
#[derive(Debug, Parser)]
struct Args {
    /// Bootstrap servers, several with commas.
    #[arg(long, env = "KAFKA_BROKERS", value_name = "LIST")]
    brokers: String,
    /// Where it is sent.
    topic: String,
    #[command(subcommand)]
    record: Record,
}

#[derive(Debug, Subcommand)]
enum Record {
    /// A record with this payload and without headers.
    Garbage { payload: String },
    /// The first record of this key once more, to the same partition and with the same headers.
    Repeat { key: String },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.brokers);
    let producer: FutureProducer = config.create()?;
    let found;
    let record = FutureRecord::<[u8], [u8]>::to(&args.topic);
    let record = match &args.record {
        Record::Garbage { payload } => record.payload(payload.as_bytes()),
        Record::Repeat { key } => {
            found = find(&config, &args.topic, key)?;
            again(record, &found)
        }
    };
    let sent = producer.send(record, PATIENCE).await;
    let sent = sent.map_err(|(error, _record)| error)?;
    println!("{}/{}/{}", args.topic, sent.partition, sent.offset);
    Ok(())
}

fn again<'a>(
    record: FutureRecord<'a, [u8], [u8]>,
    found: &'a OwnedMessage,
) -> FutureRecord<'a, [u8], [u8]> {
    let mut record = record.partition(found.partition());
    record.key = found.key();
    record.payload = found.payload();
    record.headers = found.headers().cloned();
    record
}

/// The first record of the key, read as a member of no group.
fn find(config: &ClientConfig, topic: &str, key: &str) -> anyhow::Result<OwnedMessage> {
    let mut config = config.clone();
    config
        // The client insists on a name; nobody joins or commits under it.
        .set("group.id", "kafka-record")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    let mut unread = assign_all(&consumer, topic)?;
    while unread > 0 {
        match consumer.poll(PATIENCE) {
            Some(Ok(record)) if record.key() == Some(key.as_bytes()) => return Ok(record.detach()),
            Some(Ok(_other)) => {}
            Some(Err(KafkaError::PartitionEOF(_))) => unread -= 1,
            Some(Err(error)) => return Err(error).context("reading"),
            None => bail!("Kafka does not go on"),
        }
    }
    bail!("{topic} has no record with the key {key}")
}

/// Answers with the number of partitions, each of which says when it has been read to its end.
fn assign_all(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<usize> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let described = metadata.topics().first().context("it was asked for")?;
    ensure!(!described.partitions().is_empty(), "there is no {topic}");
    let mut partitions = TopicPartitionList::new();
    for partition in described.partitions() {
        partitions.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    Ok(partitions.count())
}
