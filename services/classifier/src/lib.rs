//! The classifier: takes orders in, finds out about each in a job of its own, and reports what it found.

mod classifier;
mod clients;
pub mod config;
mod messages;
mod model;

use std::collections::HashMap;

use axum::Router;
use domain::{ClassificationJob, ItemId, OrderCreated};
use otel_messaging::stack::handle;
use otel_messaging::{kafka, sqs};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Awaited, Dependency, Parts, Probe, Readiness, eventually};

use crate::classifier::Classifier;
use crate::clients::{EmbeddingsClient, InventoryClient};
use crate::config::Config;
use crate::messages::{ClassifierEvents, IntakeHandler, JobHandler};
use crate::model::Model;

/// The consumer group of the classifiers.
const GROUP: &str = "classifier";

/// What the service begins without, for those who are asked whether it is ready.
#[derive(Clone, Default)]
struct Progress {
    orders: Awaited<Consuming>,
    jobs: Awaited<Consuming>,
    /// The examples are embedded.
    model: Awaited<()>,
    /// The items' names are known.
    names: Awaited<()>,
}

/// Tells whether a consumer can receive.
type Consuming = otel_messaging::Probe;

/// Runs the service on `listener` until `shutdown`.
///
/// It needs all of its dependencies, and begins without any: until each has answered it is not ready, and says which are
/// missing.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let progress = Progress::default();
    let events = ClassifierEvents::new(&config).await?;
    let readiness = readiness(&config, &progress, &events)?;
    let router = Router::new().merge(web::health(readiness));
    let within = config.messaging.shutdown_timeout();
    let service = Service {
        config,
        progress,
        events,
        shutdown: shutdown.clone(),
    };
    let parts = Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown, web::DRAIN))
        .with(service.clone().intake())
        .with(service.worker());
    parts.run(within).await
}

#[derive(Clone)]
struct Service {
    config: Config,
    progress: Progress,
    events: ClassifierEvents,
    shutdown: CancellationToken,
}

impl Service {
    /// Takes orders in as soon as Kafka is there.
    async fn intake(self) -> anyhow::Result<()> {
        let Some(orders) = self.orders().await else {
            return Ok(());
        };
        self.progress.orders.set(orders.probe());
        let handler = handle(IntakeHandler::new(self.events));
        Ok(orders.run(handler, self.shutdown).await?)
    }

    /// Works on jobs as soon as SQS is there, and all that a job needs.
    async fn worker(self) -> anyhow::Result<()> {
        let embeddings = EmbeddingsClient::new(&self.config)?;
        let inventory = InventoryClient::new(&self.config.inventory_url, &self.config.faults)?;
        let (Some(jobs), Some(model), Some(names)) =
            tokio::join!(self.jobs(), self.model(&embeddings), self.names(&inventory))
        else {
            return Ok(());
        };
        let classifier = Classifier::new(embeddings, inventory, model, names);
        let handler = handle(JobHandler::new(classifier, self.events));
        Ok(jobs.run(handler, self.shutdown).await?)
    }

    async fn orders(&self) -> Option<kafka::Consumer> {
        let kafka = &self.config.kafka;
        let dependency = Dependency::new("Kafka", kafka.address(), "KAFKA_BROKERS");
        let connect = || async {
            let client = kafka.client();
            // Without its topics a consumer would give up after a while.
            client.producer(OrderCreated::TOPIC).await?.check().await?;
            let dead_letters = client.producer(OrderCreated::DEAD_LETTERS).await?;
            dead_letters.check().await?;
            let settings = self.config.messaging.settings();
            let consumer = client.consumer(&[OrderCreated::TOPIC], GROUP, &settings);
            Ok(consumer.await?.with_dead_letters(dead_letters))
        };
        eventually(dependency, &self.shutdown, connect).await
    }

    async fn jobs(&self) -> Option<sqs::Consumer> {
        let endpoint = self.config.sqs.endpoint();
        let dependency = Dependency::new("SQS", &endpoint, "AWS_ENDPOINT_URL_SQS");
        let connect = || async {
            let client = self.config.sqs.client().await;
            let settings = self.config.messaging.settings();
            let consumer = client.consumer(ClassificationJob::QUEUE, &settings).await?;
            let dead_letters = client.producer(ClassificationJob::DEAD_LETTERS);
            Ok(consumer.with_dead_letters(dead_letters.await?))
        };
        let jobs = Box::pin(eventually(dependency, &self.shutdown, connect)).await?;
        self.progress.jobs.set(jobs.probe());
        Some(jobs)
    }

    async fn model(&self, embeddings: &EmbeddingsClient) -> Option<Model> {
        let url = self.config.openai_base_url.as_str();
        let dependency = Dependency::new("the embeddings API", url, "OPENAI_BASE_URL");
        let learn = || Model::learn(embeddings);
        let model = eventually(dependency, &self.shutdown, learn).await?;
        self.progress.model.set(());
        Some(model)
    }

    async fn names(&self, inventory: &InventoryClient) -> Option<HashMap<ItemId, String>> {
        let url = self.config.inventory_url.as_str();
        let dependency = Dependency::new("inventory", url, "INVENTORY_URL");
        let names = eventually(dependency, &self.shutdown, || inventory.names()).await?;
        self.progress.names.set(());
        Some(names)
    }
}

/// Without any of these no order is classified: what is taken in waits, or is tried again.
fn readiness(
    config: &Config,
    progress: &Progress,
    events: &ClassifierEvents,
) -> anyhow::Result<Readiness> {
    let Progress {
        orders,
        jobs,
        model,
        names,
    } = progress.clone();
    let inventory = Probe::healthz(&config.inventory_url)?;
    let embeddings = EmbeddingsClient::probe(config)?;
    let readiness = Readiness::new()
        .check("Kafka", orders, |orders| async move {
            anyhow::Ok(orders.get()?.check().await?)
        })
        .check("SQS", jobs, |jobs| async move {
            anyhow::Ok(jobs.get()?.check().await?)
        })
        .check("Pub/Sub", events.clone(), |events| async move {
            events.check().await
        })
        .check(
            "inventory",
            (inventory, names),
            |(inventory, names)| async move {
                inventory.succeeds().await?;
                names.get()
            },
        )
        .check(
            "the embeddings API",
            (embeddings, model),
            |(embeddings, model)| async move {
                embeddings.answers().await?;
                model.get()
            },
        );
    Ok(readiness)
}
