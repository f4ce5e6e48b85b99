use google_cloud_pubsub::Error;
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;

use crate::helpers::{ORDERS, TOPIC, TestServer, in_time, message, next};

/// The status code and text that the publisher got from the server.
async fn refusal(server: &TestServer, topic: &str, message: Message) -> String {
    let publisher = server.publisher(topic).await;
    let error = in_time(publisher.publish(message)).await.unwrap_err();
    let PublishError::Rpc(rpc) = error else {
        panic!("not refused by the server: {error}");
    };
    describe(&rpc)
}

fn describe(error: &Error) -> String {
    let status = error.status().unwrap();
    format!("{} {}", status.code.name(), status.message)
}

#[tokio::test]
async fn refuses_a_message_that_breaks_a_limit() {
    let server = TestServer::start().await;
    let many = (0..101).map(|n| (format!("key-{n}"), ""));
    for (message, reason) in [
        (Message::new(), "at least one attribute"),
        (message("x").set_attributes(many), "at most 100 attributes"),
        (message("x").set_attributes([("k".repeat(257), "")]), "256"),
        (
            message("x").set_attributes([("k", "v".repeat(1025))]),
            "1024",
        ),
        (message("x").set_attributes([("google", "v")]), "reserved"),
    ] {
        let refusal = refusal(&server, TOPIC, message).await;
        assert!(refusal.starts_with("INVALID_ARGUMENT"), "{refusal}");
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[tokio::test]
async fn refuses_a_topic_that_is_not_there() {
    let server = TestServer::start().await;

    let refusal = refusal(&server, "projects/orderflow/topics/missing", message("x")).await;

    assert_eq!(
        refusal,
        "NOT_FOUND Resource not found (resource=projects/orderflow/topics/missing)."
    );
}

#[tokio::test]
async fn a_stream_of_a_subscription_that_is_not_there_ends_with_not_found() {
    let server = TestServer::start().await;
    let mut missing = server
        .subscribe("projects/orderflow/subscriptions/missing")
        .await;

    let error = in_time(missing.next()).await.unwrap().unwrap_err();

    assert!(describe(&error).starts_with("NOT_FOUND"), "{error}");
}

#[tokio::test]
async fn a_message_of_nine_megabytes_passes() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    let publisher = server.publisher(TOPIC).await;
    let large = Message::new().set_data(vec![b'x'; 9_000_000]);

    in_time(publisher.publish(large)).await.unwrap();

    assert_eq!(next(&mut orders).await.0.data.len(), 9_000_000);
}
