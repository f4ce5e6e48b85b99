use std::time::Duration;

use domain::OrderId;
use telemetry::testing::Recorder;
use web::testing::until;

use crate::helpers::{TestApp, ended};

fn names_below(recorder: &Recorder, parent: &str) -> Vec<String> {
    let parent = recorder.span(parent);
    let spans = recorder.spans().into_iter();
    let below = spans.filter(|span| span.parent_span_id == parent.span_context.span_id());
    below.map(|span| span.name.into_owned()).collect()
}

#[tokio::test]
async fn shows_a_hold_as_one_statement_granted_or_refused() {
    for quantity in [1, 6] {
        let recorder = Recorder::start();
        let app = TestApp::spawn().await;
        app.hold(
            OrderId::generate(),
            &[("ITEM-001", 1), ("ITEM-010", quantity)],
        )
        .await;
        let statements = names_below(&recorder, "POST /holds");
        assert_eq!(statements, ["UPDATE stock"]);
    }
}

#[tokio::test]
async fn shows_that_a_slow_hold_is_not_the_statement() {
    let recorder = Recorder::start();
    let app = TestApp::spawn_with("--fault-inventory-delay-ms=300").await;
    app.hold(OrderId::generate(), &[("ITEM-001", 1)]).await;
    let (hold, statement) = (recorder.span("POST /holds"), recorder.span("UPDATE stock"));
    let before = statement.start_time.duration_since(hold.start_time);
    assert!(before.unwrap() >= Duration::from_millis(300));
}

#[tokio::test]
async fn shows_that_a_repeated_hold_was_looked_up() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    app.hold(order, &[("ITEM-001", 1)]).await;
    let recorder = Recorder::start();
    app.hold(order, &[("ITEM-001", 1)]).await;
    let statements = names_below(&recorder, "POST /holds");
    assert_eq!(statements, ["UPDATE stock", "SELECT reservations"]);
}

#[tokio::test]
async fn shows_what_follows_a_decision_as_one_statement() {
    let recorder = Recorder::start();
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    app.hold(order, &[("ITEM-010", 1)]).await;
    app.kafka.order_ended(&[ended(order, "confirmed", 1)]).await;
    app.until_pieces("ITEM-010", [4, 0, 1]).await;
    let name = "process order.ended";
    let processed = || recorder.spans().iter().any(|span| span.name == name);
    until(async || processed().then_some(())).await;
    assert_eq!(names_below(&recorder, name), ["UPDATE reservations"]);
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
