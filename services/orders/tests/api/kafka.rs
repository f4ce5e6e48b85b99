//! A Kafka of the test's own, and a stranger who reads what is on it.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

pub(crate) const CREATED: &str = "order.created";
pub(crate) const ENDED: &str = "order.ended";
const TIMEOUT: Duration = Duration::from_secs(10);
/// The only broker.
const BROKER: i32 = 1;

pub(crate) struct Kafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

/// A record as a stranger sees it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) payload: Value,
    pub(crate) headers: HashMap<String, String>,
}

impl Kafka {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(BROKER).unwrap();
        for topic in [CREATED, ENDED] {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        Self { cluster }
    }

    pub(crate) fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    pub(crate) fn down(&self) {
        self.cluster.broker_down(BROKER).unwrap();
    }

    pub(crate) fn up(&self) {
        self.cluster.broker_up(BROKER).unwrap();
    }

    /// Waits for the first `count` records of the topic.
    pub(crate) async fn records(&self, topic: &str, count: usize) -> Vec<Record> {
        // Without a group: joining one takes seconds.
        let reader: StreamConsumer = self.client().create().unwrap();
        let mut partition = TopicPartitionList::new();
        partition
            .add_partition_offset(topic, 0, Offset::Beginning)
            .unwrap();
        reader.assign(&partition).unwrap();
        let mut records = Vec::new();
        while records.len() < count {
            records.push(record(&reader.recv().await.unwrap()));
        }
        records
    }

    /// How many records the topic has now.
    pub(crate) async fn count(&self, topic: &'static str) -> i64 {
        let reader: BaseConsumer = self.client().create().unwrap();
        let marks = move || reader.fetch_watermarks(topic, 0, TIMEOUT).unwrap();
        let (low, high) = tokio::task::spawn_blocking(marks).await.unwrap();
        high - low
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", self.brokers())
            .set("group.id", "stranger");
        client
    }
}

fn record(message: &BorrowedMessage<'_>) -> Record {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Record {
        key: text(message.key()),
        payload: serde_json::from_slice(message.payload().unwrap()).unwrap(),
        headers: headers
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect(),
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}
