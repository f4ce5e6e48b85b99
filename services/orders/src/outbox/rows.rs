//! The rows of the outbox. The statements about them are not traced: they belong to no order's trace.

use std::time::Duration;

use chrono::{DateTime, Utc};
use otel_messaging::StoredContext;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};

/// How long a relay has a row for itself: longer than it tries to send it, so that nobody else sends it meanwhile.
const LEASE: Duration = Duration::from_secs(30);

#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) payload: Json<Value>,
    pub(super) context: Json<StoredContext>,
    claimed_until: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Outbox {
    pool: PgPool,
}

impl Outbox {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Takes up to `limit` rows, of each key the oldest: the next one follows when that one was sent and is gone.
    ///
    /// A lease ends by itself, so a relay that died leaves nothing behind that nobody may send.
    pub(super) async fn claim(&self, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
        let sql = "
            with oldest as (
                select id from outbox as candidate
                where (claimed_until is null or claimed_until <= now())
                    and not exists (
                        select from outbox as earlier
                        where earlier.key = candidate.key and earlier.id < candidate.id
                    )
                order by id
                limit $1
                for update skip locked
            )
            update outbox set claimed_until = now() + make_interval(secs => $2)
            from oldest
            where outbox.id = oldest.id
            returning outbox.id, topic, key, payload, context, claimed_until";
        sqlx::query_as(sql)
            .bind(limit)
            .bind(LEASE.as_secs_f64())
            .fetch_all(&self.pool)
            .await
    }

    /// Removes what the broker has. A relay that dies before leaves it to be sent twice: consumers are idempotent.
    pub(super) async fn remove(&self, sent: &[&Row]) -> Result<(), sqlx::Error> {
        if sent.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = sent.iter().map(|row| row.id).collect();
        let delete = "delete from outbox where id = any($1)";
        sqlx::query(delete).bind(ids).execute(&self.pool).await?;
        Ok(())
    }

    /// Gives rows back, for anybody to take after `pause`; but not those that somebody else has taken meanwhile.
    pub(super) async fn put_off(&self, rows: &[&Row], pause: Duration) -> Result<(), sqlx::Error> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let update = "
            update outbox set claimed_until = now() + make_interval(secs => $3)
            where id = any($1) and claimed_until = $2";
        sqlx::query(update)
            .bind(ids)
            // All rows of a claim have the same.
            .bind(first.claimed_until)
            .bind(pause.as_secs_f64())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
