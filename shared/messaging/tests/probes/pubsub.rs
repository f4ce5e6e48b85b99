use otel_messaging::Settings;
use otel_messaging::pubsub::Client;

use crate::asking::{assert_away, until_there};
use crate::http::Server;

/// The administration of topics and subscriptions speaks JSON; one answer does for both.
const DESCRIPTION: &str = r#"{"name": "projects/p/topics/t", "topic": "projects/p/topics/t"}"#;

#[tokio::test]
async fn a_topic_and_a_subscription_whose_server_stops_to_answer_are_away_until_it_answers_again() {
    let server = Server::start(DESCRIPTION).await;
    let address = server.address.to_string();
    let client = Client::connect_emulator(&address, "p").await.unwrap();
    let producer = client.producer("t").await.unwrap();
    let settings = Settings::default();
    let consumer = client.consumer("s", &settings).await.unwrap();
    let probe = consumer.probe();
    until_there(|| producer.check()).await;
    until_there(|| probe.check()).await;
    server.freeze(true);
    assert_away(|| producer.check()).await;
    assert_away(|| probe.check()).await;
    server.freeze(false);
    until_there(|| producer.check()).await;
    until_there(|| probe.check()).await;
}

#[tokio::test]
async fn a_client_and_a_producer_are_made_while_nobody_is_there() {
    let client = Client::connect_emulator("127.0.0.1:1", "p").await.unwrap();
    let producer = client.producer("t").await.unwrap();
    assert_away(|| producer.check()).await;
}
