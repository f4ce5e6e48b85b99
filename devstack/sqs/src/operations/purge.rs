//! A queue is emptied.

use serde::Deserialize;

use super::{Call, queue_name};
use crate::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PurgeQueue {
    queue_url: Option<String>,
}

pub(super) fn purge_queue(call: &Call, input: PurgeQueue) -> Result<(), Error> {
    let name = queue_name(input.queue_url)?;
    let now = call.emulator.now();
    call.emulator.queues().get_mut(&name)?.purge(&name, now)
}
