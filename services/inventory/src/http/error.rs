//! What the core says, as problem documents. The status codes of this service stand here.

use axum::http::StatusCode;
use web::Problem;

use crate::stock::{ItemError, ReserveError};

impl From<ReserveError> for Problem {
    fn from(error: ReserveError) -> Self {
        let detail = error.to_string();
        let (status, kind) = match error {
            ReserveError::UnknownItem(_) => (StatusCode::NOT_FOUND, "urn:orderflow:unknown-item"),
            ReserveError::OutOfStock(_) => (StatusCode::CONFLICT, "urn:orderflow:out-of-stock"),
            ReserveError::Released(_) => (StatusCode::CONFLICT, "urn:orderflow:released"),
            ReserveError::OtherQuantity { .. } => {
                (StatusCode::CONFLICT, "urn:orderflow:other-quantity")
            }
            ReserveError::Unexpected(error) => return Problem::database(error),
        };
        Problem::new(status).kind(kind).detail(detail)
    }
}

impl From<ItemError> for Problem {
    fn from(error: ItemError) -> Self {
        let detail = error.to_string();
        match error {
            ItemError::Unknown(_) => Problem::new(StatusCode::NOT_FOUND)
                .kind("urn:orderflow:unknown-item")
                .detail(detail),
            ItemError::Unexpected(error) => Problem::database(error),
        }
    }
}
