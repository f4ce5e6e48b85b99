//! Every SQL statement of this service, except those of the outbox relay.
//!
//! What a request changes is one statement: a client that hangs up leaves all of it or nothing, and never a connection
//! inside a transaction.

mod decide;
mod housekeeping;
mod place;
mod read;

use std::time::Duration;

use sqlx::PgPool;

/// The orders database.
#[derive(Debug, Clone)]
pub(crate) struct OrderRepository {
    pool: PgPool,
    /// How long an order may be pending before its event is sent again for the first time.
    resend_after: Duration,
}

impl OrderRepository {
    pub(crate) fn new(pool: PgPool, resend_after: Duration) -> Self {
        Self { pool, resend_after }
    }
}

/// What is in the database was legal when it was written.
fn illegal(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
