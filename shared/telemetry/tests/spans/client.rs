use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::get;
use opentelemetry::trace::{SpanKind, Status};
use telemetry::http::{client, foreign_client};
use telemetry::testing::{Recorder, attribute};
use telemetry::{Faults, Hop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/waits", get(std::future::pending::<()>))
        .route("/round", get(|| async { Redirect::to("/round") }));
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

#[tokio::test]
async fn a_url_in_a_span_has_no_secrets_and_an_address_no_brackets() {
    let recorder = Recorder::start();
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("http://[::1]:{port}/a?b=%20c&sig=secret");
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    client.get(url).send().await.unwrap_err();
    let span = recorder.span("GET");
    let expected = format!("http://[::1]:{port}/a?b=%20c&sig=REDACTED");
    assert_eq!(attribute(&span, "url.full"), Some(expected));
    assert_eq!(attribute(&span, "server.address").as_deref(), Some("::1"));
    assert_eq!(attribute(&span, "server.port"), Some(port.to_string()));
}

#[tokio::test]
async fn a_user_in_a_url_is_redacted() {
    let recorder = Recorder::start();
    let url = echo().await.replace("http://", "http://ada:secret@");
    let request = reqwest::Request::new(reqwest::Method::GET, url.parse().unwrap());
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    client.execute(request).await.unwrap();
    let shown = attribute(&recorder.span("GET"), "url.full").unwrap();
    assert!(
        shown.starts_with("http://REDACTED:REDACTED@127.0.0.1"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_not_in_the_name() {
    let recorder = Recorder::start();
    let server = echo().await;
    let client = client(TIMEOUT, &Faults::default()).unwrap();
    let brew = reqwest::Method::from_bytes(b"BREW").unwrap();
    client
        .request(brew, format!("{server}/echo"))
        .send()
        .await
        .unwrap();
    let span = recorder.span("HTTP");
    assert_eq!(
        attribute(&span, "http.request.method").as_deref(),
        Some("_OTHER")
    );
    assert_eq!(
        attribute(&span, "http.request.method_original").as_deref(),
        Some("BREW")
    );
    assert_eq!(
        attribute(&span, "network.protocol.version").as_deref(),
        Some("1.1")
    );
}

/// Answers each connection with these bytes and closes it.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the server lives as long as the test"
    )]
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _read = stream.read(&mut [0; 1024]).await;
            let _written = stream.write_all(bytes).await;
        }
    });
    address.to_string()
}

#[tokio::test]
async fn each_kind_of_failure_has_a_class_of_its_own() {
    let server = echo().await;
    let mute = answering(b"").await;
    let odd = answering(b"what is this\r\n\r\n").await;
    for (url, class) in [
        (format!("{server}/waits"), "timeout"),
        (format!("{server}/round"), "redirect"),
        (format!("http://{mute}/"), "connection"),
        (format!("http://{odd}/"), "connection"),
        (format!("https://{odd}/"), "tls"),
        ("http://no-such-host.invalid/".to_owned(), "dns"),
        ("ftp://example.com/".to_owned(), "request"),
    ] {
        let recorder = Recorder::start();
        let client = client(Duration::from_millis(500), &Faults::default()).unwrap();
        client.get(&url).send().await.unwrap_err();
        let span = recorder.span("GET");
        let found = attribute(&span, "error.type");
        assert_eq!(found.as_deref(), Some(class), "{url}: {:?}", span.status);
    }
}
