use std::collections::BTreeSet;

use domain::OrderCreated;
use serde_json::json;
use web::testing::until;

use crate::helpers::{TestApp, trace};
use crate::kafka::{CREATED, Record};

fn created(record: &Record) -> OrderCreated {
    serde_json::from_value(record.payload.clone()).unwrap()
}

fn baggage(record: &Record) -> BTreeSet<&str> {
    record.headers["baggage"].split(',').collect()
}

/// The shortest wait.
const SOON: &[&str] = &["--orders-resend-after-seconds=1"];

#[tokio::test]
async fn the_event_of_an_order_that_stays_pending_is_sent_again_in_its_own_trace() {
    let app = TestApp::spawn_with(SOON).await;
    let id = app.place().await;
    let ended = app.place().await;
    app.found(&ended, "held").await;
    app.until_status(&ended, "confirmed").await;

    let records = app.kafka.records(CREATED, 4).await;
    let (first, again) = (&records[0], &records[2..]);
    let order_trace = trace(&first.headers["traceparent"]).0;
    for record in again {
        assert_eq!((&record.key, created(record)), (&id, created(first)));
        assert_eq!(trace(&record.headers["traceparent"]).0, order_trace);
        assert_eq!(baggage(record), baggage(first));
    }
    let resent = "select resent from orders order by created_at";
    let resent: Vec<i32> = sqlx::query_scalar(resent)
        .fetch_all(&app.database)
        .await
        .unwrap();
    assert!(resent[0] >= 2, "{resent:?}");
    assert_eq!(resent[1], 0);
    let order = app.get(&format!("/orders/{id}")).await.body;
    assert_eq!(order["updated_at"], order["created_at"]);
    assert_eq!(order["status"], "pending");
}

#[tokio::test]
async fn each_wait_is_twice_as_long() {
    let app = TestApp::spawn_with(SOON).await;
    app.place().await;
    let waits = "select resent, extract(epoch from resend_at - now())::float8 from orders";
    for (resent, longest) in [(1, 2.0), (2, 4.0)] {
        let wait = until(async || {
            let row: (i32, f64) = sqlx::query_as(waits)
                .fetch_one(&app.database)
                .await
                .unwrap();
            (row.0 == resent).then_some(row.1)
        })
        .await;
        assert!(wait > longest / 2.0 && wait <= longest, "{resent}: {wait}");
    }
}

#[tokio::test]
async fn an_event_that_was_not_sent_yet_is_not_written_again() {
    let app = TestApp::spawn_with(SOON).await;
    app.place().await;
    app.until_the_outbox_is_empty().await;
    app.kafka.down();
    app.place().await;
    app.sql("update orders set resend_at = now() - interval '1 hour'")
        .await;
    // The first one is looked after, the second one is not.
    until(async || (app.outbox_rows().await == 2).then_some(())).await;
    let resent = "select resent from orders order by created_at";
    let resent: Vec<i32> = sqlx::query_scalar(resent)
        .fetch_all(&app.database)
        .await
        .unwrap();
    assert_eq!(resent, [1, 0]);
    app.kafka.up();
    app.until_the_outbox_is_empty().await;
}

#[tokio::test]
async fn many_orders_that_are_due_follow_each_other_and_two_services_write_each_once() {
    let app = TestApp::spawn().await;
    let _second = app.second().await;
    app.sql("
        insert into orders (id, customer_id, note, total, status, resend_at)
        select ('0195f5a0-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'jane', '', 0, 'pending', now()
        from generate_series(1, 250) as n;
        insert into order_items (order_id, line, item_id, quantity, price)
        select id, 0, 'ITEM-001', 1, 0 from orders")
        .await;
    let records = app.kafka.records(CREATED, 250).await;
    assert_eq!(
        records[0].payload["items"],
        json!([{"item_id": "ITEM-001", "quantity": 1, "price": 0}])
    );
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.count(CREATED).await, 250);
}
