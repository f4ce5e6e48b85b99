use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    operation::{
        create_queue::builders::CreateQueueFluentBuilder,
        send_message::builders::SendMessageFluentBuilder,
    },
    types::{
        Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};

use crate::helpers::Server;

fn create(server: &Server, name: &str) -> CreateQueueFluentBuilder {
    let create = server.client.create_queue().queue_name(name);
    create.attributes(QueueAttributeName::FifoQueue, "true")
}

/// Creates a queue and gives its URL.
async fn create_orders(server: &Server) -> String {
    let created = create(server, "orders.fifo").send().await;
    created.unwrap().queue_url.unwrap()
}

/// A message whose body is its deduplication id as well.
fn send(server: &Server, url: &str, group: &str, body: &str) -> SendMessageFluentBuilder {
    let send = server.client.send_message().queue_url(url);
    send.message_group_id(group)
        .message_body(body)
        .message_deduplication_id(body)
}

/// Receives up to ten messages, waiting `wait` seconds for the first.
async fn receive(server: &Server, url: &str, wait: i32) -> Vec<Message> {
    let receive = server.client.receive_message().queue_url(url);
    let received = receive
        .max_number_of_messages(10)
        .wait_time_seconds(wait)
        .receive_request_attempt_id("attempt")
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .unwrap();
    received.messages.unwrap_or_default()
}

async fn delete(server: &Server, url: &str, message: &Message) {
    let delete = server.client.delete_message().queue_url(url);
    let handle = message.receipt_handle().unwrap();
    delete.receipt_handle(handle).send().await.unwrap();
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(Message::body).collect()
}

async fn code(send: SendMessageFluentBuilder) -> String {
    let error = send.send().await.unwrap_err().into_service_error();
    error.code().unwrap().to_owned()
}

#[tokio::test]
async fn a_group_is_received_in_order_and_blocked_while_in_flight() {
    let server = Server::start().await;
    let url = create_orders(&server).await;
    for body in ["1", "2"] {
        send(&server, &url, "a", body).send().await.unwrap();
    }
    let first = receive(&server, &url, 0).await;
    assert_eq!(bodies(&first), ["1", "2"]);
    send(&server, &url, "a", "3").send().await.unwrap();
    send(&server, &url, "b", "other").send().await.unwrap();
    assert_eq!(bodies(&receive(&server, &url, 0).await), ["other"]);
    delete(&server, &url, &first[0]).await;
    assert!(receive(&server, &url, 0).await.is_empty());
    // The poll waits for the group, and the deletion of its last message in flight wakes it.
    let ((), woken) = tokio::join!(delete(&server, &url, &first[1]), receive(&server, &url, 20));
    assert_eq!(bodies(&woken), ["3"]);
}

#[tokio::test]
async fn a_message_tells_its_group_its_deduplication_id_and_its_number() {
    let server = Server::start().await;
    let url = create_orders(&server).await;
    let sent = send(&server, &url, "order-7", "abc").send().await.unwrap();
    let received = receive(&server, &url, 0).await.remove(0);
    let attributes = received.attributes().unwrap();
    let of = |name| attributes[&name].as_str();
    assert_eq!(of(MessageSystemAttributeName::MessageGroupId), "order-7");
    assert_eq!(
        of(MessageSystemAttributeName::MessageDeduplicationId),
        "abc"
    );
    let number = of(MessageSystemAttributeName::SequenceNumber);
    assert_eq!(sent.sequence_number(), Some(number));
    assert_eq!(number.len(), 20);
}

#[tokio::test]
async fn a_duplicate_succeeds_like_the_first_and_is_received_once() {
    let server = Server::start().await;
    let url = create_orders(&server).await;
    let send = |body| send(&server, &url, "a", body).message_deduplication_id("one");
    let first = send("first").send().await.unwrap();
    // The client checks the digest of the body that it sent, so success covers it.
    let second = send("second").send().await.unwrap();
    assert_eq!(second.message_id(), first.message_id());
    assert_eq!(second.sequence_number(), first.sequence_number());
    assert_eq!(bodies(&receive(&server, &url, 0).await), ["first"]);
}

