//! The queues, topics and subscriptions that the services expect, once for every broker that has to be told of them.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqs::QueueConfig;

/// The project name that the Pub/Sub emulator and its clients agree on.
pub(crate) const PUBSUB_PROJECT: &str = "orderflow";

/// What every topic of Kafka is created with: by the broker's own clock, the time in the queue is no guess.
/// The mock cluster of the embedded mode has no such setting.
pub const TOPIC_CONFIG: (&str, &str) = ("message.timestamp.type", "LogAppendTime");

/// The topics of Kafka and their partitions.
pub const TOPICS: [(&str, i32); 4] = [
    ("order.created", 3),
    ("order.created.dlt", 1),
    ("order.ended", 3),
    ("order.ended.dlt", 1),
];

/// The brokers' own bounds, the largest that they allow: a safety net far above the one that the services keep
/// (`MESSAGING_MAX_ATTEMPTS`), since a message that the broker moves is one whose order nobody ends.
const MAX_RECEIVES: u32 = 1000;
const MAX_DELIVERY_ATTEMPTS: u8 = 100;

const CLASSIFIED: &str = "order.classified";
/// A topic and the subscription that keeps what arrives on it.
const DEAD_LETTERS: &str = "order.classified.dlq";

/// When a message comes again that a service has handed back: the delays that consumers of Kafka and SQS keep themselves.
const RETRY_POLICY: pubsub::RetryPolicy = pubsub::RetryPolicy {
    minimum_backoff: Duration::from_millis(200),
    maximum_backoff: Duration::from_secs(30),
};

/// One request to a broker that has just said that it is ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// The queue of classification jobs, and where a job goes that nobody could do.
pub fn queues() -> [QueueConfig; 2] {
    let jobs = QueueConfig::new("classification-jobs")
        .with_redrive("classification-jobs-dlq", MAX_RECEIVES);
    [jobs, QueueConfig::new("classification-jobs-dlq")]
}

/// The topic with its subscriber, and where an order goes that it cannot take in.
/// The services hand a message that failed back at once, and the retry policy says when it comes again.
pub fn resources() -> pubsub::Resources {
    let subscription = |id: &str, topic: &str| pubsub::Subscription {
        id: id.to_owned(),
        topic: topic.to_owned(),
        ack_deadline: Duration::from_secs(10),
        dead_letter_policy: None,
        retry_policy: None,
    };
    let orders = pubsub::Subscription {
        retry_policy: Some(RETRY_POLICY),
        dead_letter_policy: Some(pubsub::DeadLetterPolicy {
            topic: DEAD_LETTERS.to_owned(),
            max_delivery_attempts: MAX_DELIVERY_ATTEMPTS,
        }),
        ..subscription("orders", CLASSIFIED)
    };
    pubsub::Resources {
        project: PUBSUB_PROJECT.to_owned(),
        topics: vec![CLASSIFIED.to_owned(), DEAD_LETTERS.to_owned()],
        subscriptions: vec![orders, subscription(DEAD_LETTERS, DEAD_LETTERS)],
    }
}

/// Creates the topics that this Kafka does not have yet.
pub(crate) async fn create_topics(brokers: String) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .create()
        .context("connecting to Kafka")?;
    // Without a number of copies, the cluster decides: one on a single broker, three on most others.
    let (setting, value) = TOPIC_CONFIG;
    let topics = TOPICS.map(|(name, partitions)| {
        NewTopic::new(name, partitions, TopicReplication::Fixed(-1)).set(setting, value)
    });
    let options = AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE));
    let created = admin.create_topics(&topics, &options).await;
    let created = created.with_context(|| format!("creating the topics at {brokers}"))?;
    for (topic, code) in created.into_iter().filter_map(Result::err) {
        let exists = code == RDKafkaErrorCode::TopicAlreadyExists;
        ensure!(exists, "creating the topic {topic} at {brokers}: {code}");
    }
    Ok(())
}

