use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
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
