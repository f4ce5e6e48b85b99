use std::future::Future;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::helpers::{Installation, get, stderr, stdout};

const LETTER_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// A client of the stack's SQS, as any other program would make it.
async fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("me", "secret", None, None, "test"));
    aws_sdk_sqs::Client::new(&config.load().await)
}

async fn lay_a_letter(endpoint: &str) {
    let client = sqs(endpoint).await;
    let url = client.get_queue_url().queue_name("classification-jobs-dlq");
    let url = url.send().await.unwrap().queue_url;
    let text = |value: &str| {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value);
        value.build().unwrap()
    };
    let message = client.send_message().set_queue_url(url);
    let traceparent = format!("00-{LETTER_TRACE}-b7ad6b7169203331-01");
    let message = message
        .message_attributes("traceparent", text(&traceparent))
        .message_attributes("dead-letter-reason", text("the endpoint answers 400"));
    let body = r#"{"order_id":"order-7"}"#;
    message.message_body(body).send().await.unwrap();
}

async fn next_job(endpoint: &str) -> String {
    let client = sqs(endpoint).await;
    let url = client.get_queue_url().queue_name("classification-jobs");
    let url = url.send().await.unwrap().queue_url;
    let receive = client.receive_message().set_queue_url(url);
    let received = receive.wait_time_seconds(20).send().await.unwrap();
    received.messages()[0].body().unwrap().to_owned()
}

/// The command finds the brokers and the trace store of the stack by itself, and its span is there when it ends.
#[test]
fn a_dead_letter_is_listed_shown_and_sent_back_in_a_trace_that_the_store_has() {
    let installation = Installation::new();
    let _up = installation.up();
    let endpoint = installation.setting("AWS_ENDPOINT_URL_SQS");
    block_on(lay_a_letter(&endpoint));

    let listed = stdout(&installation.output(&["dlq", "list"]));
    assert!(
        listed.contains("order.created.dlt (Kafka): empty"),
        "{listed}"
    );
    assert!(
        listed.contains("order.classified.dlq (Pub/Sub): empty"),
        "{listed}"
    );
    let line = listed.lines().find(|line| line.contains("order order-7"));
    let line = line.unwrap_or_else(|| panic!("{listed}"));
    assert!(
        line.ends_with("waiting  the endpoint answers 400"),
        "{line}"
    );
    let id = line.split_whitespace().next().unwrap();
    let shown = stdout(&installation.output(&["dlq", "show", id]));
    assert!(shown.contains("make trace ARGS=order-7"), "{shown}");

    let output = installation.output(&["dlq", "redrive", id]);

    assert!(output.status.success(), "{}", stderr(&output));
    let told = stdout(&output);
    let (_, new) = told.split_once("in the new trace ").unwrap();
    let new = &new[..32];
    assert_eq!(block_on(next_job(&endpoint)), r#"{"order_id":"order-7"}"#);
    let stored = get(
        &installation.setting("JAEGER_URL"),
        &format!("/api/v3/traces/{new}"),
    );
    for part in ["send classification-jobs", LETTER_TRACE, r#""orderflow""#] {
        assert!(stored.contains(part), "{part} is not in {stored}");
    }
    let listed = installation.output(&["dlq", "list", "--from", "sqs", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(rows[0]["id"], id);
    assert_eq!(rows[0]["redriven"]["trace_id"], new);
    assert_eq!(rows[0]["there"], false);
    assert_eq!(rows.as_array().unwrap().len(), 1);
}

#[test]
fn without_a_stack_each_broker_that_is_away_is_named() {
    let installation = Installation::new();
    let mut list = installation.command(&["dlq", "list", "--from", "sqs", "--from", "pubsub"]);
    let output = list.env("SQS_PORT", "1").env("PUBSUB_PORT", "2").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("SQS at http://127.0.0.1:1: "), "{message}");
    assert!(message.contains("Pub/Sub at 127.0.0.1:2: "), "{message}");
}
