//! Messages in flight are kept longer, or given back.

use serde::Deserialize;

use super::{Call, batch, in_range, queue_name, required};
use crate::{error::Error, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibility {
    queue_url: Option<String>,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    /// In batches only.
    id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn change_message_visibility(
    call: &Call,
    input: ChangeMessageVisibility,
) -> Result<(), Error> {
    let queue = queue_name(input.queue_url)?;
    change(call, &queue, input.entry)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibilityBatch {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<Entry>,
}

pub(super) fn change_message_visibility_batch(
    call: &Call,
    input: ChangeMessageVisibilityBatch,
) -> Result<batch::BatchResult<batch::Done>, Error> {
    let queue = queue_name(input.queue_url)?;
    call.emulator.queues().get(&queue)?;
    let entries = batch::check(input.entries, |entry| entry.id.as_deref())?;
    Ok(batch::run(entries, |entry| {
        change(call, &queue, entry)?;
        Ok(batch::Done {})
    }))
}

fn change(call: &Call, queue: &str, entry: Entry) -> Result<(), Error> {
    let range = &limits::VISIBILITY_TIMEOUT;
    let seconds = in_range("VisibilityTimeout", entry.visibility_timeout, range)?;
    let seconds = required("VisibilityTimeout", seconds)?;
    let handle = required("ReceiptHandle", entry.receipt_handle)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.change_visibility(queue, &handle, seconds, now)
}
