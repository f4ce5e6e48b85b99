//! How far the groups have come, and what was told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::{OrderCreated, OrderEnded};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde_json::Value;

use crate::books::{Ended, Waiting};

const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);

/// Who reads what.
const GROUPS: [(&str, &str); 3] = [
    (OrderCreated::TOPIC, "classifier"),
    (OrderEnded::TOPIC, OrderEnded::EMAIL_GROUP),
    (OrderEnded::TOPIC, OrderEnded::INVENTORY_GROUP),
];
const DEAD_LETTERS: [&str; 2] = [OrderCreated::DEAD_LETTERS, OrderEnded::DEAD_LETTERS];

/// Clients that ask about groups without being members of them.
#[derive(Debug, Clone)]
pub(super) struct Kafka(Arc<Clients>);

struct Clients {
    producer: FutureProducer,
    groups: Vec<(&'static str, &'static str, BaseConsumer)>,
    reader: Mutex<Reader>,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// Reads `order.ended` from its beginning, and goes on from where it was.
struct Reader {
    consumer: BaseConsumer,
    ended: Vec<Ended>,
    positions: Vec<i64>,
}

impl Kafka {
    pub(super) fn at(brokers: &str) -> anyhow::Result<Self> {
        let client = |group: &str| -> Result<BaseConsumer, KafkaError> {
            let mut config = ClientConfig::new();
            config
                .set("bootstrap.servers", brokers)
                .set("group.id", group)
                .set("enable.auto.commit", "false")
                .set("fetch.wait.max.ms", "20");
            config.create()
        };
        let groups = GROUPS.map(|(topic, group)| Ok((topic, group, client(group)?)));
        let groups: Result<_, KafkaError> = groups.into_iter().collect();
        let mut producer = ClientConfig::new();
        producer.set("bootstrap.servers", brokers);
        Ok(Self(Arc::new(Clients {
            producer: producer.create()?,
            groups: groups?,
            reader: Mutex::new(Reader {
                consumer: client("chaos")?,
                ended: Vec::new(),
                positions: Vec::new(),
            }),
        })))
    }

    pub(super) async fn send(&self, topic: &str, key: &str, payload: &Value) -> anyhow::Result<()> {
        let payload = payload.to_string();
        let record = FutureRecord::to(topic).key(key).payload(&payload);
        let sent = self.0.producer.send(record, ANSWERS_WITHIN).await;
        sent.map_err(|(error, _record)| error)?;
        Ok(())
    }

    pub(super) async fn waiting(&self) -> anyhow::Result<Vec<Waiting>> {
        let clients = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || clients.waiting()).await?
    }

    pub(super) async fn ended(&self) -> anyhow::Result<Vec<Ended>> {
        let clients = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let mut reader = clients.reader.lock().expect("nobody panics with it");
            reader.read_to_the_end()?;
            Ok(reader.ended.clone())
        })
        .await?
    }
}

impl Clients {
    fn waiting(&self) -> anyhow::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for (topic, group, client) in &self.groups {
            waiting.push(Waiting {
                place: format!("{topic} for the group {group}"),
                messages: lag(client, topic)?,
                dead: false,
            });
        }
        let (.., client) = self.groups.first().context("there are groups")?;
        for topic in DEAD_LETTERS {
            let ends = ends(client, topic)?;
            waiting.push(Waiting {
                place: topic.to_owned(),
                messages: ends.iter().sum(),
                dead: true,
            });
        }
        Ok(waiting)
    }
}

/// The offset that the next record of each partition will get.
fn ends(client: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<i64>> {
    let metadata = client.fetch_metadata(Some(topic), ANSWERS_WITHIN)?;
    let known = metadata.topics().first().context("it was asked for")?;
    let partitions = known.partitions().iter();
    let mut ends = Vec::new();
    for partition in partitions {
        ends.push(
            client
                .fetch_watermarks(topic, partition.id(), ANSWERS_WITHIN)?
                .1,
        );
    }
    Ok(ends)
}

/// What the group has not committed; a group that has committed nothing begins at 0.
fn lag(client: &BaseConsumer, topic: &str) -> anyhow::Result<i64> {
    let ends = ends(client, topic)?;
    let mut asked = TopicPartitionList::new();
    for partition in (0..).take(ends.len()) {
        asked.add_partition(topic, partition);
    }
    let committed = client.committed_offsets(asked, ANSWERS_WITHIN)?;
    let committed: i64 = (committed.elements().iter())
        .map(|partition| match partition.offset() {
            Offset::Offset(offset) => offset,
            _ => 0,
        })
        .sum();
    Ok(ends.iter().sum::<i64>() - committed)
}

impl Reader {
    fn read_to_the_end(&mut self) -> anyhow::Result<()> {
        let ends = ends(&self.consumer, OrderEnded::TOPIC)?;
        if self.positions.is_empty() {
            self.positions = vec![0; ends.len()];
            let mut all = TopicPartitionList::new();
            for partition in (0..).take(ends.len()) {
                all.add_partition_offset(OrderEnded::TOPIC, partition, Offset::Beginning)?;
            }
            self.consumer.assign(&all)?;
        }
        let deadline = Instant::now() + ANSWERS_WITHIN;
        let mut last_error = None;
        while self.positions.iter().zip(&ends).any(|(at, end)| at < end) {
            ensure!(
                Instant::now() < deadline,
                "read to {:?} of {ends:?}: {last_error:?}",
                self.positions
            );
            let record = match self.consumer.poll(POLL) {
                Some(Ok(record)) => record,
                // The client also tells what went wrong before, perhaps long after it is well again.
                Some(Err(error)) => {
                    last_error = Some(error);
                    continue;
                }
                None => continue,
            };
            let at = usize::try_from(record.partition())?;
            self.positions[at] = record.offset() + 1;
            let payload = record.payload().unwrap_or_default();
            self.ended.push(serde_json::from_slice(payload)?);
        }
        Ok(())
    }
}
