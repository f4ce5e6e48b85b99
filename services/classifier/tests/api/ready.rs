use serde_json::json;
use web::testing::until;

use crate::embeddings_api::Moody;
use crate::helpers::TestApp;

/// Waits until the service is not ready, and says so in these words.
async fn until_unready(app: &TestApp, words: &str) {
    until(async || {
        let (status, unready) = app.get("/readyz").await;
        (status == 503 && unready["detail"] == words).then_some(())
    })
    .await;
}

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    until(async || (app.get("/readyz").await.0 == 200).then_some(())).await;
    embeddings.answer(503, "busy");
    until_unready(&app, "not ready: the embeddings API").await;
    app.world.inventory.answer("healthz", 500);
    until_unready(&app, "not ready: inventory, the embeddings API").await;
    app.world.pubsub.stop();
    until_unready(&app, "not ready: Pub/Sub, inventory, the embeddings API").await;
    app.world.sqs.stop();
    until_unready(
        &app,
        "not ready: SQS, Pub/Sub, inventory, the embeddings API",
    )
    .await;
    assert_eq!(app.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn is_ready_again_when_what_was_missing_is_back() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    until(async || (app.get("/readyz").await.0 == 200).then_some(())).await;
    app.world.inventory.answer("healthz", 500);
    embeddings.answer(500, "");
    until_unready(&app, "not ready: inventory, the embeddings API").await;
    app.world.inventory.answer("healthz", 200);
    embeddings.recover();
    assert_eq!(app.get("/readyz").await, (200, json!({"status": "ready"})));
}

#[tokio::test]
async fn a_probe_is_no_trace() {
    let app = TestApp::spawn().await;
    until(async || (app.get("/readyz").await.0 == 200).then_some(())).await;
    let before = app.recorder.spans().len();
    assert_eq!(app.get("/readyz").await.0, 200);
    assert_eq!(app.recorder.spans().len(), before);
}

#[tokio::test]
async fn is_not_ready_before_it_has_joined_its_consumer_group() {
    let app = TestApp::spawn().await;
    let (status, unready) = app.get("/readyz").await;
    assert_eq!(status, 503);
    assert_eq!(unready["detail"], "not ready: Kafka");
    assert_eq!(app.get("/healthz").await.0, 200);
}
