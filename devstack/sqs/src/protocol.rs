//! AWS JSON 1.0, which all current SDKs speak, and of the query protocol before it what a line of curl wants.
//!
//! A request in AWS JSON names its operation in the `x-amz-target` header; one of the query protocol is a form.
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use crate::error::Error;

const TARGET: &str = "x-amz-target";

/// What can be asked by the query protocol: whatever takes and gives texts alone, and somebody's script uses.
const QUERIES: [&str; 2] = ["GetQueueUrl", "SendMessage"];

#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Json,
    Query,
}

/// What a client asks for, in the shape of AWS JSON.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) input: Value,
}

impl Protocol {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(TARGET) {
            Self::Json
        } else {
            Self::Query
        }
    }

    pub(crate) fn decode(
        self,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Request, Error> {
        match self {
            Self::Json => decode_json(headers, body),
            Self::Query => decode_query(uri, body),
        }
    }

    pub(crate) fn encode(self, operation: &str, result: Result<Value, Error>) -> Response {
        let id = Uuid::new_v4().to_string();
        let mut response = match self {
            Self::Json => encode_json(result),
            Self::Query => encode_query(operation, result, &id),
        };
        let id = id.parse().expect("a UUID is a valid header value");
        response.headers_mut().insert("x-amzn-requestid", id);
        response
    }
}

fn decode_json(headers: &HeaderMap, body: &[u8]) -> Result<Request, Error> {
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

/// Reads the form in the body, or in the URI; the queue may be named by the path.
fn decode_query(uri: &Uri, body: &[u8]) -> Result<Request, Error> {
    let form = if body.is_empty() {
        uri.query().unwrap_or_default().as_bytes()
    } else {
        body
    };
    let mut input = Map::new();
    input.insert("QueueUrl".to_owned(), uri.path().into());
    for (name, value) in form_urlencoded::parse(form) {
        if name.contains('.') {
            let reason = format!("{name} is part of a list or a map, which takes AWS JSON here");
            return Err(Error::Serialization(reason));
        }
        input.insert(name.into_owned(), value.into());
    }
    let action = input.remove("Action");
    let action = action.as_ref().and_then(Value::as_str);
    let operation = action.ok_or(Error::MissingParameter("Action"))?.to_owned();
    if !QUERIES.contains(&operation.as_str()) {
        return Err(Error::UnknownOperation(operation));
    }
    let input = Value::Object(input);
    Ok(Request { operation, input })
}

/// Besides the type in the body of an error, a header carries the query protocol's code:
/// SQS was a query service once, and its clients still match on those codes.
/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>
fn encode_json(result: Result<Value, Error>) -> Response {
    const JSON: &str = "application/x-amz-json-1.0";
    let error = match result {
        Ok(output) => return respond(200, JSON, output.to_string()),
        Err(error) => error,
    };
    let code = error.code();
    let shape = format!("{}#{}", code.namespace(), code.shape);
    let body = json!({ "__type": shape, "message": error.to_string() });
    let mut response = respond(code.status, JSON, body.to_string());
    let header = HeaderValue::from_str(&format!("{};Sender", code.query));
    let header = header.expect("codes are plain ASCII");
    response.headers_mut().insert("x-amzn-query-error", header);
    response
}

fn encode_query(operation: &str, result: Result<Value, Error>, id: &str) -> Response {
    const XML: &str = "text/xml";
    match result {
        Ok(output) => {
            let members = output.as_object().into_iter().flatten();
            let members = members.filter_map(|(name, value)| Some((name, value.as_str()?)));
            let result: String = members.map(|(name, text)| element(name, text)).collect();
            let body = format!(
                "<{operation}Response xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">\
                 <{operation}Result>{result}</{operation}Result>\
                 <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"
            );
            respond(200, XML, body)
        }
        Err(error) => {
            let code = element("Code", error.code().query);
            let message = element("Message", &error.to_string());
            let body = format!(
                "<ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">\
                 <Error><Type>Sender</Type>{code}{message}</Error><RequestId>{id}</RequestId></ErrorResponse>"
            );
            respond(error.code().status, XML, body)
        }
    }
}

fn element(name: &str, text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

fn respond(status: u16, content_type: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}
