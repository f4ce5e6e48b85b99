//! The email service: tells each customer once how their order ended.

pub mod config;
mod emails;
mod mailer;
mod messages;
mod repository;

use std::time::Duration;

use axum::Router;
use domain::OrderClassified;
use otel_messaging::pubsub;
use otel_messaging::stack::handle;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Parts, Readiness, wait_for};

use crate::config::Config;
use crate::emails::Emails;
use crate::mailer::Mailer;
use crate::messages::OrderClassifiedHandler;
use crate::repository::EmailRepository;

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// Attempts at a mail that its server puts off, whatever `MESSAGING_MAX_ATTEMPTS` says: a customer must be told.
///
/// Pub/Sub takes a message away at its 100th delivery. With the retry policy of the subscription that is more than half
/// a day later; this is a little before, so that the dead letter is ours, and says why it is one.
const MAX_ATTEMPTS: u32 = 90;

/// What the service is connected to.
struct Connected {
    database: PgPool,
    mailer: Mailer,
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
        mailer,
        classified,
    } = connected?;
    let emails = Emails::new(EmailRepository::new(database.clone()), mailer.clone());
    let readiness = Readiness::new()
        .database(database)
        .check("the mail server", mailer, |mailer| async move {
            mailer.check().await
        })
        .check("Pub/Sub", classified.probe(), brokers::check);
    let router = Router::new().merge(web::health(readiness));
    let handler = handle(OrderClassifiedHandler::new(emails));
    let parts = Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown.clone(), DRAIN))
        .with(classified.run(handler, shutdown));
    parts.run(config.messaging.shutdown_timeout()).await
}

async fn connect(config: &Config) -> anyhow::Result<Connected> {
    let startup = config.startup;
    let pubsub = Dependency::new("Pub/Sub", config.pubsub.host(), "PUBSUB_EMULATOR_HOST");
    let mailer = Mailer::new(&config.smtp_url)?;
    let address = mailer.address();
    let smtp = Dependency::new("the mail server", &address, "SMTP_URL");
    wait_for(smtp, startup, || mailer.check()).await?;
    Ok(Connected {
        database: config.database.connect(startup, &sqlx::migrate!()).await?,
        classified: wait_for(pubsub, startup, || classified(config)).await?,
        mailer,
    })
}

async fn classified(config: &Config) -> anyhow::Result<pubsub::Consumer> {
    let client = config.pubsub.client().await?;
    let mut settings = config.messaging.settings();
    settings.max_attempts = MAX_ATTEMPTS;
    let consumer = client.consumer(OrderClassified::EMAIL_SUBSCRIPTION, &settings);
    let dead_letters = client.producer(OrderClassified::DEAD_LETTERS);
    Ok(consumer.await?.with_dead_letters(dead_letters.await?))
}
