//! Errors in the shape that OpenAI's clients parse: `{"error": {"message", "type", "param", "code"}}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model;

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
        (self.status, Json(serde_json::json!({ "error": self }))).into_response()
    }
}
