use serde_json::{Value, json};
use telemetry::testing::attribute;
use web::testing::until;

use crate::helpers::{TestApp, given_up, held, job};

fn order_created(job: &Value) -> Value {
    let mut event = job.clone();
    event["created_at"] = json!("2026-11-21T10:00:00Z");
    event
}

#[tokio::test]
async fn an_order_becomes_one_job_and_one_report() {
    let app = TestApp::spawn().await;
    // The second order shows that nothing more came of the first.
    for count in 1..=2 {
        let job = job(&["ITEM-001"], "");
        app.world.kafka.order_created(&order_created(&job)).await;
        let event = app.next_event().await;
        assert_eq!(event, held(&job, "standard"));
        app.until_ended("send order.classified", count).await;
        assert_eq!(app.count("send classification-jobs"), count);
        assert_eq!(app.count("send order.classified"), count);
    }
}

#[tokio::test]
async fn an_order_that_comes_twice_is_reported_alike_and_asks_for_the_same() {
    let app = TestApp::spawn().await;
    let order = order_created(&job(&["ITEM-001"], ""));
    app.world.kafka.order_created(&order).await;
    app.world.kafka.order_created(&order).await;
    assert_eq!(app.next_event().await, app.next_event().await);
    let [first, second] = &app.world.inventory.holds()[..] else {
        panic!("two jobs, a request for each");
    };
    assert_eq!(first, second);
}

#[tokio::test]
async fn the_next_order_is_taken_after_one_that_is_none() {
    let app = TestApp::spawn().await;
    let garbage = json!({"order_id": "7"});
    app.world.kafka.order_created(&garbage).await;
    let job = job(&["ITEM-001"], "");
    app.world.kafka.order_created(&order_created(&job)).await;
    assert_eq!(app.next_event().await["order_id"], job["order_id"]);
    assert_eq!(app.count("send order.created.dlt"), 1);
}

#[tokio::test]
async fn takes_an_order_with_fields_it_does_not_know() {
    let app = TestApp::spawn().await;
    let mut order = order_created(&job(&["ITEM-001"], ""));
    order["coupon"] = json!("X");
    order["items"][0]["size"] = json!(2);
    app.world.kafka.order_created(&order).await;
    assert_eq!(app.next_event().await["finding"], "held");
}

#[tokio::test]
async fn an_order_waits_for_a_queue_that_is_away() {
    let app = TestApp::spawn().await;
    let first = order_created(&job(&["ITEM-001"], ""));
    app.world.kafka.order_created(&first).await;
    app.next_event().await;
    app.world.to_sqs.shut();
    let second = order_created(&job(&["ITEM-001"], ""));
    app.world.kafka.order_created(&second).await;
    // The settings allow two attempts.
    until(async || (app.failed_attempts("sqs") > 2).then_some(())).await;
    assert_eq!(app.count("send order.created.dlt"), 0);
    app.world.to_sqs.open();
    assert_eq!(app.next_event().await["order_id"], second["order_id"]);
}

/// A note that an older version of orders accepted, with a character that SQS takes in no message.
#[tokio::test]
async fn an_order_that_the_queue_refuses_is_given_up_and_holds_up_no_other() {
    let app = TestApp::spawn().await;
    for note in ["\u{fffe}", "gift\u{ffff}wrap"] {
        let refused = job(&["ITEM-001"], note);
        let next = job(&["ITEM-001"], "");
        app.world
            .kafka
            .order_created(&order_created(&refused))
            .await;
        app.world.kafka.order_created(&order_created(&next)).await;
        let mut events = [app.next_event().await, app.next_event().await];
        events.sort_by_key(|event| event["order_id"] != refused["order_id"]);
        assert_eq!(events, [given_up(&refused), held(&next, "standard")]);
    }
    app.until_ended("send order.created.dlt", 2).await;
    // It was tried once: SQS would say the same again.
    let spans = app.recorder.spans().into_iter();
    let sent = spans.filter(|span| span.name == "send classification-jobs");
    let failed = sent.filter_map(|span| attribute(&span, "error.type"));
    assert_eq!(failed.collect::<Vec<_>>(), ["InvalidMessageContents"; 2]);
}

#[tokio::test]
async fn one_trace_goes_from_the_order_to_the_report() {
    let app = TestApp::spawn().await;
    let job = job(&["ITEM-001"], "");
    app.world.kafka.order_created(&order_created(&job)).await;
    let message = app.world.pubsub.next().await;
    let traceparent = &message.attributes["traceparent"];
    app.until_ended("send order.classified", 1).await;

    let sent = app.recorder.span("send order.classified").span_context;
    let expected = format!("00-{}-{}-01", sent.trace_id(), sent.span_id());
    assert_eq!(*traceparent, expected);
    let intake = app.recorder.span("process order.created");
    assert_eq!(intake.span_context.trace_id(), sent.trace_id());
    let key = attribute(&intake, "orderflow.messaging.idempotency_key");
    assert_eq!(key.as_deref(), job["order_id"].as_str());
}
