//! A Pub/Sub of the test's own, and a stranger who publishes to it and reads its dead letters, over REST.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use pubsub::{DeadLetterPolicy, Resources, Subscription};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "order.classified";
const DEAD_LETTERS: &str = "order.classified.dlq";

pub(crate) struct PubSub {
    pub(crate) host: String,
    client: Client,
    /// Aborted when dropped.
    _server: JoinSet<anyhow::Result<()>>,
}

/// A message that was given up.
#[derive(Debug)]
pub(crate) struct DeadLetter {
    pub(crate) payload: Value,
    pub(crate) reason: String,
}

impl PubSub {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let mut server = JoinSet::new();
        server.spawn(pubsub::serve(
            listener,
            resources(),
            CancellationToken::new(),
        ));
        Self {
            host,
            client: Client::builder().build().unwrap(),
            _server: server,
        }
    }

    pub(crate) async fn publish(&self, events: &[&Value]) {
        let encode = |event: &&Value| json!({"data": BASE64_STANDARD.encode(event.to_string())});
        let messages: Vec<_> = events.iter().map(encode).collect();
        let body = json!({"messages": messages});
        self.call(&format!("topics/{TOPIC}:publish"), &body).await;
    }

    /// Waits for the next dead letter.
    pub(crate) async fn next_dead_letter(&self) -> DeadLetter {
        loop {
            let path = format!("subscriptions/{DEAD_LETTERS}:pull");
            let pulled = self.call(&path, &json!({"maxMessages": 1})).await;
            let message = &pulled["receivedMessages"][0]["message"];
            if let Some(data) = message["data"].as_str() {
                let payload = BASE64_STANDARD.decode(data).unwrap();
                let reason = &message["attributes"]["orderflow-dead-letter-reason"];
                return DeadLetter {
                    payload: serde_json::from_slice(&payload).unwrap(),
                    reason: reason.as_str().unwrap().to_owned(),
                };
            }
        }
    }

    async fn call(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/v1/projects/orderflow/{path}", self.host);
        let answer = self.client.post(url).json(body).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }
}

fn resources() -> Resources {
    let subscription = |id: &str, topic: &str, dead_letter_policy| Subscription {
        id: id.to_owned(),
        topic: topic.to_owned(),
        ack_deadline: Duration::from_secs(10),
        dead_letter_policy,
        retry_policy: None,
    };
    // Without a dead-letter policy Pub/Sub does not count attempts.
    let policy = DeadLetterPolicy {
        topic: DEAD_LETTERS.to_owned(),
        max_delivery_attempts: 20,
    };
    Resources {
        project: "orderflow".to_owned(),
        topics: vec![TOPIC.to_owned(), DEAD_LETTERS.to_owned()],
        subscriptions: vec![
            subscription("email", TOPIC, Some(policy)),
            subscription(DEAD_LETTERS, DEAD_LETTERS, None),
        ],
    }
}
