//! What the version before has left.

use domain::OrderId;
use postgres_server::testing;
use serde_json::json;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::helpers::{TestApp, ended};

/// The tables of the version before, on a new database.
async fn old_database() -> (String, PgPool) {
    let url = testing::database().await;
    let old = PgPool::connect(&url).await.unwrap();
    let mut migrations: Migrator = sqlx::migrate!();
    migrations.migrations.to_mut().truncate(2);
    migrations.run(&old).await.unwrap();
    (url, old)
}

/// What the version before wrote when it decided about an order and an item.
async fn decided(old: &PgPool, order: OrderId, item: &str, quantity: Option<i64>, status: &str) {
    let insert =
        "insert into reservations (order_id, item_id, quantity, status) values ($1, $2, $3, $4)";
    sqlx::query(insert)
        .bind(order.as_uuid())
        .bind(item)
        .bind(quantity)
        .bind(status)
        .execute(old)
        .await
        .unwrap();
    let update =
        "update stock set available = available - $2, reserved = reserved + $2 where item_id = $1";
    if status == "reserved" {
        let update = sqlx::query(update).bind(item).bind(quantity.unwrap());
        update.execute(old).await.unwrap();
    }
}

#[tokio::test]
async fn holds_what_was_reserved_and_no_piece_is_lost() {
    let (url, old) = old_database().await;
    let [reserved, refused, released, never_reserved] = [(); 4].map(|()| OrderId::generate());
    decided(&old, reserved, "ITEM-001", Some(3), "reserved").await;
    decided(&old, reserved, "ITEM-010", Some(2), "reserved").await;
    decided(&old, refused, "ITEM-001", Some(1), "released").await;
    decided(&old, refused, "ITEM-010", Some(6), "refused").await;
    decided(&old, released, "ITEM-010", Some(1), "released").await;
    decided(&old, never_reserved, "ITEM-010", None, "released").await;

    let app = TestApp::spawn_on(&url).await;
    assert_eq!(app.pieces("ITEM-001").await, [999_997, 3, 0]);
    assert_eq!(app.pieces("ITEM-010").await, [3, 2, 0]);
    app.assert_balance().await;
    let held = app
        .hold(reserved, &[("ITEM-001", 3), ("ITEM-010", 2)])
        .await;
    assert_eq!(held, (200, json!({"order_id": reserved, "status": "held"})));

    // Orders tells of each order that had ended.
    let events = [
        ended(refused, "rejected", 1),
        ended(reserved, "confirmed", 1),
    ];
    app.kafka.order_ended(&events).await;
    app.until_followed(2).await;
    assert_eq!(app.pieces("ITEM-010").await, [3, 0, 2]);
    assert_eq!(app.hold(refused, &[("ITEM-001", 1)]).await.0, 409);
    // What was released and has not ended was perhaps interrupted: its job comes again.
    for order in [released, never_reserved] {
        assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    }
    app.assert_balance().await;
}

#[tokio::test]
async fn an_order_of_which_a_part_was_reserved_holds_all_or_nothing() {
    let (url, old) = old_database().await;
    let [lucky, unlucky] = [(); 2].map(|()| OrderId::generate());
    for order in [lucky, unlucky] {
        decided(&old, order, "ITEM-001", Some(3), "reserved").await;
        decided(&old, order, "ITEM-002", Some(3), "reserved").await;
    }
    let app = TestApp::spawn_on(&url).await;
    let held = app
        .hold(lucky, &[("ITEM-001", 3), ("ITEM-002", 3), ("ITEM-010", 2)])
        .await;
    assert_eq!(held.0, 200);
    let refused = app
        .hold(
            unlucky,
            &[("ITEM-001", 3), ("ITEM-002", 3), ("ITEM-010", 4)],
        )
        .await;
    assert_eq!(refused.1["detail"], "ITEM-010 is out of stock");
    assert_eq!(app.pieces("ITEM-001").await, [999_997, 3, 0]);
    assert_eq!(app.pieces("ITEM-010").await, [3, 2, 0]);
    // It is whole now.
    let other = app.hold(lucky, &[("ITEM-001", 3)]).await;
    assert_eq!(other.1["type"], "urn:orderflow:holds-otherwise");
    app.assert_balance().await;
}