/// Creates the topics and subscriptions that the Pub/Sub emulator at `host` does not have yet.
pub(crate) async fn create_subscriptions(host: String) -> anyhow::Result<()> {
    let client = Client::builder().timeout(PATIENCE).build()?;
    for (name, body) in creations() {
        let url = format!("http://{host}/v1/{name}");
        let response = client.put(&url).json(&body).send().await;
        let status = response.with_context(|| format!("asking {url}"))?.status();
        let there = status.is_success() || status == StatusCode::CONFLICT;
        ensure!(there, "creating {url}: {status}");
    }
    Ok(())
}

/// The PUT requests of Pub/Sub's REST API that create [`resources`]: the full name of each and its body.
pub fn creations() -> Vec<(String, Value)> {
    let pubsub::Resources {
        project,
        topics,
        subscriptions,
    } = resources();
    let project = format!("projects/{project}");
    // Services publish as soon as there is a topic. What a topic retains, the emulator hands to a subscription that is
    // created later; without it, such a message would be lost.
    let retaining = json!({"messageRetentionDuration": "600s"});
    let topics = topics
        .iter()
        .map(|id| (topic_name(&project, id), retaining.clone()));
    let subscriptions = subscriptions.iter().map(|subscription| {
        let name = format!("{project}/subscriptions/{}", subscription.id);
        (name, to_json(&project, subscription))
    });
    topics.chain(subscriptions).collect()
}

fn topic_name(project: &str, id: &str) -> String {
    format!("{project}/topics/{id}")
}

/// In the words of Pub/Sub's REST API.
fn to_json(project: &str, subscription: &pubsub::Subscription) -> Value {
    let mut body = json!({
        "topic": topic_name(project, &subscription.topic),
        "ackDeadlineSeconds": subscription.ack_deadline.as_secs(),
    });
    if let Some(policy) = &subscription.dead_letter_policy {
        body["deadLetterPolicy"] = json!({
            "deadLetterTopic": topic_name(project, &policy.topic),
            "maxDeliveryAttempts": policy.max_delivery_attempts,
        });
    }
    if let Some(policy) = &subscription.retry_policy {
        // A duration as protobuf's JSON has it.
        let seconds = |duration: Duration| format!("{}s", duration.as_secs_f64());
        body["retryPolicy"] = json!({
            "minimumBackoff": seconds(policy.minimum_backoff),
            "maximumBackoff": seconds(policy.maximum_backoff),
        });
    }
    body
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[test]
    fn a_subscription_is_told_when_messages_come_again_and_where_dead_letters_go() {
        let orders = json!({
            "topic": "projects/orderflow/topics/order.classified",
            "ackDeadlineSeconds": 10,
            "deadLetterPolicy": {
                "deadLetterTopic": "projects/orderflow/topics/order.classified.dlq",
                "maxDeliveryAttempts": 100,
            },
            "retryPolicy": {"minimumBackoff": "0.2s", "maximumBackoff": "30s"},
        });
        let name = "projects/orderflow/subscriptions/orders".to_owned();
        assert!(creations().contains(&(name, orders)), "{:#?}", creations());
    }

    #[tokio::test]
    async fn subscriptions_are_created_once_and_then_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        let server = pubsub::serve(listener, pubsub::Resources::default(), stop.clone());
        let client = Client::builder().build().unwrap();
        let asking = async {
            create_subscriptions(host.clone()).await.unwrap();
            create_subscriptions(host.clone()).await.unwrap();
            let url = format!("http://{host}/v1/projects/{PUBSUB_PROJECT}/subscriptions");
            let list: Value = client.get(url).send().await.unwrap().json().await.unwrap();
            stop.cancel();
            list["subscriptions"].as_array().unwrap().len()
        };
        let (ended, subscriptions) = tokio::join!(server, asking);
        ended.unwrap();
        assert_eq!(subscriptions, 2);
    }
}
