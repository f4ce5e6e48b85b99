//! A database of the version before, with orders in flight.

use std::collections::HashMap;

use domain::{OrderCreated, OrderEnded};
use postgres_server::testing;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::helpers::TestApp;
use crate::kafka::{CREATED, ENDED};

const STATUSES: [&str; 5] = ["pending", "confirmed", "rejected", "in_review", "failed"];

/// An order of each status; the pending one's event is still in the outbox.
const ORDERS: &str = r#"
    insert into orders (id, customer_id, note, total, status, category, trace_id, created_at)
    select ('0195f5a0-0000-7000-8000-00000000000' || n)::uuid, 'vip-ada', 'ring twice', 30, status,
        case when status = 'in_review' then 'suspicious' end, '0af7651916cd43dd8448eb211c80319c',
        '2026-11-28T10:00:00.123456Z'
    from unnest(array['pending', 'confirmed', 'rejected', 'in_review', 'failed']) with ordinality as t (status, n);
    insert into order_items (order_id, line, item_id, quantity, price)
    select id, line, 'ITEM-00' || line, line + 1, 10 from orders, generate_series(0, 1) as line;
    insert into outbox (key, payload, context)
    select id::text, jsonb_build_object(
            'order_id', id, 'customer_id', customer_id, 'note', note, 'created_at', '2026-11-28T10:00:00.123456Z',
            'items', '[{"item_id": "ITEM-000", "quantity": 1, "price": 10}, {"item_id": "ITEM-001", "quantity": 2, "price": 10}]'::jsonb),
        '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'
    from orders where status = 'pending'"#;

/// A database as the version before left it.
async fn database_of_the_version_before() -> String {
    let url = testing::database().await;
    let database = PgPool::connect(&url).await.unwrap();
    let mut migrations = sqlx::migrate!();
    migrations.migrations.to_mut().truncate(2);
    migrations.run(&database).await.unwrap();
    sqlx::raw_sql(ORDERS).execute(&database).await.unwrap();
    database.close().await;
    url
}

fn id(status: &str) -> String {
    let place = STATUSES.iter().position(|known| *known == status).unwrap();
    format!("0195f5a0-0000-7000-8000-00000000000{}", place + 1)
}

#[tokio::test]
async fn orders_of_the_version_before_are_read_told_about_and_taken_to_their_end() {
    let url = database_of_the_version_before().await;
    let app = TestApp::spawn_on(&url, &[]).await;

    let created = app.kafka.records(CREATED, 2).await;
    let created: HashMap<_, OrderCreated> = created
        .into_iter()
        .map(|record| (record.key, serde_json::from_value(record.payload).unwrap()))
        .collect();
    let (pending, reviewed) = (&created[&id("pending")], &created[&id("in_review")]);
    assert_eq!(pending.items, reviewed.items);
    assert_eq!(pending.created_at, reviewed.created_at);

    let ended = app.kafka.records(ENDED, 4).await;
    for record in &ended {
        let told: OrderEnded = serde_json::from_value(record.payload.clone()).unwrap();
        assert_eq!(
            (id(told.status.as_str()), told.sequence),
            (record.key.clone(), 1)
        );
    }
    app.until_the_outbox_is_empty().await;
    assert_eq!(
        (app.kafka.count(CREATED).await, app.kafka.count(ENDED).await),
        (2, 4)
    );

    for status in STATUSES {
        let order = app.get(&format!("/orders/{}", id(status))).await.body;
        assert_eq!(
            (&order["status"], &order["reason"]),
            (&json!(status), &Value::Null)
        );
    }
    // What the version before sent about the order that it accepted.
    let decided = json!({"order_id": id("pending"), "customer_id": "vip-ada", "outcome": "confirmed", "category": "gift"});
    app.pubsub.publish(&[&decided]).await;
    app.until_status(&id("pending"), "confirmed").await;
    // What is in review now has its stock, and a person decides; or there is none any more.
    app.found(&id("in_review"), "short").await;
    app.until_status(&id("in_review"), "rejected").await;
    let ended = app.kafka.records(ENDED, 6).await;
    assert_eq!(ended[4].payload["sequence"], 1);
    assert_eq!(ended[5].payload["sequence"], 2);
}
