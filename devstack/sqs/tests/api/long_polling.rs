use std::time::{Duration, Instant};

use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;

use crate::helpers::Server;

/// Far shorter than a poll, and far longer than a busy machine needs to wake one.
const SOON: Duration = Duration::from_secs(5);

fn poll(server: &Server) -> ReceiveMessageFluentBuilder {
    let receive = server.client.receive_message().queue_url(&server.queue_url);
    receive.wait_time_seconds(20)
}

#[tokio::test]
async fn a_send_wakes_a_poll() {
    let server = Server::start().await;
    let started = Instant::now();
    let (received, ()) = tokio::join!(poll(&server).send(), server.send("a"));
    assert_eq!(received.unwrap().messages.unwrap().len(), 1);
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn every_message_wakes_one_of_many_polls() {
    let server = Server::start().await;
    let polls = (0..8).map(|_| poll(&server).send());
    let polls: Vec<_> = polls.collect();
    let mut tasks = tokio::task::JoinSet::new();
    for poll in polls {
        tasks.spawn(poll);
    }
    for n in 0..8 {
        server.send(&n.to_string()).await;
    }
    let results = tasks.join_all().await.into_iter();
    let mut bodies: Vec<String> = results
        .flat_map(|received| received.unwrap().messages.unwrap())
        .filter_map(|message| message.body)
        .collect();
    bodies.sort();
    assert_eq!(bodies, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[tokio::test]
async fn an_expiring_visibility_timeout_wakes_a_poll() {
    let server = Server::start().await;
    server.send("a").await;
    let receive = server.client.receive_message().queue_url(&server.queue_url);
    receive.visibility_timeout(1).send().await.unwrap();
    let started = Instant::now();
    let received = poll(&server).send().await.unwrap();
    assert_eq!(received.messages.unwrap().len(), 1);
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn a_message_given_back_wakes_a_poll() {
    let server = Server::start().await;
    server.send("a").await;
    let message = server.receive().await.unwrap();
    let started = Instant::now();
    let (received, ()) = tokio::join!(poll(&server).send(), server.give_back(&message));
    assert_eq!(received.unwrap().messages.unwrap().len(), 1);
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn a_delayed_message_wakes_a_poll_when_it_is_due() {
    let server = Server::start().await;
    let send = server.client.send_message().queue_url(&server.queue_url);
    let started = Instant::now();
    send.message_body("a")
        .delay_seconds(1)
        .send()
        .await
        .unwrap();
    let received = poll(&server).send().await.unwrap();
    assert_eq!(received.messages.unwrap().len(), 1);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn a_poll_without_messages_ends_empty_when_its_time_is_over() {
    let server = Server::start().await;
    let started = Instant::now();
    let received = poll(&server).wait_time_seconds(1).send().await.unwrap();
    assert!(received.messages.is_none());
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn deleting_the_queue_ends_a_poll() {
    let server = Server::start().await;
    let delete = server.client.delete_queue().queue_url(&server.queue_url);
    let (received, deleted) = tokio::join!(poll(&server).send(), delete.send());
    deleted.unwrap();
    let error = received.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist());
}
