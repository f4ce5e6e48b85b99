use domain::OrderId;
use telemetry::testing::Recorder;

use crate::helpers::TestApp;

#[tokio::test]
async fn shows_a_reservation_and_its_statements_in_one_trace() {
    let recorder = Recorder::start();
    let app = TestApp::spawn().await;
    app.reserve("ITEM-001", OrderId::generate(), 1).await;
    let request = recorder.span("POST /stock/{item_id}/reserve");
    for statement in ["INSERT reservations", "UPDATE stock"] {
        let span = recorder.span(statement);
        assert_eq!(
            span.parent_span_id,
            request.span_context.span_id(),
            "{statement}"
        );
        assert_eq!(
            span.span_context.trace_id(),
            request.span_context.trace_id(),
            "{statement}"
        );
    }
}

#[tokio::test]
async fn names_the_trace_in_a_problem_and_in_the_response() {
    let recorder = Recorder::start();
    let app = TestApp::spawn().await;
    let response = app
        .client
        .get(app.url("/stock/ITEM-999"))
        .send()
        .await
        .unwrap();
    let traceresponse = response.headers()["traceresponse"]
        .to_str()
        .unwrap()
        .to_owned();
    let problem: serde_json::Value = response.json().await.unwrap();
    let trace = recorder
        .span("GET /stock/{item_id}")
        .span_context
        .trace_id()
        .to_string();
    assert_eq!(problem["trace_id"], trace);
    assert!(
        traceresponse.starts_with(&format!("00-{trace}-")),
        "{traceresponse}"
    );
}

#[tokio::test]
async fn makes_no_traces_of_health_checks() {
    let recorder = Recorder::start();
    let app = TestApp::spawn().await;
    app.get("/healthz").await;
    app.get("/readyz").await;
    assert!(recorder.spans().is_empty(), "{:?}", recorder.spans());
}
