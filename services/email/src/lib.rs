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
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Readiness, wait_for};

use crate::config::Config;
use crate::emails::Emails;
use crate::mailer::Mailer;
use crate::messages::OrderClassifiedHandler;
use crate::repository::EmailRepository;

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// How long all may take then, beyond what messages in hand may.
const REST: Duration = Duration::from_secs(3);

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
    let readiness = readiness(database, mailer, classified.clone());
    let router = Router::new().merge(web::health(readiness));

    let consumer = classified.run(OrderClassifiedHandler::new(emails), shutdown.clone());
    let server = web::serve_then_stop(listener, router, shutdown.clone(), DRAIN);
    let work = async {
        let (result, ()) = tokio::join!(server, consumer);
        result
    };
    let deadline = config.messaging.shutdown_timeout() + REST;
    Box::pin(web::finish(work, shutdown, deadline)).await
}

async fn connect(config: &Config) -> anyhow::Result<Connected> {
    let startup = config.startup;
    let pubsub = Dependency {
        name: "Pub/Sub",
        address: config.pubsub.host(),
        setting: "PUBSUB_EMULATOR_HOST",
    };
    let mailer = Mailer::new(&config.smtp_url)?;
    let smtp = Dependency {
        name: "the mail server",
        address: &mailer.address(),
        setting: "SMTP_URL",
    };
    wait_for(smtp, startup, || mailer.check()).await?;
    Ok(Connected {
        database: config.database.connect(startup, &sqlx::migrate!()).await?,
        classified: wait_for(pubsub, startup, || classified(config)).await?,
        mailer,
    })
}

async fn classified(config: &Config) -> anyhow::Result<pubsub::Consumer> {
    let topic = OrderClassified::TOPIC;
    let subscription = OrderClassified::EMAIL_SUBSCRIPTION;
    let consumer =
        pubsub::Consumer::connect(&config.pubsub, &config.messaging, topic, subscription).await?;
    consumer.check().await?;
    Ok(consumer)
}

fn readiness(database: PgPool, mailer: Mailer, classified: pubsub::Consumer) -> Readiness {
    Readiness::new()
        .database(database)
        .check("the mail server", move || {
            let mailer = mailer.clone();
            async move { mailer.check().await }
        })
        .check("Pub/Sub", move || {
            let classified = classified.clone();
            async move { classified.check().await }
        })
}
