//! The services and APIs that this service calls, one file per remote.

mod embeddings;
mod inventory;

use std::error::Error;

use reqwest::StatusCode;

pub(crate) use embeddings::EmbeddingsClient;
pub(crate) use inventory::{InventoryClient, Reservation};

/// Whether a remote failed as it would have for any order: it cannot be reached, is busy, or does not let us in.
///
/// Otherwise it may be about this order: it refuses what it was asked, or answers nonsense.
pub(crate) fn is_unavailable(error: &anyhow::Error) -> bool {
    let Some(error) = error.downcast_ref::<reqwest::Error>() else {
        // Without an answer there is this error.
        return error.is::<reqwest_middleware::Error>();
    };
    match error.status() {
        Some(status) => !is_about_the_request(status),
        None => !is_nonsense(error),
    }
}

fn is_nonsense(answer: &reqwest::Error) -> bool {
    let cause = answer.source();
    cause
        .and_then(<dyn Error>::downcast_ref::<serde_json::Error>)
        .is_some()
}

fn is_about_the_request(status: StatusCode) -> bool {
    let is_about_us = matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
    );
    status.is_client_error() && !is_about_us
}
