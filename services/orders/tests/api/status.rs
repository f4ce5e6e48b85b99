use futures::future::join_all;
use serde_json::{Value, json};
use telemetry::testing::attribute;

use crate::helpers::{Answer, TestApp, trace};
use crate::kafka::{CREATED, ENDED};

/// Places an order, and lets it be found out about until it has that status.
async fn place(app: &TestApp, status: &str) -> String {
    let id = app.place().await;
    let (finding, category) = match status {
        "pending" => return id,
        "confirmed" => ("held", "gift"),
        "rejected" => ("short", "gift"),
        "in_review" => ("held", "suspicious"),
        _ => ("given_up", "gift"),
    };
    let event = json!({
        "order_id": id, "customer_id": "vip-ada", "finding": finding, "category": category, "reason": "why",
    });
    app.pubsub.publish(&[&event]).await;
    app.until_status(&id, status).await;
    id
}

async fn decide(app: &TestApp, id: &str, status: &str) -> Answer {
    app.change_status(id, &json!({"status": status})).await
}

#[tokio::test]
async fn a_person_decides_about_what_is_in_review_or_failed_and_nothing_else() {
    let app = TestApp::spawn().await;
    // Where the order is, what a person wants, and what is answered to that.
    for (first, then, answer) in [
        ("in_review", "confirmed", 204),
        ("in_review", "rejected", 204),
        ("in_review", "in_review", 204),
        ("in_review", "failed", 409),
        ("failed", "rejected", 204),
        ("failed", "failed", 204),
        ("failed", "confirmed", 409),
        ("failed", "in_review", 409),
        ("confirmed", "confirmed", 204),
        ("confirmed", "rejected", 409),
        ("rejected", "confirmed", 409),
        ("pending", "confirmed", 409),
        ("pending", "rejected", 409),
        ("pending", "failed", 409),
    ] {
        let id = place(&app, first).await;
        let decided = decide(&app, &id, then).await;
        assert_eq!(decided.status, answer, "{first} → {then}");
        let expected = if answer == 204 { then } else { first };
        let order = app.get(&format!("/orders/{id}")).await.body;
        assert_eq!(order["status"], expected, "{first} → {then}");
    }
}

#[tokio::test]
async fn a_decision_is_told_once_with_its_number_however_often_it_is_made() {
    let app = TestApp::spawn().await;
    let id = place(&app, "in_review").await;
    let answers = join_all((0..8).map(|_| decide(&app, &id, "confirmed"))).await;
    assert!(answers.iter().all(|answer| answer.status == 204));
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.count(ENDED).await, 2);
    let told = app.kafka.records(ENDED, 2).await.remove(1);
    let expected = json!({
        "order_id": id, "customer_id": "vip-ada", "status": "confirmed", "category": "suspicious",
        // It was the reason for the review.
        "reason": null, "sequence": 2,
    });
    assert_eq!((told.key, told.payload), (id, expected));
}

#[tokio::test]
async fn two_persons_who_want_different_things_do_not_both_get_them() {
    let app = TestApp::spawn().await;
    let id = place(&app, "in_review").await;
    let wishes = ["confirmed", "rejected"].map(|status| decide(&app, &id, status));
    let mut answers: Vec<_> = join_all(wishes)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    answers.sort_unstable();
    assert_eq!(answers, [204, 409]);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.count(ENDED).await, 2);
}

#[tokio::test]
async fn a_decision_is_a_trace_of_its_own_that_is_linked_to_the_orders_and_what_follows_hangs_below()
 {
    let app = TestApp::spawn().await;
    let id = place(&app, "in_review").await;
    let record = app.kafka.records(CREATED, 1).await.remove(0);
    let order_trace = trace(&record.headers["traceparent"]).0;
    let decided = decide(&app, &id, "confirmed").await;
    let (trace_id, server_span) = decided.trace();
    assert_ne!(trace_id, order_trace);

    let server = app.recorder.span("PATCH /orders/{id}/status");
    let links = server.links.iter();
    let links: Vec<_> = links
        .map(|link| {
            (
                link.span_context.trace_id().to_string(),
                link.span_context.span_id(),
            )
        })
        .collect();
    let placed = app.recorder.span("POST /orders").span_context.span_id();
    assert_eq!(links, [(order_trace, placed)]);
    assert_eq!(attribute(&server, "orderflow.order.id"), Some(id.clone()));

    let told = app.kafka.records(ENDED, 2).await.remove(1);
    assert_eq!(trace(&told.headers["traceparent"]).0, trace_id);
    let sends = app.recorder.spans().into_iter();
    let mut sends = sends.filter(|span| span.name == "send order.ended");
    assert!(sends.any(|send| send.parent_span_id.to_string() == server_span));
    let baggage = &told.headers["baggage"];
    assert!(baggage.contains(&format!("order.id={id}")), "{baggage}");
    assert!(baggage.contains("customer.tier=vip"), "{baggage}");
}

#[tokio::test]
async fn a_change_moves_the_time_of_the_last_change_and_no_change_does_not() {
    let app = TestApp::spawn().await;
    let id = place(&app, "in_review").await;
    let read = async || app.get(&format!("/orders/{id}")).await.body["updated_at"].clone();
    let before = read().await;
    decide(&app, &id, "in_review").await;
    assert_eq!(read().await, before);
    decide(&app, &id, "confirmed").await;
    let changed = read().await;
    assert_ne!(changed, before);
    decide(&app, &id, "confirmed").await;
    assert_eq!(read().await, changed);
}

#[tokio::test]
async fn a_refusal_says_where_the_order_is() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let refused = decide(&app, &id, "confirmed").await;
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("the order is pending"), "{detail}");
}

#[tokio::test]
async fn refuses_an_unknown_order_and_what_is_no_decision() {
    let app = TestApp::spawn().await;
    let confirmed = json!({"status": "confirmed"});
    let unknown = "0195f5a0-0000-7000-8000-000000000000";
    assert_eq!(app.change_status(unknown, &confirmed).await.status, 404);
    assert_eq!(app.change_status("7", &confirmed).await.status, 400);

    let id = app.place().await;
    for (body, pointer) in [
        (json!({"status": "sent"}), "#/status"),
        (json!({"status": "pending"}), "#/status"),
        (json!({"status": ""}), "#/status"),
        (json!({"status": {"confirmed": null}}), "#/status"),
        (json!({"status": ["confirmed"]}), "#/status"),
        (json!({}), "#/status"),
        (json!(["confirmed"]), "#"),
        (
            json!({"status": "confirmed", "category": "gift"}),
            "#/category",
        ),
    ] {
        let answer = app.change_status(&id, &body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    let order: Value = app.get(&format!("/orders/{id}")).await.body;
    assert_eq!(order["status"], "pending");
}
