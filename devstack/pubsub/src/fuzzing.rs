//! Whole requests for the fuzz targets, on a broker without a port.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use futures::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::broker::Broker;

/// The requests before those of the fuzzer.
const WHAT_IS_THERE: [&str; 3] = [
    "PUT /v1/projects/p/topics/jobs",
    "PUT /v1/projects/p/topics/dead",
    "PUT /v1/projects/p/subscriptions/jobs\n\
     {\"topic\": \"projects/p/topics/jobs\", \"deadLetterPolicy\": {\"deadLetterTopic\": \"projects/p/topics/dead\"}}",
];

/// Stands in a REST body for the latest ack id, which no fuzzer can guess.
const ACK_ID: &str = "@ack";

/// How long a client keeps its side of a gRPC call open, so that a streaming pull delivers something.
const OPEN: Duration = Duration::from_secs(1);

/// Long enough for leases and back-offs to end.
const AFTERWARDS: Duration = Duration::from_mins(1);

/// Sends requests to a new broker; panics on an answer that no client could read.
///
/// The byte 0x1e parts the requests.
/// The first line of each is its method and path; the rest is the body, for a path of gRPC one message without its frame.
pub fn request(data: &[u8]) {
    // With the clock paused, pulls and streams end as soon as nothing else is to be done.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without IO needs nothing from the system");
    runtime.block_on(async {
        let broker = Broker::new(CancellationToken::new());
        let router = crate::router().with_state(broker);
        for request in WHAT_IS_THERE {
            send(&router, request.as_bytes(), "").await;
        }
        send_all(&router, data).await;
    });
}

async fn send_all(router: &Router, data: &[u8]) {
    let mut ack_id = String::new();
    for request in data.split(|&byte| byte == 0x1e) {
        let answer = send(router, request, &ack_id).await;
        ack_id = answer.as_ref().and_then(received).unwrap_or(ack_id);
    }
    tokio::time::sleep(AFTERWARDS).await;
    // Any request does first what has become due.
    send(router, b"GET /v1/projects/p/subscriptions", "").await;
}

/// The answer, if it is JSON.
async fn send(router: &Router, request: &[u8], ack_id: &str) -> Option<Value> {
    let end = request.iter().position(|&byte| byte == b'\n');
    let (head, body) = request.split_at(end.unwrap_or(request.len()));
    let (method, path) = std::str::from_utf8(head).ok()?.split_once(' ')?;
    let body = body.strip_prefix(b"\n").unwrap_or_default();
    let request = Request::builder().method(method).uri(path);
    let request = if path.starts_with("/google.") {
        let request = request.header(CONTENT_TYPE, "application/grpc");
        request.body(framed(body))
    } else {
        request.body(filled_in(body, ack_id).into())
    };
    let Ok(response) = router.clone().oneshot(request.ok()?).await;
    assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let answer = to_bytes(response.into_body(), usize::MAX).await;
    serde_json::from_slice(&answer.expect("answers end")).ok()
}

/// One message of gRPC, not compressed: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
fn framed(message: &[u8]) -> Body {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let frame = [&[0], &length.to_be_bytes()[..], message].concat();
    let stays_open = stream::once(async {
        tokio::time::sleep(OPEN).await;
        Bytes::new()
    });
    let frames = stream::iter([Bytes::from(frame)]).chain(stays_open);
    Body::from_stream(frames.map(Ok::<_, axum::Error>))
}

fn filled_in(body: &[u8], ack_id: &str) -> Bytes {
    match std::str::from_utf8(body) {
        Ok(text) => text.replace(ACK_ID, ack_id).into(),
        Err(_not_text) => Bytes::copy_from_slice(body),
    }
}

fn received(answer: &Value) -> Option<String> {
    let ack_id = answer.pointer("/receivedMessages/0/ackId")?.as_str()?;
    Some(ack_id.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_seed_is_answered() {
        let seeds = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fuzz/seeds/pubsub_request"
        );
        for seed in fs::read_dir(seeds).unwrap() {
            request(&fs::read(seed.unwrap().path()).unwrap());
        }
    }
}
