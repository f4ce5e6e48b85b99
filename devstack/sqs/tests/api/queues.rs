use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use crate::helpers::Server;

#[tokio::test]
async fn queue_urls_lead_back_to_the_host_that_was_asked() {
    let server = Server::start().await;
    let got = server
        .client
        .get_queue_url()
        .queue_name("jobs")
        .send()
        .await;
    assert_eq!(got.unwrap().queue_url(), Some(server.queue_url.as_str()));
}

#[tokio::test]
async fn creating_a_queue_again_with_other_attributes_is_refused() {
    let server = Server::start().await;
    let create = || server.client.create_queue().queue_name("jobs");
    assert!(create().send().await.is_ok());
    let other = create().attributes(QueueAttributeName::VisibilityTimeout, "7");
    let error = other.send().await.unwrap_err().into_service_error();
    assert!(error.is_queue_name_exists());
}

#[tokio::test]
async fn a_deleted_queue_takes_its_messages_with_it() {
    let server = Server::start().await;
    server.send("a").await;
    let delete = server.client.delete_queue().queue_url(&server.queue_url);
    delete.send().await.unwrap();
    let error = server.client.create_queue().queue_name("jobs").send().await;
    let error = error.unwrap_err().into_service_error();
    assert!(error.is_queue_deleted_recently());
}

#[tokio::test]
async fn attributes_are_set_at_the_creation_and_messages_counted() {
    let server = Server::start().await;
    let create = server.client.create_queue().queue_name("later");
    let create = create.attributes(QueueAttributeName::DelaySeconds, "60");
    let later = create.send().await.unwrap().queue_url.unwrap();
    let send = server.client.send_message().queue_url(&later);
    send.message_body("delayed").send().await.unwrap();
    let attributes = server.attributes(&later).await;
    assert_eq!(attributes[&QueueAttributeName::DelaySeconds], "60");
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "30");
    assert_eq!(
        attributes[&QueueAttributeName::QueueArn],
        "arn:aws:sqs:us-east-1:000000000000:later"
    );
    assert_eq!(counts(&attributes), ["0", "0", "1"]);
    server.send("ready").await;
    server.send("in flight").await;
    server.receive().await.unwrap();
    let attributes = server.attributes(&server.queue_url).await;
    assert_eq!(counts(&attributes), ["1", "1", "0"]);
}

/// Messages that are ready, in flight and delayed.
fn counts(attributes: &HashMap<QueueAttributeName, String>) -> [&str; 3] {
    [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ]
    .map(|name| attributes[&name].as_str())
}

#[tokio::test]
async fn unknown_and_impossible_attributes_are_refused() {
    let server = Server::start().await;
    let create = async |name, value| {
        let create = server.client.create_queue().queue_name("other");
        let created = create.attributes(name, value).send().await;
        created.unwrap_err().into_service_error()
    };
    let error = create(QueueAttributeName::QueueArn, "x").await;
    assert!(error.is_invalid_attribute_name());
    let error = create(QueueAttributeName::DelaySeconds, "x").await;
    assert!(error.is_invalid_attribute_value());
    let get = server.client.get_queue_attributes();
    let get = get.queue_url(&server.queue_url);
    let got = get.attribute_names("Colour".into()).send().await;
    let error = got.unwrap_err().into_service_error();
    assert!(error.is_invalid_attribute_name());
}
