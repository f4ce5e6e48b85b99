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
    #[error("This emulator has no {0}.")]
    Unimplemented(String),
    /// The one that clients meet with a new attempt.
    #[error("The server is shutting down.")]
    ShuttingDown,
}

impl Error {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidArgument(reason.into())
    }

    /// The code of gRPC, and what `google/rpc/code.proto` pairs with it: the HTTP status and the code's name.
    fn code(&self) -> (Code, u16, &'static str) {
        match self {
            Self::NotFound(_) => (Code::NotFound, 404, "NOT_FOUND"),
            Self::AlreadyExists(_) => (Code::AlreadyExists, 409, "ALREADY_EXISTS"),
            Self::InvalidArgument(_) => (Code::InvalidArgument, 400, "INVALID_ARGUMENT"),
            Self::Unimplemented(_) => (Code::Unimplemented, 501, "UNIMPLEMENTED"),
            Self::ShuttingDown => (Code::Unavailable, 503, "UNAVAILABLE"),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self::new(error.code().0, error.to_string())
    }
}

/// [Google's JSON error body](https://cloud.google.com/apis/design/errors#http_mapping).
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (_, http, status) = self.code();
        let message = self.to_string();
        let body = json!({"error": {"code": http, "message": message, "status": status}});
        let http = StatusCode::from_u16(http).unwrap_or_default();
        (http, Json(body)).into_response()
    }
}
