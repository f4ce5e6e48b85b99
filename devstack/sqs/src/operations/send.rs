//! Messages are sent, alone and in batches.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    batch::{self, Batch, BatchResult},
    call::{Call, required},
};
use crate::{
    error::Error,
    limits,
    message::{Content, Message, sequence_text},
    message_attributes::{self, MessageAttributes, Value, WireAttribute, digest_of},
};

/// What one message is made of, alone or in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, WireAttribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, WireAttribute>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Sent {
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_body: String,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_attributes: Option<String>,
    #[serde(
        rename = "MD5OfMessageSystemAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_system_attributes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

pub(super) fn send(call: &Call, queue: &str, entry: Entry) -> Result<Sent, Error> {
    Draft::parse(call, entry)?.send(call, queue)
}

pub(super) fn send_batch(call: &Call, input: Batch<Entry>) -> Result<BatchResult<Sent>, Error> {
    let (queue, entries) = input.check(call)?;
    let is_fifo = call.emulator.queues().get(&queue)?.config.is_fifo();
    let drafts: Vec<(String, Result<Draft, Error>)> = entries
        .into_iter()
        .map(|(id, entry)| (id, Draft::parse(call, entry)))
        .collect();
    let valid = || drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
    // One entry without its ids makes AWS refuse the whole batch.
    valid().try_for_each(|draft| draft.require_ids(is_fifo))?;
    let total: u64 = valid().map(|draft| draft.content.size()).sum();
    if total > limits::MAX_MESSAGE_BYTES {
        return Err(Error::BatchRequestTooLong(total));
    }
    Ok(batch::run(drafts, |draft| draft?.send(call, &queue)))
}

/// A message whose parameters passed every check that needs no queue.
struct Draft {
    content: Content,
    deduplication_id: Option<String>,
    system_attributes: MessageAttributes,
    delay_seconds: Option<u64>,
}

impl Draft {
    fn parse(call: &Call, entry: Entry) -> Result<Self, Error> {
        let (group_id, deduplication_id) = (entry.message_group_id, entry.message_deduplication_id);
        limits::check_message_id("MessageGroupId", group_id.as_deref())?;
        limits::check_message_id("MessageDeduplicationId", deduplication_id.as_deref())?;
        let body = entry.message_body.filter(|body| !body.is_empty());
        let body = required("MessageBody", body)?;
        limits::check_characters(&body)?;
        let attributes = message_attributes::parse(entry.message_attributes)?;
        let system_attributes = parse_system(entry.message_system_attributes)?;
        let trace_header = trace_header(&system_attributes).or_else(|| call.trace_header.clone());
        let (delay, range) = (entry.delay_seconds, &limits::DELAY_SECONDS);
        Ok(Self {
            content: Content {
                trace_header,
                group_id,
                ..Content::new(body, attributes)
            },
            deduplication_id,
            system_attributes,
            delay_seconds: limits::in_range("DelaySeconds", delay, range)?,
        })
    }

    /// Refuses a message that lacks what a FIFO queue needs to order it and to know it again.
    fn require_ids(&self, is_fifo: bool) -> Result<(), Error> {
        if !is_fifo {
            return Ok(());
        }
        required("MessageGroupId", self.content.group_id.as_ref())?;
        if self.deduplication_id.is_some() {
            return Ok(());
        }
        Err(Error::InvalidParameterValue(
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly"
                .to_owned(),
        ))
    }

    /// Refuses what this queue does not take: no ids, too large a message, and parameters of the other kind of queue.
    fn check(&self, is_fifo: bool) -> Result<(), Error> {
        self.require_ids(is_fifo)?;
        let most = limits::MAX_MESSAGE_BYTES;
        if self.content.size() > most {
            return Err(Error::InvalidParameterValue(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
            )));
        }
        let wrong = match (&self.deduplication_id, self.delay_seconds) {
            (Some(_), _) if !is_fifo => "MessageDeduplicationId",
            // A delay of zero changes nothing, so AWS lets it pass.
            (_, Some(1..)) if is_fifo => "DelaySeconds",
            _ => return Ok(()),
        };
        Err(Error::InvalidParameterValue(format!(
            "The value for parameter {wrong} is invalid. \
             Reason: The request include parameter that is not valid for this queue type"
        )))
    }

    fn send(self, call: &Call, queue: &str) -> Result<Sent, Error> {
        let mut queues = call.emulator.queues();
        // Read while the lock is held, so that messages are sent in the order of their times.
        let now = call.emulator.now();
        self.check(queues.get(queue)?.config.is_fifo())?;
        let ready_at = now.plus_seconds(self.delay_seconds.unwrap_or(0));
        let message = Message {
            deduplication_id: self.deduplication_id,
            ..Message::new(self.content, now)
        };
        let content = Arc::clone(&message.content);
        let accepted = queues.change(queue, |queue| Ok(queue.send(message, ready_at, now)))?;
        drop(queues);
        Ok(Sent {
            message_id: accepted.message_id.to_string(),
            md5_of_body: content.body_md5.clone(),
            md5_of_attributes: digest_of(&content.attributes),
            md5_of_system_attributes: digest_of(&self.system_attributes),
            sequence_number: accepted.sequence_number.map(sequence_text),
        })
    }
}

/// The only attribute of the system's that a sender may set is X-Ray's trace header.
fn parse_system(wire: BTreeMap<String, WireAttribute>) -> Result<MessageAttributes, Error> {
    let check = |(name, attribute): (String, WireAttribute)| {
        let attribute = message_attributes::parse_attribute(&name, attribute)?;
        if name != "AWSTraceHeader" || attribute.data_type != "String" {
            return Err(Error::InvalidParameterValue(format!(
                "Message system attribute '{name}' of type '{}' is invalid: only AWSTraceHeader of type String is supported.",
                attribute.data_type
            )));
        }
        Ok((name, attribute))
    };
    wire.into_iter().map(check).collect()
}

fn trace_header(attributes: &MessageAttributes) -> Option<String> {
    match &attributes.get("AWSTraceHeader")?.value {
        Value::Text(header) => Some(header.clone()),
        Value::Binary(_) => None,
    }
}
