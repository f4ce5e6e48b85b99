use std::ops::Range;

use anyhow::anyhow;
use futures::future::try_join_all;
use otel_messaging::kafka::Client;
use otel_messaging::{Settings, stack};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, Message as _};

use crate::measure::{Count, Order};

const PARTITIONS: i32 = 3;
/// Records that are sent before their acknowledgements are waited for.
const AT_ONCE: usize = 5000;

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

pub(crate) async fn fill(brokers: &str, topic: &str, messages: usize) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = config(brokers).create()?;
    let new = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1));
    for created in admin.create_topics([&new], &AdminOptions::new()).await? {
        created.map_err(|(topic, code)| anyhow!("creating the topic {topic}: {code}"))?;
    }
    let producer: FutureProducer = config(brokers).create()?;
    for first in (0..messages).step_by(AT_ONCE) {
        send(&producer, topic, first..messages.min(first + AT_ONCE)).await?;
    }
    Ok(())
}

async fn send(producer: &FutureProducer, topic: &str, numbers: Range<usize>) -> anyhow::Result<()> {
    let sends = numbers.map(|number| async move {
        let (payload, key) = (
            Order::number(number).to_json(),
            format!("{}", number % 1000),
        );
        let headers = OwnedHeaders::new().insert(Header {
            key: "traceparent",
            value: Some(&Order::traceparent(number)),
        });
        let record = FutureRecord::to(topic).key(&key).payload(&payload);
        let sent = producer.send(record.headers(headers), Timeout::Never).await;
        sent.map_err(|(error, _)| error)
    });
    try_join_all(sends).await?;
    Ok(())
}

/// As the documentation of the client has it: offsets are stored when a record is processed, and committed beside.
pub(crate) async fn bare(brokers: &str, topic: &str, count: &Count) -> anyhow::Result<()> {
    let consumer: StreamConsumer = config(brokers)
        .set("group.id", topic)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "true")
        .set("enable.auto.offset.store", "false")
        .create()?;
    consumer.subscribe(&[topic])?;
    while !count.done().is_cancelled() {
        let record = consumer.recv().await?;
        let order: Order = serde_json::from_slice(record.payload().unwrap_or_default())?;
        std::hint::black_box(order);
        count.add();
        consumer.store_offset_from_message(&record)?;
    }
    Ok(())
}

pub(crate) async fn ours(brokers: &str, topic: &str, count: &Count) -> anyhow::Result<()> {
    let client = Client::new(config(brokers));
    let consumer = client
        .consumer(&[topic], topic, &Settings::default())
        .await?;
    consumer
        .run(stack::handle(count.clone()), count.done())
        .await?;
    Ok(())
}
