//! Messages are sent, alone and in batches.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Batch, Call, answers, required};
use crate::{
    error::Error,
    limits,
    message::{Content, Message},
    message_attributes::{self, MessageAttributes, digest_of},
};

/// What one message is made of, alone or in a batch.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Entry {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_attributes: MessageAttributes,
    message_system_attributes: MessageAttributes,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

pub(super) fn send(call: &Call, queue: &str, entry: Entry) -> Result<Value, Error> {
    Draft::parse(entry)?.send(call, queue)
}

pub(super) fn send_batch(call: &Call, input: Value) -> Result<Value, Error> {
    let batch = Batch::read(call, input)?;
    let parse = |(id, entry)| (id, Draft::parse(entry));
    let drafts: Vec<_> = batch.entries.into_iter().map(parse).collect();
    let valid = || drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
    // One entry without its ids makes AWS refuse the whole batch.
    valid().try_for_each(|draft| draft.require_ids(batch.is_fifo))?;
    let total: usize = valid().map(|draft| draft.content.size()).sum();
    if total > limits::MAX_MESSAGE_BYTES {
        return Err(Error::BatchRequestTooLong(total));
    }
    let send = |draft: Draft| draft.send(call, &batch.queue);
    let drafts = drafts.into_iter();
    Ok(answers(
        drafts.map(|(id, draft)| (id, draft.and_then(send))),
    ))
}

/// A message whose parameters passed every check that needs no queue.
struct Draft {
    content: Content,
    deduplication_id: Option<String>,
    system_attributes: MessageAttributes,
    delay_seconds: Option<u64>,
}

impl Draft {
    fn parse(entry: Entry) -> Result<Self, Error> {
        let (group_id, deduplication_id) = (entry.message_group_id, entry.message_deduplication_id);
        limits::check_message_id("MessageGroupId", group_id.as_deref())?;
        limits::check_message_id("MessageDeduplicationId", deduplication_id.as_deref())?;
        let body = entry.message_body.filter(|body| !body.is_empty());
        let body = required("MessageBody", body)?;
        limits::check_characters(&body)?;
        let attributes = message_attributes::check(entry.message_attributes)?;
        let system_attributes = check_system(entry.message_system_attributes)?;
        let trace_header = system_attributes.get(TRACE_HEADER);
        Ok(Self {
            content: Content {
                trace_header: trace_header.and_then(|header| header.string_value.clone()),
                group_id,
                ..Content::new(body, attributes)
            },
            deduplication_id,
            system_attributes,
            delay_seconds: limits::DELAY_SECONDS.check(entry.delay_seconds)?,
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
        if self.content.size() > limits::MAX_MESSAGE_BYTES {
            return Err(limits::too_long());
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

    fn send(self, call: &Call, queue: &str) -> Result<Value, Error> {
        let system_digest = digest_of(&self.system_attributes);
        let (content, accepted) = call.emulator.change(|queues, now| {
            let queue = queues.get(queue)?;
            self.check(queue.config.is_fifo())?;
            let ready_at = now.plus_seconds(self.delay_seconds.unwrap_or(0));
            let message = Message {
                deduplication_id: self.deduplication_id,
                ..Message::new(self.content, now)
            };
            let content = Arc::clone(&message.content);
            Ok((content, queue.send(message, ready_at, now)))
        })?;
        Ok(json!({
            "MessageId": accepted.message_id,
            "MD5OfMessageBody": content.body_md5,
            "MD5OfMessageAttributes": digest_of(&content.attributes),
            "MD5OfMessageSystemAttributes": system_digest,
            "SequenceNumber": accepted.sequence_number,
        }))
    }
}

const TRACE_HEADER: &str = "AWSTraceHeader";

/// The only attribute of the system's that a sender may set is X-Ray's trace header.
fn check_system(attributes: MessageAttributes) -> Result<MessageAttributes, Error> {
    let attributes = message_attributes::check(attributes)?;
    for (name, attribute) in &attributes {
        if name != TRACE_HEADER || attribute.data_type != "String" {
            return Err(Error::InvalidParameterValue(format!(
                "Message system attribute '{name}' of type '{}' is invalid: only AWSTraceHeader of type String is supported.",
                attribute.data_type
            )));
        }
    }
    Ok(attributes)
}
