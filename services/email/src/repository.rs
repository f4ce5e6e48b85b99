//! Every SQL statement of this service.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{OrderId, Outcome};
use sqlx::PgPool;
use telemetry::sql::traced;

use crate::email::Email;

/// The email database.
#[derive(Debug, Clone)]
pub(crate) struct EmailRepository {
    pool: PgPool,
}

/// Whether a mail may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// By us, and by nobody else until then.
    Ours(DateTime<Utc>),
    /// Somebody is sending it, or died while they did.
    Another,
    /// It was sent.
    Sent,
}

impl EmailRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Claims a mail for as long as `lease`, by the clock of the database.
    ///
    /// One statement, which holds nothing afterwards: whoever dies is waited for until their lease ends, and no longer.
    /// Where a row has come since the statement began, it may not be seen, and counts as another's.
    pub(crate) async fn claim(&self, email: &Email, lease: Duration) -> Result<Claim, sqlx::Error> {
        let sql = "
            with claimed as (
                insert into emails (order_id, status, recipient, subject, message_id, claimed_until)
                values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
                on conflict (order_id, status) do update set claimed_until = excluded.claimed_until
                where emails.sent_at is null
                    and (emails.claimed_until is null or emails.claimed_until <= now())
                returning claimed_until)
            select
                (select claimed_until from claimed),
                exists (select from emails where order_id = $1 and status = $2 and sent_at is not null)";
        let insert = sqlx::query_as(sql)
            .bind(email.order_id.as_uuid())
            .bind(email.status.as_str())
            .bind(&email.recipient)
            .bind(&email.subject)
            .bind(email.message_id())
            .bind(lease.as_secs_f64())
            .fetch_one(&self.pool);
        let claimed: (Option<DateTime<Utc>>, bool) =
            traced(&self.pool, "INSERT emails", sql, insert).await?;
        Ok(match claimed {
            (Some(until), _) => Claim::Ours(until),
            (None, true) => Claim::Sent,
            (None, false) => Claim::Another,
        })
    }

    /// Writes down that the mail was sent, also when the claim has ended meanwhile: it was.
    pub(crate) async fn sent(&self, order_id: OrderId, status: Outcome) -> Result<(), sqlx::Error> {
        let sql = "update emails set sent_at = now(), claimed_until = null
            where order_id = $1 and status = $2 and sent_at is null";
        let update = sqlx::query(sql)
            .bind(order_id.as_uuid())
            .bind(status.as_str())
            .execute(&self.pool);
        traced(&self.pool, "UPDATE emails", sql, update).await?;
        Ok(())
    }

    /// Ends a claim before its time, unless it is another's by now.
    pub(crate) async fn give_back(
        &self,
        email: &Email,
        claimed_until: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let sql = "update emails set claimed_until = null
            where order_id = $1 and status = $2 and claimed_until = $3";
        let update = sqlx::query(sql)
            .bind(email.order_id.as_uuid())
            .bind(email.status.as_str())
            .bind(claimed_until)
            .execute(&self.pool);
        traced(&self.pool, "UPDATE emails", sql, update).await?;
        Ok(())
    }
}
