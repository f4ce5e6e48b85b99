use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use telemetry::testing::Recorder;

use crate::helpers::{TestApp, an_order};

const CALLERS_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";

/// Places an order as a caller who brings a trace along; the answer is the `traceparent` that orders got.
async fn placed_with(args: &[&str]) -> String {
    let traceparent = |headers: HeaderMap| async move {
        (
            StatusCode::CREATED,
            headers["traceparent"].to_str().unwrap().to_owned(),
        )
    };
    let orders = Router::new().route("/orders", post(traceparent));
    let app = TestApp::spawn_with(orders, Router::new(), args).await;
    let request = app.post("/orders").json(&an_order());
    let request = request.header(
        "traceparent",
        format!("00-{CALLERS_TRACE}-{CALLERS_SPAN}-01"),
    );
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn begins_a_trace_that_links_to_a_strangers() {
    let recorder = Recorder::start();
    let traceparent = placed_with(&[]).await;
    let server = recorder.span("POST /orders");
    let client = recorder.span("POST");
    assert_ne!(server.span_context.trace_id().to_string(), CALLERS_TRACE);
    assert_eq!(
        server.links[0].span_context.trace_id().to_string(),
        CALLERS_TRACE
    );
    assert_eq!(client.parent_span_id, server.span_context.span_id());
    let expected = format!(
        "00-{}-{}-01",
        client.span_context.trace_id(),
        client.span_context.span_id()
    );
    assert_eq!(traceparent, expected);
}

#[tokio::test]
async fn continues_the_trace_of_a_caller_it_trusts() {
    let recorder = Recorder::start();
    let traceparent = placed_with(&["--gateway-trust-incoming-trace", "true"]).await;
    assert!(
        traceparent.starts_with(&format!("00-{CALLERS_TRACE}-")),
        "{traceparent}"
    );
    assert_eq!(
        recorder.span("POST /orders").parent_span_id.to_string(),
        CALLERS_SPAN
    );
}

#[tokio::test]
async fn makes_no_traces_of_health_checks() {
    let recorder = Recorder::start();
    let app = TestApp::spawn(Router::new(), Router::new()).await;
    assert_eq!(app.get("/readyz").send().await.unwrap().status(), 200);
    assert!(recorder.spans().is_empty(), "{:?}", recorder.spans());
}

#[tokio::test]
async fn only_baggage_of_a_caller_it_trusts_gets_through() {
    let _recorder = Recorder::start();
    let baggage = |headers: HeaderMap| async move {
        let baggage = headers.get("baggage");
        baggage
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    for (trust, expected) in [("false", ""), ("true", "customer.tier=vip")] {
        let orders = Router::new().route("/orders", get(baggage));
        let args = ["--gateway-trust-incoming-trace", trust];
        let app = TestApp::spawn_with(orders, Router::new(), &args).await;
        let request = app.get("/orders").header("baggage", "customer.tier=vip");
        let passed = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(passed, expected, "trust={trust}");
    }
}

#[tokio::test]
async fn no_other_header_of_a_caller_gets_through() {
    let names = |headers: HeaderMap| async move {
        let names = headers.keys().map(ToString::to_string);
        names.collect::<Vec<_>>().join(" ")
    };
    let orders = Router::new().route("/orders", get(names));
    let app = TestApp::spawn(orders, Router::new()).await;
    let request = app
        .get("/orders")
        .header("cookie", "a=b")
        .header("x-user", "admin");
    let passed = request.send().await.unwrap().text().await.unwrap();
    assert!(
        !passed.contains("cookie") && !passed.contains("x-user"),
        "{passed}"
    );
}

#[tokio::test]
async fn a_problem_names_the_trace_that_the_response_names() {
    let _recorder = Recorder::start();
    let app = TestApp::spawn_alone().await;
    for path in ["/orders", "/orders/7", "/nothing"] {
        let response = app.get(path).send().await.unwrap();
        let traceresponse = response.headers()["traceresponse"]
            .to_str()
            .unwrap()
            .to_owned();
        let problem: serde_json::Value = response.json().await.unwrap();
        let trace_id = problem["trace_id"].as_str().unwrap();
        assert!(
            traceresponse.starts_with(&format!("00-{trace_id}-")),
            "{path}"
        );
    }
}
