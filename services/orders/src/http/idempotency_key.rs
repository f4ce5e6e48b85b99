//! The header `Idempotency-Key`.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use web::Problem;

use crate::idempotency::IdempotencyKey;

const HEADER: &str = "idempotency-key";

/// The key of a request that has one.
pub(super) struct OptionalKey(pub(super) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        if values.next().is_some() {
            return Err(refused(
                "the header Idempotency-Key must be there only once",
            ));
        }
        let text = value.to_str().unwrap_or_default();
        let key = text.parse().map_err(|_| {
            refused(
                "the header Idempotency-Key must be 1 to 255 visible ASCII characters in quotes",
            )
        })?;
        Ok(Self(Some(key)))
    }
}

fn refused(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST).detail(detail)
}
