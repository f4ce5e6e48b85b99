//! What a client can ask for: [`run`] is the list of everything this server can do.

mod queues;
mod receive;
mod send;

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{emulator::Emulator, error::Error, limits, queue_set::QueueSet};

/// The account that owns every queue here.
const ACCOUNT: &str = "000000000000";

/// One request, and where it came in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) emulator: Arc<Emulator>,
    /// Scheme and host as the client wrote them, so that queue URLs lead back the way it came.
    pub(crate) endpoint: String,
}

/// Runs one operation, whose input and answer have the shape of AWS JSON.
pub(crate) async fn run(call: &Call, operation: &str, input: Value) -> Result<Value, Error> {
    match operation {
        "CreateQueue" => queues::create(call, parse(input)?),
        "DeleteQueue" => queues::delete(call, &queue_name(&input)?),
        "GetQueueUrl" => queues::get_url(call, parse(input)?),
        "GetQueueAttributes" => one(call, input, queues::get_attributes),
        "PurgeQueue" => queues::purge(call, &queue_name(&input)?),
        "SendMessage" => one(call, input, send::send),
        "SendMessageBatch" => send::send_batch(call, input),
        "ReceiveMessage" => receive::receive(call, &queue_name(&input)?, parse(input)?).await,
        "DeleteMessage" => one(call, input, receive::delete),
        "DeleteMessageBatch" => batch(call, input, receive::delete),
        "ChangeMessageVisibility" => one(call, input, receive::change_visibility),
        "ChangeMessageVisibilityBatch" => batch(call, input, receive::change_visibility),
        _ => Err(Error::UnknownOperation(operation.to_owned())),
    }
}

/// What an operation does on one queue, to one message if it has a batch form.
type Operation<E> = fn(&Call, &str, E) -> Result<Value, Error>;

fn one<E: DeserializeOwned>(
    call: &Call,
    input: Value,
    operation: Operation<E>,
) -> Result<Value, Error> {
    operation(call, &queue_name(&input)?, parse(input)?)
}

fn batch<E: DeserializeOwned>(
    call: &Call,
    input: Value,
    operation: Operation<E>,
) -> Result<Value, Error> {
    let batch = Batch::read(call, input)?;
    let run = |entry| operation(call, &batch.queue, entry);
    let entries = batch.entries.into_iter();
    Ok(answers(entries.map(|(id, entry)| (id, run(entry)))))
}

/// What a batch is given: the queue, which must be there, and the entries with their ids.
struct Batch<E> {
    queue: String,
    is_fifo: bool,
    entries: Vec<(String, E)>,
}

impl<E: DeserializeOwned> Batch<E> {
    /// A fault here refuses the whole batch; whatever is wrong with one entry alone refuses that one.
    fn read(call: &Call, mut input: Value) -> Result<Self, Error> {
        let queue = queue_name(&input)?;
        let is_fifo = |queues: &mut QueueSet| Ok(queues.get(&queue)?.config.is_fifo());
        let is_fifo = call.emulator.change(|queues, _| is_fifo(queues))?;
        let entries: Option<Vec<Value>> = parse(input["Entries"].take())?;
        let entries = entries.unwrap_or_default();
        if entries.is_empty() {
            return Err(Error::EmptyBatchRequest);
        }
        if entries.len() > limits::MAX_BATCH_ENTRIES {
            return Err(Error::TooManyEntriesInBatchRequest(entries.len()));
        }
        let mut seen = HashSet::new();
        let check = |entry: Value| {
            let id = member(&entry, "Id")?;
            if !limits::is_name(&id) {
                return Err(Error::InvalidBatchEntryId);
            }
            if !seen.insert(id.clone()) {
                return Err(Error::BatchEntryIdsNotDistinct(id));
            }
            Ok((id, parse(entry)?))
        };
        Ok(Self {
            entries: entries.into_iter().map(check).collect::<Result<_, _>>()?,
            queue,
            is_fifo,
        })
    }
}

/// What became of each entry of a batch, whatever became of the others.
fn answers(results: impl Iterator<Item = (String, Result<Value, Error>)>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(mut answer) => {
                answer["Id"] = id.into();
                successful.push(answer);
            }
            Err(error) => {
                let (code, message) = (error.codes().1, error.to_string());
                let failure =
                    json!({"Id": id, "SenderFault": true, "Code": code, "Message": message});
                failed.push(failure);
            }
        }
    }
    json!({"Successful": successful, "Failed": failed})
}

fn parse<I: DeserializeOwned>(input: Value) -> Result<I, Error> {
    read(serde_json::from_value(input))
}

pub(crate) fn read<T>(read: serde_json::Result<T>) -> Result<T, Error> {
    read.map_err(|error| Error::Serialization(error.to_string()))
}

/// A text that must be there.
fn member(input: &Value, name: &'static str) -> Result<String, Error> {
    required(name, read(Option::deserialize(&input[name]))?)
}

/// The value of a parameter that must be there.
fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or(Error::MissingParameter(name))
}

/// The name of the queue that `QueueUrl` leads to, whatever host it names.
fn queue_name(input: &Value) -> Result<String, Error> {
    let url = member(input, "QueueUrl")?;
    match url.trim_end_matches('/').rsplit_once('/') {
        _ if url.is_empty() => Err(Error::MissingParameter("QueueUrl")),
        Some((_, name)) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Error::InvalidAddress(url)),
    }
}

/// The resource name of a queue.
fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}")
}
