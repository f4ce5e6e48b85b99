use std::collections::HashSet;

use futures::future::try_join_all;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::helpers::{DEAD_LETTERS, EMAIL, ORDERS, TOPIC, TestServer, in_time, message, next};

#[tokio::test]
async fn a_message_arrives_with_its_attributes_and_is_gone_once_acknowledged() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    let publisher = server.publisher(TOPIC).await;
    let hello = message("hello").set_attributes([("traceparent", "00-1-2-01"), ("empty", "")]);

    let id = publisher.publish(hello).await.unwrap();
    let (received, handler) = next(&mut orders).await;

    assert_eq!(received.data, "hello");
    assert_eq!(received.message_id, id);
    assert_eq!(received.attributes["traceparent"], "00-1-2-01");
    assert_eq!(received.attributes["empty"], "");
    assert!(received.publish_time.is_some());
    assert_eq!(handler.delivery_attempt(), Some(1));
    handler.ack();

    // The next message to arrive is the next one published, not the first again.
    server.publish("second").await;
    assert_eq!(next(&mut orders).await.0.data, "second");
}

#[tokio::test]
async fn a_nacked_message_comes_again_as_the_second_attempt() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    server.publish("again").await;

    let (first, handler) = next(&mut orders).await;
    handler.nack();
    let (second, handler) = next(&mut orders).await;

    assert_eq!(second.message_id, first.message_id);
    assert_eq!(handler.delivery_attempt(), Some(2));
}

#[tokio::test]
async fn every_subscription_gets_every_message() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    let mut email = server.subscribe(EMAIL).await;

    server.publish("for both").await;

    assert_eq!(next(&mut orders).await.0.data, "for both");
    assert_eq!(next(&mut email).await.0.data, "for both");
}

#[tokio::test]
async fn a_message_that_fails_too_often_goes_to_the_dead_letter_topic() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    let mut dead_letters = server.subscribe(DEAD_LETTERS).await;
    server.publish("poison").await;

    for attempt in 1..=5 {
        let (_, handler) = next(&mut orders).await;
        assert_eq!(handler.delivery_attempt(), Some(attempt));
        handler.nack();
    }
    let (letter, handler) = next(&mut dead_letters).await;

    assert_eq!(letter.data, "poison");
    assert_eq!(handler.delivery_attempt(), None);
    let source = |name| &letter.attributes[&format!("CloudPubSubDeadLetterSource{name}")];
    assert_eq!(source("DeliveryCount"), "5");
    assert_eq!(source("Subscription"), "orders");
    assert_eq!(source("SubscriptionProject"), "orderflow");
    assert!(source("TopicPublishTime").ends_with('Z'));
    server.publish("healthy").await;
    assert_eq!(next(&mut orders).await.0.data, "healthy");
}

#[tokio::test]
async fn two_streams_of_a_subscription_share_its_messages() {
    let server = TestServer::start().await;
    let publisher = server.publisher(TOPIC).await;
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let mut consumers = JoinSet::new();
    for consumer in 0..2 {
        let mut stream = server.subscribe(ORDERS).await;
        let sender = sender.clone();
        consumers.spawn(async move {
            while let Some(Ok((message, handler))) = stream.next().await {
                handler.ack();
                sender.send((consumer, message.message_id)).unwrap();
            }
        });
    }
    let mut taken = [0, 0];
    let mut sent = HashSet::new();
    let mut received = HashSet::new();

    // The streams open in the background, so this goes on until both have had some.
    while taken.contains(&0) {
        let batch = (0..10).map(|n| publisher.publish(message(&n.to_string())));
        sent.extend(try_join_all(batch).await.unwrap());
        while received.len() < sent.len() {
            let (consumer, id) = in_time(arrivals.recv()).await.unwrap();
            assert!(received.insert(id), "a message arrived twice");
            taken[consumer] += 1;
        }
    }

    assert_eq!(received, sent);
}

#[tokio::test]
async fn flow_control_holds_back_what_the_client_has_no_room_for() {
    let server = TestServer::start().await;
    for data in ["first", "second"] {
        server.publish(data).await;
    }
    let subscriber = server.subscriber().await;
    let mut narrow = subscriber
        .subscribe(ORDERS)
        .set_max_outstanding_messages(1)
        .build();

    let (first, handler) = next(&mut narrow).await;
    let mut wide = server.subscribe(ORDERS).await;
    let (second, _held) = next(&mut wide).await;

    assert_eq!(
        (&first.data[..], &second.data[..]),
        (&b"first"[..], &b"second"[..])
    );
    handler.ack();
}
