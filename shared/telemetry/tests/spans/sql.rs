use std::future::ready;
use std::io::ErrorKind;

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

#[tokio::test]
async fn each_kind_of_failure_has_a_class_of_its_own() {
    let cases = [
        (sqlx::Error::ColumnNotFound("total".to_owned()), "decode"),
        (sqlx::Error::Decode("not a number".into()), "decode"),
        (
            sqlx::Error::ColumnDecode {
                index: "total".to_owned(),
                source: "not a number".into(),
            },
            "decode",
        ),
        (sqlx::Error::Encode("too long".into()), "encode"),
        (sqlx::Error::PoolTimedOut, "timeout"),
        (sqlx::Error::Io(ErrorKind::TimedOut.into()), "timeout"),
        (sqlx::Error::PoolClosed, "connection"),
        (
            sqlx::Error::Io(ErrorKind::ConnectionReset.into()),
            "connection",
        ),
        (sqlx::Error::Tls("no certificate".into()), "tls"),
        (sqlx::Error::Protocol("what?".to_owned()), "protocol"),
        (
            sqlx::Error::Configuration("no such mode".into()),
            "configuration",
        ),
        (sqlx::Error::InvalidSavePointStatement, "_OTHER"),
    ];
    for (error, class) in cases {
        let recorder = Recorder::start();
        let named = format!("{error:?}");
        let failed: Result<(), _> = Err(error);
        let _failed = traced(&pool(), "SELECT orders", TEXT, ready(failed)).await;
        let span = recorder.span("SELECT orders");
        assert!(matches!(span.status, Status::Error { .. }), "{named}");
        assert_eq!(
            attribute(&span, "error.type").as_deref(),
            Some(class),
            "{named}"
        );
    }
}

#[tokio::test]
async fn an_ipv6_host_has_no_brackets_and_a_socket_no_port() {
    for (url, address, port) in [
        (
            "postgres://db.example.com/orders",
            "db.example.com",
            Some("5432"),
        ),
        (
            "postgres://[2001:db8::1]:5433/orders",
            "2001:db8::1",
            Some("5433"),
        ),
        (
            "postgres://%2Frun%2Fpostgresql/orders",
            "/run/postgresql",
            None,
        ),
        (
            "postgres:///orders?host=/run/postgresql",
            "/run/postgresql",
            None,
        ),
    ] {
        let recorder = Recorder::start();
        let pool = PgPoolOptions::new().connect_lazy(url).unwrap();
        traced(&pool, "SELECT orders", TEXT, ready(Ok(())))
            .await
            .unwrap();
        let span = recorder.span("SELECT orders");
        assert_eq!(
            attribute(&span, "server.address").as_deref(),
            Some(address),
            "{url}"
        );
        assert_eq!(attribute(&span, "server.port").as_deref(), port, "{url}");
    }
}
