//! Messages in flight are deleted, kept longer, or given back.

use serde::Deserialize;

use super::call::{Call, Done, required};
use crate::{error::Error, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    receipt_handle: Option<String>,
}

pub(super) fn delete(call: &Call, queue: &str, entry: Delete) -> Result<Done, Error> {
    let handle = required("ReceiptHandle", entry.receipt_handle)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    // It may let the next message of its group be received.
    queues.change(queue, |queue| queue.delete(&handle, now))?;
    Ok(Done {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeVisibility {
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn change_visibility(
    call: &Call,
    queue: &str,
    entry: ChangeVisibility,
) -> Result<Done, Error> {
    let (name, range) = ("VisibilityTimeout", &limits::VISIBILITY_TIMEOUT);
    let seconds = limits::in_range(name, entry.visibility_timeout, range)?;
    let seconds = required(name, seconds)?;
    let handle = required("ReceiptHandle", entry.receipt_handle)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.change(queue, |queue| {
        queue.change_visibility(&handle, seconds, now)
    })?;
    Ok(Done {})
}
