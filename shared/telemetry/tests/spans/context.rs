//! What a service continues, and what passes through it.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response};
use axum::routing::get;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::trace::SpanData;
use telemetry::http::{Trust, edge, server};
use telemetry::testing::{Recorder, attribute};
use tower::ServiceExt;
use tracing::Dispatch;

const TRACE: &str = "b2611246a58fd7ea623d2264c5a1e226";
const CALLER: &str = "00-b2611246a58fd7ea623d2264c5a1e226-b2c9b811f2f424af-01";
const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Answers with the context that it works in.
async fn context() -> String {
    let context = Context::current();
    let span = context.span().span_context().clone();
    let mut baggage: Vec<_> = context
        .baggage()
        .iter()
        .map(|(key, (value, _))| format!("{key}={value}"))
        .collect();
    baggage.sort();
    format!(
        "{} {} {} {}",
        span.trace_id(),
        span.span_id(),
        span.trace_state().header(),
        baggage.join(",")
    )
}

fn routes() -> Router {
    Router::new().route("/", get(context))
}

async fn call(router: Router, headers: &[(&'static str, &[u8])]) -> Response<Body> {
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    for &(name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(name, value);
    }
    router.oneshot(request).await.unwrap()
}

async fn body(response: Response<Body>) -> String {
    let body = axum::body::to_bytes(response.into_body(), 10_000).await;
    String::from_utf8(body.unwrap().into()).unwrap()
}

/// The span of a service that was called with these headers, and what it worked in.
async fn served(trust: Trust, headers: &[(&'static str, &[u8])]) -> (SpanData, String) {
    let recorder = Recorder::start();
    let response = call(edge(routes(), trust), headers).await;
    let said = body(response).await;
    (recorder.span("GET /"), said)
}

#[tokio::test]
async fn a_traceparent_that_is_not_as_w3c_says_is_neither_continued_nor_linked() {
    let upper = CALLER.to_uppercase();
    let longer = format!("{CALLER}-more");
    let joined = format!("{CALLER},{CALLER}");
    let one = |value: &str| vec![("traceparent", value.as_bytes().to_vec())];
    let cases = [
        one("00-abc-12-1"),
        one(&upper),
        one(&longer),
        one(&joined),
        one(&CALLER.replacen("00", "ff", 1)),
        one(&CALLER.replace('-', " ")),
        one(""),
        [one(CALLER), one(OTHER)].concat(),
        [one(CALLER), one(CALLER)].concat(),
        [one(CALLER), vec![("traceparent", vec![0xff])]].concat(),
    ];
    for headers in cases {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, &value[..]))
            .collect();
        for trust in [Trust::Continue, Trust::Link] {
            let (span, _) = served(trust, &headers).await;
            assert_ne!(
                span.span_context.trace_id().to_string(),
                TRACE,
                "{headers:?}"
            );
            assert!(!span.parent_span_is_remote, "{headers:?}");
            assert!(span.links.is_empty(), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_traceparent_with_spaces_around_it_or_of_a_later_version_is_continued_or_linked() {
    let later = format!("{}-of-the-future", CALLER.replacen("00", "cc", 1));
    for traceparent in [
        " \t00-b2611246a58fd7ea623d2264c5a1e226-b2c9b811f2f424af-01 ",
        &later,
    ] {
        let headers = [("traceparent", traceparent.as_bytes())];
        let (span, _) = served(Trust::Continue, &headers).await;
        assert_eq!(span.span_context.trace_id().to_string(), TRACE);
        let (span, _) = served(Trust::Link, &headers).await;
        assert_eq!(span.links[0].span_context.trace_id().to_string(), TRACE);
    }
}

#[tokio::test]
async fn several_headers_are_one_list_and_what_is_wrong_in_it_costs_no_more_than_it_must() {
    let headers: [(&str, &[u8]); 7] = [
        ("traceparent", CALLER.as_bytes()),
        ("tracestate", b"rojo=1"),
        ("tracestate", b""),
        ("tracestate", b"congo=2"),
        ("baggage", b"order.id=a=b , broken"),
        ("baggage", "name=Amélie,rate=100%25".as_bytes()),
        ("baggage", &[b'x', b'=', 0xff]),
    ];
    let (span, said) = served(Trust::Continue, &headers).await;
    assert_eq!(
        attribute(&span, "orderflow.order.id").as_deref(),
        Some("a=b")
    );
    assert!(
        said.ends_with(" rojo=1,congo=2 order.id=a=b,rate=100%"),
        "{said}"
    );
    let (span, said) = served(Trust::Link, &headers).await;
    assert_eq!(attribute(&span, "orderflow.order.id"), None);
    assert!(said.ends_with("  "), "{said}");
    let (_, said) = served(
        Trust::Continue,
        &[
            ("traceparent", CALLER.as_bytes()),
            ("tracestate", b"rojo=1,rojo=2"),
        ],
    )
    .await;
    assert!(said.starts_with(TRACE) && said.ends_with("  "), "{said}");
}

#[tokio::test]
async fn a_request_that_has_no_span_is_served_in_its_callers_context() {
    // Sets the propagators, and makes the process ask each subscriber for itself.
    drop(Recorder::start());
    let headers: [(&str, &[u8]); 3] = [
        ("traceparent", CALLER.as_bytes()),
        ("tracestate", b"rojo=1"),
        ("baggage", b"order.id=7"),
    ];
    let nobody = Dispatch::none();
    let another_layer = Dispatch::new(tracing_subscriber::registry());
    for subscriber in [nobody, another_layer] {
        let _current = tracing::dispatcher::set_default(&subscriber);
        let response = call(server(routes()), &headers).await;
        // There is no span of ours to be named.
        assert!(!response.headers().contains_key("traceresponse"));
        let passes = format!("{TRACE} b2c9b811f2f424af rojo=1 order.id=7");
        assert_eq!(body(response).await, passes);
        let response = call(edge(routes(), Trust::Link), &headers).await;
        assert!(
            body(response).await.starts_with("00000000"),
            "a stranger's does not pass"
        );
        // Nothing of it stays for the next.
        let response = call(server(routes()), &[]).await;
        assert!(body(response).await.starts_with("00000000"));
    }
}
