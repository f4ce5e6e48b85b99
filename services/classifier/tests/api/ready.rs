use serde_json::json;

use crate::embeddings_api::Moody;
use crate::helpers::TestApp;

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    app.until_ready().await;
    embeddings.answer(503, "busy");
    app.until_unready("not ready: the embeddings API").await;
    app.world.inventory.answer("healthz", 500, "");
    app.until_unready("not ready: inventory, the embeddings API")
        .await;
    app.world.to_pubsub.shut();
    app.until_unready("not ready: Pub/Sub, inventory, the embeddings API")
        .await;
    app.world.to_sqs.shut();
    app.until_unready("not ready: SQS, Pub/Sub, inventory, the embeddings API")
        .await;
    app.world.kafka.stop();
    app.until_unready("not ready: Kafka, SQS, Pub/Sub, inventory, the embeddings API")
        .await;
    assert_eq!(app.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn names_a_broker_that_takes_connections_and_does_not_answer() {
    let app = TestApp::spawn().await;
    app.until_ready().await;
    app.world.kafka.freeze();
    app.until_unready("not ready: Kafka").await;
    app.world.to_sqs.freeze();
    app.until_unready("not ready: Kafka, SQS").await;
    app.world.to_pubsub.freeze();
    app.until_unready("not ready: Kafka, SQS, Pub/Sub").await;
    assert_eq!(app.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn is_ready_again_when_what_was_missing_is_back() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    app.until_ready().await;
    app.world.inventory.answer("healthz", 500, "");
    app.world.to_sqs.freeze();
    app.world.to_pubsub.shut();
    embeddings.answer(500, "");
    app.until_unready("not ready: SQS, Pub/Sub, inventory, the embeddings API")
        .await;
    app.world.inventory.recover();
    app.world.to_sqs.open();
    app.world.to_pubsub.open();
    embeddings.recover();
    app.until_ready().await;
    assert_eq!(app.get("/readyz").await, (200, json!({"status": "ready"})));
}

#[tokio::test]
async fn a_probe_is_no_trace() {
    let app = TestApp::spawn().await;
    app.until_ready().await;
    let before = app.recorder.spans().len();
    assert_eq!(app.get("/readyz").await.0, 200);
    assert_eq!(app.recorder.spans().len(), before);
}
