//! Queues come and go, are found, emptied and asked.

use serde::{Deserialize, Serialize};

use super::call::{Call, Done, queue_name, required};
use crate::{error::Error, redrive::arn, settings::QueueAttributes, shelves::Counts};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: QueueAttributes,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrl {
    queue_url: String,
}

pub(super) fn create(call: &Call, input: CreateQueue) -> Result<QueueUrl, Error> {
    let name = required("QueueName", input.queue_name)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.create(&name, &input.attributes, now)?;
    let queue_url = call.queue_url(&name);
    Ok(QueueUrl { queue_url })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: Option<String>,
}

pub(super) fn get_url(call: &Call, input: GetQueueUrl) -> Result<QueueUrl, Error> {
    let name = required("QueueName", input.queue_name)?;
    call.emulator.queues().get(&name)?;
    let queue_url = call.queue_url(&name);
    Ok(QueueUrl { queue_url })
}

/// What is needed to delete a queue, or to empty it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WholeQueue {
    queue_url: Option<String>,
}

pub(super) fn delete(call: &Call, input: WholeQueue) -> Result<Done, Error> {
    let name = queue_name(input.queue_url)?;
    let now = call.emulator.now();
    call.emulator.queues().delete(&name, now)?;
    Ok(Done {})
}

pub(super) fn purge(call: &Call, input: WholeQueue) -> Result<Done, Error> {
    let name = queue_name(input.queue_url)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.change(&name, |queue| queue.purge(&name, now))?;
    Ok(Done {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributesResult {
    #[serde(skip_serializing_if = "QueueAttributes::is_empty")]
    attributes: QueueAttributes,
}

pub(super) fn get_attributes(
    call: &Call,
    input: GetQueueAttributes,
) -> Result<GetQueueAttributesResult, Error> {
    let name = queue_name(input.queue_url)?;
    let wanted = input.attribute_names;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    let mut attributes = queues.change(&name, |queue| {
        let created_at = queue.created_at.seconds().to_string();
        let mut attributes = computed(&name, &created_at, queue.counts(now));
        attributes.extend(queue.settings.attributes());
        Ok(attributes)
    })?;
    // Asking a standard queue whether it is FIFO is an error on AWS too.
    let is_known =
        |name: &str| ["All", "RedrivePolicy"].contains(&name) || attributes.contains_key(name);
    if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
        return Err(Error::InvalidAttributeName(unknown.clone()));
    }
    if !wanted.iter().any(|name| name == "All") {
        attributes.retain(|name, _| wanted.contains(name));
    }
    Ok(GetQueueAttributesResult { attributes })
}

fn computed(name: &str, created_at: &str, counts: Counts) -> QueueAttributes {
    let computed = [
        ("ApproximateNumberOfMessages", counts.ready.to_string()),
        (
            "ApproximateNumberOfMessagesDelayed",
            counts.delayed.to_string(),
        ),
        (
            "ApproximateNumberOfMessagesNotVisible",
            counts.in_flight.to_string(),
        ),
        ("CreatedTimestamp", created_at.to_owned()),
        // Attributes stay as they were created.
        ("LastModifiedTimestamp", created_at.to_owned()),
        ("QueueArn", arn(name)),
    ];
    computed
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}
