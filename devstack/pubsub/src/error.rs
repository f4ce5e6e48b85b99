//! What can go wrong, and how each door tells the client.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tonic::{Code, Status};

/// One variant per status code that a client sees.
/// The texts name the resource or the argument, as the real service's do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("Resource not found (resource={0}).")]
    NotFound(String),
    #[error("Resource already exists in the project (resource={0}).")]
    AlreadyExists(String),
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    Unimplemented(String),
    /// The one that clients meet with a new attempt.
    #[error("The server is shutting down.")]
    ShuttingDown,
}

impl Error {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidArgument(reason.into())
    }

    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::AlreadyExists(_) => Code::AlreadyExists,
            Self::InvalidArgument(_) => Code::InvalidArgument,
            Self::Unimplemented(_) => Code::Unimplemented,
            Self::ShuttingDown => Code::Unavailable,
        }
    }

    /// The HTTP status and the name that `google/rpc/code.proto` pairs with each code.
    fn http(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::AlreadyExists(_) => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
            Self::InvalidArgument(_) => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
            Self::Unimplemented(_) => (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED"),
            Self::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// [Google's JSON error body](https://cloud.google.com/apis/design/errors#http_mapping).
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (http, status) = self.http();
        let body = json!({
            "error": {"code": http.as_u16(), "message": self.to_string(), "status": status}
        });
        (http, Json(body)).into_response()
    }
}
