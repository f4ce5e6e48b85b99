//! Messages are sent, alone and in batches.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Call, batch, in_range, queue_name, required};
use crate::{
    clock::Timestamp,
    digest,
    error::Error,
    fifo, limits,
    message::{self, Content, Message},
    message_attributes::{self, MessageAttributes, Value, WireAttribute},
    settings::Settings,
    text,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: Option<String>,
    #[serde(flatten)]
    entry: Entry,
}

/// What one message is made of, alone or in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    /// In batches only.
    id: Option<String>,
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

pub(super) fn send_message(call: &Call, input: SendMessage) -> Result<Sent, Error> {
    let queue = queue_name(input.queue_url)?;
    let draft = Draft::parse(call, input.entry)?;
    draft.send(call, &queue)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessageBatch {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<Entry>,
}

pub(super) fn send_message_batch(
    call: &Call,
    input: SendMessageBatch,
) -> Result<batch::BatchResult<Sent>, Error> {
    let queue = queue_name(input.queue_url)?;
    let settings = call.emulator.queues().get(&queue)?.settings.clone();
    let entries = batch::check(input.entries, |entry| entry.id.as_deref())?;
    let drafts: Vec<(String, Result<Draft, Error>)> = entries
        .into_iter()
        .map(|(id, entry)| (id, Draft::parse(call, entry)))
        .collect();
    let valid = || drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
    // One entry without its ids makes AWS refuse the whole batch.
    valid().try_for_each(|draft| draft.require_ids(&settings))?;
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
        if let Some(id) = &group_id {
            fifo::check_id("MessageGroupId", id)?;
        }
        if let Some(id) = &deduplication_id {
            fifo::check_id("MessageDeduplicationId", id)?;
        }
        let body = entry.message_body.filter(|body| !body.is_empty());
        let body = required("MessageBody", body)?;
        text::check_characters(&body)?;
        let attributes = message_attributes::parse(entry.message_attributes)?;
        let system_attributes = parse_system(entry.message_system_attributes)?;
        let trace_header = trace_header(&system_attributes).or_else(|| call.trace_header.clone());
        Ok(Self {
            content: Content {
                trace_header,
                group_id,
                ..Content::new(body, attributes)
            },
            deduplication_id,
            system_attributes,
            delay_seconds: in_range("DelaySeconds", entry.delay_seconds, &limits::DELAY_SECONDS)?,
        })
    }

    fn require_ids(&self, settings: &Settings) -> Result<(), Error> {
        let group = self.content.group_id.as_deref();
        let id = self.deduplication_id.as_deref();
        let fifo = settings.fifo.as_ref();
        fifo.map_or(Ok(()), |fifo| fifo.require_ids(group, id))
    }

    /// Refuses what this queue does not take: no ids, too large a message, and parameters of the other kind of queue.
    fn check(&self, settings: &Settings) -> Result<(), Error> {
        self.require_ids(settings)?;
        let most = settings.maximum_message_size;
        if self.content.size() > most {
            return Err(Error::InvalidParameterValue(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
            )));
        }
        let is_fifo = settings.fifo.is_some();
        match (&self.deduplication_id, self.delay_seconds) {
            (Some(id), _) if !is_fifo => Err(fifo::wrong_kind("MessageDeduplicationId", id)),
            // A delay of zero changes nothing, so AWS lets it pass.
            (_, Some(delay @ 1..)) if is_fifo => Err(fifo::wrong_kind("DelaySeconds", delay)),
            _ => Ok(()),
        }
    }

    fn into_message(self, settings: &Settings, now: Timestamp) -> Message {
        let from_body = || digest::deduplication_id(&self.content.body);
        let is_fifo = settings.fifo.is_some();
        let deduplication_id = self.deduplication_id.or_else(|| is_fifo.then(from_body));
        Message {
            deduplication_id,
            ..Message::new(self.content, now)
        }
    }

    fn send(self, call: &Call, queue: &str) -> Result<Sent, Error> {
        let mut queues = call.emulator.queues();
        // Read while the lock is held, so that messages are sent in the order of their times.
        let now = call.emulator.now();
        let settings = &queues.get(queue)?.settings;
        self.check(settings)?;
        let delay = self.delay_seconds.filter(|_| settings.fifo.is_none());
        let ready_at = now.plus_seconds(delay.unwrap_or(settings.delay_seconds));
        let md5_of_system_attributes = digest::of_attributes(&self.system_attributes);
        let message = self.into_message(settings, now);
        let content = Arc::clone(&message.content);
        let accepted = queues.send(queue, message, ready_at, now)?;
        drop(queues);
        Ok(Sent {
            message_id: accepted.message_id.to_string(),
            md5_of_body: content.body_md5.clone(),
            md5_of_attributes: digest::of_attributes(&content.attributes),
            md5_of_system_attributes,
            sequence_number: accepted.sequence_number.map(message::sequence_text),
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
