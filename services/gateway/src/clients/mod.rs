//! The services behind, one file each, and what calling them has in common.

mod inventory;
mod orders;

use bytes::Bytes;
use reqwest::{StatusCode, header::HeaderMap};
use reqwest_middleware::{Error, RequestBuilder};

pub(crate) use inventory::InventoryClient;
pub(crate) use orders::OrdersClient;

/// What a service answered: a success, or a problem of the caller's making.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer that could be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{0} cannot be reached")]
    Unreachable(&'static str, #[source] Error),
    #[error("{0} did not answer in time")]
    TimedOut(&'static str, #[source] Error),
    /// It said so itself: something that it needs is away.
    #[error("{0} is unavailable")]
    Unavailable(&'static str),
    #[error("{0} failed with status {1}")]
    Failed(&'static str, StatusCode),
}

/// Sends `request` once: a POST that is sent again may be done twice.
async fn call(service: &'static str, request: RequestBuilder) -> Result<Answer, CallError> {
    let explain = |error: Error| {
        if error.is_timeout() {
            CallError::TimedOut(service, error)
        } else {
            CallError::Unreachable(service, error)
        }
    };
    let response = request.send().await.map_err(explain)?;
    let status = response.status();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Err(CallError::Unavailable(service));
    }
    if status.is_server_error() {
        return Err(CallError::Failed(service, status));
    }
    let headers = response.headers().clone();
    let body = response
        .bytes()
        .await
        .map_err(|error| explain(error.into()))?;
    Ok(Answer {
        status,
        headers,
        body,
    })
}
