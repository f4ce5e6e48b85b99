//! Errors in the shape that OpenAI's clients parse: `{"error": {"message", "type", "param", "code"}}`.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model;

/// What a client is asked to wait that comes at a bad time.
const RETRY_AFTER_SECONDS: &str = "1";

/// A refused request.
#[derive(Debug, Serialize)]
pub(crate) struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The field of the request that is wrong, where it is one field.
    param: Option<&'static str>,
    code: Option<&'static str>,
    #[serde(skip)]
    retry_after: Option<&'static str>,
}

impl ApiError {
    /// The request as a whole cannot be used.
    pub(crate) fn request(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind: "invalid_request_error",
            param: None,
            code: None,
            retry_after: None,
        }
    }

    /// A server that cannot work now.
    pub(crate) fn unavailable() -> Self {
        Self {
            kind: "server_error",
            retry_after: Some(RETRY_AFTER_SECONDS),
            ..Self::request(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server is overloaded, on purpose.",
            )
        }
    }

    /// A client that asks too often.
    pub(crate) fn rate_limit() -> Self {
        Self {
            kind: "requests",
            code: Some("rate_limit_exceeded"),
            retry_after: Some(RETRY_AFTER_SECONDS),
            ..Self::request(
                StatusCode::TOO_MANY_REQUESTS,
                "Rate limit reached, on purpose.",
            )
        }
    }

    /// One field of the request cannot be used.
    pub(crate) fn field(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param),
            ..Self::request(StatusCode::BAD_REQUEST, message)
        }
    }

    /// A model that does not exist, with the name of the one that does.
    pub(crate) fn unknown_model(asked: &str) -> Self {
        let message = format!(
            "The model `{asked}` does not exist. The only one here is `{}`.",
            model::NAME
        );
        Self {
            status: StatusCode::NOT_FOUND,
            code: Some("model_not_found"),
            ..Self::field("model", message)
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after.map(HeaderValue::from_static);
        let body = Json(serde_json::json!({ "error": self }));
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}
