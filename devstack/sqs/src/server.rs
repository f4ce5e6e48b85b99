//! HTTP around the operations.

use std::sync::Arc;

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, Uri, header::HOST},
    response::Response,
};
use standin::Visitors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Queues,
    emulator::Emulator,
    error::Error,
    limits,
    operations::{self, Call},
    protocol::{self, Request},
};

/// A message of the largest size whose every byte is escaped, and room for the rest of the request.
const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Serves SQS on `listener` until `shutdown` is cancelled.
///
/// Long polls end at once then, with no messages; other requests in progress get two seconds.
/// Fails at once if a queue of `queues` has an invalid name or setting, or a dead-letter queue that is not there.
pub async fn serve(
    listener: TcpListener,
    queues: Queues,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let emulator = Arc::new(Emulator::start(&queues, shutdown.clone())?);
    let app = Router::new()
        .fallback(handle)
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .with_state(emulator);
    standin::serve(listener, app, Visitors::Programs, shutdown)
        .await
        .context("serving SQS")
}

/// SQS answers on any path and method: what counts is in the headers and the body.
pub(crate) async fn handle(
    State(emulator): State<Arc<Emulator>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let request = body
        .map_err(unreadable)
        .and_then(|body| protocol::decode(&headers, &body));
    let Request { operation, input } = match request {
        Ok(request) => request,
        Err(error) => return protocol::encode(Err(error)),
    };
    let call = Call {
        emulator,
        endpoint: endpoint(&uri, &headers),
        trace_header: text(&headers, "x-amzn-trace-id"),
    };
    let result = operations::run(&call, &operation, input).await;
    if let Err(error) = &result {
        tracing::debug!(operation, %error, "refused a request");
    }
    protocol::encode(result)
}

/// A request too large to be read is one whose message is too large.
fn unreadable(rejection: BytesRejection) -> Error {
    match rejection {
        BytesRejection::FailedToBufferBody(error) if error.status() == 413 => {
            Error::InvalidParameterValue(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
                limits::MAX_MESSAGE_BYTES
            ))
        }
        rejection => Error::Serialization(rejection.body_text()),
    }
}

/// Scheme, host and port as the client knows them.
fn endpoint(uri: &Uri, headers: &HeaderMap) -> String {
    let authority = uri.authority().map(ToString::to_string);
    let host = text(headers, HOST.as_str()).or(authority);
    format!("http://{}", host.as_deref().unwrap_or("localhost"))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
