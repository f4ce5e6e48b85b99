//! A Pub/Sub of a test's own, and a stranger who publishes to it and reads from it, over REST.

use std::collections::HashMap;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{DeadLetterPolicy, Resources, RetryPolicy, Subscription};

const PROJECT: &str = "orderflow";

/// A server with one topic, one subscription to it, and a place for its dead letters, named `<topic>.dlq`.
#[derive(Debug)]
pub struct PubSub {
    /// Its `host:port`.
    pub host: String,
    topic: String,
    subscription: String,
    client: Client,
    shutdown: CancellationToken,
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
        let shutdown = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(crate::serve(
            listener,
            resources(topic, subscription),
            shutdown.clone(),
        ));
        Self {
            host,
            topic: topic.to_owned(),
            subscription: subscription.to_owned(),
            client: Client::builder().build().expect("it has no settings"),
            shutdown,
            _server: server,
        }
    }

    /// Stops it as a signal would.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    /// Publishes these in one request.
    pub async fn publish(&self, payloads: &[&Value]) {
        let encode =
            |payload: &&Value| json!({"data": BASE64_STANDARD.encode(payload.to_string())});
        let messages: Vec<_> = payloads.iter().map(encode).collect();
        let path = format!("topics/{}:publish", self.topic);
        self.call(&path, &json!({"messages": messages})).await;
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
        let path = format!("subscriptions/{subscription}:pull");
        loop {
            let pulled = self.call(&path, &json!({"maxMessages": 1})).await;
            let message = &pulled["receivedMessages"][0]["message"];
            if let Some(data) = message["data"].as_str() {
                let payload = BASE64_STANDARD.decode(data).expect("data is base64");
                return Message {
                    payload: serde_json::from_slice(&payload).expect("the payload is JSON"),
                    attributes: serde_json::from_value(message["attributes"].clone())
                        .unwrap_or_default(),
                };
            }
        }
    }

    async fn call(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/v1/projects/{PROJECT}/{path}", self.host);
        let answer = self.client.post(url).json(body).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let answer = answer.expect("the server does as it is asked");
        answer.json().await.expect("it answers in JSON")
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
