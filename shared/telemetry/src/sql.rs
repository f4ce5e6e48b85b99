//! One CLIENT span per SQL statement, as the database conventions want it.
//!
//! <https://opentelemetry.io/docs/specs/semconv/database/postgresql/>

use opentelemetry_semantic_conventions::attribute::DB_RESPONSE_STATUS_CODE;
use sqlx::PgPool;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::current::fail;

/// Runs `statement` in a span of its own.
///
/// `summary` is the operation and its table, such as `INSERT orders`: the span's name.
/// `text` is the statement with its placeholders; values never get into a span.
/// `pool` tells which database it is.
///
/// ```no_run
/// # async fn f(pool: sqlx::PgPool) -> Result<(), sqlx::Error> {
/// let text = "delete from outbox where id = $1";
/// let delete = sqlx::query(text).bind(7_i64).execute(&pool);
/// telemetry::sql::traced(&pool, "DELETE outbox", text, delete).await?;
/// # Ok(()) }
/// ```
pub async fn traced<T>(
    pool: &PgPool,
    summary: &'static str,
    text: &'static str,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let span = span(pool, summary, text);
    let result = statement.instrument(span.clone()).await;
    if let Err(error) = &result {
        record(&span, error);
    }
    result
}

fn span(pool: &PgPool, summary: &'static str, text: &'static str) -> Span {
    let (operation, table) = summary.split_once(' ').unwrap_or((summary, ""));
    let server = pool.connect_options();
    info_span!(
        "sql",
        otel.name = summary,
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = server.get_database(),
        db.operation.name = operation,
        db.collection.name = (!table.is_empty()).then_some(table),
        db.query.summary = summary,
        db.query.text = text.split_whitespace().collect::<Vec<_>>().join(" "),
        server.address = server.get_host(),
        server.port = i64::from(server.get_port()),
    )
}

fn record(span: &Span, error: &sqlx::Error) {
    match error {
        sqlx::Error::RowNotFound => {}
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            span.set_attribute(DB_RESPONSE_STATUS_CODE, code.clone());
            fail(span, code, database.message());
        }
        sqlx::Error::PoolTimedOut => fail(span, "timeout", "no connection was free in time"),
        other => fail(span, "connection", &other.to_string()),
    }
}
