use crate::helpers::{TestApp, until};

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let app = TestApp::spawn().await;
    until(async || (app.get("/readyz").await.0 == 200).then_some(())).await;
    for (stop, missing) in [
        (Broker::PubSub, "not ready: Pub/Sub"),
        (Broker::Sqs, "not ready: SQS, Pub/Sub"),
    ] {
        match stop {
            Broker::PubSub => app.world.pubsub.stop(),
            Broker::Sqs => app.world.sqs.stop(),
        }
        until(async || {
            let (status, unready) = app.get("/readyz").await;
            (status == 503 && unready["detail"] == missing).then_some(())
        })
        .await;
    }
    assert_eq!(app.get("/healthz").await.0, 200);
}

enum Broker {
    Sqs,
    PubSub,
}

#[tokio::test]
async fn is_not_ready_before_it_has_joined_its_consumer_group() {
    let app = TestApp::spawn().await;
    let (status, unready) = app.get("/readyz").await;
    assert_eq!(status, 503);
    assert_eq!(unready["detail"], "not ready: Kafka");
    assert_eq!(app.get("/healthz").await.0, 200);
}
