//! What all operations have in common: the request, the parts of its input, and batches.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{emulator::Emulator, error::Error, limits, queue_set::QueueSet};

/// The account that owns every queue here.
pub(super) const ACCOUNT: &str = "000000000000";

/// One request, and where it came in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) emulator: Arc<Emulator>,
    /// Scheme and host as the client wrote them, so that queue URLs lead back the way it came.
    pub(crate) endpoint: String,
}

/// What a batch is given: the queue, which must be there, and the entries with their ids.
pub(super) struct Batch<E> {
    pub(super) queue: String,
    pub(super) is_fifo: bool,
    pub(super) entries: Vec<(String, E)>,
}

impl<E: DeserializeOwned> Batch<E> {
    /// A fault here refuses the whole batch; whatever is wrong with one entry alone refuses that one.
    pub(super) fn read(call: &Call, mut input: Value) -> Result<Self, Error> {
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
pub(super) fn answers(results: impl Iterator<Item = (String, Result<Value, Error>)>) -> Value {
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

pub(super) fn parse<I: DeserializeOwned>(input: Value) -> Result<I, Error> {
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
pub(super) fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or(Error::MissingParameter(name))
}

/// The name of the queue that `QueueUrl` leads to, whatever host it names.
pub(super) fn queue_name(input: &Value) -> Result<String, Error> {
    let url = member(input, "QueueUrl")?;
    match url.trim_end_matches('/').rsplit_once('/') {
        _ if url.is_empty() => Err(Error::MissingParameter("QueueUrl")),
        Some((_, name)) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Error::InvalidAddress(url)),
    }
}

/// The resource name of a queue.
pub(super) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}")
}
