//! The inventory service: what there is, and which orders have it.

pub mod config;
mod http;
mod messages;
mod repository;
mod stock;

use domain::OrderEnded;
use otel_messaging::stack::handle;
use otel_messaging::{Probe, kafka};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Awaited, Dependency, Parts, Readiness};

use crate::config::Config;
use crate::messages::OrderEndedHandler;
use crate::repository::StockRepository;
use crate::stock::Stock;

/// Runs the service on `listener` until `shutdown`.
///
/// It begins with PostgreSQL alone: while Kafka is away, what orders hold stays held.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let migrations = sqlx::migrate!();
    let connect = config.database.connect(config.startup, &migrations);
    let Some(database) = shutdown.run_until_cancelled(Box::pin(connect)).await else {
        return Ok(());
    };
    let database = database?;
    let kafka = Awaited::<Probe>::new();
    let stock = Stock::new(StockRepository::new(database.clone()), config.delay());
    let router = http::router(stock.clone(), readiness(database, kafka.clone()));
    let within = config.messaging.shutdown_timeout();
    Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown.clone(), web::DRAIN))
        .with(receive(config, stock, kafka, shutdown))
        .run(within)
        .await
}

fn readiness(database: PgPool, kafka: Awaited<Probe>) -> Readiness {
    Readiness::new()
        .database(database)
        .degraded_without("Kafka", kafka, |probe| async move {
            anyhow::Ok(probe.get()?.check().await?)
        })
}

/// Receives what was decided about orders, once Kafka is there and whenever it is there again; `there` is told when it is
/// for the first time.
async fn receive(
    config: Config,
    stock: Stock,
    there: Awaited<Probe>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let dependency = Dependency::new("Kafka", config.kafka.address(), "KAFKA_BROKERS");
    while let Some(consumer) = web::eventually(dependency, &shutdown, || ended(&config)).await {
        there.set(consumer.probe());
        let handler = handle(OrderEndedHandler::new(stock.clone()));
        match consumer.run(handler, shutdown.clone()).await {
            Ok(()) => break,
            // Orders can hold stock without it.
            Err(error) => {
                tracing::error!(%error, "no decision is followed until it is there again");
            }
        }
    }
    Ok(())
}

async fn ended(config: &Config) -> anyhow::Result<kafka::Consumer> {
    let client = config.kafka.client();
    // Without its topics a consumer would give up after a while.
    client.producer(OrderEnded::TOPIC).await?.check().await?;
    let dead_letters = client.producer(OrderEnded::DEAD_LETTERS).await?;
    dead_letters.check().await?;
    let settings = config.messaging.settings();
    let group = OrderEnded::INVENTORY_GROUP;
    let consumer = client.consumer(&[OrderEnded::TOPIC], group, &settings);
    Ok(consumer.await?.with_dead_letters(dead_letters))
}
