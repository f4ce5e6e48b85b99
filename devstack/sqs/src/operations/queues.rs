//! Queues come and go, are found, emptied and asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::call::{Call, Done, arn, queue_name, required};
use crate::{
    config::{QueueConfig, check_name},
    error::Error,
};

/// Attributes of a queue: names and texts.
type Attributes = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrl {
    queue_url: String,
}

pub(super) fn create(call: &Call, input: CreateQueue) -> Result<QueueUrl, Error> {
    let name = required("QueueName", input.queue_name)?;
    // On a standard queue AWS calls the attribute unknown, even if it is false.
    let is_fifo = |(name, value): (&String, &String)| name == "FifoQueue" && value == "true";
    let mut attributes = input.attributes.iter();
    if let Some((unknown, _)) = attributes.find(|attribute| !is_fifo(*attribute)) {
        return Err(Error::InvalidAttributeName(unknown.clone()));
    }
    check_name(&name, !input.attributes.is_empty())?;
    let queue = QueueConfig::new(name.as_str());
    call.emulator.queues().create(queue)?;
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
    call.emulator.queues().delete(&name)?;
    Ok(Done {})
}

pub(super) fn purge(call: &Call, input: WholeQueue) -> Result<Done, Error> {
    let name = queue_name(input.queue_url)?;
    let mut queues = call.emulator.queues();
    queues.change(&name, |queue| {
        queue.purge();
        Ok(())
    })?;
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
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
}

pub(super) fn get_attributes(
    call: &Call,
    input: GetQueueAttributes,
) -> Result<GetQueueAttributesResult, Error> {
    let name = queue_name(input.queue_url)?;
    let wanted = input.attribute_names;
    let mut attributes = attributes(call, &name)?;
    // Asking a standard queue whether it is FIFO is an error on AWS too.
    let is_known = |name: &String| name == "All" || attributes.contains_key(name);
    if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
        return Err(Error::InvalidAttributeName(unknown.clone()));
    }
    if !wanted.iter().any(|name| name == "All") {
        attributes.retain(|name, _| wanted.contains(name));
    }
    Ok(GetQueueAttributesResult { attributes })
}

fn attributes(call: &Call, name: &str) -> Result<Attributes, Error> {
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    let counts = queues.change(name, |queue| Ok(queue.counts(now)))?;
    let config = &queues.get(name)?.config;
    let (number, timeout) = (|n: usize| Some(n.to_string()), config.visibility_timeout);
    let attributes = [
        ("ApproximateNumberOfMessages", number(counts.ready)),
        ("ApproximateNumberOfMessagesDelayed", number(counts.delayed)),
        (
            "ApproximateNumberOfMessagesNotVisible",
            number(counts.in_flight),
        ),
        ("FifoQueue", config.is_fifo().then(|| "true".to_owned())),
        ("QueueArn", Some(arn(name))),
        ("VisibilityTimeout", Some(timeout.as_secs().to_string())),
    ];
    let valued = attributes.into_iter();
    Ok(valued
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}
