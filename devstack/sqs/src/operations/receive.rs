//! Messages are received, waiting for them if asked to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, in_range, queue_name};
use crate::{
    digest,
    error::Error,
    limits,
    message::{self, Message, ReceiptHandle},
    message_attributes::{self, WireAttribute},
    redrive::{ACCOUNT, arn},
    settings,
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

/// A request that keeps the rules.
struct Wanted {
    queue: String,
    max: usize,
    visibility_timeout: Option<u64>,
    wait_time: Option<u64>,
    system_names: Vec<String>,
    names: Vec<String>,
}

impl ReceiveMessage {
    fn check(self) -> Result<Wanted, Error> {
        let queue = queue_name(self.queue_url)?;
        let most = 1..=limits::MAX_BATCH_ENTRIES as u64;
        let max = in_range("MaxNumberOfMessages", self.max_number_of_messages, &most)?;
        let hidden = self.visibility_timeout;
        let hidden = in_range("VisibilityTimeout", hidden, &limits::VISIBILITY_TIMEOUT)?;
        let wait = self.wait_time_seconds;
        let wait = in_range("WaitTimeSeconds", wait, &limits::WAIT_TIME_SECONDS)?;
        let mut system_names = self.attribute_names;
        system_names.extend(self.message_system_attribute_names);
        check_system_names(&system_names)?;
        let most = limits::MAX_BATCH_ENTRIES;
        Ok(Wanted {
            queue,
            max: max.map_or(1, |max| usize::try_from(max).unwrap_or(most)),
            visibility_timeout: hidden,
            wait_time: wait,
            system_names,
            names: self.message_attribute_names,
        })
    }
}

pub(super) async fn receive_message(
    call: &Call,
    input: ReceiveMessage,
) -> Result<ReceiveMessageResult, Error> {
    let wanted = input.check()?;
    let queue = wanted.queue.as_str();
    let default_wait = || {
        Ok(call
            .emulator
            .queues()
            .get(queue)?
            .settings
            .wait_time_seconds)
    };
    let wait = wanted.wait_time.map_or_else(default_wait, Ok)?;
    let received = call
        .emulator
        .receive(queue, wanted.max, wanted.visibility_timeout, wait)
        .await?;
    // A long poll answers an exceeded limit with no messages, a short one with the error.
    if received.deliveries.is_empty() && received.over_limit && wait == 0 {
        return Err(Error::OverLimit);
    }
    let show = |(handle, message)| show(&handle, &message, &wanted.system_names, &wanted.names);
    let messages = received.deliveries.into_iter().map(show).collect();
    Ok(ReceiveMessageResult { messages })
}

const SYSTEM_ATTRIBUTES: [&str; 9] = [
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

/// Names of queue attributes pass as well: the older member's type has always allowed them here.
fn check_system_names(names: &[String]) -> Result<(), Error> {
    let known = |name: &str| SYSTEM_ATTRIBUTES.contains(&name) || settings::is_known(name);
    match names.iter().find(|name| !known(name)) {
        Some(unknown) => Err(Error::InvalidAttributeName(unknown.clone())),
        None => Ok(()),
    }
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
        md5_of_attributes: digest::of_attributes(&attributes),
        message_attributes: attributes
            .into_iter()
            .map(|(name, attribute)| (name, attribute.to_wire()))
            .collect(),
    }
}

fn system_attributes(message: &Message, names: &[String]) -> BTreeMap<&'static str, String> {
    let content = &message.content;
    let first_received_at = message.first_received_at.map(|at| at.millis().to_string());
    let all = [
        ("ApproximateFirstReceiveTimestamp", first_received_at),
        (
            "ApproximateReceiveCount",
            Some(message.receive_count.to_string()),
        ),
        ("AWSTraceHeader", content.trace_header.clone()),
        (
            "DeadLetterQueueSourceArn",
            message.dead_letter_source.as_deref().map(arn),
        ),
        ("MessageDeduplicationId", message.deduplication_id.clone()),
        ("MessageGroupId", content.group_id.clone()),
        ("SenderId", Some(ACCOUNT.to_owned())),
        ("SentTimestamp", Some(message.sent_at.millis().to_string())),
        (
            "SequenceNumber",
            message.sequence_number.map(message::sequence_text),
        ),
    ];
    let wanted = |name: &str| names.iter().any(|asked| asked == "All" || asked == name);
    all.into_iter()
        .filter(|(name, _)| wanted(name))
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
