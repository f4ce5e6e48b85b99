//! Sends what is in the outbox.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use otel_messaging::{Backoff, ConnectError, Outgoing, SendError, Sent, kafka};
use sqlx::PgPool;
use tokio::select;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::rows::{Outbox, Row};

/// Rows that are sent side by side.
const BATCH: i64 = 100;
/// How long a row waits that another process wrote, or whose writer could not tell.
const POLL: Duration = Duration::from_secs(1);
/// How long a row is tried to be sent: longer than Kafka's client takes to give up, shorter than the lease.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// How long it is tried when the service is to stop.
const DRAIN: Duration = Duration::from_secs(3);
/// How long a row waits that its broker refused for good; only a new configuration of the broker can help it.
const REFUSED_PAUSE: Duration = Duration::from_mins(10);

/// The producers of all topics that events are written for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Producers(Vec<(&'static str, kafka::Producer)>);

impl Producers {
    pub(crate) fn add(&mut self, topic: &'static str, producer: kafka::Producer) {
        self.0.push((topic, producer));
    }

    /// Whether the broker answers and has the topics.
    pub(crate) async fn check(&self) -> Result<(), ConnectError> {
        let asked = self.0.iter().map(|(_, producer)| producer.check());
        try_join_all(asked).await?;
        Ok(())
    }

    fn get(&self, topic: &str) -> Option<&kafka::Producer> {
        let found = self.0.iter().find(|(name, _)| *name == topic);
        found.map(|(_, producer)| producer)
    }
}

/// Sends what is in the outbox. Several relays share the work; no transaction is open while they wait for the broker.
#[derive(Debug)]
pub(crate) struct Relay {
    outbox: Outbox,
    producers: Producers,
    written: Arc<Notify>,
    database: Dependency,
    broker: Dependency,
}

/// What came of a batch.
enum Round {
    Sent,
    Empty,
    /// Nothing could be sent.
    Stuck(Duration),
}

impl Relay {
    /// `written` tells that there is something in the outbox.
    pub(crate) fn new(pool: PgPool, producers: Producers, written: Arc<Notify>) -> Self {
        Self {
            outbox: Outbox::new(pool),
            producers,
            written,
            database: Dependency::new("PostgreSQL"),
            broker: Dependency::new("Kafka"),
        }
    }

    /// Sends until `shutdown`; what fails is tried again.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.send_batch(&shutdown).await {
                Round::Sent => {}
                Round::Empty => {
                    let written = timeout(POLL, self.written.notified());
                    // Whether it was told or has waited long enough: it looks.
                    let _ = shutdown.run_until_cancelled(written).await;
                }
                Round::Stuck(pause) => {
                    shutdown.run_until_cancelled(sleep(pause)).await;
                }
            }
        }
    }

    async fn send_batch(&mut self, shutdown: &CancellationToken) -> Round {
        let sent = match self.outbox.claim(BATCH).await {
            Ok(rows) if rows.is_empty() => Ok(Round::Empty),
            Ok(rows) => self.send_all(&rows, shutdown).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(round) => {
                self.database.works();
                round
            }
            Err(error) => Round::Stuck(self.database.failed(&error)),
        }
    }

    async fn send_all(
        &mut self,
        rows: &[Row],
        shutdown: &CancellationToken,
    ) -> Result<Round, sqlx::Error> {
        let results = join_all(rows.iter().map(|row| self.send(row, shutdown))).await;
        let (mut sent, mut refused, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut last_error = None;
        for (row, result) in rows.iter().zip(results) {
            match result {
                Ok(_) => sent.push(row),
                Err(error) if error.is_permanent() => {
                    tracing::error!(key = row.key, topic = row.topic, %error, "an event is refused, it stays in the outbox");
                    refused.push(row);
                }
                Err(error) => {
                    last_error = Some(error);
                    failed.push(row);
                }
            }
        }
        self.outbox.remove(&sent).await?;
        self.outbox.put_off(&refused, REFUSED_PAUSE).await?;
        let Some(error) = last_error else {
            self.broker.works();
            return Ok(Round::Sent);
        };
        let pause = self.broker.failed(&error);
        self.outbox.put_off(&failed, pause).await?;
        Ok(if sent.is_empty() {
            Round::Stuck(pause)
        } else {
            Round::Sent
        })
    }

    async fn send(&self, row: &Row, shutdown: &CancellationToken) -> Result<Sent, SendError> {
        let Some(producer) = self.producers.get(&row.topic) else {
            return Err(SendError::refused(
                &row.topic,
                "unknown_topic",
                "nobody sends to it",
            ));
        };
        let event = Outgoing::new(&row.payload)
            .key(row.key.clone())
            .context(&row.context);
        let stopped = async {
            shutdown.cancelled().await;
            sleep(DRAIN).await;
        };
        let late = |reason| SendError::unavailable(&row.topic, "timeout", reason);
        select! {
            sent = producer.send(event) => sent,
            () = stopped => Err(late("the service stops")),
            () = sleep(SEND_WITHIN) => Err(late("no answer")),
        }
    }
}

/// What the relay needs, and how often it failed in a row. That it is away is said once, and that it is back.
#[derive(Debug)]
struct Dependency {
    name: &'static str,
    failures: u32,
    backoff: Backoff,
}

impl Dependency {
    fn new(name: &'static str) -> Self {
        let mut backoff = Backoff::default();
        backoff.max = Duration::from_secs(5);
        Self {
            name,
            failures: 0,
            backoff,
        }
    }

    fn works(&mut self) {
        if self.failures > 0 {
            tracing::info!(dependency = self.name, "events are sent again");
        }
        self.failures = 0;
    }

    /// How long to wait.
    fn failed(&mut self, error: &impl fmt::Display) -> Duration {
        if self.failures == 0 {
            tracing::warn!(dependency = self.name, %error, "events cannot be sent, they wait in the outbox");
        }
        self.failures = self.failures.saturating_add(1);
        self.backoff.delay(self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_that_a_dependency_fails_and_never_long() {
        let mut kafka = Dependency::new("Kafka");
        let first = kafka.failed(&"away");
        for _ in 0..100 {
            kafka.failed(&"away");
        }
        let late = kafka.failed(&"away");
        assert!(
            first <= Duration::from_millis(200) && late > first,
            "{first:?}, {late:?}"
        );
        assert!(late <= Duration::from_secs(5));
        kafka.works();
        assert!(kafka.failed(&"away") <= Duration::from_millis(200));
    }
}
