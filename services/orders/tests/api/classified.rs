use domain::{OrderCreated, OrderEnded, Outcome};
use serde_json::{Value, json};
use telemetry::testing::attribute;
use web::testing::until;

use crate::helpers::{TestApp, classified, trace};
use crate::kafka::{CREATED, ENDED};

const PROCESS: &str = "process order.classified";

/// Waits until at least `count` deliveries were processed.
async fn until_processed(app: &TestApp, count: usize) {
    until(async || {
        let spans = app.recorder.spans().into_iter();
        let processed = spans.filter(|span| span.name == PROCESS).count();
        (processed >= count).then_some(())
    })
    .await;
}

/// A finding and, where it differs from the usual, a category and a reason.
fn with(id: &str, finding: &str, category: &Value, reason: &Value) -> Value {
    json!({"order_id": id, "customer_id": "vip-ada", "finding": finding, "category": category, "reason": reason})
}

#[tokio::test]
async fn decides_by_what_was_found_out_and_tells_it() {
    let app = TestApp::spawn().await;
    for (n, (finding, category, reason, outcome)) in [
        ("held", json!("gift"), json!(null), Outcome::Confirmed),
        ("held", json!(null), json!(null), Outcome::Confirmed),
        (
            "held",
            json!("suspicious"),
            json!("it looks odd"),
            Outcome::InReview,
        ),
        (
            "short",
            json!("gift"),
            json!("ITEM-001 is out of stock"),
            Outcome::Rejected,
        ),
        ("short", json!("suspicious"), json!(null), Outcome::Rejected),
        (
            "given_up",
            json!(null),
            json!("the order could not be processed"),
            Outcome::Failed,
        ),
        // What the version before has sent.
        ("confirmed", json!("gift"), json!(null), Outcome::Confirmed),
        ("rejected", json!("gift"), json!("no"), Outcome::Rejected),
        ("failed", json!(null), json!("no"), Outcome::Failed),
    ]
    .into_iter()
    .enumerate()
    {
        let id = app.place().await;
        app.pubsub
            .publish(&[&with(&id, finding, &category, &reason)])
            .await;
        let order = app.until_status(&id, outcome.as_str()).await;
        assert_eq!((&order["category"], &order["reason"]), (&category, &reason));
        assert_ne!(order["updated_at"], order["created_at"]);

        let record = app.kafka.records(ENDED, n + 1).await.remove(n);
        assert_eq!(record.key, id);
        let told: OrderEnded = serde_json::from_value(record.payload.clone()).unwrap();
        assert_eq!(told.status, outcome);
        let expected = json!({
            "order_id": id, "customer_id": "vip-ada", "status": outcome, "category": category, "reason": reason,
            "sequence": 1,
        });
        assert_eq!(record.payload, expected);
    }
}

#[tokio::test]
async fn takes_an_event_without_category_and_with_fields_it_does_not_know() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let event = json!({
        "order_id": id, "customer_id": "vip-ada", "finding": "given_up", "reason": "no", "confidence": 0.5,
    });
    app.pubsub.publish(&[&event]).await;
    assert_eq!(
        app.until_status(&id, "failed").await["category"],
        json!(null)
    );
}

#[tokio::test]
async fn a_finding_that_comes_twice_changes_the_order_once_and_is_told_once() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.found(&id, "held").await;
    let decided = app.until_status(&id, "confirmed").await;
    app.found(&id, "held").await;
    until_processed(&app, 2).await;
    assert_eq!(app.get(&format!("/orders/{id}")).await.body, decided);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.count(ENDED).await, 1);
}

#[tokio::test]
async fn nothing_leaves_confirmed_and_rejected() {
    let app = TestApp::spawn().await;
    for (first, status, then) in [
        ("short", "rejected", "held"),
        ("held", "confirmed", "short"),
        ("held", "confirmed", "given_up"),
    ] {
        let id = app.place().await;
        app.found(&id, first).await;
        let decided = app.until_status(&id, status).await;
        let processed = app
            .recorder
            .spans()
            .iter()
            .filter(|span| span.name == PROCESS)
            .count();
        app.found(&id, then).await;
        until_processed(&app, processed + 1).await;
        assert_eq!(app.get(&format!("/orders/{id}")).await.body, decided);
    }
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.count(ENDED).await, 3);
}

