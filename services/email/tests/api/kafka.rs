//! A Kafka of the test's own, and a stranger who writes to it and reads the dead letters.

use std::collections::HashMap;
use std::mem::ManuallyDrop;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::Value;
use tokio::sync::OnceCell;

const TOPIC: &str = "order.ended";
const DEAD_LETTERS: &str = "order.ended.dlt";
/// The only broker of a cluster.
const BROKER: i32 = 1;

pub(crate) struct Kafka {
    /// Never dropped: the runtime drops the service after the test's own values, and a consumer that cannot leave its
    /// group blocks for the 45 seconds of its session.
    cluster: ManuallyDrop<MockCluster<'static, DefaultProducerContext>>,
    producer: FutureProducer,
    letters: OnceCell<StreamConsumer>,
}

/// A message that was given up.
pub(crate) struct Letter {
    pub(crate) payload: Value,
    pub(crate) headers: HashMap<String, String>,
}

impl Kafka {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in [TOPIC, DEAD_LETTERS] {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", cluster.bootstrap_servers());
        Self {
            cluster: ManuallyDrop::new(cluster),
            producer: client.create().unwrap(),
            letters: OnceCell::new(),
        }
    }

    pub(crate) fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Tells that orders have ended, in this order.
    pub(crate) async fn order_ended(&self, events: &[&Value]) {
        for event in events {
            let (key, payload) = (event["order_id"].to_string(), event.to_string());
            let record = FutureRecord::to(TOPIC).key(&key).payload(&payload);
            self.producer.send(record, Timeout::Never).await.unwrap();
        }
    }

    pub(crate) async fn next_dead_letter(&self) -> Letter {
        let letters = self.letters.get_or_init(async || self.letters()).await;
        let letter = letters.recv().await.unwrap();
        Letter {
            payload: serde_json::from_slice(letter.payload().unwrap()).unwrap(),
            headers: headers(&letter),
        }
    }

    /// It joins no group: it need not leave one.
    fn letters(&self) -> StreamConsumer {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.brokers());
        client.set("group.id", "stranger");
        client.set("enable.auto.commit", "false");
        let letters: StreamConsumer = client.create().unwrap();
        let mut partitions = TopicPartitionList::new();
        let first = partitions.add_partition_offset(DEAD_LETTERS, 0, Offset::Beginning);
        first.unwrap();
        letters.assign(&partitions).unwrap();
        letters
    }

    pub(crate) fn stop(&self) {
        self.cluster.broker_down(BROKER).unwrap();
    }

    pub(crate) fn restart(&self) {
        self.cluster.broker_up(BROKER).unwrap();
    }
}

fn headers(letter: &BorrowedMessage<'_>) -> HashMap<String, String> {
    let headers = letter.headers().unwrap().iter();
    let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap().to_vec()).unwrap();
    headers
        .map(|header| (header.key.to_owned(), text(header.value)))
        .collect()
}
