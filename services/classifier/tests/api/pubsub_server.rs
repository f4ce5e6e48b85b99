//! A Pub/Sub of the test's own, and a stranger who reads what is published, over REST.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use pubsub::{Resources, Subscription};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "order.classified";

pub(crate) struct PubSub {
    pub(crate) host: String,
    client: Client,
    shutdown: CancellationToken,
    /// Aborted when dropped.
    _server: JoinSet<anyhow::Result<()>>,
}

/// A message as a stranger sees it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) payload: Value,
    pub(crate) attributes: Value,
}

impl PubSub {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let resources = Resources {
            project: "orderflow".to_owned(),
            topics: vec![TOPIC.to_owned()],
            subscriptions: vec![Subscription {
                id: "stranger".to_owned(),
                topic: TOPIC.to_owned(),
                ack_deadline: Duration::from_mins(10),
                dead_letter_policy: None,
                retry_policy: None,
            }],
        };
        let shutdown = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(pubsub::serve(listener, resources, shutdown.clone()));
        Self {
            host,
            client: Client::builder().build().unwrap(),
            shutdown,
            _server: server,
        }
    }

    pub(crate) fn stop(&self) {
        self.shutdown.cancel();
    }

    /// Waits for the next message. It is never acknowledged, and stays away until the test has ended.
    pub(crate) async fn next(&self) -> Message {
        let path = "projects/orderflow/subscriptions/stranger:pull";
        let url = format!("http://{}/v1/{path}", self.host);
        loop {
            let request = self.client.post(&url).json(&json!({"maxMessages": 1}));
            let pulled: Value = request.send().await.unwrap().json().await.unwrap();
            let message = &pulled["receivedMessages"][0]["message"];
            if let Some(data) = message["data"].as_str() {
                let payload = BASE64_STANDARD.decode(data).unwrap();
                return Message {
                    payload: serde_json::from_slice(&payload).unwrap(),
                    attributes: message["attributes"].clone(),
                };
            }
        }
    }
}
