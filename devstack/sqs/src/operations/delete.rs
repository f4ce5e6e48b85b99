//! Messages that were processed are deleted.

use serde::Deserialize;

use super::{Call, batch, queue_name, required};
use crate::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessage {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
}

pub(super) fn delete_message(call: &Call, input: DeleteMessage) -> Result<(), Error> {
    let queue = queue_name(input.queue_url)?;
    let handle = required("ReceiptHandle", input.receipt_handle)?;
    let now = call.emulator.now();
    call.emulator.queues().delete_message(&queue, &handle, now)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessageBatch {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: Option<String>,
    receipt_handle: Option<String>,
}

pub(super) fn delete_message_batch(
    call: &Call,
    input: DeleteMessageBatch,
) -> Result<batch::BatchResult<batch::Done>, Error> {
    let queue = queue_name(input.queue_url)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.get(&queue)?;
    let entries = batch::check(input.entries, |entry| entry.id.as_deref())?;
    Ok(batch::run(entries, |entry| {
        let handle = required("ReceiptHandle", entry.receipt_handle)?;
        queues.delete_message(&queue, &handle, now)?;
        Ok(batch::Done {})
    }))
}
