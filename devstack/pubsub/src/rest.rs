//! The REST door: the HTTP mapping of `google/pubsub/v1/pubsub.proto`, in proto3 JSON.
//!
//! Paths end in an id, or in an id and a verb: `…/topics/{id}:publish`.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, json};

use crate::api;
use crate::broker::Broker;
use crate::error::Error;
use crate::message::MAX_PUBLISH_BYTES;

/// Base64 makes four bytes of three; the rest is room for names and attributes.
const MAX_BODY_BYTES: usize = MAX_PUBLISH_BYTES / 3 * 4 + 6_000_000;

/// The field of a request that its path tells.
const SUBSCRIPTION: &str = "subscription";

pub(crate) fn router() -> Router<Broker> {
    Router::new()
        .route("/", get(async || "Ok"))
        .route("/v1/{*path}", any(handle))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// The list of everything that can be asked for.
async fn handle(
    State(broker): State<Broker>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Error> {
    // Ids have no colon.
    let (name, verb) = path.rsplit_once(':').unwrap_or((&path, ""));
    let segments: Vec<&str> = name.split('/').collect();
    match (method.as_str(), &segments[..], verb) {
        ("PUT", [_, _, "topics", _], "") => {
            let settings = parse(&body, "name", name)?;
            answer(broker.change(|catalog, _| catalog.create_topic(settings)))
        }
        ("GET", [_, _, "topics", _], "") => {
            answer(broker.read(|catalog, _| Ok(catalog.topic(name)?.settings.clone())))
        }
        ("POST", [_, _, "topics", _], "publish") => {
            answer(api::publish(&broker, parse(&body, "topic", name)?))
        }
        ("GET", ["projects", project, "subscriptions"], "") => {
            if query.is_some_and(|query| query.contains("page")) {
                return Err(Error::Unimplemented("lists in pages".to_owned()));
            }
            answer(
                broker.read(|catalog, _| {
                    Ok(json!({"subscriptions": catalog.subscriptions(project)}))
                }),
            )
        }
        ("PUT", [_, _, "subscriptions", _], "") => {
            let settings = parse(&body, "name", name)?;
            answer(broker.change(|catalog, now| catalog.create_subscription(settings, now)))
        }
        ("GET", [_, _, "subscriptions", _], "") => {
            answer(broker.read(|catalog, _| Ok(catalog.subscription(name)?.settings.clone())))
        }
        // Its streams wake up to find that it is gone.
        ("DELETE", [_, _, "subscriptions", _], "") => answer(broker.change(|catalog, _| {
            catalog.delete_subscription(name)?;
            Ok(json!({}))
        })),
        ("POST", [_, _, "subscriptions", _], "pull") => {
            answer(api::pull(&broker, parse(&body, SUBSCRIPTION, name)?).await)
        }
        ("POST", [_, _, "subscriptions", _], "acknowledge") => {
            answer(api::acknowledge(&broker, parse(&body, SUBSCRIPTION, name)?))
        }
        ("POST", [_, _, "subscriptions", _], "modifyAckDeadline") => {
            let request = parse(&body, SUBSCRIPTION, name)?;
            answer(api::modify_ack_deadline(&broker, request))
        }
        ("POST", [_, _, "subscriptions", _], "seek") => {
            answer(api::seek(&broker, &parse(&body, SUBSCRIPTION, name)?))
        }
        _ => Err(Error::Unimplemented(format!("{method} /v1/{path}"))),
    }
}

fn answer<T: Serialize>(result: Result<T, Error>) -> Result<Response, Error> {
    Ok(Json(result?).into_response())
}

/// A message whose `field` is in the path; some clients repeat it in the body.
///
/// Clients differ in the content type that they send, so it is not looked at.
/// An empty body is an empty message.
fn parse<T: DeserializeOwned>(body: &[u8], field: &str, name: &str) -> Result<T, Error> {
    let body = if body.is_empty() { b"{}" } else { body };
    let message = serde_json::from_slice(body).and_then(|mut message: Map<_, _>| {
        message.insert(field.to_owned(), name.into());
        serde_json::from_value(message.into())
    });
    message.map_err(|error| Error::invalid(format!("Invalid JSON payload received. {error}")))
}
