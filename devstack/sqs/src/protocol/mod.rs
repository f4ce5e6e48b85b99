//! The two ways in which clients speak to SQS; a request says by itself which one it uses.
//!
//! AWS JSON 1.0 names the operation in the `x-amz-target` header; the query protocol of older SDKs
//! names it in the form field `Action`.

mod json;
mod query;
mod query_members;
mod xml;

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Json,
    Query,
}

/// What a client asks for, in the shape of the JSON protocol.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) input: Value,
}

impl Protocol {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(json::TARGET) {
            Self::Json
        } else {
            Self::Query
        }
    }

    pub(crate) fn decode(
        self,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Request, Error> {
        match self {
            Self::Json => json::decode(headers, body),
            Self::Query => query::decode(uri, body),
        }
    }

    pub(crate) fn encode(self, operation: &str, result: Result<Value, Error>) -> Response {
        let request_id = Uuid::new_v4().to_string();
        let mut response = match (self, result) {
            (Self::Json, Ok(output)) => json::encode(output),
            (Self::Json, Err(error)) => json::encode_error(&error),
            (Self::Query, Ok(output)) => xml::encode(operation, &output, &request_id),
            (Self::Query, Err(error)) => xml::encode_error(&error, &request_id),
        };
        let request_id = request_id.parse().expect("a UUID is a valid header value");
        response
            .headers_mut()
            .insert("x-amzn-requestid", request_id);
        response
    }
}

fn respond(status: u16, content_type: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}