#[tokio::test]
async fn a_message_needs_its_ids_and_has_no_delay_of_its_own() {
    let server = Server::start().await;
    let url = create_orders(&server).await;
    let no_group = server.client.send_message().queue_url(&url);
    let no_group = no_group.message_body("a").message_deduplication_id("one");
    assert_eq!(code(no_group).await, "MissingParameter");
    let with_id = send(&server, &url, "a", "a");
    let no_id = with_id.clone().set_message_deduplication_id(None);
    assert_eq!(code(no_id).await, "InvalidParameterValue");
    let delayed = with_id.clone().delay_seconds(1);
    assert_eq!(code(delayed).await, "InvalidParameterValue");
    let spaced = with_id.clone().message_group_id("a b");
    assert_eq!(code(spaced).await, "InvalidParameterValue");
    with_id.delay_seconds(0).send().await.unwrap();
}

#[tokio::test]
async fn a_batch_with_an_entry_without_group_is_refused_as_a_whole() {
    let server = Server::start().await;
    let url = create_orders(&server).await;
    let entry = |id: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(id)
            .message_deduplication_id(id)
    };
    let grouped = entry("1").message_group_id("a").build().unwrap();
    let batch = || server.client.send_message_batch().queue_url(&url);
    let mixed = batch().entries(grouped.clone());
    let mixed = mixed.entries(entry("2").build().unwrap());
    let error = mixed.send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("MissingParameter"));
    let delayed = entry("3").message_group_id("a").delay_seconds(1);
    let batch = batch().entries(grouped).entries(delayed.build().unwrap());
    let sent = batch.send().await.unwrap();
    assert!(sent.successful()[0].sequence_number().is_some());
    assert_eq!(sent.failed()[0].code(), "InvalidParameterValue");
    assert_eq!(bodies(&receive(&server, &url, 0).await), ["1"]);
}

#[tokio::test]
async fn name_and_attribute_of_a_fifo_queue_must_agree() {
    let server = Server::start().await;
    let without_suffix = create(&server, "orders").send().await.unwrap_err();
    let error = without_suffix.into_service_error();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    assert!(error.message().unwrap().contains(".fifo"));
    let without_attribute = server.client.create_queue().queue_name("orders.fifo");
    let error = without_attribute.send().await.unwrap_err();
    let error = error.into_service_error();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    let standard = server.client.create_queue().queue_name("orders");
    let not_fifo = standard.attributes(QueueAttributeName::FifoQueue, "false");
    let error = not_fifo.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_attribute_name());
}

#[tokio::test]
async fn an_expired_receipt_handle_is_refused() {
    let server = Server::start().await;
    let url = create_orders(&server).await;
    send(&server, &url, "a", "1").send().await.unwrap();
    let received = receive(&server, &url, 0).await.remove(0);
    let handle = received.receipt_handle().unwrap();
    let change = server.client.change_message_visibility().queue_url(&url);
    let change = change.receipt_handle(handle).visibility_timeout(0);
    change.send().await.unwrap();
    let delete = server.client.delete_message().queue_url(&url);
    let error = delete.receipt_handle(handle).send().await.unwrap_err();
    let error = error.into_service_error();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    assert!(error.message().unwrap().contains("expired"));
}

#[tokio::test]
async fn a_standard_queue_hands_the_group_on_and_refuses_a_deduplication_id() {
    let server = Server::start().await;
    let deduplicated = send(&server, &server.queue_url, "tenant", "a");
    assert_eq!(code(deduplicated.clone()).await, "InvalidParameterValue");
    let send = deduplicated.set_message_deduplication_id(None);
    assert!(send.send().await.unwrap().sequence_number().is_none());
    let received = server.receive().await.unwrap();
    let attributes = received.attributes().unwrap();
    assert_eq!(
        attributes[&MessageSystemAttributeName::MessageGroupId],
        "tenant"
    );
    assert!(!attributes.contains_key(&MessageSystemAttributeName::SequenceNumber));
}
