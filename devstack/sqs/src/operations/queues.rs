//! Queues come, go and are found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, page, queue_name, required, tags};
use crate::{error::Error, settings::QueueAttributes};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: QueueAttributes,
    /// The one member that the service model writes in lower case here.
    #[serde(default, rename = "tags", alias = "Tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrl {
    queue_url: String,
}

pub(super) fn create_queue(call: &Call, input: CreateQueue) -> Result<QueueUrl, Error> {
    let name = required("QueueName", input.queue_name)?;
    tags::check(&input.tags)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.create(&name, &input.attributes, input.tags, now)?;
    let queue_url = call.queue_url(&name);
    Ok(QueueUrl { queue_url })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteQueue {
    queue_url: Option<String>,
}

pub(super) fn delete_queue(call: &Call, input: DeleteQueue) -> Result<(), Error> {
    let name = queue_name(input.queue_url)?;
    let now = call.emulator.now();
    call.emulator.queues().delete(&name, now)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: Option<String>,
}

pub(super) fn get_queue_url(call: &Call, input: GetQueueUrl) -> Result<QueueUrl, Error> {
    let name = required("QueueName", input.queue_name)?;
    call.emulator.queues().get(&name)?;
    let queue_url = call.queue_url(&name);
    Ok(QueueUrl { queue_url })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueuesResult {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list_queues(call: &Call, input: ListQueues) -> Result<ListQueuesResult, Error> {
    let prefix = input.queue_name_prefix;
    let token = input.next_token;
    let queues = call.emulator.queues();
    let names = queues.names().map(String::as_str);
    let names = names.filter(|name| name.starts_with(&prefix));
    let page = page::of(names, input.max_results, token.as_deref())?;
    Ok(ListQueuesResult {
        queue_urls: page.names.iter().map(|name| call.queue_url(name)).collect(),
        next_token: page.next_token,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListDeadLetterSourceQueues {
    queue_url: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ListDeadLetterSourceQueuesResult {
    /// Lower case in the service model, unlike in `ListQueues`.
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list_dead_letter_source_queues(
    call: &Call,
    input: ListDeadLetterSourceQueues,
) -> Result<ListDeadLetterSourceQueuesResult, Error> {
    let name = queue_name(input.queue_url)?;
    let queues = call.emulator.queues();
    queues.get(&name)?;
    let sources = queues.dead_letter_sources(&name);
    let page = page::of(sources, input.max_results, input.next_token.as_deref())?;
    Ok(ListDeadLetterSourceQueuesResult {
        queue_urls: page.names.iter().map(|name| call.queue_url(name)).collect(),
        next_token: page.next_token,
    })
}
