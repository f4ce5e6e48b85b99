use aws_sdk_sqs::error::ProvideErrorMetadata;

use crate::helpers::{Server, text};

#[tokio::test]
async fn a_missing_queue_is_the_modelled_error_everywhere() {
    let server = Server::start().await;
    let url = format!("{}/000000000000/missing", server.endpoint);
    let client = &server.client;
    let got = client.get_queue_url().queue_name("missing").send().await;
    assert!(
        got.unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    let sent = client
        .send_message()
        .queue_url(&url)
        .message_body("a")
        .send()
        .await;
    let error = sent.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist());
    assert_eq!(
        error.code(),
        Some("AWS.SimpleQueueService.NonExistentQueue")
    );
    let received = client.receive_message().queue_url(&url).send().await;
    assert!(
        received
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    let deleted = client.delete_queue().queue_url(&url).send().await;
    assert!(
        deleted
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
}

#[tokio::test]
async fn a_receipt_handle_that_was_never_given_out_is_invalid() {
    let server = Server::start().await;
    let delete = server.client.delete_message().queue_url(&server.queue_url);
    let deleted = delete.receipt_handle("made up").send().await;
    assert!(
        deleted
            .unwrap_err()
            .into_service_error()
            .is_receipt_handle_is_invalid()
    );
}

#[tokio::test]
async fn a_message_that_is_not_in_flight_has_no_visibility_to_change() {
    let server = Server::start().await;
    server.send("a").await;
    let message = server.receive().await.unwrap();
    server.give_back(&message).await;
    let change = server
        .client
        .change_message_visibility()
        .queue_url(&server.queue_url);
    let change = change.receipt_handle(message.receipt_handle().unwrap());
    let changed = change.visibility_timeout(5).send().await;
    assert!(
        changed
            .unwrap_err()
            .into_service_error()
            .is_message_not_inflight()
    );
}

#[tokio::test]
async fn a_message_over_the_limits_is_refused() {
    let server = Server::start().await;
    let send = || server.client.send_message().queue_url(&server.queue_url);
    let code =
        async |sent: aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder| {
            let error = sent.send().await.unwrap_err().into_service_error();
            error.code().map(str::to_owned).unwrap()
        };
    let mebibyte = "a".repeat(1_048_576);
    assert!(send().message_body(&mebibyte).send().await.is_ok());
    let longer = send().message_body(format!("{mebibyte}a"));
    assert_eq!(code(longer).await, "InvalidParameterValue");
    let far_longer = send().message_body("a".repeat(20_000_000));
    assert_eq!(code(far_longer).await, "InvalidParameterValue");
    assert_eq!(code(send().message_body("")).await, "MissingParameter");
    assert_eq!(
        code(send().message_body("\u{0}")).await,
        "InvalidMessageContents"
    );
    let late = send().message_body("a").delay_seconds(901);
    assert_eq!(code(late).await, "InvalidParameterValue");
    let empty = send().message_body("a").message_attributes("n", text(""));
    assert_eq!(code(empty).await, "InvalidParameterValue");
    let many = (0..11).fold(send().message_body("a"), |send, n| {
        send.message_attributes(format!("n{n}"), text("v"))
    });
    assert_eq!(code(many).await, "InvalidParameterValue");
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() {
    let server = Server::start().await;
    let receive = || server.client.receive_message().queue_url(&server.queue_url);
    for refused in [
        receive().max_number_of_messages(11),
        receive().max_number_of_messages(0),
        receive().wait_time_seconds(21),
        receive().visibility_timeout(43_201),
    ] {
        let error = refused.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("InvalidParameterValue"));
    }
}

#[tokio::test]
async fn nonsense_is_refused_without_harm() {
    let server = Server::start().await;
    let http = reqwest::Client::builder().build().unwrap();
    for (target, body) in [
        ("AmazonSQS.SendMessage", "{"),
        ("AmazonSQS.SendMessage", "[]"),
        ("AmazonSQS.SendMessage", r#"{"QueueUrl": 7}"#),
        (
            "AmazonSQS.SendMessage",
            r#"{"QueueUrl": "jobs", "MessageBody": "a"}"#,
        ),
        ("AmazonSQS.MakeCoffee", "{}"),
        ("Coffee", "{}"),
    ] {
        let request = http.post(&server.endpoint).header("x-amz-target", target);
        let response = request.body(body).send().await.unwrap();
        assert!(response.status().is_client_error(), "{target} {body}");
        assert!(response.headers().contains_key("x-amzn-query-error"));
    }
    server.send("still here").await;
    assert!(server.receive().await.is_some());
}

#[tokio::test]
async fn an_operation_that_is_not_there_answers_as_sqs_does_to_one_that_never_was() {
    let server = Server::start().await;
    let tag = server.client.tag_queue().queue_url(&server.queue_url);
    let tagged = tag.tags("team", "orders").send().await;
    let error = tagged.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("InvalidAction"));
    let http = reqwest::Client::builder().build().unwrap();
    let request = http.post(&server.endpoint).body("{}");
    let request = request.header("x-amz-target", "AmazonSQS.ListQueues");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["x-amzn-query-error"],
        "InvalidAction;Sender"
    );
    let body = response.text().await.unwrap();
    assert!(body.contains("#UnknownOperationException\""), "{body}");
}
