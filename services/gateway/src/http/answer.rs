//! What callers get from the services behind us. The status codes of this service stand here.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use web::Problem;

use crate::clients::{Answer, UpstreamError};

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

impl IntoResponse for UpstreamError {
    /// The caller learns which service failed, and the log learns why.
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed { .. } => StatusCode::BAD_GATEWAY,
        };
        let detail = self.to_string();
        let reason = format!("{:#}", anyhow::Error::new(self));
        tracing::error!(reason, "no answer for the caller");
        Problem::new(status).detail(detail).into_response()
    }
}
