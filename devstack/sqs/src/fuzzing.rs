//! Whole requests for the fuzz targets, on an emulator without a port.

use std::sync::Arc;

use axum::{
    body::{Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{QueueConfig, Queues},
    emulator::Emulator,
    server,
};

/// Stands in a body for the latest receipt handle, which no fuzzer can guess.
const HANDLE: &str = "@handle";

/// Sends requests to a new emulator; panics on an answer that no client could read.
///
/// The byte 0x1e parts the requests.
/// The first line of each is `AmazonSQS.<Operation>` in AWS JSON 1.0, or the path of a form; the rest is the body.
pub fn request(data: &[u8]) {
    // With the clock paused, long polls end as soon as nothing else is to be done.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without IO needs nothing from the system");
    runtime.block_on(async {
        let queues = Queues::new()
            .with_queue(QueueConfig::new("jobs").with_redrive("jobs-dlq", 1))
            .with_queue(QueueConfig::new("jobs-dlq"))
            .with_queue(QueueConfig::new("jobs.fifo"));
        let emulator = Emulator::start(&queues, CancellationToken::new());
        let emulator = Arc::new(emulator.expect("the queues are valid"));
        let mut handle = String::new();
        for request in data.split(|&byte| byte == 0x1e) {
            let answer = send(&emulator, request, &handle).await;
            handle = answer.as_ref().and_then(receipt_handle).unwrap_or(handle);
        }
    });
}

/// The answer, if it is JSON.
async fn send(emulator: &Arc<Emulator>, request: &[u8], handle: &str) -> Option<Value> {
    let end = request.iter().position(|&byte| byte == b'\n');
    let (head, body) = request.split_at(end.unwrap_or(request.len()));
    let mut headers = HeaderMap::new();
    let mut uri = Uri::from_static("/");
    if head.starts_with(b"AmazonSQS.") {
        headers.insert("x-amz-target", head.try_into().ok()?);
    } else {
        uri = head.try_into().ok()?;
    }
    let body = filled_in(body.strip_prefix(b"\n").unwrap_or_default(), handle);
    let response =
        server::handle(State(Arc::clone(emulator)), uri, headers.clone(), Ok(body)).await;
    assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let answer = to_bytes(response.into_body(), usize::MAX).await;
    let answer = answer.expect("it is in memory");
    let text = std::str::from_utf8(&answer).expect("answers are UTF-8");
    let is_json = !headers.is_empty();
    is_json.then(|| serde_json::from_str(text).expect("an answer to AWS JSON is JSON"))
}

fn filled_in(body: &[u8], handle: &str) -> Bytes {
    match std::str::from_utf8(body) {
        Ok(text) => text.replace(HANDLE, handle).into(),
        Err(_not_text) => Bytes::copy_from_slice(body),
    }
}

fn receipt_handle(answer: &Value) -> Option<String> {
    let handle = answer.pointer("/Messages/0/ReceiptHandle")?.as_str()?;
    Some(handle.to_owned())
}
