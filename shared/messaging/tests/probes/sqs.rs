use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use otel_messaging::Settings;
use otel_messaging::sqs::Client;

use crate::asking::{assert_away, until_there};
use crate::http::Server;

#[tokio::test]
async fn a_queue_whose_server_stops_to_answer_is_away_until_it_answers_again() {
    let server = Server::start(r#"{"QueueUrl": "http://localhost/0/invoices"}"#).await;
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", server.address))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"));
    let client = Client::from_config(&config.load().await);
    let producer = client.producer("invoices").await.unwrap();
    let settings = Settings::default();
    let consumer = client.consumer("invoices", &settings).await.unwrap();
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
