//! A Pub/Sub of a test's own, and a stranger who publishes to it and reads from it.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::proto::PubsubMessage;
use crate::{DeadLetterPolicy, Resources, RetryPolicy, Subscription};

const PROJECT: &str = "orderflow";

/// A server with one topic, one subscription to it, and a place for its dead letters, named `<topic>.dlq`.
#[derive(Debug)]
pub struct PubSub {
    /// Its `host:port`.
    pub host: String,
    topic: String,
    subscription: String,
    broker: Broker,
    /// Aborted when dropped.
    _server: JoinSet<anyhow::Result<()>>,
}

/// A message as a stranger sees it.
#[derive(Debug)]
pub struct Message {
    /// What it says.
    pub payload: Value,
    /// What came with it.
    pub attributes: HashMap<String, String>,
}

impl PubSub {
    /// Starts it on a free port.
    pub async fn start(topic: &str, subscription: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("some port is free");
        let host = listener.local_addr().expect("it listens").to_string();
        let broker = Broker::new(CancellationToken::new());
        crate::create(&broker, &resources(topic, subscription)).expect("the names are valid");
        let mut server = JoinSet::new();
        server.spawn(crate::serve_broker(listener, broker.clone()));
        Self {
            host,
            topic: topic.to_owned(),
            subscription: subscription.to_owned(),
            broker,
            _server: server,
        }
    }

    /// Stops it as a signal would.
    pub fn stop(&self) {
        self.broker.shutdown.cancel();
    }

    /// Publishes these in one request.
    #[expect(
        clippy::unused_async,
        reason = "the helpers of the other brokers have to wait"
    )]
    pub async fn publish(&self, payloads: &[&Value]) {
        let message = |payload: &&Value| PubsubMessage {
            data: payload.to_string().into(),
            ..PubsubMessage::default()
        };
        let messages = payloads.iter().map(message).collect();
        let topic = format!("projects/{PROJECT}/topics/{}", self.topic);
        let published = self
            .broker
            .change(|catalog, now| catalog.publish(&topic, messages, now));
        published.expect("the topic is there");
    }

    /// Waits for the next message of the subscription.
    /// It is never acknowledged, and stays away until the test has ended.
    pub async fn next(&self) -> Message {
        self.pull(&self.subscription).await
    }

    /// Waits for the next dead letter, in the same way.
    pub async fn next_dead_letter(&self) -> Message {
        self.pull(&dead_letters(&self.topic)).await
    }

    async fn pull(&self, subscription: &str) -> Message {
        let name = format!("projects/{PROJECT}/subscriptions/{subscription}");
        loop {
            let pulled = self.broker.pull(&name, 1, true).await;
            if let Some(delivery) = pulled.expect("the server runs").pop() {
                let message = PubsubMessage::clone(&delivery.message);
                return Message {
                    payload: serde_json::from_slice(&message.data).expect("the payload is JSON"),
                    attributes: message.attributes,
                };
            }
        }
    }
}

fn dead_letters(topic: &str) -> String {
    format!("{topic}.dlq")
}

fn resources(topic: &str, subscription: &str) -> Resources {
    let dead_letters = dead_letters(topic);
    let subscribe = |id: &str, topic: &str, dead_letter_policy| Subscription {
        id: id.to_owned(),
        topic: topic.to_owned(),
        ack_deadline: Duration::from_mins(10),
        dead_letter_policy,
        // No test waits for a message that comes again.
        retry_policy: Some(RetryPolicy {
            minimum_backoff: Duration::from_millis(1),
            maximum_backoff: Duration::from_millis(10),
        }),
    };
    // Without a dead-letter policy Pub/Sub does not count attempts.
    let policy = DeadLetterPolicy {
        topic: dead_letters.clone(),
        max_delivery_attempts: 100,
    };
    Resources {
        project: PROJECT.to_owned(),
        subscriptions: vec![
            subscribe(subscription, topic, Some(policy)),
            subscribe(&dead_letters, &dead_letters, None),
        ],
        topics: vec![topic.to_owned(), dead_letters],
    }
}
