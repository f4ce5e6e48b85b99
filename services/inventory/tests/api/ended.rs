use domain::OrderId;
use futures::future::{join, join_all};
use serde_json::json;
use telemetry::testing::Recorder;
use web::testing::until;

use crate::helpers::{TestApp, ended};

#[tokio::test]
async fn keeps_what_a_confirmed_order_holds_and_puts_back_what_a_rejected_one_holds() {
    let app = TestApp::spawn().await;
    let [confirmed, rejected, in_review, failed] = [(); 4].map(|()| OrderId::generate());
    for order in [confirmed, rejected, in_review, failed] {
        let held = app.hold(order, &[("ITEM-001", 1), ("ITEM-010", 1)]).await;
        assert_eq!(held.0, 200);
    }
    let events = [
        ended(in_review, "in_review", 1),
        ended(failed, "failed", 1),
        ended(confirmed, "confirmed", 1),
        ended(rejected, "rejected", 1),
    ];
    // All of them come twice.
    for _ in 0..2 {
        app.kafka.order_ended(&events).await;
        app.until_pieces("ITEM-010", [2, 2, 1]).await;
    }
    assert_eq!(app.pieces("ITEM-001").await, [999_997, 2, 1]);
    // A person looks at the one, and the job of the other is redriven.
    app.kafka
        .order_ended(&[ended(in_review, "rejected", 2)])
        .await;
    app.kafka
        .order_ended(&[ended(failed, "confirmed", 2)])
        .await;
    app.until_pieces("ITEM-010", [3, 0, 2]).await;
    app.assert_balance().await;
}

#[tokio::test]
async fn an_order_that_has_ended_can_hold_nothing_more() {
    let app = TestApp::spawn().await;
    let [confirmed, rejected, never_held] = [(); 3].map(|()| OrderId::generate());
    for order in [confirmed, rejected] {
        assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    }
    let events = [
        ended(confirmed, "confirmed", 1),
        ended(rejected, "rejected", 1),
        ended(never_held, "rejected", 1),
    ];
    app.kafka.order_ended(&events).await;
    app.until_followed(3).await;
    for order in [confirmed, rejected, never_held] {
        for items in [[("ITEM-010", 1)], [("ITEM-001", 2)], [("ITEM-999", 1)]] {
            let (status, problem) = app.hold(order, &items).await;
            let kind = &problem["type"];
            assert_eq!((status, kind), (409, &json!("urn:orderflow:ended")));
        }
    }
    assert_eq!(app.pieces("ITEM-010").await, [4, 0, 1]);
    app.assert_balance().await;
}

#[tokio::test]
async fn an_order_that_is_not_at_its_end_may_hold_what_it_wants() {
    let app = TestApp::spawn().await;
    let [failed, in_review] = [(); 2].map(|()| OrderId::generate());
    let events = [ended(failed, "failed", 1), ended(in_review, "in_review", 1)];
    app.kafka.order_ended(&events).await;
    app.until_followed(2).await;
    for order in [failed, in_review] {
        assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    }
    app.kafka
        .order_ended(&[ended(failed, "confirmed", 2)])
        .await;
    app.until_pieces("ITEM-010", [3, 1, 1]).await;
    app.assert_balance().await;
}

#[tokio::test]
async fn an_older_decision_changes_nothing() {
    let recorder = Recorder::start();
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    let events = [
        ended(order, "in_review", 3),
        ended(order, "rejected", 2),
        ended(order, "confirmed", 3),
    ];
    app.kafka.order_ended(&events).await;
    until(async || (processed(&recorder) == events.len()).then_some(())).await;
    assert_eq!(app.pieces("ITEM-010").await, [4, 1, 0]);
    let number = "select decision from holdings where status = 'held'";
    assert_eq!(app.count(number).await, 3);
    app.assert_balance().await;
}

#[tokio::test]
async fn goes_on_after_a_confirmed_order_that_holds_nothing() {
    let app = TestApp::spawn().await;
    let [nothing, order] = [(); 2].map(|()| OrderId::generate());
    assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    let events = [ended(nothing, "confirmed", 1), ended(order, "confirmed", 1)];
    app.kafka.order_ended(&events).await;
    app.until_pieces("ITEM-010", [4, 0, 1]).await;
    app.until_followed(2).await;
    assert_eq!(app.hold(nothing, &[("ITEM-010", 1)]).await.0, 409);
    app.assert_balance().await;
}

#[tokio::test]
async fn what_is_no_event_becomes_a_dead_letter_and_the_next_one_is_followed() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    app.kafka.send("garbage", "garbage").await;
    app.kafka.order_ended(&[ended(order, "confirmed", 1)]).await;
    app.until_pieces("ITEM-010", [4, 0, 1]).await;
    assert_eq!(app.kafka.next_dead_letter().await, "garbage");
}

#[tokio::test]
async fn what_the_database_refuses_again_and_again_becomes_a_dead_letter() {
    let app = TestApp::spawn().await;
    let [wrong, right] = [(); 2].map(|()| OrderId::generate());
    for order in [wrong, right] {
        assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    }
    // More than is held of the item: the check of the table is the last word.
    sqlx::query("update reservations set quantity = 9 where order_id = $1")
        .bind(wrong.as_uuid())
        .execute(&app.database)
        .await
        .unwrap();
    let events = [ended(wrong, "rejected", 1), ended(right, "rejected", 1)];
    app.kafka.order_ended(&events).await;
    app.until_pieces("ITEM-010", [4, 1, 0]).await;
    let letter = app.kafka.next_dead_letter().await;
    assert_eq!(letter, events[0].to_string());
}

#[tokio::test]
async fn waits_for_a_database_that_is_away() {
    let recorder = Recorder::start();
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    until(async || (app.get("/readyz").await.1["status"] == "ready").then_some(())).await;
    app.take_database().await;
    app.kafka.order_ended(&[ended(order, "confirmed", 1)]).await;
    // More often than a message may fail that is at fault itself.
    until(async || (processed(&recorder) > 3).then_some(())).await;
    app.give_database_back().await;
    app.until_pieces("ITEM-010", [4, 0, 1]).await;
}

#[tokio::test]
async fn an_order_ends_as_decided_when_it_is_held_at_the_same_time() {
    let app = TestApp::spawn().await;
    until(async || (app.get("/readyz").await.1["status"] == "ready").then_some(())).await;
    let orders: Vec<_> = (0..200).map(|_| OrderId::generate()).collect();
    let events: Vec<_> = orders
        .iter()
        .map(|order| ended(*order, "rejected", 1))
        .collect();
    let items = [("ITEM-001", 7), ("ITEM-002", 7), ("ITEM-010", 1)];
    let holds = join_all(orders.iter().flat_map(|&order| {
        let mut reversed = items;
        reversed.reverse();
        [items, reversed].map(|items| {
            let app = &app;
            async move { app.hold(order, &items).await.0 }
        })
    }));
    let (statuses, ()) = join(holds, app.kafka.order_ended(&events)).await;
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 409)),
        "{statuses:?}"
    );
    app.until_followed(200).await;
    for (item, all) in [("ITEM-001", 1_000_000), ("ITEM-010", 5)] {
        assert_eq!(app.pieces(item).await, [all, 0, 0]);
    }
    app.assert_balance().await;
}

/// How many attempts at an event have ended.
fn processed(recorder: &Recorder) -> usize {
    let spans = recorder.spans().into_iter();
    let attempts = spans.filter(|span| span.name == "process order.ended");
    attempts.count()
}
