use otel_messaging::StoredContext;
use otel_messaging::kafka::{Address, Consumer, Producer};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::Headers;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, DeadLetter, Event, settings, unique};
use crate::handler::Scripted;

/// Two, so that two members of a group have something to share.
const PARTITIONS: i32 = 2;

pub(crate) struct Kafka {
    address: Address,
    topic: String,
    producer: Producer,
    dead_letters: StreamConsumer,
    _stand_in: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Kafka {
    /// Sends events of these ids, in this order.
    pub(crate) fn send_to_partition(&self, partition: i32, ids: &[String]) {
        let producer: FutureProducer = client(&self.address.kafka_brokers).create().unwrap();
        for id in ids {
            let payload = serde_json::to_vec(&Event { id: id.clone() }).unwrap();
            let record = FutureRecord::<str, _>::to(&self.topic)
                .payload(&payload)
                .partition(partition);
            producer.send_result(record).unwrap();
        }
        producer.flush(Timeout::Never).unwrap();
    }
}

impl Broker for Kafka {
    const PART: &'static str = "kafka";
    const ADDRESS: &'static str = "KAFKA_BROKERS";
    const SYSTEM: &'static str = "kafka";
    const RECEIVES_BATCHES: bool = true;

    async fn start(address: Option<String>) -> Self {
        let topic = unique("topic");
        let (brokers, stand_in) = if let Some(brokers) = address {
            (brokers, None)
        } else {
            let cluster = MockCluster::new(1).unwrap();
            (cluster.bootstrap_servers(), Some(cluster))
        };
        let letters = format!("{topic}.dlt");
        match &stand_in {
            Some(cluster) => {
                [&topic, &letters].map(|name| cluster.create_topic(name, PARTITIONS, 1).unwrap())
            }
            None => create(&brokers, [&topic, &letters]).await,
        };
        let address = Address {
            kafka_brokers: brokers,
        };
        Self {
            producer: Producer::connect(&address, &topic).await.unwrap(),
            dead_letters: reader(&address, &letters),
            address,
            topic,
            _stand_in: stand_in,
        }
    }

    fn destination(&self) -> &str {
        &self.topic
    }

    async fn send(&self, event: &Event) {
        self.producer.send(&event.id, event).await.unwrap();
    }

    async fn send_from(&self, context: &StoredContext, event: &Event) {
        self.producer
            .send_from(context, &event.id, event)
            .await
            .unwrap();
    }

    async fn send_foreign(&self, payload: &str) {
        let producer: FutureProducer = client(&self.address.kafka_brokers).create().unwrap();
        let record = FutureRecord::<str, str>::to(&self.topic).payload(payload);
        producer.send(record, Timeout::Never).await.unwrap();
    }

    async fn consume(&self, handler: Scripted, shutdown: CancellationToken) {
        let consumer =
            Consumer::connect(&self.address, &settings(), &self.topic, &self.topic).await;
        consumer.unwrap().run(handler, shutdown).await;
    }

    async fn next_dead_letter(&self) -> DeadLetter {
        let letter = self.dead_letters.recv().await.unwrap();
        let headers = letter.headers().unwrap();
        let reason = headers
            .iter()
            .find(|header| header.key == "orderflow-dead-letter-reason");
        DeadLetter {
            payload: String::from_utf8(letter.payload().unwrap().to_vec()).unwrap(),
            reason: String::from_utf8(reason.unwrap().value.unwrap().to_vec()).unwrap(),
        }
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers);
    client
}

async fn create(brokers: &str, topics: [&String; 2]) -> [(); 2] {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let topics = topics.map(|name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)));
    admin
        .create_topics(&topics, &AdminOptions::new())
        .await
        .unwrap();
    [(), ()]
}

/// Takes its partitions without a group: a member that is closed while its group rebalances may hang in librdkafka
/// (<https://github.com/confluentinc/librdkafka/issues/4884>).
fn reader(address: &Address, topic: &str) -> StreamConsumer {
    let reader: StreamConsumer = client(&address.kafka_brokers)
        .set("group.id", "takes part in none")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let beginning = partitions.add_partition_offset(topic, partition, Offset::Beginning);
        beginning.unwrap();
    }
    reader.assign(&partitions).unwrap();
    reader
}