#[tokio::test]
async fn a_redriven_job_takes_a_failed_order_on_and_its_decisions_are_numbered() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.found(&id, "given_up").await;
    app.until_status(&id, "failed").await;
    app.found(&id, "held").await;
    app.until_status(&id, "confirmed").await;
    let told = app.kafka.records(ENDED, 2).await;
    let told: Vec<_> = told
        .iter()
        .map(|record| (&record.payload["status"], &record.payload["sequence"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("failed"), &json!(1)),
            (&json!("confirmed"), &json!(2))
        ]
    );
}

#[tokio::test]
async fn an_order_that_the_version_before_wants_reviewed_begins_again_for_its_stock() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.pubsub
        .publish(&[&with(&id, "in_review", &json!("suspicious"), &json!(null))])
        .await;
    let records = app.kafka.records(CREATED, 2).await;
    let [first, again] = [0, 1].map(|n| {
        let created = serde_json::from_value::<OrderCreated>(records[n].payload.clone());
        created.unwrap()
    });
    assert_eq!(first, again);
    assert_eq!(
        app.get(&format!("/orders/{id}")).await.body["status"],
        "pending"
    );
    assert_eq!(app.kafka.count(ENDED).await, 0);
}

#[tokio::test]
async fn an_unknown_order_is_a_dead_letter_and_the_next_message_is_processed() {
    let app = TestApp::spawn().await;
    let unknown = "0195f5a0-0000-7000-8000-000000000000";
    app.found(unknown, "held").await;
    let letter = app.pubsub.next_dead_letter().await;
    assert_eq!(letter.payload, classified(unknown, "held"));
    let reason = &letter.attributes["dead-letter-reason"];
    assert!(
        reason.ends_with(&format!("there is no order {unknown}")),
        "{reason}"
    );

    let id = app.place().await;
    app.found(&id, "held").await;
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
    app.found(&id, "held").await;
    app.until_status(&id, "confirmed").await;
}

#[tokio::test]
async fn a_reason_that_postgresql_refuses_is_a_dead_letter_after_its_attempts() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let event = with(&id, "short", &json!("gift"), &json!("a\0b"));
    app.pubsub.publish(&[&event]).await;
    assert_eq!(app.pubsub.next_dead_letter().await.payload, event);
    assert_eq!(
        app.get(&format!("/orders/{id}")).await.body["status"],
        "pending"
    );
}

#[tokio::test]
async fn a_reason_without_end_is_cut_so_that_every_broker_takes_it() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let event = with(&id, "short", &json!("gift"), &json!("ü".repeat(600_000)));
    app.pubsub.publish(&[&event]).await;
    let order = app.until_status(&id, "rejected").await;
    assert_eq!(order["reason"], "ü".repeat(1000));
    app.kafka.records(ENDED, 1).await;
}

#[tokio::test]
async fn a_finding_waits_for_a_database_that_does_nothing() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.sql("alter table orders rename to lost").await;
    app.found(&id, "held").await;
    // The settings allow two attempts.
    until_processed(&app, 4).await;
    app.sql("alter table lost rename to orders").await;
    app.until_status(&id, "confirmed").await;
}

#[tokio::test]
async fn one_statement_below_the_span_decides_and_what_follows_hangs_there_too() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.found(&id, "held").await;
    let record = app.kafka.records(ENDED, 1).await.remove(0);
    let process = app.recorder.span(PROCESS);
    let key = attribute(&process, "orderflow.messaging.idempotency_key");
    assert_eq!(key, Some(id));
    let process = process.span_context.span_id();
    let update = app.recorder.span("UPDATE orders");
    assert_eq!(update.parent_span_id, process);
    let send = app.recorder.span("send order.ended");
    assert_eq!(send.parent_span_id, process);
    let sender = (
        send.span_context.trace_id().to_string(),
        send.span_context.span_id().to_string(),
    );
    assert_eq!(trace(&record.headers["traceparent"]), sender);
    let baggage = &record.headers["baggage"];
    assert!(baggage.contains("customer.tier=vip"), "{baggage}");
}
