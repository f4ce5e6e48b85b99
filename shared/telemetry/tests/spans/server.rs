use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use opentelemetry::trace::{SpanKind, Status};
use telemetry::http::{Trust, edge, server};
use telemetry::testing::{Recorder, attribute};
use tower::ServiceExt;

const CALLER: &str = "00-b2611246a58fd7ea623d2264c5a1e226-b2c9b811f2f424af-01";
const CALLERS_TRACE: &str = "b2611246a58fd7ea623d2264c5a1e226";

fn routes() -> Router {
    Router::new()
        .route("/orders/{id}", get(|| async { "an order" }))
        .route(
            "/broken",
            get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        )
}

async fn call(router: Router, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    router.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_server_span_is_named_by_its_route() {
    let recorder = Recorder::start();
    call(server(routes()), "/orders/7", &[("host", "localhost:8080")]).await;
    let span = recorder.span("GET /orders/{id}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(
        attribute(&span, "http.route").as_deref(),
        Some("/orders/{id}")
    );
    assert_eq!(
        attribute(&span, "http.response.status_code").as_deref(),
        Some("200")
    );
    assert_eq!(attribute(&span, "url.scheme").as_deref(), Some("http"));
    assert_eq!(attribute(&span, "server.port").as_deref(), Some("8080"));
    assert_eq!(attribute(&span, "user_agent.original"), None);
    assert_eq!(span.status, Status::Unset);
}

#[tokio::test]
async fn a_path_without_a_route_is_not_in_the_name() {
    let recorder = Recorder::start();
    call(server(routes()), "/no/such/path", &[]).await;
    assert_eq!(attribute(&recorder.span("GET"), "http.route"), None);
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_other() {
    let recorder = Recorder::start();
    let request = Request::builder().method("BREW").uri("/orders/7");
    let request = request.body(Body::empty()).unwrap();
    server(routes()).oneshot(request).await.unwrap();
    let span = recorder.span("HTTP /orders/{id}");
    assert_eq!(
        attribute(&span, "http.request.method").as_deref(),
        Some("_OTHER")
    );
    assert_eq!(
        attribute(&span, "http.request.method_original").as_deref(),
        Some("BREW")
    );
}

#[tokio::test]
async fn the_response_names_the_server_span() {
    let recorder = Recorder::start();
    let response = call(server(routes()), "/orders/7", &[]).await;
    let (response, _) = response.into_parts();
    let span = recorder.span("GET /orders/{id}").span_context;
    let expected = format!("00-{}-{}-01", span.trace_id(), span.span_id());
    assert_eq!(response.headers["traceresponse"], expected);
}

#[tokio::test]
async fn a_server_error_fails_the_span() {
    let recorder = Recorder::start();
    call(server(routes()), "/broken", &[]).await;
    let span = recorder.span("GET /broken");
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("500"));
}

#[tokio::test]
async fn a_service_continues_the_trace_of_its_caller() {
    let recorder = Recorder::start();
    call(server(routes()), "/orders/7", &[("traceparent", CALLER)]).await;
    let span = recorder.span("GET /orders/{id}");
    assert_eq!(span.span_context.trace_id().to_string(), CALLERS_TRACE);
    assert!(span.parent_span_is_remote);
}

#[tokio::test]
async fn the_edge_links_to_a_stranger_and_begins_its_own_trace() {
    let recorder = Recorder::start();
    let headers = [("traceparent", CALLER), ("baggage", "order.id=forged")];
    call(edge(routes(), Trust::Link), "/orders/7", &headers).await;
    let span = recorder.span("GET /orders/{id}");
    assert_ne!(span.span_context.trace_id().to_string(), CALLERS_TRACE);
    let linked: Vec<_> = span
        .links
        .iter()
        .map(|link| link.span_context.trace_id())
        .collect();
    assert_eq!(linked.len(), 1);
    assert_eq!(linked[0].to_string(), CALLERS_TRACE);
    assert_eq!(attribute(&span, "orderflow.order.id"), None);
}

#[tokio::test]
async fn the_edge_continues_a_trace_that_it_was_told_to_trust() {
    let recorder = Recorder::start();
    call(
        edge(routes(), Trust::Continue),
        "/orders/7",
        &[("traceparent", CALLER)],
    )
    .await;
    let span = recorder.span("GET /orders/{id}");
    assert_eq!(span.span_context.trace_id().to_string(), CALLERS_TRACE);
}

#[tokio::test]
async fn a_garbage_traceparent_changes_nothing() {
    let recorder = Recorder::start();
    for garbage in [
        "",
        "00-zz",
        "00-00000000000000000000000000000000-0000000000000000-01",
    ] {
        let response = call(
            edge(routes(), Trust::Continue),
            "/orders/7",
            &[("traceparent", garbage)],
        )
        .await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(recorder.spans().len(), 3);
    assert!(recorder.spans().iter().all(|span| span.links.is_empty()));
}

/// What HTTP/2 hands over: the authority and the scheme stand in the request line, and there is no `Host`.
#[tokio::test]
async fn the_server_is_the_one_that_the_caller_named() {
    for (uri, host, address, port, scheme) in [
        (
            "/orders/7",
            Some("shop.example.com"),
            Some("shop.example.com"),
            Some("80"),
            "http",
        ),
        (
            "/orders/7",
            Some("shop.example.com:8080"),
            Some("shop.example.com"),
            Some("8080"),
            "http",
        ),
        (
            "/orders/7",
            Some("[::1]:8080"),
            Some("::1"),
            Some("8080"),
            "http",
        ),
        (
            "/orders/7",
            Some("[2001:db8::1]"),
            Some("2001:db8::1"),
            Some("80"),
            "http",
        ),
        (
            "http://shop.example.com:8080/orders/7",
            None,
            Some("shop.example.com"),
            Some("8080"),
            "http",
        ),
        (
            "https://shop.example.com/orders/7",
            None,
            Some("shop.example.com"),
            Some("443"),
            "https",
        ),
        (
            "http://shop.example.com/orders/7",
            Some("forged"),
            Some("shop.example.com"),
            Some("80"),
            "http",
        ),
        ("/orders/7", None, None, None, "http"),
    ] {
        let recorder = Recorder::start();
        let mut request = Request::get(uri).header("x-forwarded-host", "forged");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.body(Body::empty()).unwrap();
        server(routes()).oneshot(request).await.unwrap();
        let span = recorder.span("GET /orders/{id}");
        assert_eq!(
            attribute(&span, "server.address").as_deref(),
            address,
            "{uri} {host:?}"
        );
        assert_eq!(
            attribute(&span, "server.port").as_deref(),
            port,
            "{uri} {host:?}"
        );
        assert_eq!(
            attribute(&span, "url.scheme").as_deref(),
            Some(scheme),
            "{uri} {host:?}"
        );
    }
}

#[tokio::test]
async fn a_secret_in_the_query_is_redacted_and_the_rest_is_as_it_was() {
    let recorder = Recorder::start();
    call(server(routes()), "/orders/7?a=%20b&sig=secret&c", &[]).await;
    let query = attribute(&recorder.span("GET /orders/{id}"), "url.query");
    assert_eq!(query.as_deref(), Some("a=%20b&sig=REDACTED&c"));
}

#[tokio::test]
async fn the_methods_of_the_conventions_are_known() {
    for method in ["QUERY", "PATCH", "TRACE"] {
        let recorder = Recorder::start();
        let request = Request::builder().method(method).uri("/orders/7");
        let request = request.body(Body::empty()).unwrap();
        server(routes()).oneshot(request).await.unwrap();
        let span = recorder.span(&format!("{method} /orders/{{id}}"));
        assert_eq!(
            attribute(&span, "http.request.method").as_deref(),
            Some(method)
        );
        assert_eq!(attribute(&span, "http.request.method_original"), None);
    }
    for method in ["get", "PROPFIND"] {
        let recorder = Recorder::start();
        let request = Request::builder().method(method).uri("/orders/7");
        let request = request.body(Body::empty()).unwrap();
        server(routes()).oneshot(request).await.unwrap();
        let span = recorder.span("HTTP /orders/{id}");
        assert_eq!(
            attribute(&span, "http.request.method").as_deref(),
            Some("_OTHER")
        );
        assert_eq!(
            attribute(&span, "http.request.method_original").as_deref(),
            Some(method)
        );
    }
}

#[tokio::test]
async fn a_client_error_is_no_error_of_the_server() {
    let recorder = Recorder::start();
    call(server(routes()), "/no/such/path", &[]).await;
    let span = recorder.span("GET");
    assert_eq!(span.status, Status::Unset);
    assert_eq!(attribute(&span, "error.type"), None);
    assert_eq!(
        attribute(&span, "http.response.status_code").as_deref(),
        Some("404")
    );
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_a_failed_span() {
    let recorder = Recorder::start();
    let waits = Router::new().route("/waits", get(std::future::pending::<()>));
    let request = Request::get("/waits").body(Body::empty()).unwrap();
    let mut answer = Box::pin(server(waits).oneshot(request));
    assert!(poll_once(answer.as_mut()).is_none());
    drop(answer);
    let span = recorder.span("GET /waits");
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("cancelled"));
    assert_eq!(attribute(&span, "http.response.status_code"), None);
}

/// Polls once: what is ready, if anything.
fn poll_once<F: Future + Unpin>(future: F) -> Option<F::Output> {
    let mut future = future;
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(&mut future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
