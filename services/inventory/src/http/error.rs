//! What the core says, as problem documents. The status codes of this service stand here.

use axum::http::StatusCode;
use domain::refusals;
use web::Problem;

use crate::stock::{HoldError, ItemError};

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        let detail = error.to_string();
        let (status, kind) = match error {
            HoldError::UnknownItem(_) => (StatusCode::NOT_FOUND, refusals::UNKNOWN_ITEM),
            HoldError::OutOfStock(_) => (StatusCode::CONFLICT, refusals::OUT_OF_STOCK),
            HoldError::Ended => (StatusCode::CONFLICT, refusals::ENDED),
            HoldError::HoldsOtherwise => (StatusCode::CONFLICT, refusals::HOLDS_OTHERWISE),
            HoldError::Unexpected(error) => return Problem::database(error),
        };
        Problem::new(status).kind(kind).detail(detail)
    }
}

impl From<ItemError> for Problem {
    fn from(error: ItemError) -> Self {
        let detail = error.to_string();
        match error {
            ItemError::Unknown(_) => Problem::new(StatusCode::NOT_FOUND)
                .kind(refusals::UNKNOWN_ITEM)
                .detail(detail),
            ItemError::Unexpected(error) => Problem::database(error),
        }
    }
}
