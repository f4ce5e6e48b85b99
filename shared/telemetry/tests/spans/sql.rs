use std::future::ready;

use opentelemetry::trace::{SpanKind, Status};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use telemetry::sql::traced;
use telemetry::testing::{Recorder, attribute};

const TEXT: &str = "insert into orders (id) values ($1)";

/// A pool that never connects: the span only asks it where it would.
fn pool() -> sqlx::PgPool {
    let options = PgConnectOptions::new_without_pgpass()
        .host("db.example.com")
        .port(5433)
        .database("orders");
    PgPoolOptions::new().connect_lazy_with(options)
}

#[tokio::test]
async fn a_statement_is_a_client_span_named_by_its_summary() {
    let recorder = Recorder::start();
    traced(&pool(), "INSERT orders", TEXT, ready(Ok(())))
        .await
        .unwrap();
    let span = recorder.span("INSERT orders");
    assert_eq!(span.span_kind, SpanKind::Client);
    for (key, value) in [
        ("db.system.name", "postgresql"),
        ("db.namespace", "orders"),
        ("db.operation.name", "INSERT"),
        ("db.collection.name", "orders"),
        ("db.query.text", TEXT),
        ("server.address", "db.example.com"),
        ("server.port", "5433"),
    ] {
        assert_eq!(attribute(&span, key).as_deref(), Some(value), "{key}");
    }
}

#[tokio::test]
async fn a_failed_statement_fails_its_span() {
    let recorder = Recorder::start();
    let failed: Result<(), _> = Err(sqlx::Error::PoolTimedOut);
    traced(&pool(), "INSERT orders", TEXT, ready(failed))
        .await
        .unwrap_err();
    let span = recorder.span("INSERT orders");
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("timeout"));
}

#[tokio::test]
async fn no_row_is_no_error() {
    let recorder = Recorder::start();
    let none: Result<(), _> = Err(sqlx::Error::RowNotFound);
    traced(&pool(), "SELECT orders", TEXT, ready(none))
        .await
        .unwrap_err();
    assert_eq!(recorder.span("SELECT orders").status, Status::Unset);
}
