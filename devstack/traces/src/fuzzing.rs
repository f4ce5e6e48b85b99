//! Whole requests for the fuzz targets, on a store without ports.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use serde::de::IgnoredAny;
use tower::ServiceExt;

use crate::limits::Limits;
use crate::otlp;
use crate::query;
use crate::store::Store;

/// So little that a small input passes it.
const LIMITS: Limits = Limits {
    max_bytes: 24 * 1024,
    max_trace_bytes: 16 * 1024,
    max_spans_per_trace: 8,
    max_request_bytes: 1024 * 1024,
    max_found: 16,
    max_found_bytes: 16 * 1024,
};

/// What everybody asks; `@` stands for a trace id.
const READ_BACK: [&str; 8] = [
    "/api/v3/traces/@",
    "/api/v3/traces?query.start_time_min=1970-01-01T00:00:00Z&query.start_time_max=9999-01-01T00:00:00Z",
    "/api/v3/services",
    "/api/orderflow/backlinks/@",
    "/api/orderflow/logs/@",
    "/api/orderflow/stats",
    "/trace/@",
    "/",
];

/// Sends requests to a new store, then reads everything back; panics on an answer that no client could read.
///
/// The byte 0x1e parts the requests.
/// The first line of each is its path: an export if it starts with `/v1/`, with the rest as its body, otherwise a query.
/// A body that starts with a brace is sent as JSON, any other as protobuf.
pub fn request(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without IO needs nothing from the system");
    runtime.block_on(async {
        let store = Arc::new(Store::new(LIMITS));
        let receiver = otlp::http::router(Arc::clone(&store), LIMITS.max_request_bytes);
        let query = query::router(Arc::clone(&store));
        for request in data.split(|&byte| byte == 0x1e) {
            send(&receiver, &query, request).await;
        }
        let traces: Vec<_> = store.read().latest().cloned().collect();
        for trace in traces {
            let id = trace.id.to_string();
            for path in READ_BACK {
                let request = Request::get(path.replace('@', &id)).body(Body::empty());
                let status = answer(&query, request).await;
                assert_ne!(status, Some(StatusCode::BAD_REQUEST), "{path}");
            }
        }
    });
}

async fn send(receiver: &Router, query: &Router, request: &[u8]) {
    let end = request.iter().position(|&byte| byte == b'\n');
    let (path, body) = request.split_at(end.unwrap_or(request.len()));
    if path.starts_with(b"/v1/") {
        let body = body.strip_prefix(b"\n").unwrap_or_default();
        let content_type = match body.first() {
            Some(b'{') => "application/json",
            _ => "application/x-protobuf",
        };
        let request = Request::post(path).header(CONTENT_TYPE, content_type);
        let body = Bytes::copy_from_slice(body);
        answer(receiver, request.body(body.into())).await;
    } else {
        answer(query, Request::get(path).body(Body::empty())).await;
    }
}

/// The status of the answer; `None` if HTTP itself forbids the request.
async fn answer(router: &Router, request: http::Result<Request<Body>>) -> Option<StatusCode> {
    let Ok(response) = router.clone().oneshot(request.ok()?).await;
    let status = response.status();
    assert!(!status.is_server_error(), "{status}");
    read(response).await;
    Some(status)
}

async fn read(response: Response<Body>) {
    let is_json = response.headers().get(CONTENT_TYPE);
    let is_json = is_json.is_some_and(|content_type| content_type == "application/json");
    let body = to_bytes(response.into_body(), usize::MAX).await;
    let body = body.expect("it is in memory");
    if is_json {
        // Not `Value`, which refuses attributes nested deeper than protobuf allows them to be.
        serde_json::from_slice::<IgnoredAny>(&body).expect("an answer in JSON is JSON");
    }
}
