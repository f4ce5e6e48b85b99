use std::time::Duration;

use otel_messaging::Settings;
use otel_messaging::kafka::Client;
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::asking::{assert_away, until_there};

const TOPIC: &str = "invoices";
const FOR_EVER: Duration = Duration::from_hours(1);

fn client(brokers: &str) -> Client {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    Client::new(config)
}

#[tokio::test]
async fn a_broker_that_stops_to_answer_is_away_until_it_answers_again() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let client = client(&cluster.bootstrap_servers());
    let producer = client.producer(TOPIC).await.unwrap();
    let settings = Settings::default();
    let consumer = client.consumer(&[TOPIC], "test", &settings).await.unwrap();
    let probe = consumer.probe();
    // It is asked beside its work.
    let stop = CancellationToken::new();
    let (_deliveries, receiving) = consumer.deliveries(stop.clone());
    let mut work = JoinSet::new();
    work.spawn(receiving);
    until_there(|| producer.check()).await;
    until_there(|| probe.check()).await;
    cluster.broker_round_trip_time(1, FOR_EVER).unwrap();
    assert_away(|| producer.check()).await;
    assert_away(|| probe.check()).await;
    cluster.broker_round_trip_time(1, Duration::ZERO).unwrap();
    until_there(|| producer.check()).await;
    until_there(|| probe.check()).await;
    stop.cancel();
    work.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_producer_and_a_consumer_are_made_while_nobody_is_there() {
    let client = client("127.0.0.1:1");
    let producer = client.producer(TOPIC).await.unwrap();
    let settings = Settings::default();
    let consumer = client.consumer(&[TOPIC], "test", &settings).await.unwrap();
    let probe = consumer.probe();
    assert_away(|| producer.check()).await;
    assert_away(|| probe.check()).await;
}
