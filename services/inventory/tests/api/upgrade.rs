//! A database of the version before, which reserved each item on its own.

use domain::OrderId;
use postgres_server::testing;
use serde_json::json;
use sqlx::PgPool;

use crate::helpers::{TestApp, ended};

/// Reserved, refused and released pieces of the last five, as that version wrote them.
async fn database_of_the_version_before(orders: &[OrderId; 4]) -> String {
    let url = testing::database().await;
    let database = PgPool::connect(&url).await.unwrap();
    let mut migrations = sqlx::migrate!();
    migrations.migrations.to_mut().truncate(2);
    migrations.run(&database).await.unwrap();
    let [whole, half, refused, released] = orders.map(OrderId::as_uuid);
    let rows = [
        (whole, "ITEM-001", Some(1_i64), "reserved"),
        (whole, "ITEM-010", Some(2), "reserved"),
        (half, "ITEM-001", Some(3), "reserved"),
        (refused, "ITEM-010", Some(9), "refused"),
        (released, "ITEM-010", Some(1), "released"),
        (released, "ITEM-001", None, "released"),
    ];
    for (order, item, quantity, status) in rows {
        let insert = "insert into reservations values ($1, $2, $3, $4)";
        let insert = sqlx::query(insert).bind(order).bind(item).bind(quantity);
        insert.bind(status).execute(&database).await.unwrap();
    }
    let stock = "
        update stock set available = 999996, reserved = 4 where item_id = 'ITEM-001';
        update stock set available = 3, reserved = 2 where item_id = 'ITEM-010'";
    sqlx::raw_sql(stock).execute(&database).await.unwrap();
    database.close().await;
    url
}

#[tokio::test]
async fn what_the_version_before_reserved_is_held_and_follows_the_end_of_its_order() {
    let orders = [(); 4].map(|()| OrderId::generate());
    let [whole, half, refused, released] = orders;
    let app = TestApp::spawn_on(&database_of_the_version_before(&orders).await).await;
    assert_eq!(app.pieces("ITEM-001").await, [999_996, 4, 0]);
    assert_eq!(app.pieces("ITEM-010").await, [3, 2, 0]);

    // That version was about to reserve its second item; the new one asks for all.
    let held = app.hold(half, &[("ITEM-001", 3), ("ITEM-010", 1)]).await;
    assert_eq!(held, (200, json!({"order_id": half, "status": "held"})));
    assert_eq!(app.pieces("ITEM-001").await, [999_996, 4, 0]);
    // What was released belonged to an order that failed, and whose job is redriven now.
    assert_eq!(app.hold(released, &[("ITEM-010", 1)]).await.0, 200);
    assert_eq!(app.pieces("ITEM-010").await, [1, 4, 0]);

    let ends = [
        ended(whole, "confirmed", 1),
        ended(half, "rejected", 1),
        ended(refused, "rejected", 1),
        ended(released, "confirmed", 2),
    ];
    app.kafka.order_ended(&ends).await;
    app.until_pieces("ITEM-001", [999_999, 0, 1]).await;
    app.until_pieces("ITEM-010", [2, 0, 3]).await;
}
