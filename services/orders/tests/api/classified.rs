use serde_json::{Value, json};
use telemetry::testing::attribute;
use web::testing::until;

use crate::helpers::TestApp;

const PROCESS: &str = "process order.classified";

fn classified(order_id: &str, outcome: &str) -> Value {
    json!({"order_id": order_id, "customer_id": "vip-ada", "outcome": outcome, "category": "gift"})
}

/// Waits until at least `count` deliveries were processed.
async fn until_processed(app: &TestApp, count: usize) {
    until(async || {
        let spans = app.recorder.spans().into_iter();
        let processed = spans.filter(|span| span.name == PROCESS).count();
        (processed >= count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn ends_an_order_as_it_was_decided() {
    let app = TestApp::spawn().await;
    for outcome in ["confirmed", "rejected", "in_review", "failed"] {
        let id = app.place().await;
        app.pubsub.publish(&[&classified(&id, outcome)]).await;
        let order = app.until_status(&id, outcome).await;
        assert_eq!(order["category"], "gift");
        assert_ne!(order["updated_at"], order["created_at"]);
    }
}

#[tokio::test]
async fn takes_an_event_without_category_and_with_fields_it_does_not_know() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let event = json!({
        "order_id": id, "customer_id": "vip-ada", "outcome": "failed", "reason": "no", "confidence": 0.5,
    });
    app.pubsub.publish(&[&event]).await;
    assert_eq!(
        app.until_status(&id, "failed").await["category"],
        json!(null)
    );
}

#[tokio::test]
async fn an_event_that_comes_twice_changes_the_order_once() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    let ended = app.until_status(&id, "confirmed").await;
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    until_processed(&app, 2).await;
    assert_eq!(app.get(&format!("/orders/{id}")).await.body, ended);
}

#[tokio::test]
async fn the_first_decision_stands() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.pubsub.publish(&[&classified(&id, "rejected")]).await;
    let ended = app.until_status(&id, "rejected").await;
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    until_processed(&app, 2).await;
    assert_eq!(app.get(&format!("/orders/{id}")).await.body, ended);
}

#[tokio::test]
async fn an_unknown_order_is_a_dead_letter_and_the_next_message_is_processed() {
    let app = TestApp::spawn().await;
    let unknown = "0195f5a0-0000-7000-8000-000000000000";
    app.pubsub
        .publish(&[&classified(unknown, "confirmed")])
        .await;
    let letter = app.pubsub.next_dead_letter().await;
    assert_eq!(letter.payload, classified(unknown, "confirmed"));
    let reason = &letter.attributes["dead-letter-reason"];
    assert_eq!(*reason, format!("there is no order {unknown}"));

    let id = app.place().await;
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    app.until_status(&id, "confirmed").await;
}

#[tokio::test]
async fn what_is_no_event_is_a_dead_letter_and_the_next_message_is_processed() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    for garbage in [json!({"order_id": id}), classified(&id, "lost"), json!(7)] {
        app.pubsub.publish(&[&garbage]).await;
        let letter = app.pubsub.next_dead_letter().await;
        assert_eq!(letter.payload, garbage);
        let reason = &letter.attributes["dead-letter-reason"];
        assert!(reason.starts_with("the payload is not"), "{reason}");
    }
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    app.until_status(&id, "confirmed").await;
}

#[tokio::test]
async fn an_event_waits_for_a_database_that_does_nothing() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let query = async |sql| sqlx::raw_sql(sql).execute(&app.database).await.unwrap();
    query("alter table orders rename to lost").await;
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    // The settings allow two attempts.
    until_processed(&app, 4).await;
    query("alter table lost rename to orders").await;
    app.until_status(&id, "confirmed").await;
}

#[tokio::test]
async fn the_span_names_the_order_and_holds_the_statement() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.pubsub.publish(&[&classified(&id, "confirmed")]).await;
    until_processed(&app, 1).await;
    let process = app.recorder.span(PROCESS);
    let key = attribute(&process, "orderflow.messaging.idempotency_key");
    assert_eq!(key, Some(id));
    let update = app.recorder.span("UPDATE orders");
    assert_eq!(update.parent_span_id, process.span_context.span_id());
}
