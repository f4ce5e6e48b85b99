//! The classifier: takes orders in, decides about each in a job of its own, and tells what it decided.

mod classifier;
mod clients;
pub mod config;
mod messages;
mod model;

use std::time::Duration;

use axum::Router;
use domain::{ClassificationJob, OrderCreated};
use otel_messaging::stack::handle;
use otel_messaging::{kafka, sqs};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Parts, Probe, Readiness, wait_for};

use crate::classifier::Classifier;
use crate::clients::{EmbeddingsClient, InventoryClient};
use crate::config::Config;
use crate::messages::{ClassifierEvents, IntakeHandler, JobHandler};

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// The consumer group of the classifiers.
const GROUP: &str = "classifier";

/// What the service is connected to.
struct Connected {
    classifier: Classifier,
    orders: kafka::Consumer,
    jobs: sqs::Consumer,
    events: ClassifierEvents,
}

/// Runs the service on `listener` until `shutdown`.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let connected = Box::pin(connect(&config));
    let Some(connected) = shutdown.run_until_cancelled(connected).await else {
        return Ok(());
    };
    let connected = connected?;
    let router = Router::new().merge(web::health(readiness(&config, &connected)?));
    let Connected {
        classifier,
        orders,
        jobs,
        events,
    } = connected;
    let intake = handle(IntakeHandler::new(events.clone()));
    let worker = handle(JobHandler::new(classifier, events));
    let parts = Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown.clone(), DRAIN))
        .with(orders.run(intake, shutdown.clone()))
        .with(jobs.run(worker, shutdown));
    parts.run(config.messaging.shutdown_timeout()).await
}

async fn connect(config: &Config) -> anyhow::Result<Connected> {
    let startup = config.startup;
    let kafka = Dependency::new("Kafka", config.kafka.address(), "KAFKA_BROKERS");
    let endpoint = config.sqs.endpoint();
    let sqs = Dependency::new("SQS", &endpoint, "AWS_ENDPOINT_URL_SQS");
    let pubsub = Dependency::new("Pub/Sub", config.pubsub.host(), "PUBSUB_EMULATOR_HOST");
    Ok(Connected {
        orders: wait_for(kafka, startup, || orders(config)).await?,
        jobs: wait_for(sqs, startup, || jobs(config)).await?,
        events: wait_for(pubsub, startup, || events(config)).await?,
        classifier: classifier(config).await?,
    })
}

async fn orders(config: &Config) -> anyhow::Result<kafka::Consumer> {
    let client = config.kafka.client();
    let dead_letters = client.producer(OrderCreated::DEAD_LETTERS).await?;
    dead_letters.check().await?;
    let settings = config.messaging.settings();
    let consumer = client.consumer(&[OrderCreated::TOPIC], GROUP, &settings);
    Ok(consumer.await?.with_dead_letters(dead_letters))
}

async fn jobs(config: &Config) -> anyhow::Result<sqs::Consumer> {
    let client = config.sqs.client().await;
    let settings = config.messaging.settings();
    let consumer = client.consumer(ClassificationJob::QUEUE, &settings).await?;
    let dead_letters = client.producer(ClassificationJob::DEAD_LETTERS);
    Ok(consumer.with_dead_letters(dead_letters.await?))
}

async fn events(config: &Config) -> anyhow::Result<ClassifierEvents> {
    let events = ClassifierEvents::connect(config).await?;
    events.check().await?;
    Ok(events)
}

async fn classifier(config: &Config) -> anyhow::Result<Classifier> {
    let startup = config.startup;
    let api = Dependency::new(
        "the embeddings API",
        config.openai_base_url.as_str(),
        "OPENAI_BASE_URL",
    );
    let embeddings = EmbeddingsClient::new(config)?;
    let model = wait_for(api, startup, || model::Model::learn(&embeddings)).await?;
    let remote = Dependency::new("inventory", config.inventory_url.as_str(), "INVENTORY_URL");
    let inventory = InventoryClient::new(&config.inventory_url, &config.faults)?;
    let names = wait_for(remote, startup, || inventory.names()).await?;
    Ok(Classifier::new(embeddings, inventory, model, names))
}

/// Without any of these no order is classified: what is taken in waits, or is tried again.
fn readiness(config: &Config, connected: &Connected) -> anyhow::Result<Readiness> {
    let inventory = Probe::healthz(&config.inventory_url)?;
    let embeddings = EmbeddingsClient::probe(config)?;
    let events = connected.events.clone();
    let readiness = Readiness::new()
        .check("Kafka", connected.orders.probe(), brokers::check)
        .check("SQS", connected.jobs.probe(), brokers::check)
        .check(
            "Pub/Sub",
            events,
            |events| async move { events.check().await },
        )
        .check("inventory", inventory, Probe::succeeds)
        .check("the embeddings API", embeddings, Probe::answers);
    Ok(readiness)
}
