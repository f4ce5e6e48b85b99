use std::rc::Rc;
use std::time::Duration;

use otel_messaging::kafka::{Client, Producer};
use otel_messaging::{Outgoing, ReceiveError, Settings, stack};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::Headers;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, DeadLetter, Event, Work, run, unique};

/// Two, so that two members of a group have something to share.
pub(crate) const PARTITIONS: i32 = 2;

/// The most bytes of a dead letter: a topic's own limit, which the mock cluster does not know, or its producer's.
const LARGEST_LETTER: &str = "10000";

pub(crate) struct Kafka {
    brokers: String,
    topic: String,
    producer: Producer,
    dead_letters: StreamConsumer,
    stand_in: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Kafka {
    pub(crate) fn is_real(&self) -> bool {
        self.stand_in.is_none()
    }

    /// Sends events of these ids with a key of their own each, in this order.
    pub(crate) async fn send_to_partition(&self, partition: i32, ids: &[String]) {
        let producer: FutureProducer = config(&self.brokers).create().unwrap();
        for id in ids {
            let payload = serde_json::to_vec(&Event::new(id)).unwrap();
            let record = FutureRecord::to(&self.topic)
                .key(id)
                .payload(&payload)
                .partition(partition);
            producer.send(record, Timeout::Never).await.unwrap();
        }
    }
}

impl Broker for Kafka {
    const PART: &'static str = "kafka";
    const ADDRESS: &'static str = "KAFKA_BROKERS";
    const SYSTEM: &'static str = "kafka";
    const RECEIVES_BATCHES: bool = true;
    const TOO_LARGE_FOR_A_LETTER: usize = 20_000;

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
        let client = Client::new(config(&brokers));
        Self {
            producer: client.producer(&topic).await.unwrap(),
            dead_letters: reader(&brokers, &letters),
            brokers,
            topic,
            stand_in,
        }
    }

    /// All topics do.
    async fn in_order(self: &Rc<Self>) -> Rc<Self> {
        self.clone()
    }

    fn destination(&self) -> &str {
        &self.topic
    }

    async fn send(&self, event: Outgoing<'_, Event>) {
        self.producer.send(event).await.unwrap();
    }

    async fn send_batch(&self, events: &[Event]) {
        for sent in self.producer.send_batch(events).await {
            sent.unwrap();
        }
    }

    async fn send_foreign(&self, payload: &str) {
        let producer: FutureProducer = config(&self.brokers).create().unwrap();
        let record = FutureRecord::<str, str>::to(&self.topic).payload(payload);
        producer.send(record, Timeout::Never).await.unwrap();
    }

    async fn consume(
        &self,
        work: Work,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let mut small = config(&self.brokers);
        small.set("message.max.bytes", LARGEST_LETTER);
        let letters = format!("{}.dlt", self.topic);
        let letters = Client::new(small).producer(&letters).await.unwrap();
        let topics = [&*self.topic];
        let client = Client::new(config(&self.brokers));
        let consumer = client.consumer(&topics, &self.topic, &settings).await;
        run!(consumer.unwrap().with_dead_letters(letters), work, shutdown)
    }

    async fn next_dead_letter(&self) -> DeadLetter {
        let letter = self.dead_letters.recv().await.unwrap();
        let headers = letter.headers().unwrap().iter();
        DeadLetter {
            payload: String::from_utf8(letter.payload().unwrap().to_vec()).unwrap(),
            headers: headers
                .map(|header| {
                    let value = header.value.unwrap().to_vec();
                    (header.key.to_owned(), String::from_utf8(value).unwrap())
                })
                .collect(),
        }
    }

    async fn take_away(&self) {
        if let Some(cluster) = &self.stand_in {
            // The mock cluster makes a topic anew that it is asked for.
            let refuses = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
            return cluster.topic_error(&self.topic, refuses).unwrap();
        }
        let admin = admin(&self.brokers);
        let deleted = admin.delete_topics(&[&self.topic], &AdminOptions::new());
        deleted.await.unwrap();
    }
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    // What a topic lacks is noticed in time for a test to wait for it.
    config.set("topic.metadata.refresh.interval.ms", "1000");
    config.set("topic.metadata.propagation.max.ms", "1000");
    config
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    config(brokers).create().unwrap()
}

async fn create(brokers: &str, topics: [&String; 2]) -> [(); 2] {
    let topics = topics.map(|name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)));
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
    let created = admin(brokers).create_topics(&topics, &options).await;
    for topic in created.unwrap() {
        topic.unwrap();
    }
    [(), ()]
}

/// Takes its partitions without a group: a member that is closed while its group rebalances may hang in librdkafka
/// (<https://github.com/confluentinc/librdkafka/issues/4884>).
fn reader(brokers: &str, topic: &str) -> StreamConsumer {
    let reader: StreamConsumer = config(brokers)
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
