//! The transactional outbox: events are written with the change they tell about, and sent afterwards.

use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use otel_messaging::{Outgoing, SendError, Sent, StoredContext, kafka};
use serde_json::Value;
use sqlx::postgres::PgListener;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use tokio_util::sync::CancellationToken;

/// The channel that the trigger of the outbox table notifies.
const CHANNEL: &str = "outbox";
/// Rows that are sent side by side.
const BATCH: i64 = 100;
/// A notification can be missed while the connection is made anew; this is how long a row waits then.
const POLL: Duration = Duration::from_secs(2);
/// How long to wait after PostgreSQL or Kafka failed.
const PAUSE: Duration = Duration::from_millis(500);

/// An event that is to be sent when the transaction it is written in has committed.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Events with the same key go to the same partition.
    pub(crate) key: String,
    pub(crate) payload: Value,
    /// Captured where the event happens.
    pub(crate) context: StoredContext,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    key: String,
    payload: Json<Value>,
    context: Json<StoredContext>,
}

/// Sends what is in the outbox.
///
/// Several relays share the work, since each locks the rows it sends.
/// One that dies between sending and deleting leaves its rows to be sent twice: consumers are idempotent.
#[derive(Debug)]
pub(crate) struct Relay {
    pool: PgPool,
    events: kafka::Producer,
}

impl Relay {
    pub(crate) fn new(pool: PgPool, events: kafka::Producer) -> Self {
        Self { pool, events }
    }

    /// Sends until `shutdown`; what fails is tried again.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.send_and_listen(&shutdown).await {
                tracing::warn!(%error, "the outbox relay cannot reach its database, will try again");
                shutdown
                    .run_until_cancelled(tokio::time::sleep(PAUSE))
                    .await;
            }
        }
    }

    /// Listens before it looks, so that no row falls in between.
    async fn send_and_listen(&self, shutdown: &CancellationToken) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        while !shutdown.is_cancelled() {
            self.send_all(shutdown).await?;
            let notified = tokio::time::timeout(POLL, listener.recv());
            if let Some(Ok(lost)) = shutdown.run_until_cancelled(notified).await {
                lost?;
                // One look serves all notifications that are there by now.
                while let Some(another) = listener.recv().now_or_never() {
                    another?;
                }
            }
        }
        Ok(())
    }

    async fn send_all(&self, shutdown: &CancellationToken) -> Result<(), sqlx::Error> {
        while !shutdown.is_cancelled() && self.send_batch().await? {}
        Ok(())
    }

    /// Sends up to a batch; `false` when nothing is left, or nothing can be sent now.
    async fn send_batch(&self) -> Result<bool, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let select = "select id, key, payload, context from outbox order by id limit $1 for update skip locked";
        let rows: Vec<Row> = sqlx::query_as(select)
            .bind(BATCH)
            .fetch_all(&mut *transaction)
            .await?;
        let results = join_all(rows.iter().map(|row| self.send(row))).await;
        let sent: Vec<i64> = rows
            .iter()
            .zip(&results)
            .filter(|(_, result)| result.is_ok())
            .map(|(row, _)| row.id)
            .collect();
        if sent.is_empty() {
            return Ok(false);
        }
        sqlx::query("delete from outbox where id = any($1)")
            .bind(&sent)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn send(&self, row: &Row) -> Result<Sent, SendError> {
        let event = Outgoing::new(&row.payload)
            .key(row.key.clone())
            .context(&row.context);
        let sent = self.events.send(event).await;
        sent.inspect_err(|error| {
            tracing::warn!(key = row.key, %error, "not sent, the event stays in the outbox");
        })
    }
}
