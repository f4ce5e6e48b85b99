use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

use crate::helpers::Server;

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
