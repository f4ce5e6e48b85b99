//! Orders on whose way something goes wrong: the story tells it, and the order ends all the same.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use contract::scenarios::{DEAD_LETTER, HAPPY, REDRIVEN, RETRIED};
use contract::{NotWhole, check_told_once, wait_until_whole};
use libtest_mimic::{Completion, Trial};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::json;
use stack::{Servers, Stack};
use story::{Kind, Story};
use tokio::task::spawn_blocking;

use crate::addresses::Addresses;
use crate::customer::{Customer, PATIENCE, wait_for};
use crate::positive::{confirmed, told_once_of_each};
use crate::{on_a_stack_of_its_own, start};

/// Few and quick, so that a job is given up within a second.
const SETTINGS: [(&str, &str); 2] = [
    ("MESSAGING_MAX_ATTEMPTS", "3"),
    ("MESSAGING_RETRY_DELAY_MS", "50"),
];
const TOPIC: &str = "order.created";
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Skipped where the services are not ours to disturb.
pub(crate) fn trial(servers: Servers, outside: bool) -> Trial {
    let name = "what_goes_wrong_is_told_and_every_order_ends".to_owned();
    on_a_stack_of_its_own(name, outside, async move || {
        let stack = start(servers, &SETTINGS).await?;
        let customer = Customer::new(Addresses::of(&stack)?);
        retried(&stack, &customer)
            .await
            .context("retry, then success")?;
        given_up(&stack, &customer).await.context("dead letter")?;
        duplicated(&stack, &customer)
            .await
            .context("duplicate delivery")?;
        Ok(Completion::Completed)
    })
}

/// The embeddings API is busy twice: two attempts fail, the third one does it.
async fn retried(stack: &Stack, customer: &Customer) -> anyhow::Result<()> {
    embeddings_fail(stack, &["unavailable:2"]).await?;
    let placed = confirmed(customer).await?;
    customer.reaches(&placed.order_id, "confirmed").await?;
    embeddings_fail(stack, &[]).await?;
    let trace = placed.trace_id;
    let story = wait_until_whole(&customer.jaeger, trace, |_| &RETRIED, PATIENCE).await?;
    let jobs = attempts(&story, "process classification-jobs");
    ensure!(jobs == [1, 2, 3], "the attempts at the job are {jobs:?}");
    told_once_of_each(customer, &placed, &["confirmed"]).await
}

/// The embeddings API refuses the order's text: its job becomes a dead letter, and the customer hears of it. When it is
/// mended and the letter redriven, the order goes on.
async fn given_up(stack: &Stack, customer: &Customer) -> anyhow::Result<()> {
    embeddings_fail(stack, &["refuse:unmentionable"]).await?;
    let placed = customer.order(&[("ITEM-001", 1)], "unmentionable").await?;
    customer.reaches(&placed.order_id, "failed").await?;
    let trace = placed.trace_id;
    wait_until_whole(&customer.jaeger, trace, |_| &DEAD_LETTER, PATIENCE).await?;
    told_once_of_each(customer, &placed, &["failed"]).await?;
    embeddings_fail(stack, &[]).await?;

    let listed = dlq(stack, &["list"])?;
    ensure!(
        listed.contains(&placed.order_id),
        "the letter is not listed:\n{listed}"
    );
    dlq(stack, &["redrive", "--all"])?;
    customer.reaches(&placed.order_id, "confirmed").await?;
    let story = wait_until_whole(&customer.jaeger, trace, |_| &REDRIVEN, PATIENCE).await?;
    told_once_of_each(customer, &placed, &["failed", "confirmed"]).await?;
    let listed = dlq(stack, &["list"])?;
    let [_, redriven] = story.traces()[..] else {
        bail!(
            "the order and its redriven job are 2 traces, not {}",
            story.traces().len()
        );
    };
    ensure!(
        listed.contains("redriven") && listed.contains(&redriven.to_string()),
        "it is not listed into which trace it was redriven:\n{listed}"
    );
    Ok(())
}

/// What `orderflow dlq` says.
fn dlq(stack: &Stack, arguments: &[&str]) -> anyhow::Result<String> {
    let said = stack.command().arg("dlq").args(arguments).output()?;
    let (out, err) = (
        String::from_utf8(said.stdout)?,
        String::from_utf8(said.stderr)?,
    );
    ensure!(
        said.status.success(),
        "orderflow dlq {arguments:?}:\n{out}{err}"
    );
    Ok(out)
}

/// Kafka hands out the order's event twice: the second job finds that the order has ended, and nothing comes of it.
async fn duplicated(stack: &Stack, customer: &Customer) -> anyhow::Result<()> {
    let placed = confirmed(customer).await?;
    customer.reaches(&placed.order_id, "confirmed").await?;
    let trace = placed.trace_id;
    wait_until_whole(&customer.jaeger, trace, |_| &HAPPY, PATIENCE).await?;
    send_again(stack, &placed.order_id).await?;
    wait_for("the second job, which finds all done", async || {
        let story = Story::gather(&customer.jaeger, trace).await?;
        let story = story.context("the story was there before")?;
        let times = |name: &str| {
            story
                .spans()
                .iter()
                .filter(|span| span.name == name)
                .count()
        };
        let again = times("process classification-jobs") == 2;
        if again {
            check_told_once(&story, &HAPPY).map_err(NotWhole::from)?;
            ensure!(times("send order.ended") == 1, "it was decided twice");
        }
        Ok(again.then_some(()))
    })
    .await?;
    told_once_of_each(customer, &placed, &["confirmed"]).await
}

fn attempts(story: &Story, name: &str) -> Vec<i64> {
    let spans = story.spans().iter();
    let deliveries = spans.filter(|span| span.kind == Kind::Consumer && span.name == name);
    deliveries.filter_map(story::Span::attempt).collect()
}

/// Sets the faults of the embeddings stand-in; none mends it.
async fn embeddings_fail(stack: &Stack, faults: &[&str]) -> anyhow::Result<()> {
    let api: reqwest::Url = stack.setting("OPENAI_BASE_URL")?.parse()?;
    let client = reqwest::Client::builder().build()?;
    let put = client
        .put(api.join("/faults")?)
        .json(&json!({"faults": faults}));
    put.send().await?.error_for_status()?;
    Ok(())
}

/// Sends the order's event once more, as it stands in the topic.
async fn send_again(stack: &Stack, order_id: &str) -> anyhow::Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", stack.setting("KAFKA_BROKERS")?);
    let (reader, key) = (config.clone(), order_id.to_owned());
    let record = spawn_blocking(move || find(reader, &key)).await??;
    let producer: FutureProducer = config.create()?;
    let mut again = FutureRecord::to(TOPIC).key(order_id);
    again = again.payload(record.payload().unwrap_or_default());
    if let Some(headers) = record.headers() {
        again = again.headers(headers.clone());
    }
    let sent = producer.send(again, READ_TIMEOUT).await;
    sent.map_err(|(error, _)| error)?;
    Ok(())
}

/// Reads the whole topic, in no group.
fn find(mut config: ClientConfig, key: &str) -> anyhow::Result<OwnedMessage> {
    config
        .set("group.id", "none")
        .set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create()?;
    let metadata = consumer.fetch_metadata(Some(TOPIC), READ_TIMEOUT)?;
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        partitions.add_partition_offset(TOPIC, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    loop {
        let record = consumer.poll(READ_TIMEOUT);
        let record: BorrowedMessage<'_> = record.context("the event is not in the topic")??;
        if record.key() == Some(key.as_bytes()) {
            return Ok(record.detach());
        }
    }
}
