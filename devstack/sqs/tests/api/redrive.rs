use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

use crate::helpers::Server;

const SOURCE_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:jobs-dlq";

async fn dead_letter(server: &Server) -> Option<Message> {
    let url = format!("{}-dlq", server.queue_url);
    let receive = server.client.receive_message().queue_url(url);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let received = receive.send().await.unwrap();
    received.messages.unwrap_or_default().pop()
}

/// Receives and gives back until the message is a dead letter, which the last receive makes it.
async fn give_up(server: &Server) {
    for _ in 0..2 {
        let message = server.receive().await.unwrap();
        server.give_back(&message).await;
    }
    assert!(server.receive().await.is_none());
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue() {
    let server = Server::start().await;
    server.send("poison").await;
    give_up(&server).await;
    let dead = dead_letter(&server).await.unwrap();
    assert_eq!(dead.body(), Some("poison"));
    assert_eq!(
        dead.attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn],
        "arn:aws:sqs:us-east-1:000000000000:jobs"
    );
}

#[tokio::test]
async fn the_dead_letter_queue_knows_its_sources() {
    let server = Server::start().await;
    let list = server.client.list_dead_letter_source_queues();
    let url = format!("{}-dlq", server.queue_url);
    let sources = list.queue_url(url).send().await.unwrap();
    assert_eq!(sources.queue_urls(), [server.queue_url.as_str()]);
}

#[tokio::test]
async fn a_move_task_brings_dead_letters_back() {
    let server = Server::start().await;
    server.send("poison").await;
    give_up(&server).await;
    let start = server
        .client
        .start_message_move_task()
        .source_arn(SOURCE_ARN);
    start.send().await.unwrap();
    let list = server
        .client
        .list_message_move_tasks()
        .source_arn(SOURCE_ARN);
    let tasks = list.send().await.unwrap();
    assert_eq!(tasks.results()[0].status(), Some("COMPLETED"));
    assert_eq!(tasks.results()[0].approximate_number_of_messages_moved(), 1);
    assert!(dead_letter(&server).await.is_none());
    assert_eq!(server.receive().await.unwrap().body(), Some("poison"));
}

#[tokio::test]
async fn a_slow_move_task_can_be_cancelled() {
    let server = Server::start().await;
    let client = &server.client;
    let url = format!("{}-dlq", server.queue_url);
    for body in ["a", "b", "c"] {
        client
            .send_message()
            .queue_url(&url)
            .message_body(body)
            .send()
            .await
            .unwrap();
    }
    let start = client.start_message_move_task().source_arn(SOURCE_ARN);
    let start = start.destination_arn("arn:aws:sqs:us-east-1:000000000000:jobs");
    let task = start
        .max_number_of_messages_per_second(1)
        .send()
        .await
        .unwrap();
    let second = client
        .start_message_move_task()
        .source_arn(SOURCE_ARN)
        .send()
        .await;
    assert!(second.is_err(), "one task per queue at a time");
    let cancel = client.cancel_message_move_task();
    let cancelled = cancel
        .task_handle(task.task_handle().unwrap())
        .send()
        .await
        .unwrap();
    assert!(cancelled.approximate_number_of_messages_moved() < 3);
    assert!(dead_letter(&server).await.is_some());
}
