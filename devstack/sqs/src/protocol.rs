//! AWS JSON 1.0, which all current SDKs speak: a request names its operation in the `x-amz-target` header.
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;

const TARGET: &str = "x-amz-target";

/// What a client asks for, in the shape of AWS JSON.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) input: Value,
}

pub(crate) fn decode(headers: &HeaderMap, body: &[u8]) -> Result<Request, Error> {
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

/// Besides the type in the body of an error, a header carries the query protocol's code:
/// SQS was a query service once, and its clients still match on those codes.
/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>
pub(crate) fn encode(result: Result<Value, Error>) -> Response {
    let mut response = without_id(result);
    let id = Uuid::new_v4().to_string().parse();
    let id = id.expect("a UUID is a valid header value");
    response.headers_mut().insert("x-amzn-requestid", id);
    response
}

fn without_id(result: Result<Value, Error>) -> Response {
    let error = match result {
        Ok(output) => return respond(200, &output),
        Err(error) => error,
    };
    let code = error.code();
    let shape = format!("{}#{}", code.namespace(), code.shape);
    let body = json!({ "__type": shape, "message": error.to_string() });
    let mut response = respond(code.status, &body);
    let header = HeaderValue::from_str(&format!("{};Sender", code.query));
    let header = header.expect("codes are plain ASCII");
    response.headers_mut().insert("x-amzn-query-error", header);
    response
}

fn respond(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let json = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, json, body.to_string()).into_response()
}
