use serde_json::json;

use crate::embeddings_api::Moody;
use crate::helpers::{TestApp, World, held, job};

#[tokio::test]
async fn begins_without_anything_names_all_of_it_and_works_once_it_comes() {
    let embeddings = Moody::start().await;
    let world = World::start().await;
    world.kafka.stop();
    world.to_sqs.shut();
    world.to_pubsub.shut();
    world.inventory.answer("stock", 503, "");
    world.inventory.answer("healthz", 503, "");
    embeddings.answer(503, "");
    let app = TestApp::spawn_in(world, &embeddings.url).await;
    app.until_unready("not ready: Kafka, SQS, Pub/Sub, inventory, the embeddings API")
        .await;
    assert_eq!(app.get("/healthz").await.0, 200);

    app.world.kafka.resume();
    app.until_unready("not ready: SQS, Pub/Sub, inventory, the embeddings API")
        .await;
    let job = job(&["ITEM-002"], "");
    let mut order = job.clone();
    order["created_at"] = json!("2026-11-21T10:00:00Z");
    app.world.kafka.order_created(&order).await;
    app.world.to_sqs.open();
    app.until_unready("not ready: Pub/Sub, inventory, the embeddings API")
        .await;
    app.world.to_pubsub.open();
    embeddings.recover();
    app.until_unready("not ready: inventory").await;
    app.world.inventory.recover();
    app.until_ready().await;
    assert_eq!(app.next_event().await, held(&job, "fragile"));
}

#[tokio::test]
async fn is_not_ready_before_it_has_learnt_what_it_needs() {
    let embeddings = Moody::start().await;
    let world = World::start().await;
    world.inventory.answer("stock", 200, "<html>");
    for body in ["<html>", r#"{"model": "m", "data": []}"#] {
        embeddings.answer(200, body);
        let world = World::start().await;
        let app = TestApp::spawn_in(world, &embeddings.url).await;
        app.until_unready("not ready: the embeddings API").await;
    }
    embeddings.recover();
    let app = TestApp::spawn_in(world, &embeddings.url).await;
    app.until_unready("not ready: inventory").await;
    app.world.inventory.recover();
    app.until_ready().await;
}

#[tokio::test]
async fn stops_at_once_while_it_waits() {
    let world = World::start().await;
    world.kafka.stop();
    let embeddings = Moody::start().await;
    embeddings.answer(503, "");
    let app = TestApp::spawn_in(world, &embeddings.url).await;
    app.until_unready("not ready: Kafka, the embeddings API")
        .await;
    app.stop().await.unwrap();
}
