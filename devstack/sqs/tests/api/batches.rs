use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};

use crate::helpers::{Server, text};

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    let entry = SendMessageBatchRequestEntry::builder().id(id);
    entry.message_body(body).build().unwrap()
}

#[tokio::test]
async fn each_entry_of_a_batch_has_its_own_result() {
    let server = Server::start().await;
    let traced = SendMessageBatchRequestEntry::builder()
        .id("traced")
        .message_body("b")
        .message_attributes("traceparent", text("00-1-2-01"))
        .build()
        .unwrap();
    let sent = server
        .client
        .send_message_batch()
        .queue_url(&server.queue_url)
        .entries(entry("good", "a"))
        .entries(traced)
        .entries(entry("bad", "\u{1}"))
        .send()
        .await
        .unwrap();
    let ids: Vec<&str> = sent
        .successful()
        .iter()
        .map(SendMessageBatchResultEntry::id)
        .collect();
    assert_eq!(ids, ["good", "traced"]);
    assert!(sent.successful()[1].md5_of_message_attributes().is_some());
    assert_eq!(sent.failed()[0].id(), "bad");
    assert_eq!(sent.failed()[0].code(), "InvalidMessageContents");
    assert!(sent.failed()[0].sender_fault());
}

#[tokio::test]
async fn a_full_batch_is_received_given_back_and_deleted() {
    let server = Server::start().await;
    let url = &server.queue_url;
    let entries = (0..10).map(|n| entry(&n.to_string(), "a")).collect();
    let send = server.client.send_message_batch().queue_url(url);
    send.set_entries(Some(entries)).send().await.unwrap();

    let handles = receive_ten(&server).await;
    let change = |(n, handle): (usize, &String)| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string());
        entry
            .receipt_handle(handle)
            .visibility_timeout(0)
            .build()
            .unwrap()
    };
    let entries = handles.iter().enumerate().map(change).collect();
    let change = server
        .client
        .change_message_visibility_batch()
        .queue_url(url);
    let result = change.set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(result.successful().len(), 10);

    let handles = receive_ten(&server).await;
    let delete = |(n, handle): (usize, &String)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
        entry.receipt_handle(handle).build().unwrap()
    };
    let mut entries: Vec<_> = handles.iter().enumerate().map(delete).collect();
    entries[0] = delete((0, &"no handle".to_owned()));
    let delete = server.client.delete_message_batch().queue_url(url);
    let result = delete.set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(result.successful().len(), 9);
    assert_eq!(result.failed()[0].code(), "ReceiptHandleIsInvalid");
}

async fn receive_ten(server: &Server) -> Vec<String> {
    let receive = server.client.receive_message().queue_url(&server.queue_url);
    let received = receive.max_number_of_messages(10).send().await.unwrap();
    let messages = received.messages.unwrap_or_default();
    assert_eq!(messages.len(), 10);
    let handles = messages
        .into_iter()
        .filter_map(|message| message.receipt_handle);
    handles.collect()
}

#[tokio::test]
async fn a_batch_that_is_wrong_as_a_whole_is_refused_as_a_whole() {
    let server = Server::start().await;
    let refusal = async |entries: Vec<SendMessageBatchRequestEntry>| {
        let send = server
            .client
            .send_message_batch()
            .queue_url(&server.queue_url);
        let refused = send.set_entries(Some(entries)).send().await;
        refused.unwrap_err().into_service_error()
    };
    assert!(refusal(vec![]).await.is_empty_batch_request());
    let eleven = (0..11).map(|n| entry(&n.to_string(), "a")).collect();
    assert!(refusal(eleven).await.is_too_many_entries_in_batch_request());
    let twice = vec![entry("a", "1"), entry("a", "2")];
    assert!(refusal(twice).await.is_batch_entry_ids_not_distinct());
    let spaced = vec![entry("a b", "1")];
    assert!(refusal(spaced).await.is_invalid_batch_entry_id());
    let half = "a".repeat(600_000);
    let long = vec![entry("a", &half), entry("b", &half)];
    assert!(refusal(long).await.is_batch_request_too_long());
    assert!(server.receive().await.is_none());
}
