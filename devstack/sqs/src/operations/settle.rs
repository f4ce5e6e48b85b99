//! Messages in flight are deleted, kept longer, or given back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, required};
use crate::{error::Error, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settle {
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn delete(call: &Call, queue: &str, entry: Settle) -> Result<Value, Error> {
    let handle = required("ReceiptHandle", entry.receipt_handle)?;
    // It may let the next message of its group be received.
    call.emulator
        .change(|queues, now| queues.get(queue)?.delete(&handle, now))?;
    Ok(json!({}))
}

pub(super) fn change_visibility(call: &Call, queue: &str, entry: Settle) -> Result<Value, Error> {
    let seconds = limits::VISIBILITY_TIMEOUT.check(entry.visibility_timeout)?;
    let seconds = required("VisibilityTimeout", seconds)?;
    let handle = required("ReceiptHandle", entry.receipt_handle)?;
    call.emulator.change(|queues, now| {
        let queue = queues.get(queue)?;
        queue.change_visibility(&handle, seconds, now)
    })?;
    Ok(json!({}))
}
