//! The service itself on a free port, with brokers, an inventory and an embeddings API of its own.

use std::net::SocketAddr;

use clap::Parser;
use classifier::config::Config;
use domain::OrderId;
use pubsub::testing::PubSub;
use reqwest::Method;
use serde_json::{Value, json};
use telemetry::testing::{Recorder, attribute};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use web::testing::until;

use crate::embeddings_api::{self, Moody};
use crate::gate::Gate;
use crate::inventory::Inventory;
use crate::kafka::Kafka;
use crate::sqs_server::Sqs;

/// A running service, and everything around it but the embeddings API.
pub(crate) struct TestApp {
    pub(crate) recorder: Recorder,
    pub(crate) world: World,
    address: SocketAddr,
    embeddings_url: String,
    shutdown: DropGuard,
    service: JoinSet<anyhow::Result<()>>,
    _embeddings: embeddings_api::Server,
}

/// What the service is connected to.
pub(crate) struct World {
    pub(crate) kafka: Kafka,
    pub(crate) sqs: Sqs,
    pub(crate) pubsub: PubSub,
    pub(crate) inventory: Inventory,
    pub(crate) to_sqs: Gate,
    pub(crate) to_pubsub: Gate,
}

impl TestApp {
    /// Beside the embeddings API of the embedded mode.
    pub(crate) async fn spawn() -> Self {
        let (url, server) = embeddings_api::start().await;
        let app = Self::spawn_in(World::start().await, &url).await;
        Self {
            _embeddings: server,
            ..app
        }
    }

    /// Beside an embeddings API that may fail.
    pub(crate) async fn spawn_beside(embeddings: &Moody) -> Self {
        Self::spawn_in(World::start().await, &embeddings.url).await
    }

    /// In a world where something may be missing.
    pub(crate) async fn spawn_in(world: World, embeddings: &str) -> Self {
        let recorder = Recorder::start();
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
            embeddings_url: embeddings.to_owned(),
            shutdown: shutdown.drop_guard(),
            service,
            _embeddings: JoinSet::new(),
        }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.disarm().cancel();
        self.service.join_next().await.unwrap().unwrap()
    }

    /// Sends an order to the worker as a job, and waits for what is reported about it.
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

    /// The attempts at jobs that have failed: `1: inventory, 503`.
    pub(crate) fn failures(&self) -> Vec<String> {
        let spans = self.recorder.spans().into_iter();
        let jobs = spans.filter(|span| span.name == "process classification-jobs");
        let failures = jobs.filter_map(|span| {
            let class = attribute(&span, "error.type")?;
            let attempt = attribute(&span, "orderflow.messaging.attempt")?;
            let dependency = attribute(&span, "orderflow.messaging.failed_dependency")?;
            Some(format!("{attempt}: {dependency}, {class}"))
        });
        failures.collect()
    }

    /// Waits until two attempts have failed: the last one ends after its report was sent.
    pub(crate) async fn failed_twice(&self) -> Vec<String> {
        until(async || Some(self.failures()).filter(|failures| failures.len() >= 2)).await
    }

    /// Switches a fault of the stand-in on.
    pub(crate) async fn break_embeddings(&self, fault: &str) {
        self.switch(Method::PUT, &json!({"faults": [fault]})).await;
    }

    /// Switches all faults of the stand-in off.
    pub(crate) async fn mend_embeddings(&self) {
        self.switch(Method::DELETE, &Value::Null).await;
    }

    async fn switch(&self, method: Method, body: &Value) {
        let url = self.embeddings_url.replace("/v1", "/faults");
        let client = reqwest::Client::builder().build().unwrap();
        let answer = client.request(method, url).json(body).send().await;
        answer.unwrap().error_for_status().unwrap();
    }

    /// Waits until so many spans of that name have ended.
    pub(crate) async fn until_ended(&self, span: &str, count: usize) {
        until(async || (self.count(span) >= count).then_some(())).await;
    }

    /// Waits until the service is not ready, and says so in these words.
    pub(crate) async fn until_unready(&self, words: &str) {
        until(async || {
            let (status, unready) = self.get("/readyz").await;
            (status == 503 && unready["detail"] == words).then_some(())
        })
        .await;
    }

    /// Waits until the service is ready.
    pub(crate) async fn until_ready(&self) {
        until(async || (self.get("/readyz").await.0 == 200).then_some(())).await;
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
        let sqs = Sqs::start().await;
        let pubsub = PubSub::start("order.classified", "stranger").await;
        Self {
            kafka: Kafka::start(),
            to_sqs: Gate::to(sqs.endpoint.trim_start_matches("http://")).await,
            sqs,
            to_pubsub: Gate::to(&pubsub.host).await,
            pubsub,
            inventory: Inventory::start().await,
        }
    }

    /// Two attempts.
    pub(crate) fn config(&self, embeddings: &str) -> Config {
        Config::parse_from([
            "classifier",
            "--listen-addr=127.0.0.1:0",
            "--kafka-brokers",
            &self.kafka.brokers(),
            "--aws-endpoint-url-sqs",
            &format!("http://{}", self.to_sqs.host),
            "--aws-region=us-east-1",
            "--aws-access-key-id=test",
            "--aws-secret-access-key=test",
            "--pubsub-emulator-host",
            &self.to_pubsub.host,
            "--inventory-url",
            &self.inventory.url,
            "--openai-base-url",
            embeddings,
            "--messaging-max-attempts=2",
            "--messaging-retry-delay-ms=1",
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

/// What is expected to be reported about the order of a job.
pub(crate) fn classified(job: &Value, finding: &str, category: &Value, reason: &Value) -> Value {
    json!({
        "order_id": job["order_id"], "customer_id": "vip-ada",
        "finding": finding, "category": category, "reason": reason,
    })
}

/// What is expected to be reported about the order of a job that is held, and has nothing suspicious.
pub(crate) fn held(job: &Value, category: &str) -> Value {
    classified(job, "held", &json!(category), &Value::Null)
}

/// What is expected to be reported about the order of a message that was given up.
pub(crate) fn given_up(job: &Value) -> Value {
    let reason = json!("the order could not be processed");
    classified(job, "given_up", &Value::Null, &reason)
}
