//! What the three batch operations share: the checks of a whole batch, and an answer per entry.

use std::collections::HashSet;

use serde::Serialize;

use crate::{error::Error, limits, text};

/// Checks the number of entries and their ids, and gives each entry its id.
///
/// A fault here refuses the whole batch; whatever is wrong with one entry alone refuses that one.
pub(super) fn check<E>(
    entries: Vec<E>,
    id: impl Fn(&E) -> Option<&str>,
) -> Result<Vec<(String, E)>, Error> {
    if entries.is_empty() {
        return Err(Error::EmptyBatchRequest);
    }
    if entries.len() > limits::MAX_BATCH_ENTRIES {
        return Err(Error::TooManyEntriesInBatchRequest(entries.len()));
    }
    let mut seen = HashSet::new();
    let mut checked = Vec::with_capacity(entries.len());
    for entry in entries {
        let id = id(&entry).ok_or(Error::MissingParameter("Id"))?.to_owned();
        if !text::is_name(&id) {
            return Err(Error::InvalidBatchEntryId);
        }
        if !seen.insert(id.clone()) {
            return Err(Error::BatchEntryIdsNotDistinct(id));
        }
        checked.push((id, entry));
    }
    Ok(checked)
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

/// The result of an entry about which there is nothing to tell.
#[derive(Serialize)]
pub(super) struct Done {}

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
