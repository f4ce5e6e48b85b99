//! A Kafka of the test's own, and a stranger who writes to it and reads the dead letters.

use std::mem::ManuallyDrop;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::Value;

const TOPIC: &str = "order.ended";
const DEAD_LETTERS: &str = "order.ended.dlt";
/// The only broker of a cluster.
const BROKER: i32 = 1;

pub(crate) struct Kafka {
    /// Never dropped: the runtime drops the service after the test's own values, and a consumer that cannot leave its
    /// group blocks for the 45 seconds of its session.
    cluster: ManuallyDrop<MockCluster<'static, DefaultProducerContext>>,
    producer: FutureProducer,
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
        }
    }

    pub(crate) fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Tells what was decided, in this order.
    pub(crate) async fn order_ended(&self, events: &[Value]) {
        for event in events {
            self.send(&event["order_id"].to_string(), &event.to_string())
                .await;
        }
    }

    pub(crate) async fn send(&self, key: &str, payload: &str) {
        let record = FutureRecord::to(TOPIC).key(key).payload(payload);
        self.producer.send(record, Timeout::Never).await.unwrap();
    }

    pub(crate) async fn next_dead_letter(&self) -> String {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.brokers());
        // It joins no group: it need not leave one.
        client.set("group.id", "stranger");
        client.set("enable.auto.commit", "false");
        let letters: StreamConsumer = client.create().unwrap();
        let mut partitions = TopicPartitionList::new();
        let first = partitions.add_partition_offset(DEAD_LETTERS, 0, Offset::Beginning);
        first.unwrap();
        letters.assign(&partitions).unwrap();
        let letter = letters.recv().await.unwrap();
        String::from_utf8(letter.payload().unwrap().to_vec()).unwrap()
    }

    pub(crate) fn stop(&self) {
        self.cluster.broker_down(BROKER).unwrap();
    }

    pub(crate) fn restart(&self) {
        self.cluster.broker_up(BROKER).unwrap();
    }
}
