//! The services and APIs that this service calls, one file per remote, and whose fault it is when a call fails.

mod embeddings;
mod inventory;

use std::error::Error;

use otel_messaging::{ErrorType, HandlerError};
use reqwest::StatusCode;

pub(crate) use embeddings::EmbeddingsClient;
pub(crate) use inventory::{HoldAnswer, InventoryClient};

/// Whether a call failed as it would have for any order, or because of what this one says.
///
/// It is the world's fault when the remote cannot be reached, is busy, broken or does not let us in.
/// It is perhaps the message's when the remote refuses what it was asked, or answers nonsense.
pub(crate) fn failed(error: anyhow::Error) -> HandlerError {
    let is_unavailable = match cause(&error) {
        Some(cause) => is_the_worlds(cause),
        None => error.is::<reqwest_middleware::Error>(),
    };
    if is_unavailable {
        HandlerError::Unavailable(error)
    } else {
        HandlerError::Retry(error)
    }
}

/// Attaches the class of a failed call, unless it has one.
fn classed(error: anyhow::Error) -> anyhow::Error {
    if error.is::<ErrorType>() {
        return error;
    }
    let class = cause(&error).map_or("invalid_answer", class);
    error.context(ErrorType(class))
}

/// Without an answer the error comes from the layer that makes spans.
fn cause(error: &anyhow::Error) -> Option<&reqwest::Error> {
    match error.downcast_ref() {
        Some(reqwest_middleware::Error::Reqwest(error)) => Some(error),
        Some(reqwest_middleware::Error::Middleware(_)) => None,
        None => error.downcast_ref(),
    }
}

fn is_the_worlds(error: &reqwest::Error) -> bool {
    match error.status() {
        Some(status) => !is_about_the_request(status),
        None => !is_nonsense(error),
    }
}

/// Any other status would come for other orders too, such as a missing key or a path that is not there.
fn is_about_the_request(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// A body that was read to its end, and is not what was asked for.
fn is_nonsense(answer: &reqwest::Error) -> bool {
    let cause = answer.source();
    cause
        .and_then(<dyn Error>::downcast_ref::<serde_json::Error>)
        .is_some()
}

/// The class of a failed call, as `error.type` of the attempt: few values, so that they can be counted.
fn class(error: &reqwest::Error) -> &'static str {
    match error.status().map(|status| status.as_u16()) {
        Some(400) => "400",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(408) => "408",
        Some(409) => "409",
        Some(413) => "413",
        Some(422) => "422",
        Some(429) => "429",
        Some(500) => "500",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(_) => "unexpected_status",
        None if error.is_timeout() => "timeout",
        None if error.is_connect() => "connection",
        None if is_nonsense(error) => "invalid_answer",
        None => "broken_answer",
    }
}
