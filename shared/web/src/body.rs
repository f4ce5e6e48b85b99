//! Reading a request's body, within limits of size and time.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::limits::Limits;
use crate::problem::Problem;

/// The most bytes a body may have: many times what the largest order needs.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// How much of a body that is too large is still taken, and thrown away.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// How long a body may take, so that a caller that dribbles it does not hold a connection for ever: an extension of the
/// request, because what reads a body knows nothing of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadWithin(pub(crate) Duration);

/// Reads the whole body, at most [`MAX_BYTES`].
pub(crate) async fn read(request: Request) -> Result<Bytes, Problem> {
    let (parts, mut body) = request.into_parts();
    let within = parts.extensions.get().copied();
    let ReadWithin(within) = within.unwrap_or(ReadWithin(Limits::default().body_within));
    if body.size_hint().lower() > MAX_BYTES as u64 {
        return Err(refuse(&parts.headers, body).await);
    }
    match timeout(within, collect(&mut body)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(refuse(&parts.headers, body).await),
        Ok(Err(_broken_off)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST)
                .detail("the body ended before it was complete"))
        }
        Err(_elapsed) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT)
            .detail(format!("the body was not complete within {within:?}"))),
    }
}

/// `None` when there is more than allowed.
async fn collect(body: &mut Body) -> Result<Option<Bytes>, axum::Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        if bytes.len() + data.len() > MAX_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Some(bytes.freeze()))
}

/// Many clients read the answer only after they have sent everything, and a connection that is closed
/// while they send is reset, answer and all (RFC 9112 §9.6): so the rest is taken first, up to a limit.
async fn refuse(headers: &HeaderMap, mut body: Body) -> Problem {
    // Such a client waits for our word before it sends, so it needs no draining.
    if !headers.contains_key(header::EXPECT) {
        let drained = timeout(DRAIN_WITHIN, drain(&mut body)).await;
        tracing::debug!(
            complete = drained.is_ok(),
            "drained a body that is too large"
        );
    }
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
        .detail(format!("the body must be at most {MAX_BYTES} bytes long"))
}

async fn drain(body: &mut Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > DRAIN_BYTES {
            return;
        }
    }
}
