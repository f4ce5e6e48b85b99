//! Every SQL statement of this service.

use sqlx::{PgPool, Postgres, Transaction};
use telemetry::sql::traced;

use crate::emails::Email;

/// The email database.
#[derive(Debug, Clone)]
pub(crate) struct EmailRepository {
    pool: PgPool,
}

/// The right to send the one mail about an order. Dropping it gives the right back.
#[derive(Debug)]
pub(crate) struct Claim(Transaction<'static, Postgres>);

impl EmailRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Claims the mail about an order; `None` if it was sent before.
    ///
    /// The primary key makes a second claim wait for the first, and see what became of it.
    pub(crate) async fn claim(&self, email: &Email) -> Result<Option<Claim>, sqlx::Error> {
        let insert =
            "insert into emails (order_id, recipient, subject, message_id) values ($1, $2, $3, $4)
             on conflict (order_id) do nothing";
        let mut transaction = self.pool.begin().await?;
        let inserted = sqlx::query(insert)
            .bind(email.order_id.as_uuid())
            .bind(&email.recipient)
            .bind(&email.subject)
            .bind(email.message_id())
            .execute(&mut *transaction);
        let inserted = traced(&self.pool, "INSERT emails", insert, inserted).await?;
        Ok((inserted.rows_affected() == 1).then_some(Claim(transaction)))
    }

    /// Whether the database answers.
    pub(crate) async fn check(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select 1").execute(&self.pool).await.map(drop)
    }
}

impl Claim {
    /// The mail was sent.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.0.commit().await
    }
}
