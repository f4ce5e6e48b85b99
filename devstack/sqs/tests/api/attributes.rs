use aws_sdk_sqs::{
    primitives::Blob,
    types::{
        MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    },
};

use crate::helpers::{Server, attribute, text};

/// The client computes the digests itself and fails when the server's differ, so success covers them.
#[tokio::test]
async fn attributes_of_every_type_come_back_as_sent() {
    let server = Server::start().await;
    let number = attribute("Number.int").string_value("42").build().unwrap();
    let bytes = Blob::new([0_u8, 255, 7]);
    let binary = attribute("Binary.png")
        .binary_value(bytes.clone())
        .build()
        .unwrap();
    let sent = server
        .client
        .send_message()
        .queue_url(&server.queue_url)
        .message_body("with attributes: ü 😀 \r\n")
        .message_attributes("traceparent", text("00-1-2-01"))
        .message_attributes("answer", number.clone())
        .message_attributes("icon", binary.clone())
        .send()
        .await
        .unwrap();
    let received = server.receive().await.unwrap();
    assert_eq!(received.body(), Some("with attributes: ü 😀 \r\n"));
    assert_eq!(received.message_id(), sent.message_id());
    assert_eq!(
        received.md5_of_message_attributes(),
        sent.md5_of_message_attributes()
    );
    let attributes = received.message_attributes().unwrap();
    assert_eq!(attributes["traceparent"], text("00-1-2-01"));
    assert_eq!(attributes["answer"], number);
    assert_eq!(attributes["icon"], binary);
}

#[tokio::test]
async fn attributes_that_were_not_asked_for_stay_away() {
    let server = Server::start().await;
    let send = server.client.send_message().queue_url(&server.queue_url);
    send.message_body("a")
        .message_attributes("trace.parent", text("1"))
        .message_attributes("trace.state", text("2"))
        .message_attributes("secret", text("3"))
        .send()
        .await
        .unwrap();
    let names = |names: &'static [&str]| {
        let receive = server.client.receive_message().queue_url(&server.queue_url);
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        receive
            .visibility_timeout(0)
            .set_message_attribute_names(Some(names))
            .send()
    };
    let none = names(&[]).await.unwrap().messages.unwrap().remove(0);
    assert!(none.message_attributes().is_none());
    assert!(none.attributes().is_none());
    let one = names(&["secret"])
        .await
        .unwrap()
        .messages
        .unwrap()
        .remove(0);
    assert_eq!(one.message_attributes().unwrap().len(), 1);
    let receive = server.client.receive_message().queue_url(&server.queue_url);
    // The third receive would make it a dead letter; two are allowed.
    assert!(receive.send().await.unwrap().messages.is_none());
}

#[tokio::test]
async fn a_prefix_asks_for_all_attributes_below_it() {
    let server = Server::start().await;
    let send = server.client.send_message().queue_url(&server.queue_url);
    send.message_body("a")
        .message_attributes("trace.parent", text("1"))
        .message_attributes("trace.state", text("2"))
        .message_attributes("other", text("3"))
        .send()
        .await
        .unwrap();
    let receive = server.client.receive_message().queue_url(&server.queue_url);
    let received = receive
        .message_attribute_names("trace.*")
        .send()
        .await
        .unwrap();
    let message = received.messages.unwrap().remove(0);
    assert_eq!(message.message_attributes().unwrap().len(), 2);
}

#[tokio::test]
async fn system_attributes_tell_when_and_how_often() {
    let server = Server::start().await;
    server.send("a").await;
    let first = server.receive().await.unwrap();
    server.give_back(&first).await;
    let second = server.receive().await.unwrap();
    let of = |name| second.attributes().unwrap()[&name].parse::<u64>().unwrap();
    assert_eq!(of(MessageSystemAttributeName::ApproximateReceiveCount), 2);
    let sent = of(MessageSystemAttributeName::SentTimestamp);
    let received = of(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp);
    assert!(sent <= received);
    assert_ne!(first.receipt_handle(), second.receipt_handle());
}

#[tokio::test]
async fn the_x_ray_header_travels_as_a_system_attribute() {
    let server = Server::start().await;
    let header = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("Root=1-5759e988-bd862e3fe1be46a994272793")
        .build()
        .unwrap();
    let request = server.client.send_message().queue_url(&server.queue_url);
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    let request = request
        .message_body("a")
        .message_system_attributes(name, header);
    let sent = request.send().await.unwrap();
    assert!(sent.md5_of_message_system_attributes().is_some());
    let received = server.receive().await.unwrap();
    assert_eq!(
        received.attributes().unwrap()[&MessageSystemAttributeName::AwsTraceHeader],
        "Root=1-5759e988-bd862e3fe1be46a994272793"
    );
}
