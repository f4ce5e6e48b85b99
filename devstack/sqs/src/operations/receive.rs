//! Messages are received, waiting for them if asked to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::call::{ACCOUNT, Call, arn, queue_name};
use crate::{
    error::Error,
    limits::{self, in_range},
    message::{Message, ReceiptHandle, sequence_text},
    message_attributes::{self, WireAttribute, digest_of},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: Option<String>,
    /// What newer clients call `MessageSystemAttributeNames`; both may be given.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessageResult {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<ReceivedMessage>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedMessage {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    /// Of the attributes that were asked for, since the client can check no others.
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_attributes: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, WireAttribute>,
}

pub(super) async fn receive(
    call: &Call,
    input: ReceiveMessage,
) -> Result<ReceiveMessageResult, Error> {
    let queue = queue_name(input.queue_url)?;
    let (max, range) = (input.max_number_of_messages, &limits::MESSAGES_PER_RECEIVE);
    let max = in_range("MaxNumberOfMessages", max, range)?.unwrap_or(1);
    let (hidden, range) = (input.visibility_timeout, &limits::VISIBILITY_TIMEOUT);
    let hidden = in_range("VisibilityTimeout", hidden, range)?;
    let (wait, range) = (input.wait_time_seconds, &limits::WAIT_TIME_SECONDS);
    let wait = in_range("WaitTimeSeconds", wait, range)?.unwrap_or(0);
    let system_names = [input.attribute_names, input.message_system_attribute_names].concat();
    check_system_names(&system_names)?;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let received = call.emulator.receive(&queue, max, hidden, wait).await?;
    // A long poll answers an exceeded limit with no messages, a short one with the error.
    if received.deliveries.is_empty() && received.over_limit && wait == 0 {
        return Err(Error::OverLimit);
    }
    let names = input.message_attribute_names;
    let show = |(handle, message)| show(&handle, &message, &system_names, &names);
    let messages = received.deliveries.into_iter().map(show).collect();
    Ok(ReceiveMessageResult { messages })
}

fn show(
    handle: &ReceiptHandle,
    message: &Message,
    system_names: &[String],
    attribute_names: &[String],
) -> ReceivedMessage {
    let content = &message.content;
    let attributes = message_attributes::select(&content.attributes, attribute_names);
    ReceivedMessage {
        message_id: message.id.to_string(),
        receipt_handle: handle.encode(),
        md5_of_body: content.body_md5.clone(),
        body: content.body.clone(),
        attributes: system_attributes(message, system_names),
        md5_of_attributes: digest_of(&attributes),
        message_attributes: attributes
            .into_iter()
            .map(|(name, attribute)| (name, attribute.to_wire()))
            .collect(),
    }
}

const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

fn check_system_names(names: &[String]) -> Result<(), Error> {
    let is_known = |name: &String| SYSTEM_ATTRIBUTES.contains(&name.as_str());
    match names.iter().find(|name| !is_known(name)) {
        Some(unknown) => Err(Error::InvalidAttributeName(unknown.clone())),
        None => Ok(()),
    }
}

fn system_attributes(message: &Message, names: &[String]) -> BTreeMap<&'static str, String> {
    let of = |name: &str| match name {
        "ApproximateFirstReceiveTimestamp" => {
            message.first_received_at.map(|at| at.millis().to_string())
        }
        "ApproximateReceiveCount" => Some(message.receive_count.to_string()),
        "AWSTraceHeader" => message.content.trace_header.clone(),
        "DeadLetterQueueSourceArn" => message.dead_letter_source.as_deref().map(arn),
        "MessageDeduplicationId" => message.deduplication_id.clone(),
        "MessageGroupId" => message.content.group_id.clone(),
        "SenderId" => Some(ACCOUNT.to_owned()),
        "SentTimestamp" => Some(message.sent_at.millis().to_string()),
        "SequenceNumber" => message.sequence_number.map(sequence_text),
        _ => None,
    };
    let is_wanted = |name: &&str| names.iter().any(|asked| asked == "All" || asked == *name);
    SYSTEM_ATTRIBUTES
        .into_iter()
        .filter(is_wanted)
        .filter_map(|name| Some((name, of(name)?)))
        .collect()
}
