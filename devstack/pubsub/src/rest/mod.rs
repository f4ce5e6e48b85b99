//! The REST door: the HTTP mapping of `google/pubsub/v1/pubsub.proto`, in proto3 JSON.
//!
//! Paths end in an id, or in an id and a verb: `…/topics/{id}:publish`. The router sees both as
//! one segment, so a POST handler looks for the verb itself.

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use serde::de::DeserializeOwned;

mod subscriptions;
mod topics;

use crate::broker::Broker;
use crate::error::Error;
use crate::message::MAX_PUBLISH_BYTES;

/// Base64 makes four bytes of three; the rest is room for names and attributes.
const MAX_BODY_BYTES: usize = MAX_PUBLISH_BYTES / 3 * 4 + 6_000_000;

pub(crate) fn router() -> Router<Broker> {
    Router::new()
        .route("/", get(async || "Ok"))
        .nest("/v1/projects/{project}/topics", topics::router())
        .nest(
            "/v1/projects/{project}/subscriptions",
            subscriptions::router(),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// The answer to a path that this server does not have.
pub(crate) fn not_found(path: &str) -> Error {
    Error::NotFound(path.to_owned())
}

/// Clients differ in the content type that they send, so it is not looked at.
/// An empty body is an empty message.
fn parse_body<T: DeserializeOwned + Default>(body: &Bytes) -> Result<T, Error> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body)
        .map_err(|error| Error::invalid(format!("Invalid JSON payload received. {error}")))
}

/// Splits `{id}:{verb}`. Ids have no colon.
fn split_verb(segment: &str) -> (&str, &str) {
    segment.rsplit_once(':').unwrap_or((segment, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_follows_the_last_colon() {
        assert_eq!(
            split_verb("order.classified:publish"),
            ("order.classified", "publish")
        );
        assert_eq!(split_verb("order.classified"), ("order.classified", ""));
    }
}
