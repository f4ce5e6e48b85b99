//! What a client can ask for: one file per family of operations.
//!
//! Both protocols bring a request here as a JSON value in the shape of the JSON protocol, and take
//! the answer away as one; [`run`] is the list of everything this server can do.

mod attributes;
mod batch;
mod delete;
mod move_tasks;
mod page;
mod purge;
mod queues;
mod receive;
mod send;
mod tags;
mod visibility;

use std::{ops::RangeInclusive, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{emulator::Emulator, error::Error, redrive::ACCOUNT};

/// One request, and where it came in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) emulator: Arc<Emulator>,
    /// Scheme and host as the client wrote them, so that queue URLs lead back the way it came.
    pub(crate) endpoint: String,
    /// The `X-Amzn-Trace-Id` header, which SQS keeps as the message's `AWSTraceHeader`.
    pub(crate) trace_header: Option<String>,
}

impl Call {
    fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint)
    }
}

/// Runs one operation; `Null` is the answer of one that has none.
pub(crate) async fn run(call: &Call, operation: &str, input: Value) -> Result<Value, Error> {
    match operation {
        "CreateQueue" => answer(call, input, queues::create_queue),
        "DeleteQueue" => answer(call, input, queues::delete_queue),
        "GetQueueUrl" => answer(call, input, queues::get_queue_url),
        "ListQueues" => answer(call, input, queues::list_queues),
        "ListDeadLetterSourceQueues" => answer(call, input, queues::list_dead_letter_source_queues),
        "PurgeQueue" => answer(call, input, purge::purge_queue),
        "GetQueueAttributes" => answer(call, input, attributes::get_queue_attributes),
        "SetQueueAttributes" => answer(call, input, attributes::set_queue_attributes),
        "SendMessage" => answer(call, input, send::send_message),
        "SendMessageBatch" => answer(call, input, send::send_message_batch),
        "ReceiveMessage" => output(receive::receive_message(call, parse(input)?).await?),
        "DeleteMessage" => answer(call, input, delete::delete_message),
        "DeleteMessageBatch" => answer(call, input, delete::delete_message_batch),
        "ChangeMessageVisibility" => answer(call, input, visibility::change_message_visibility),
        "ChangeMessageVisibilityBatch" => {
            answer(call, input, visibility::change_message_visibility_batch)
        }
        "TagQueue" => answer(call, input, tags::tag_queue),
        "UntagQueue" => answer(call, input, tags::untag_queue),
        "ListQueueTags" => answer(call, input, tags::list_queue_tags),
        "StartMessageMoveTask" => answer(call, input, move_tasks::start_message_move_task),
        "ListMessageMoveTasks" => answer(call, input, move_tasks::list_message_move_tasks),
        "CancelMessageMoveTask" => answer(call, input, move_tasks::cancel_message_move_task),
        "AddPermission" | "RemovePermission" => Err(Error::UnsupportedOperation(format!(
            "This stand-in has no access control: {operation} is not supported."
        ))),
        _ => Err(Error::UnknownOperation(operation.to_owned())),
    }
}

fn answer<I: DeserializeOwned, O: Serialize>(
    call: &Call,
    input: Value,
    operation: fn(&Call, I) -> Result<O, Error>,
) -> Result<Value, Error> {
    output(operation(call, parse(input)?)?)
}

fn parse<I: DeserializeOwned>(input: Value) -> Result<I, Error> {
    serde_json::from_value(input).map_err(|error| Error::Serialization(error.to_string()))
}

fn output(output: impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(output).map_err(|error| Error::Serialization(error.to_string()))
}

/// The value of a parameter that must be there.
fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or(Error::MissingParameter(name))
}

/// The value of a parameter that must lie in `range` if it is there.
fn in_range(
    name: &str,
    value: Option<i64>,
    range: &RangeInclusive<u64>,
) -> Result<Option<u64>, Error> {
    let Some(value) = value else { return Ok(None) };
    let inside = u64::try_from(value)
        .ok()
        .filter(|value| range.contains(value));
    match inside {
        Some(value) => Ok(Some(value)),
        None => Err(Error::out_of_range(name, value, range)),
    }
}

/// The name of the queue that `QueueUrl` leads to, whatever host it names.
fn queue_name(url: Option<String>) -> Result<String, Error> {
    let url = required("QueueUrl", url.filter(|url| !url.is_empty()))?;
    match url.trim_end_matches('/').rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Error::InvalidAddress(url)),
    }
}
