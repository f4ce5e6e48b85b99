//! One CLIENT span per SQL statement, as the database conventions want it.
//!
//! <https://opentelemetry.io/docs/specs/semconv/database/postgresql/>

use std::borrow::Cow;
use std::io::ErrorKind;

use opentelemetry_semantic_conventions::attribute::DB_RESPONSE_STATUS_CODE;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::current::fail;
use crate::http::bare_host;

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
        server.address = &*address(&server),
        server.port = port(&server),
    )
}

/// The host, or the folder of a Unix socket.
fn address(server: &PgConnectOptions) -> Cow<'_, str> {
    match server.get_socket() {
        Some(socket) => socket.to_string_lossy(),
        None => Cow::Borrowed(bare_host(server.get_host())),
    }
}

/// A Unix socket has no port.
fn port(server: &PgConnectOptions) -> Option<i64> {
    let is_socket = server.get_socket().is_some() || server.get_host().starts_with('/');
    (!is_socket).then(|| i64::from(server.get_port()))
}

fn record(span: &Span, error: &sqlx::Error) {
    match error {
        // An answer like any other: the caller asked whether there is one.
        sqlx::Error::RowNotFound => {}
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            span.set_attribute(DB_RESPONSE_STATUS_CODE, code.clone());
            fail(span, code, database.message());
        }
        sqlx::Error::PoolTimedOut => fail(span, "timeout", "no connection was free in time"),
        other => fail(span, class(other), &other.to_string()),
    }
}

/// What failed where PostgreSQL has no code for it; docs/telemetry.md lists the classes.
fn class(error: &sqlx::Error) -> &'static str {
    use sqlx::Error;
    match error {
        Error::Io(error) if error.kind() == ErrorKind::TimedOut => "timeout",
        Error::Io(_) | Error::PoolClosed | Error::WorkerCrashed | Error::BeginFailed => {
            "connection"
        }
        Error::Tls(_) => "tls",
        Error::Protocol(_) => "protocol",
        Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::TypeNotFound { .. } => "decode",
        Error::Encode(_) | Error::InvalidArgument(_) => "encode",
        Error::Configuration(_) => "configuration",
        _ => "_OTHER",
    }
}
