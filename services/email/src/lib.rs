//! The email service: tells each customer once of each status that their order reaches.

pub mod config;
mod email;
mod emails;
mod mailer;
mod messages;
mod repository;

use std::time::Duration;

use axum::Router;
use domain::OrderEnded;
use otel_messaging::stack::handle;
use otel_messaging::{Probe, Settings, kafka};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Awaited, Dependency, Parts, Readiness, eventually};

use crate::config::Config;
use crate::emails::Emails;
use crate::mailer::Mailer;
use crate::messages::OrderEndedHandler;
use crate::repository::EmailRepository;

/// Attempts at a mail that its server puts off, whatever `MESSAGING_MAX_ATTEMPTS` says: a customer must be told.
///
/// With delays up to [`LONGEST_DELAY`], of which half is random, that is half a day: between eight and sixteen hours.
const MAX_ATTEMPTS: u32 = 200;
/// As long as servers that greylist want one to wait, as a rule.
const LONGEST_DELAY: Duration = Duration::from_mins(5);
/// A mail that is put off keeps its offset from being committed: so many others of its partition go past it.
///
/// More than one each second for half a day. After a crash they come again, and are found to be sent.
const RUN_AHEAD: usize = 50_000;

/// Runs the service on `listener` until `shutdown`.
///
/// It waits for its database, whose tables it brings up to date. The mail server and Kafka may come later: until then it
/// is not ready, and says so.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mailer = Mailer::new(&config.smtp_url)?;
    let migrations = sqlx::migrate!();
    let connect = config.database.connect(config.startup, &migrations);
    let Some(database) = shutdown.run_until_cancelled(Box::pin(connect)).await else {
        return Ok(());
    };
    let database = database?;
    let kafka = Awaited::new();
    let emails = Emails::new(EmailRepository::new(database.clone()), mailer.clone());
    let router = Router::new().merge(web::health(readiness(database, mailer, kafka.clone())));
    let drain = config.messaging.shutdown_timeout();
    let parts = Parts::new(shutdown.clone())
        .with(web::serve(listener, router, shutdown.clone(), web::DRAIN))
        .with(receive(config, emails, kafka, shutdown));
    parts.run(drain).await
}

/// Without any of these no mail is sent.
fn readiness(database: PgPool, mailer: Mailer, kafka: Awaited<Probe>) -> Readiness {
    Readiness::new()
        .database(database)
        .check("the mail server", mailer, |mailer| async move {
            mailer.check().await
        })
        .check("Kafka", kafka, |kafka| async move {
            anyhow::Ok(kafka.get()?.check().await?)
        })
}

async fn receive(
    config: Config,
    emails: Emails,
    kafka: Awaited<Probe>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let dependency = Dependency::new("Kafka", config.kafka.address(), "KAFKA_BROKERS");
    let there = eventually(dependency, &shutdown, || ended(&config)).await;
    let Some(consumer) = there else {
        return Ok(());
    };
    kafka.set(consumer.probe());
    let max_attempts = config.messaging.messaging_max_attempts;
    let handler = handle(OrderEndedHandler::new(emails, max_attempts));
    Ok(consumer.run(handler, shutdown).await?)
}

async fn ended(config: &Config) -> anyhow::Result<kafka::Consumer> {
    let client = config.kafka.client();
    let dead_letters = client.producer(OrderEnded::DEAD_LETTERS).await?;
    dead_letters.check().await?;
    let settings = settings(config);
    let consumer = client.consumer(&[OrderEnded::TOPIC], OrderEnded::EMAIL_GROUP, &settings);
    Ok(consumer.await?.with_dead_letters(dead_letters))
}

fn settings(config: &Config) -> Settings {
    let mut settings = config.messaging.settings();
    settings.max_attempts = MAX_ATTEMPTS;
    settings.backoff.max = LONGEST_DELAY;
    settings.run_ahead = RUN_AHEAD;
    settings
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::emails::LEASE;

    /// The shortest and the longest time from the first attempt to the last.
    fn attempts_take(more: &[&str]) -> (Duration, Duration) {
        let required = ["email", "--database-url=postgres://127.0.0.1/email"];
        let config = Config::parse_from(required.iter().chain(more));
        let settings = settings(&config);
        let delay = |attempt: u32| {
            let doubled = settings.backoff.initial * (1 << (attempt - 1).min(20));
            doubled.min(settings.backoff.max)
        };
        let longest: Duration = (1..settings.max_attempts).map(delay).sum();
        (longest / 2, longest)
    }

    #[test]
    fn a_mail_that_is_put_off_is_tried_for_about_half_a_day() {
        let (shortest, longest) = attempts_take(&[]);
        assert!(shortest > Duration::from_mins(7 * 60 + 30), "{shortest:?}");
        assert!(longest < Duration::from_hours(16), "{longest:?}");
    }

    #[test]
    fn the_attempts_outlast_the_claim_of_somebody_who_died() {
        let (shortest, _) = attempts_take(&["--messaging-retry-delay-ms=1"]);
        assert!(shortest > LEASE * 100, "{shortest:?}");
    }
}
