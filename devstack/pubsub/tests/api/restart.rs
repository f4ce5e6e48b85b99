use crate::helpers::{ORDERS, TOPIC, TestServer, in_time, message, next};

#[tokio::test]
async fn a_stream_survives_a_restart_of_the_server() {
    let server = TestServer::start().await;
    let port = server.port;
    let mut orders = server.subscribe(ORDERS).await;
    server.publish("before").await;
    let (before, handler) = next(&mut orders).await;
    assert_eq!(before.data, "before");

    server.stop().await;
    // The old server's ack id reaches the new one, where it must not settle another message.
    handler.ack();
    let server = TestServer::start_on(port).await;
    let publisher = server.publisher(TOPIC).await;
    publisher.publish(message("after")).await.unwrap();

    let (after, _) = next(&mut orders).await;
    assert_eq!(after.data, "after");
    assert!(after.message_id > before.message_id);
}

#[tokio::test]
async fn a_new_stream_takes_over_what_the_last_one_did_not_take() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    server.publish("first").await;
    next(&mut orders).await.1.ack();
    drop(orders);

    server.publish("second").await;
    let mut orders = server.subscribe(ORDERS).await;

    assert_eq!(next(&mut orders).await.0.data, "second");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_open_streams_and_pulls() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    server.publish("open").await;
    next(&mut orders).await.1.ack();
    let url = format!("{}/v1/{ORDERS}:pull", server.url());
    let pull = reqwest::Client::builder()
        .build()
        .unwrap()
        .post(url)
        .body(r#"{"maxMessages": 1}"#)
        .send();

    let (answer, ()) = tokio::join!(in_time(pull), async {
        // Whether the pull has reached the server or not: it must not keep it up.
        tokio::task::yield_now().await;
        server.stop().await;
    });

    if let Ok(answer) = answer {
        assert_eq!(answer.status(), 503);
    }
}
