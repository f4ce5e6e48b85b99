//! A Kafka of the test's own, and a stranger who writes to it.

use std::mem::ManuallyDrop;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use serde_json::Value;

const TOPIC: &str = "order.created";

pub(crate) struct Kafka {
    /// Never dropped: the runtime drops the service after the test's own values, and a consumer that cannot leave its
    /// group blocks for the 45 seconds of its session.
    cluster: ManuallyDrop<MockCluster<'static, DefaultProducerContext>>,
}

impl Kafka {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in [TOPIC, "order.created.dlt"] {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        Self {
            cluster: ManuallyDrop::new(cluster),
        }
    }

    /// Refuses connections.
    pub(crate) fn stop(&self) {
        self.cluster.broker_down(1).unwrap();
    }

    /// Takes connections again.
    pub(crate) fn resume(&self) {
        self.cluster.broker_up(1).unwrap();
    }

    /// Keeps its answers to itself, as a process that was stopped does.
    pub(crate) fn freeze(&self) {
        let never = Duration::from_hours(1);
        self.cluster.broker_round_trip_time(1, never).unwrap();
    }

    pub(crate) fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Tells that an order was created.
    pub(crate) async fn order_created(&self, event: &Value) {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.brokers());
        let producer: FutureProducer = client.create().unwrap();
        let (key, payload) = (event["order_id"].to_string(), event.to_string());
        let record = FutureRecord::to(TOPIC).key(&key).payload(&payload);
        producer.send(record, Timeout::Never).await.unwrap();
    }
}
