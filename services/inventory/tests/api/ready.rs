use domain::OrderId;
use serde_json::{Value, json};
use web::testing::until;

use crate::helpers::{TestApp, ended};
use crate::kafka::Kafka;

async fn until_answered(app: &TestApp, expected: (u16, Value)) {
    until(async || (app.get("/readyz").await == expected).then_some(())).await;
}

fn ready() -> (u16, Value) {
    (200, json!({"status": "ready"}))
}

fn degraded() -> (u16, Value) {
    (200, json!({"status": "degraded", "degraded": ["Kafka"]}))
}

#[tokio::test]
async fn begins_without_kafka_and_follows_decisions_when_it_is_there() {
    let kafka = Kafka::start();
    kafka.stop();
    let app = TestApp::spawn_beside(kafka).await;
    until_answered(&app, degraded()).await;
    let order = OrderId::generate();
    assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    app.kafka.restart();
    app.kafka.order_ended(&[ended(order, "confirmed", 1)]).await;
    app.until_pieces("ITEM-010", [4, 0, 1]).await;
    until_answered(&app, ready()).await;
}

#[tokio::test]
async fn holds_stock_while_kafka_is_away_and_says_that_it_is() {
    let app = TestApp::spawn().await;
    until_answered(&app, ready()).await;
    app.kafka.stop();
    until_answered(&app, degraded()).await;
    let order = OrderId::generate();
    assert_eq!(app.hold(order, &[("ITEM-010", 1)]).await.0, 200);
    app.kafka.restart();
    app.kafka.order_ended(&[ended(order, "rejected", 1)]).await;
    app.until_pieces("ITEM-010", [5, 0, 0]).await;
    until_answered(&app, ready()).await;
}

#[tokio::test]
async fn is_not_ready_without_its_database_and_stays_alive() {
    let app = TestApp::spawn().await;
    until_answered(&app, ready()).await;
    app.take_database().await;
    let (status, problem) = until(async || {
        let answer = app.get("/readyz").await;
        (answer.0 == 503).then_some(answer)
    })
    .await;
    assert_eq!(
        (status, &problem["detail"]),
        (503, &json!("not ready: PostgreSQL"))
    );
    assert_eq!(
        app.hold(OrderId::generate(), &[("ITEM-010", 1)]).await.0,
        503
    );
    assert_eq!(app.get("/healthz").await.0, 200);
    app.give_database_back().await;
    until_answered(&app, ready()).await;
}
