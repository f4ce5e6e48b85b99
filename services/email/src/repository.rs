//! Every SQL statement of this service.

use std::sync::Arc;

use sqlx::{PgPool, Postgres, Transaction};
use telemetry::sql::traced;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::emails::Email;

/// The email database.
#[derive(Debug, Clone)]
pub(crate) struct EmailRepository {
    pool: PgPool,
    /// One permit per claim that may be held at once.
    claims: Arc<Semaphore>,
}

/// The right to send the one mail about an order. Dropping it gives the right back.
///
/// It holds a connection to the database, so that even a process that is killed gives it back.
#[derive(Debug)]
pub(crate) struct Claim {
    transaction: Transaction<'static, Postgres>,
    _permit: OwnedSemaphorePermit,
}

impl EmailRepository {
    /// Claims take all connections of `pool` but one, which is for those who ask whether the database answers.
    pub(crate) fn new(pool: PgPool) -> Self {
        let connections = pool.options().get_max_connections() as usize;
        let claims = connections.saturating_sub(1).max(1);
        Self {
            pool,
            claims: Arc::new(Semaphore::new(claims)),
        }
    }

    /// Claims the mail about an order; `None` if it was sent before.
    ///
    /// The primary key makes a second claim wait for the first, and see what became of it.
    /// Who finds all connections held by claims waits too, for as long as the mail server takes:
    /// the pool would give up after a moment, and blame the database.
    pub(crate) async fn claim(&self, email: &Email) -> Result<Option<Claim>, sqlx::Error> {
        let permit = self.claims.clone().acquire_owned().await;
        let permit = permit.expect("nobody closes it");
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
        Ok((inserted.rows_affected() == 1).then_some(Claim {
            transaction,
            _permit: permit,
        }))
    }
}

impl Claim {
    /// The mail was sent.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }
}
