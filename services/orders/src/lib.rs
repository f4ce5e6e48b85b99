//! The orders service: takes orders in, sends their events, and takes them to their end.

pub mod config;
mod http;
mod messages;
mod orders;
mod outbox;
mod repository;

use std::convert::Infallible;
use std::time::Duration;

use domain::{OrderClassified, OrderCreated};
use futures::FutureExt;
use otel_messaging::stack::handle;
use otel_messaging::{kafka, pubsub};
use sqlx::PgPool;
use telemetry::Hop;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Parts, Readiness, wait_for};

use crate::config::Config;
use crate::messages::OrderClassifiedHandler;
use crate::orders::Orders;
use crate::outbox::Relay;
use crate::repository::OrderRepository;

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

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
    let readiness = Readiness::new()
        .database(database.clone())
        .check("Kafka", events.clone(), |events| async move {
            events.check().await
        })
        .check("Pub/Sub", classified.probe(), brokers::check);
    let router = http::router(orders.clone(), readiness);
    let relay = Relay::new(database, events).run(shutdown.clone());
    let handler = handle(OrderClassifiedHandler::new(orders));
    let parts = Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown.clone(), DRAIN))
        .with(relay.map(Ok::<_, Infallible>))
        .with(classified.run(handler, shutdown));
    parts.run(config.messaging.shutdown_timeout()).await
}

async fn connect(config: &Config) -> anyhow::Result<Connected> {
    let startup = config.startup;
    let kafka = Dependency::new("Kafka", config.kafka.address(), "KAFKA_BROKERS");
    let pubsub = Dependency::new("Pub/Sub", config.pubsub.host(), "PUBSUB_EMULATOR_HOST");
    Ok(Connected {
        database: config.database.connect(startup, &sqlx::migrate!()).await?,
        events: wait_for(kafka, startup, || events(config)).await?,
        classified: wait_for(pubsub, startup, || classified(config)).await?,
    })
}

async fn events(config: &Config) -> anyhow::Result<kafka::Producer> {
    let events = config.kafka.client().producer(OrderCreated::TOPIC).await?;
    events.check().await?;
    Ok(events.with_propagation(config.faults.propagates(Hop::Kafka)))
}

async fn classified(config: &Config) -> anyhow::Result<pubsub::Consumer> {
    let client = config.pubsub.client().await?;
    let settings = config.messaging.settings();
    let consumer = client.consumer(OrderClassified::ORDERS_SUBSCRIPTION, &settings);
    let dead_letters = client.producer(OrderClassified::DEAD_LETTERS);
    Ok(consumer.await?.with_dead_letters(dead_letters.await?))
}
