//! The service itself on a free port, with brokers, an inventory and an embeddings API of its own.

use std::net::SocketAddr;

use clap::Parser;
use classifier::config::Config;
use domain::OrderId;
use pubsub::testing::PubSub;
use serde_json::{Value, json};
use telemetry::testing::{Recorder, attribute};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::embeddings_api::{self, Moody};
use crate::inventory::Inventory;
use crate::kafka::Kafka;
use crate::sqs_server::Sqs;

/// A running service, and everything around it but the embeddings API.
pub(crate) struct TestApp {
    pub(crate) recorder: Recorder,
    pub(crate) world: World,
    address: SocketAddr,
    _shutdown: DropGuard,
    _service: JoinSet<anyhow::Result<()>>,
    _embeddings: embeddings_api::Server,
}

/// What the service is connected to.
pub(crate) struct World {
    pub(crate) kafka: Kafka,
    pub(crate) sqs: Sqs,
    pub(crate) pubsub: PubSub,
    pub(crate) inventory: Inventory,
}

impl TestApp {
    /// Beside the embeddings API of the embedded mode.
    pub(crate) async fn spawn() -> Self {
        let (url, server) = embeddings_api::start().await;
        let app = Self::beside(&url).await;
        Self {
            _embeddings: server,
            ..app
        }
    }

    /// Beside an embeddings API that may fail.
    pub(crate) async fn spawn_beside(embeddings: &Moody) -> Self {
        Self::beside(&embeddings.url).await
    }

    async fn beside(embeddings: &str) -> Self {
        let recorder = Recorder::start();
        let world = World::start().await;
        let config = world.config(embeddings);
        let listener = web::bind(config.listen_addr).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut service = JoinSet::new();
        service.spawn(classifier::run(config, listener, shutdown.clone()));
        Self {
            recorder,
            world,
            address,
            _shutdown: shutdown.drop_guard(),
            _service: service,
            _embeddings: JoinSet::new(),
        }
    }

    /// Sends an order to the worker as a job, and waits for what is decided about it.
    pub(crate) async fn classify(&self, job: &Value) -> Value {
        self.world.sqs.send_job(job).await;
        self.next_event().await
    }

    /// Waits for the next `order.classified`.
    pub(crate) async fn next_event(&self) -> Value {
        self.world.pubsub.next().await.payload
    }

    /// How many spans of that name have ended.
    pub(crate) fn count(&self, span: &str) -> usize {
        let spans = self.recorder.spans().into_iter();
        spans.filter(|ended| ended.name == span).count()
    }

    /// How many attempts have failed because of that dependency.
    pub(crate) fn failed_attempts(&self, dependency: &str) -> usize {
        let spans = self.recorder.spans().into_iter();
        let failed = spans.filter(|span| {
            let failed = attribute(span, "orderflow.messaging.failed_dependency");
            failed.as_deref() == Some(dependency)
        });
        failed.count()
    }

    /// The status and the body that the service answers to a probe with.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        let client = reqwest::Client::builder().build().unwrap();
        let response = client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self {
            kafka: Kafka::start(),
            sqs: Sqs::start().await,
            pubsub: PubSub::start("order.classified", "stranger").await,
            inventory: Inventory::start().await,
        }
    }

    /// Two attempts, and a second for a dependency to answer at start.
    pub(crate) fn config(&self, embeddings: &str) -> Config {
        Config::parse_from([
            "classifier",
            "--listen-addr=127.0.0.1:0",
            "--kafka-brokers",
            &self.kafka.brokers(),
            "--aws-endpoint-url-sqs",
            &self.sqs.endpoint,
            "--aws-region=us-east-1",
            "--aws-access-key-id=test",
            "--aws-secret-access-key=test",
            "--pubsub-emulator-host",
            &self.pubsub.host,
            "--inventory-url",
            &self.inventory.url,
            "--openai-base-url",
            embeddings,
            "--messaging-max-attempts=2",
            "--messaging-retry-delay-ms=1",
            "--startup-timeout-seconds=1",
        ])
    }
}

/// A job about an order of one piece of each item.
pub(crate) fn job(items: &[&str], note: &str) -> Value {
    let line = |item| json!({"item_id": item, "quantity": 1, "price": 100});
    let items: Vec<_> = items.iter().map(line).collect();
    let order_id = OrderId::generate();
    json!({"order_id": order_id, "customer_id": "vip-ada", "items": items, "note": note})
}

/// What is expected to be told about the order of a job.
pub(crate) fn classified(job: &Value, outcome: &str, category: &Value, reason: &Value) -> Value {
    json!({
        "order_id": job["order_id"], "customer_id": "vip-ada",
        "outcome": outcome, "category": category, "reason": reason,
    })
}
