//! Operations on one message, and the same ones on a batch of them, with an answer per entry.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::call::{Call, queue_name, required};
use crate::{error::Error, limits};

/// What an operation on one message is given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One<E> {
    queue_url: Option<String>,
    #[serde(flatten)]
    entry: E,
}

impl<E> One<E> {
    /// The name of the queue, and the rest.
    pub(super) fn check(self) -> Result<(String, E), Error> {
        Ok((queue_name(self.queue_url)?, self.entry))
    }
}

/// What an operation on a batch is given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch<E> {
    queue_url: Option<String>,
    #[serde(default = "Vec::new")]
    entries: Vec<Entry<E>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<E> {
    id: Option<String>,
    #[serde(flatten)]
    entry: E,
}

impl<E> Batch<E> {
    /// The name of the queue, which must be there, and the entries by their ids.
    ///
    /// A fault here refuses the whole batch; whatever is wrong with one entry alone refuses that one.
    pub(super) fn check(self, call: &Call) -> Result<(String, Vec<(String, E)>), Error> {
        let queue = queue_name(self.queue_url)?;
        call.emulator.queues().get(&queue)?;
        if self.entries.is_empty() {
            return Err(Error::EmptyBatchRequest);
        }
        if self.entries.len() > limits::MAX_BATCH_ENTRIES {
            return Err(Error::TooManyEntriesInBatchRequest(self.entries.len()));
        }
        let mut seen = HashSet::new();
        let mut checked = Vec::with_capacity(self.entries.len());
        for Entry { id, entry } in self.entries {
            let id = required("Id", id)?;
            if !limits::is_name(&id) {
                return Err(Error::InvalidBatchEntryId);
            }
            if !seen.insert(id.clone()) {
                return Err(Error::BatchEntryIdsNotDistinct(id));
            }
            checked.push((id, entry));
        }
        Ok((queue, checked))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchResult<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    successful: Vec<Success<T>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failure>,
}

#[derive(Serialize)]
struct Success<T> {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    result: T,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

/// Runs `operation` on each entry, whatever becomes of the others.
pub(super) fn run<E, T>(
    entries: Vec<(String, E)>,
    mut operation: impl FnMut(E) -> Result<T, Error>,
) -> BatchResult<T> {
    let mut results = BatchResult {
        successful: Vec::new(),
        failed: Vec::new(),
    };
    for (id, entry) in entries {
        match operation(entry) {
            Ok(result) => results.successful.push(Success { id, result }),
            Err(error) => results.failed.push(Failure {
                id,
                sender_fault: true,
                code: error.code().query,
                message: error.to_string(),
            }),
        }
    }
    results
}
