use anyhow::Context;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::Client as Sdk;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use futures::{StreamExt as _, TryStreamExt as _};
use otel_messaging::sqs::Client;
use otel_messaging::{Settings, stack};
use tokio::task::JoinSet;

use crate::measure::{Count, Order};

/// The most that SQS takes and gives in one request.
const BATCH: usize = 10;
/// As many as our consumer has.
const RECEIVERS: usize = 4;
const SENDERS: usize = 8;

async fn sdk(endpoint: &str) -> Sdk {
    let nobody = Credentials::new("throughput", "throughput", None, None, "throughput");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(nobody);
    Sdk::new(&config.load().await)
}

pub(crate) async fn fill(endpoint: &str, queue: &str, messages: usize) -> anyhow::Result<()> {
    let sdk = sdk(endpoint).await;
    let created = sdk.create_queue().queue_name(queue).send().await?;
    let url = created.queue_url.context("a queue has a URL")?;
    let batches = (0..messages).step_by(BATCH).map(|first| {
        let entries = (first..messages.min(first + BATCH)).map(entry).collect();
        let request = sdk.send_message_batch().queue_url(&url);
        request.set_entries(Some(entries)).send()
    });
    let sending = futures::stream::iter(batches).buffer_unordered(SENDERS);
    sending.try_for_each(|_| async { Ok(()) }).await?;
    Ok(())
}

fn entry(number: usize) -> SendMessageBatchRequestEntry {
    let traceparent = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(Order::traceparent(number))
        .build()
        .expect("it has a type");
    SendMessageBatchRequestEntry::builder()
        .id(number.to_string())
        .message_body(Order::number(number).to_json())
        .message_attributes("traceparent", traceparent)
        .build()
        .expect("it has an id and a body")
}

pub(crate) async fn bare(endpoint: &str, queue: &str, count: &Count) -> anyhow::Result<()> {
    let sdk = sdk(endpoint).await;
    let found = sdk.get_queue_url().queue_name(queue).send().await?;
    let url = found.queue_url.context("a queue has a URL")?;
    let mut receivers = JoinSet::new();
    for _ in 0..RECEIVERS {
        receivers.spawn(receive(sdk.clone(), url.clone(), count.clone()));
    }
    receivers.join_all().await.into_iter().collect()
}

async fn receive(sdk: Sdk, url: String, count: Count) -> anyhow::Result<()> {
    while !count.done().is_cancelled() {
        let request = sdk.receive_message().queue_url(&url);
        let request = request
            .max_number_of_messages(10)
            .wait_time_seconds(2)
            .message_attribute_names("All");
        let messages = request.send().await?.messages.unwrap_or_default();
        let mut entries = Vec::with_capacity(messages.len());
        for (index, message) in messages.into_iter().enumerate() {
            let order: Order = serde_json::from_str(message.body().unwrap_or_default())?;
            std::hint::black_box(order);
            count.add();
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .set_receipt_handle(message.receipt_handle);
            entries.push(entry.build()?);
        }
        if !entries.is_empty() {
            let request = sdk.delete_message_batch().queue_url(&url);
            request.set_entries(Some(entries)).send().await?;
        }
    }
    Ok(())
}

pub(crate) async fn ours(endpoint: &str, queue: &str, count: &Count) -> anyhow::Result<()> {
    let client = Client::new(sdk(endpoint).await);
    let consumer = client.consumer(queue, &Settings::default()).await?;
    consumer
        .run(stack::handle(count.clone()), count.done())
        .await?;
    Ok(())
}
