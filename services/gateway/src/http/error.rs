//! What the clients say, as problem documents. The status codes of this service stand here.

use std::error::Error;

use axum::http::StatusCode;
use web::Problem;

use crate::clients::CallError;

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let cause = error.source().map(ToString::to_string);
        tracing::error!(%error, cause, "a call failed");
        let status = match error {
            CallError::Unreachable(..) | CallError::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            CallError::TimedOut(..) => StatusCode::GATEWAY_TIMEOUT,
            CallError::Failed(..) => StatusCode::BAD_GATEWAY,
        };
        // Which service it was is no secret; why it failed stays in the log.
        let detail = match error {
            CallError::Failed(service, _) => format!("{service} failed"),
            other => other.to_string(),
        };
        Problem::new(status).detail(detail)
    }
}
