use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use opentelemetry::trace::{SpanKind, Status};
use telemetry::http::{client, foreign_client};
use telemetry::testing::{Recorder, attribute};
use telemetry::{Faults, Hop};
use tokio::net::TcpListener;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A server that answers with the `traceparent` it was sent.
async fn echo() -> String {
    let echo = |headers: HeaderMap| async move {
        let value = headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let router = Router::new()
        .route("/echo", get(echo))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the server lives as long as the test"
    )]
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn the_headers_name_the_client_span() {
    let recorder = Recorder::start();
    let server = echo().await;
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    let sent = client
        .get(format!("{server}/echo"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let span = recorder.span("GET");
    let context = &span.span_context;
    assert_eq!(
        sent,
        format!("00-{}-{}-01", context.trace_id(), context.span_id())
    );
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(
        attribute(&span, "http.response.status_code").as_deref(),
        Some("200")
    );
    assert_eq!(span.status, Status::Unset);
}

#[tokio::test]
async fn a_client_error_fails_the_client_span() {
    let recorder = Recorder::start();
    let server = echo().await;
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    client
        .get(format!("{server}/missing"))
        .send()
        .await
        .unwrap();
    let span = recorder.span("GET");
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("404"));
}

#[tokio::test]
async fn credentials_do_not_get_into_the_span() {
    let recorder = Recorder::start();
    let server = echo().await.replace("http://", "http://ada:secret@");
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    client.get(format!("{server}/echo")).send().await.unwrap();
    let url = attribute(&recorder.span("GET"), "url.full").unwrap();
    assert!(url.ends_with("/echo"), "{url}");
    assert!(!url.contains("secret"), "{url}");
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_with_its_reason() {
    let recorder = Recorder::start();
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(client.get(format!("http://{gone}/")).send().await.is_err());
    let span = recorder.span("GET");
    assert_eq!(
        attribute(&span, "error.type").as_deref(),
        Some("connection")
    );
    assert!(
        matches!(&span.status, Status::Error { description } if description.contains("refused"))
    );
}

#[tokio::test]
async fn the_http_fault_sends_no_context() {
    let _recorder = Recorder::start();
    let server = echo().await;
    let faults = Faults {
        fault_drop_context: vec![Hop::Http],
    };
    let client = client(TIMEOUT, &faults).unwrap();
    let sent = client
        .get(format!("{server}/echo"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(sent, "");
}

#[tokio::test]
async fn somebody_elses_service_gets_no_context() {
    let recorder = Recorder::start();
    let server = echo().await;
    let client = foreign_client(TIMEOUT).unwrap();
    let answer = client.get(format!("{server}/echo")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "");
    assert_eq!(recorder.span("GET").span_kind, SpanKind::Client);
}
