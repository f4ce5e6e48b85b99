//! AWS JSON 1.0, which all current SDKs speak: a request names its operation in the `x-amz-target` header.
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

use std::sync::Arc;

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{CONTENT_TYPE, HOST},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use standin::Visitors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    config::Queues,
    emulator::Emulator,
    error::Error,
    limits,
    operations::{self, Call},
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
    match run(emulator, &uri, &headers, body).await {
        Ok(mut output) => {
            drop_members(&mut output, |member| {
                member.is_null() || *member == json!([]) || *member == json!({})
            });
            respond(200, &output)
        }
        Err(error) => refuse(&error),
    }
}

async fn run(
    emulator: Arc<Emulator>,
    uri: &Uri,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Error> {
    let body = body.map_err(|rejection| match rejection.status() {
        // A request too large to be read is one whose message is too large.
        StatusCode::PAYLOAD_TOO_LARGE => limits::too_long(),
        _ => Error::Serialization(rejection.body_text()),
    })?;
    let target = text(headers, "x-amz-target").unwrap_or_default();
    let Some(operation) = target.strip_prefix("AmazonSQS.") else {
        return Err(Error::UnknownOperation(target));
    };
    let input = if body.is_empty() { b"{}" } else { &body[..] };
    let mut input = operations::read(serde_json::from_slice(input))?;
    // A member that is null counts as one that is not there.
    // <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#shape-serialization>
    drop_members(&mut input, Value::is_null);
    let call = Call {
        emulator,
        endpoint: endpoint(uri, headers),
    };
    operations::run(&call, operation, input).await
}

fn drop_members(value: &mut Value, is_nothing: fn(&Value) -> bool) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !is_nothing(member));
            let members = members.values_mut();
            members.for_each(|member| drop_members(member, is_nothing));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| drop_members(item, is_nothing)),
        _ => {}
    }
}

/// Besides the type in the body of an error, a header carries the query protocol's code:
/// SQS was a query service once, and its clients still match on those codes.
/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>
fn refuse(error: &Error) -> Response {
    tracing::debug!(%error, "refused a request");
    let (shape, query, status) = error.codes();
    // Errors of the service model, or of the framework beneath it.
    let namespace = if shape.ends_with("Exception") {
        "com.amazon.coral.service"
    } else {
        "com.amazonaws.sqs"
    };
    let shape = format!("{namespace}#{shape}");
    let body = json!({ "__type": shape, "message": error.to_string() });
    let header = [("x-amzn-query-error", format!("{query};Sender"))];
    (header, respond(status, &body)).into_response()
}

fn respond(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let json = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
    let id = [("x-amzn-requestid", Uuid::new_v4().to_string())];
    (status, json, id, body.to_string()).into_response()
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
