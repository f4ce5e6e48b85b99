//! One request, where it came in, and the parameters that most requests have.

use std::sync::Arc;

use serde::Serialize;

use crate::{emulator::Emulator, error::Error};

/// The account that owns every queue here.
pub(super) const ACCOUNT: &str = "000000000000";

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
    pub(super) fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint)
    }
}

/// The resource name of a queue.
pub(super) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}")
}

/// The answer of an operation that has nothing to tell.
#[derive(Serialize)]
pub(super) struct Done {}

/// The value of a parameter that must be there.
pub(super) fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or(Error::MissingParameter(name))
}

/// The name of the queue that `QueueUrl` leads to, whatever host it names.
pub(super) fn queue_name(url: Option<String>) -> Result<String, Error> {
    let url = required("QueueUrl", url.filter(|url| !url.is_empty()))?;
    match url.trim_end_matches('/').rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Error::InvalidAddress(url)),
    }
}
