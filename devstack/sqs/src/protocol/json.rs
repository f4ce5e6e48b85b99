//! AWS JSON 1.0, which all current SDKs speak.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

use axum::{
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use serde_json::{Value, json};

use super::{Request, respond};
use crate::error::Error;

pub(super) const TARGET: &str = "x-amz-target";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

pub(super) fn decode(headers: &HeaderMap, body: &[u8]) -> Result<Request, Error> {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok());
    let target = target.unwrap_or_default();
    let operation = target
        .strip_prefix("AmazonSQS.")
        .ok_or_else(|| Error::UnknownOperation(target.to_owned()))?;
    let input = if body.is_empty() { b"{}" } else { body };
    let mut input: Value =
        serde_json::from_slice(input).map_err(|error| Error::Serialization(error.to_string()))?;
    drop_nulls(&mut input);
    Ok(Request {
        operation: operation.to_owned(),
        input,
    })
}

/// A member that is null counts as one that is not there.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#shape-serialization>
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

pub(super) fn encode(output: Value) -> Response {
    let output = if output.is_null() { json!({}) } else { output };
    respond(200, CONTENT_TYPE, output.to_string())
}

/// Besides the type in the body, the header carries the query protocol's code:
/// SQS was a query service once, and its clients still match on those codes.
/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>
pub(super) fn encode_error(error: &Error) -> Response {
    let code = error.code();
    let shape = format!("{}#{}", code.namespace(), code.shape);
    let body = json!({ "__type": shape, "message": error.to_string() }).to_string();
    let mut response = respond(code.status, CONTENT_TYPE, body);
    let header = HeaderValue::from_str(&format!("{};Sender", code.query));
    let header = header.expect("codes are plain ASCII");
    response.headers_mut().insert("x-amzn-query-error", header);
    response
}
