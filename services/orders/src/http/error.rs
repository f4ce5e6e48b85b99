//! What the core says, as problem documents. The status codes of this service stand here.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::OrderStatus;
use web::Problem;

#[derive(Debug)]
pub(super) enum Error {
    UnknownOrder,
    /// An order of this status does not go where it was asked to.
    Refused(OrderStatus),
    /// The `Idempotency-Key` was used for another order.
    KeyOfAnother,
    Unexpected(sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Unexpected(error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::UnknownOrder => {
                Problem::new(StatusCode::NOT_FOUND).detail("there is no order with this id")
            }
            Self::Refused(status) => Problem::new(StatusCode::CONFLICT)
                .detail(format!("the order is {status}, and does not go there")),
            Self::KeyOfAnother => Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                .detail("this Idempotency-Key was used for another order"),
            Self::Unexpected(error) => Problem::database(error),
        };
        problem.into_response()
    }
}
