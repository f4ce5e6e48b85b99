//! The orders service: takes orders in, sends their events, and takes them to their end.

pub mod config;
mod http;
mod messages;
mod orders;
mod outbox;
mod repository;

use std::time::Duration;

use domain::{OrderClassified, OrderCreated};
use otel_messaging::{kafka, pubsub};
use sqlx::PgPool;
use telemetry::Hop;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Readiness, wait_for};

use crate::config::Config;
use crate::messages::OrderClassifiedHandler;
use crate::orders::Orders;
use crate::outbox::Relay;
use crate::repository::OrderRepository;

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// How long all may take then, beyond what messages in hand may.
const REST: Duration = Duration::from_secs(3);

/// What the service is connected to.
struct Connected {
    database: PgPool,
    events: kafka::Producer,
    classified: pubsub::Consumer,
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
        database,
        events,
        classified,
    } = connected?;
    let repository = OrderRepository::new(database.clone());
    let orders = Orders::new(repository, config.faults.clone());
    let readiness = readiness(database.clone(), events.clone(), classified.clone());
    let router = http::router(orders.clone(), readiness);

    let relay = Relay::new(database, events).run(shutdown.clone());
    let consumer = classified.run(OrderClassifiedHandler::new(orders), shutdown.clone());
    let server = web::serve_then_stop(listener, router, shutdown.clone(), DRAIN);
    let work = async {
        let (result, (), ()) = tokio::join!(server, relay, consumer);
        result
    };
    let deadline = config.messaging.shutdown_timeout() + REST;
    Box::pin(web::finish(work, shutdown, deadline)).await
}

async fn connect(config: &Config) -> anyhow::Result<Connected> {
    let startup = config.startup;
    let kafka = Dependency {
        name: "Kafka",
        address: &config.kafka.kafka_brokers,
        setting: "KAFKA_BROKERS",
    };
    let pubsub = Dependency {
        name: "Pub/Sub",
        address: config.pubsub.host(),
        setting: "PUBSUB_EMULATOR_HOST",
    };
    Ok(Connected {
        database: config.database.connect(startup, &sqlx::migrate!()).await?,
        events: wait_for(kafka, startup, || events(config)).await?,
        classified: wait_for(pubsub, startup, || classified(config)).await?,
    })
}

async fn events(config: &Config) -> anyhow::Result<kafka::Producer> {
    let events = kafka::Producer::connect(&config.kafka, OrderCreated::TOPIC).await?;
    events.check().await?;
    if config.faults.propagates(Hop::Kafka) {
        Ok(events)
    } else {
        Ok(events.without_context())
    }
}

async fn classified(config: &Config) -> anyhow::Result<pubsub::Consumer> {
    let topic = OrderClassified::TOPIC;
    let subscription = OrderClassified::ORDERS_SUBSCRIPTION;
    let consumer =
        pubsub::Consumer::connect(&config.pubsub, &config.messaging, topic, subscription).await?;
    consumer.check().await?;
    Ok(consumer)
}

fn readiness(database: PgPool, events: kafka::Producer, classified: pubsub::Consumer) -> Readiness {
    Readiness::new()
        .database(database)
        .check("Kafka", move || {
            let events = events.clone();
            async move { events.check().await }
        })
        .check("Pub/Sub", move || {
            let classified = classified.clone();
            async move { classified.check().await }
        })
}
