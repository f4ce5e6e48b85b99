//! Messages are received, waiting for them if asked to, and deleted, kept longer, or given back.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::{ACCOUNT, Call, arn, required};
use crate::{
    error::Error,
    limits,
    message::Message,
    message_attributes::{digest_of, select},
    queue::Receive,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ReceiveMessage {
    /// What newer clients call `MessageSystemAttributeNames`; both may be given.
    attribute_names: Vec<String>,
    message_system_attribute_names: Vec<String>,
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

pub(super) async fn receive(
    call: &Call,
    queue: &str,
    input: ReceiveMessage,
) -> Result<Value, Error> {
    let max = limits::MESSAGES_PER_RECEIVE.check(input.max_number_of_messages)?;
    let wanted = Receive {
        max: usize::try_from(max.unwrap_or(1)).unwrap_or(usize::MAX),
        visibility_timeout: limits::VISIBILITY_TIMEOUT.check(input.visibility_timeout)?,
    };
    let wait = limits::WAIT_TIME_SECONDS.check(input.wait_time_seconds)?;
    let wait = wait.unwrap_or(0);
    let system_names = [input.attribute_names, input.message_system_attribute_names].concat();
    check_system_names(&system_names)?;
    let received = call.emulator.receive(queue, wanted, wait).await?;
    // A long poll answers an exceeded limit with no messages, a short one with the error.
    if received.deliveries.is_empty() && received.over_limit && wait == 0 {
        return Err(Error::OverLimit);
    }
    let names = input.message_attribute_names;
    let messages = received.deliveries.iter();
    let messages = messages.map(|(handle, message)| show(handle, message, &system_names, &names));
    Ok(json!({"Messages": messages.collect::<Vec<_>>()}))
}

fn show(
    handle: &str,
    message: &Message,
    system_names: &[String],
    attribute_names: &[String],
) -> Value {
    let content = &message.content;
    let attributes = select(&content.attributes, attribute_names);
    json!({
        "MessageId": message.id,
        "ReceiptHandle": handle,
        "MD5OfBody": content.body_md5,
        "Body": content.body,
        "Attributes": system_attributes(message, system_names),
        // Of the attributes that were asked for, since the client can check no others.
        "MD5OfMessageAttributes": digest_of(&attributes),
        "MessageAttributes": attributes,
    })
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

fn system_attributes(message: &Message, names: &[String]) -> Map<String, Value> {
    let first_received_at = message.first_received_at;
    let of = |name: &str| match name {
        "ApproximateFirstReceiveTimestamp" => first_received_at.map(|at| at.0.to_string()),
        "ApproximateReceiveCount" => Some(message.receive_count.to_string()),
        "AWSTraceHeader" => message.content.trace_header.clone(),
        "DeadLetterQueueSourceArn" => message.dead_letter_source.as_deref().map(arn),
        "MessageDeduplicationId" => message.deduplication_id.clone(),
        "MessageGroupId" => message.content.group_id.clone(),
        "SenderId" => Some(ACCOUNT.to_owned()),
        "SentTimestamp" => Some(message.sent_at.0.to_string()),
        "SequenceNumber" => message.sequence_number.clone(),
        _ => None,
    };
    let is_wanted = |name: &&str| names.iter().any(|asked| asked == "All" || asked == *name);
    let wanted = SYSTEM_ATTRIBUTES.into_iter().filter(is_wanted);
    wanted
        .filter_map(|name| Some((name.to_owned(), of(name)?.into())))
        .collect()
}

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
