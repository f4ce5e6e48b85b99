//! The classifier: takes orders in, decides about each in a job of its own, and tells what it decided.

mod classifier;
mod clients;
pub mod config;
mod messages;
mod model;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use domain::{ClassificationJob, OrderCreated};
use otel_messaging::{kafka, sqs};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Probe, Readiness, wait_for};

use crate::classifier::Classifier;
use crate::clients::{EmbeddingsClient, InventoryClient};
use crate::config::Config;
use crate::messages::{ClassifierEvents, IntakeHandler, JobHandler};

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// How long all may take then, beyond what messages in hand may.
const REST: Duration = Duration::from_secs(3);
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
    let Connected {
        classifier,
        orders,
        jobs,
        events,
    } = connected?;
    let readiness = readiness(&config, events.clone(), orders.membership())?;
    let router = Router::new().merge(web::health(readiness));

    let intake = orders.run(IntakeHandler::new(events.clone()), shutdown.clone());
    let worker = jobs.run(
        JobHandler::new(Arc::new(classifier), events),
        shutdown.clone(),
    );
    let server = web::serve_then_stop(listener, router, shutdown.clone(), DRAIN);
    let work = async {
        let (result, (), ()) = tokio::join!(server, intake, worker);
        result
    };
    let deadline = config.messaging.shutdown_timeout() + REST;
    Box::pin(web::finish(work, shutdown, deadline)).await
}

async fn connect(config: &Config) -> anyhow::Result<Connected> {
    let startup = config.startup;
    let kafka = dependency("Kafka", &config.kafka.kafka_brokers, "KAFKA_BROKERS");
    let endpoint = config.sqs.endpoint();
    let sqs = dependency("SQS", &endpoint, "AWS_ENDPOINT_URL_SQS");
    let pubsub = dependency("Pub/Sub", config.pubsub.host(), "PUBSUB_EMULATOR_HOST");
    Ok(Connected {
        orders: wait_for(kafka, startup, || orders(config)).await?,
        jobs: wait_for(sqs, startup, || jobs(config)).await?,
        events: wait_for(pubsub, startup, || events(config)).await?,
        classifier: classifier(config).await?,
    })
}

fn dependency<'a>(name: &'a str, address: &'a str, setting: &'a str) -> Dependency<'a> {
    Dependency {
        name,
        address,
        setting,
    }
}

async fn orders(config: &Config) -> anyhow::Result<kafka::Consumer> {
    let topic = OrderCreated::TOPIC;
    let consumer = kafka::Consumer::connect(&config.kafka, &config.messaging, topic, GROUP).await?;
    consumer.check().await?;
    Ok(consumer)
}

async fn jobs(config: &Config) -> anyhow::Result<sqs::Consumer> {
    let queue = ClassificationJob::QUEUE;
    Ok(sqs::Consumer::connect(&config.sqs, &config.messaging, queue).await?)
}

async fn events(config: &Config) -> anyhow::Result<ClassifierEvents> {
    let events = ClassifierEvents::connect(config).await?;
    events.check_pubsub().await?;
    Ok(events)
}

async fn classifier(config: &Config) -> anyhow::Result<Classifier> {
    let startup = config.startup;
    let api = dependency(
        "the embeddings API",
        config.openai_base_url.as_str(),
        "OPENAI_BASE_URL",
    );
    let embeddings = EmbeddingsClient::new(config)?;
    let model = wait_for(api, startup, || model::Model::learn(&embeddings)).await?;
    let remote = dependency("inventory", config.inventory_url.as_str(), "INVENTORY_URL");
    let inventory = InventoryClient::new(&config.inventory_url, &config.faults)?;
    let names = wait_for(remote, startup, || inventory.names()).await?;
    Ok(Classifier::new(embeddings, inventory, model, names))
}

/// Without any of these no order is classified: what is taken in waits, or is tried again.
fn readiness(
    config: &Config,
    events: ClassifierEvents,
    membership: kafka::Membership,
) -> anyhow::Result<Readiness> {
    let jobs = events.clone();
    let inventory = Probe::healthz(&config.inventory_url)?;
    let embeddings = EmbeddingsClient::probe(config)?;
    let readiness = Readiness::new()
        .check("Kafka", move || {
            let membership = membership.clone();
            async move { membership.check().await }
        })
        .check("SQS", move || {
            let jobs = jobs.clone();
            async move { jobs.check_sqs().await }
        })
        .check("Pub/Sub", move || {
            let events = events.clone();
            async move { events.check_pubsub().await }
        })
        .check("inventory", move || inventory.clone().succeeds())
        .check("the embeddings API", move || embeddings.clone().answers());
    Ok(readiness)
}
