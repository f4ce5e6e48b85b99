//! The attributes of a queue are read and changed.

use serde::{Deserialize, Serialize};

use super::{Call, queue_name};
use crate::{
    clock::Timestamp,
    error::Error,
    fifo,
    queue::Queue,
    redrive,
    settings::{self, QueueAttributes},
};

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

pub(super) fn get_queue_attributes(
    call: &Call,
    input: GetQueueAttributes,
) -> Result<GetQueueAttributesResult, Error> {
    let name = queue_name(input.queue_url)?;
    let wanted = input.attribute_names;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    let queue = queues.get_mut(&name)?;
    // Asking a standard queue whether it is FIFO is an error on AWS too.
    let known = |name: &str| {
        settings::is_known(name) && (queue.is_fifo() || !fifo::ATTRIBUTES.contains(&name))
    };
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        return Err(Error::InvalidAttributeName(unknown.clone()));
    }
    let mut attributes = all(&name, queue, now);
    if !wanted.iter().any(|name| name == "All") {
        attributes.retain(|name, _| wanted.contains(name));
    }
    Ok(GetQueueAttributesResult { attributes })
}

fn all(name: &str, queue: &mut Queue, now: Timestamp) -> QueueAttributes {
    let counts = queue.counts(now);
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
        ("CreatedTimestamp", queue.created_at.seconds().to_string()),
        (
            "LastModifiedTimestamp",
            queue.modified_at.seconds().to_string(),
        ),
        ("QueueArn", redrive::arn(name)),
    ];
    let mut attributes = queue.settings.attributes();
    attributes.extend(computed.map(|(name, value)| (name.to_owned(), value)));
    attributes
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attributes: QueueAttributes,
}

pub(super) fn set_queue_attributes(call: &Call, input: SetQueueAttributes) -> Result<(), Error> {
    let name = queue_name(input.queue_url)?;
    let now = call.emulator.now();
    let mut queues = call.emulator.queues();
    queues.set_attributes(&name, &input.attributes, now)
}
