//! Messages are sent, alone and in batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, batch, in_range, queue_name, required};
use crate::{
    digest,
    error::Error,
    limits,
    message::{Content, Message},
    message_attributes::{self, MessageAttributes, Value, WireAttribute},
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
    call.emulator.queues().get(&queue)?;
    let entries = batch::check(input.entries, |entry| entry.id.as_deref())?;
    let drafts: Vec<(String, Result<Draft, Error>)> = entries
        .into_iter()
        .map(|(id, entry)| (id, Draft::parse(call, entry)))
        .collect();
    let sizes = drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
    let total: u64 = sizes.map(|draft| draft.content.size()).sum();
    if total > limits::MAX_MESSAGE_BYTES {
        return Err(Error::BatchRequestTooLong(total));
    }
    Ok(batch::run(drafts, |draft| draft?.send(call, &queue)))
}

/// A message whose parameters passed every check that needs no queue.
struct Draft {
    content: Content,
    system_attributes: MessageAttributes,
    delay_seconds: Option<u64>,
}

impl Draft {
    fn parse(call: &Call, entry: Entry) -> Result<Self, Error> {
        if let Some(id) = entry.message_deduplication_id {
            return Err(Error::InvalidParameterValue(format!(
                "Value {id} for parameter MessageDeduplicationId is invalid. \
                 Reason: The request include parameter that is not valid for this queue type"
            )));
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
                group_id: entry.message_group_id,
                ..Content::new(body, attributes)
            },
            system_attributes,
            delay_seconds: in_range("DelaySeconds", entry.delay_seconds, &limits::DELAY_SECONDS)?,
        })
    }

    fn send(self, call: &Call, queue: &str) -> Result<Sent, Error> {
        let now = call.emulator.now();
        let mut queues = call.emulator.queues();
        let settings = &queues.get(queue)?.settings;
        let most = settings.maximum_message_size;
        if self.content.size() > most {
            return Err(Error::InvalidParameterValue(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
            )));
        }
        let delay = self.delay_seconds.unwrap_or(settings.delay_seconds);
        let message = Message::new(self.content, now);
        let sent = Sent {
            message_id: message.id.to_string(),
            md5_of_body: message.content.body_md5.clone(),
            md5_of_attributes: digest::of_attributes(&message.content.attributes),
            md5_of_system_attributes: digest::of_attributes(&self.system_attributes),
        };
        queues.send(queue, message, now.plus_seconds(delay), now)?;
        Ok(sent)
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
