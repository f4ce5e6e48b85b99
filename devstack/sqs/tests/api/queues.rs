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
async fn a_deleted_queue_takes_its_messages_with_it() {
    let server = Server::start().await;
    server.send("a").await;
    let delete = server.client.delete_queue().queue_url(&server.queue_url);
    delete.send().await.unwrap();
    let create = server.client.create_queue().queue_name("jobs");
    create.send().await.unwrap();
    assert!(server.receive().await.is_none());
}

#[tokio::test]
async fn a_queue_tells_its_attributes_and_counts_its_messages() {
    let server = Server::start().await;
    let send = server.client.send_message().queue_url(&server.queue_url);
    let send = send.message_body("a");
    send.clone().delay_seconds(60).send().await.unwrap();
    send.clone().send().await.unwrap();
    send.send().await.unwrap();
    server.receive().await.unwrap();
    let get = server.client.get_queue_attributes();
    let get = get.queue_url(&server.queue_url);
    let got = get.attribute_names(QueueAttributeName::All).send().await;
    let attributes = got.unwrap().attributes.unwrap();
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "30");
    assert_eq!(
        attributes[&QueueAttributeName::QueueArn],
        "arn:aws:sqs:us-east-1:000000000000:jobs"
    );
    for counted in [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ] {
        assert_eq!(attributes[&counted], "1", "{counted}");
    }
}

#[tokio::test]
async fn unknown_attributes_are_refused() {
    let server = Server::start().await;
    let create = server.client.create_queue().queue_name("other");
    let create = create.attributes(QueueAttributeName::QueueArn, "x");
    let error = create.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_attribute_name());
    let get = server.client.get_queue_attributes();
    let get = get.queue_url(&server.queue_url);
    let get = get.attribute_names(QueueAttributeName::FifoQueue);
    let error = get.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_attribute_name());
}
