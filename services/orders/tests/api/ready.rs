use serde_json::json;
use web::testing::until;

use crate::helpers::TestApp;
use crate::kafka::{CREATED, ENDED};

#[tokio::test]
async fn is_ready_when_its_dependencies_answer() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/healthz").await.status, 200);
    until(async || (app.get("/readyz").await.body == json!({"status": "ready"})).then_some(()))
        .await;
}

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.kafka.down();
    app.pubsub.stop();
    let expected = json!({"status": "degraded", "degraded": ["Kafka", "Pub/Sub"]});
    until(async || {
        let degraded = app.get("/readyz").await;
        (degraded.status == 200 && degraded.body == expected).then_some(())
    })
    .await;

    app.lose_database().await;
    let unready = app.get("/readyz").await;
    assert_eq!(unready.status, 503);
    let detail = &unready.body["detail"];
    assert_eq!(*detail, "not ready: PostgreSQL; degraded: Kafka, Pub/Sub");
    assert_eq!(app.get("/healthz").await.status, 200);

    app.kafka.up();
    until(async || {
        let unready = app.get("/readyz").await;
        (unready.body["detail"] == "not ready: PostgreSQL; degraded: Pub/Sub").then_some(())
    })
    .await;
}

#[tokio::test]
async fn begins_with_postgresql_alone_and_goes_on_when_the_brokers_come() {
    let (app, door) = TestApp::spawn_alone().await;
    let id = app.place().await;
    let degraded = app.get("/readyz").await;
    assert_eq!(degraded.status, 200);
    assert_eq!(degraded.body["degraded"], json!(["Kafka", "Pub/Sub"]));
    app.found(&id, "held").await;

    door.open();
    app.until_status(&id, "confirmed").await;
    app.kafka.up();
    assert_eq!(app.kafka.records(CREATED, 1).await[0].key, id);
    assert_eq!(app.kafka.records(ENDED, 1).await[0].key, id);
    until(async || (app.get("/readyz").await.body == json!({"status": "ready"})).then_some(()))
        .await;
}

#[tokio::test]
async fn tells_callers_nothing_about_a_database_that_is_away() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.lose_database().await;
    let answer = app.get("/orders").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body["detail"], "something went wrong on our side");
}
