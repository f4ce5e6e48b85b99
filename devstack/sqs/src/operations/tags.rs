//! Tags on a queue, kept and given back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, queue_name};
use crate::{error::Error, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagQueue {
    queue_url: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn tag_queue(call: &Call, input: TagQueue) -> Result<(), Error> {
    let name = queue_name(input.queue_url)?;
    let mut queues = call.emulator.queues();
    let queue = queues.get_mut(&name)?;
    let mut tags = queue.tags.clone();
    tags.extend(input.tags);
    check(&tags)?;
    queue.tags = tags;
    Ok(())
}

/// Refuses more tags than a queue may have.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() <= limits::MAX_TAGS {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(format!(
        "Too many tags added for queue: {}, at most {} are allowed.",
        tags.len(),
        limits::MAX_TAGS
    )))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagQueue {
    queue_url: Option<String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn untag_queue(call: &Call, input: UntagQueue) -> Result<(), Error> {
    let name = queue_name(input.queue_url)?;
    let mut queues = call.emulator.queues();
    let tags = &mut queues.get_mut(&name)?.tags;
    tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueueTags {
    queue_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueueTagsResult {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

pub(super) fn list_queue_tags(
    call: &Call,
    input: ListQueueTags,
) -> Result<ListQueueTagsResult, Error> {
    let name = queue_name(input.queue_url)?;
    let tags = call.emulator.queues().get(&name)?.tags.clone();
    Ok(ListQueueTagsResult { tags })
}
