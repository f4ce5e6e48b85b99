//! The orders service: takes orders in, sends their events, and takes them to their end.

pub mod config;
mod decision;
mod housekeeping;
mod http;
mod idempotency;
mod messages;
mod order;
mod orders;
mod outbox;
mod repository;

use std::convert::Infallible;
use std::sync::Arc;

use domain::{OrderClassified, OrderCreated, OrderEnded};
use futures::FutureExt;
use futures::future::BoxFuture;
use otel_messaging::stack::handle;
use otel_messaging::{Probe, pubsub};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use telemetry::Hop;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use web::{Awaited, Dependency, Parts, Readiness};

use crate::config::Config;
use crate::housekeeping::Housekeeping;
use crate::messages::OrderClassifiedHandler;
use crate::orders::Orders;
use crate::outbox::{Producers, Relay};
use crate::repository::OrderRepository;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Runs the service on `listener` until `shutdown`.
///
/// It begins with PostgreSQL alone: brokers may come later.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let Some(database) = shutdown.run_until_cancelled(connect(&config)).await else {
        return Ok(());
    };
    let database = database?;
    let messages = config.messaging.shutdown_timeout();
    let written = Arc::new(Notify::new());
    let repository = OrderRepository::new(database.clone(), config.resend_after());
    let orders = Orders::new(repository.clone(), config.faults.clone(), written.clone());
    let producers = producers(&config).await?;
    let classified = Awaited::new();
    let readiness = readiness(database.clone(), &producers, &classified);
    let router = http::router(orders.clone(), readiness);
    let relay = Relay::new(database, producers, written.clone());
    let housekeeping = Housekeeping::new(repository, config.resend_after(), written);
    Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown.clone(), web::DRAIN))
        .with(relay.run(shutdown.clone()).map(Ok::<_, Infallible>))
        .with(housekeeping.run(shutdown.clone()).map(Ok::<_, Infallible>))
        .with(receive(config, orders, classified, shutdown))
        .run(messages)
        .await
}

/// Boxed, because the compiler cannot see any more that it is `Send` when somebody spawns what holds it.
fn connect(config: &Config) -> BoxFuture<'_, anyhow::Result<PgPool>> {
    Box::pin(config.database.connect(config.startup, &MIGRATIONS))
}

fn readiness(database: PgPool, producers: &Producers, classified: &Awaited<Probe>) -> Readiness {
    Readiness::new()
        .database(database)
        .degraded_without("Kafka", producers.clone(), |producers| async move {
            producers.check().await
        })
        .degraded_without("Pub/Sub", classified.clone(), |probe| async move {
            anyhow::Ok(probe.get()?.check().await?)
        })
}

/// They connect when they are needed.
async fn producers(config: &Config) -> anyhow::Result<Producers> {
    let kafka = config.kafka.client();
    let propagate = config.faults.propagates(Hop::Kafka);
    let mut producers = Producers::default();
    for topic in [OrderCreated::TOPIC, OrderEnded::TOPIC] {
        let producer = kafka.producer(topic).await?;
        producers.add(topic, producer.with_propagation(propagate));
    }
    Ok(producers)
}

/// Receives what was found out about orders, once Pub/Sub is there and whenever it is there again; `there` is told when
/// it is for the first time.
async fn receive(
    config: Config,
    orders: Orders,
    there: Awaited<Probe>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    while let Some(consumer) = classified(&config, &shutdown).await {
        there.set(consumer.probe());
        let handler = handle(OrderClassifiedHandler::new(orders.clone()));
        match consumer.run(handler, shutdown.clone()).await {
            Ok(()) => break,
            // Orders are taken in without it, and wait.
            Err(error) => tracing::error!(%error, "orders are not decided until it is there again"),
        }
    }
    Ok(())
}

/// Boxed for the same reason.
fn classified<'a>(
    config: &'a Config,
    shutdown: &'a CancellationToken,
) -> BoxFuture<'a, Option<pubsub::Consumer>> {
    let pubsub = Dependency::new("Pub/Sub", config.pubsub.host(), "PUBSUB_EMULATOR_HOST");
    Box::pin(web::eventually(pubsub, shutdown, || consumer(config)))
}

async fn consumer(config: &Config) -> anyhow::Result<pubsub::Consumer> {
    let client = config.pubsub.client().await?;
    let settings = config.messaging.settings();
    let consumer = client.consumer(OrderClassified::SUBSCRIPTION, &settings);
    let dead_letters = client.producer(OrderClassified::DEAD_LETTERS);
    Ok(consumer.await?.with_dead_letters(dead_letters.await?))
}
