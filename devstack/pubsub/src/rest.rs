//! The REST door: the HTTP mapping of `google/pubsub/v1/pubsub.proto`, in proto3 JSON.
//!
//! Paths end in an id, or in an id and a verb: `…/topics/{id}:publish`. The router sees both as
//! one segment, so a POST handler looks for the verb itself.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api;
use crate::broker::Broker;
use crate::error::Error;
use crate::message::MAX_PUBLISH_BYTES;
use crate::names::{SubscriptionName, TopicName};
use crate::settings::{Settings, TopicSettings};

/// Base64 makes four bytes of three; the rest is room for names and attributes.
const MAX_BODY_BYTES: usize = MAX_PUBLISH_BYTES / 3 * 4 + 6_000_000;

const TOPIC: &str = "/v1/projects/{project}/topics/{topic}";
const SUBSCRIPTIONS: &str = "/v1/projects/{project}/subscriptions";
const SUBSCRIPTION: &str = "/v1/projects/{project}/subscriptions/{subscription}";

/// The project, and the last segment: an id, or an id with a verb.
type Resource = Path<(String, String)>;

pub(crate) fn router() -> Router<Broker> {
    let topic = get(get_topic).put(create_topic).post(ask_topic);
    let subscription = get(get_subscription)
        .put(create_subscription)
        .delete(delete_subscription)
        .post(ask_subscription);
    Router::new()
        .route("/", get(async || "Ok"))
        .route(TOPIC, topic)
        .route(SUBSCRIPTIONS, get(list_subscriptions))
        .route(SUBSCRIPTION, subscription)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn get_topic(
    State(broker): State<Broker>,
    Path((project, id)): Resource,
) -> Result<Json<TopicSettings>, Error> {
    let name = TopicName::new(&project, &id)?;
    broker.read(|catalog, _| Ok(Json(catalog.topic(&name)?.settings.clone())))
}

async fn create_topic(
    State(broker): State<Broker>,
    Path((project, id)): Resource,
    body: Bytes,
) -> Result<Json<TopicSettings>, Error> {
    let name = TopicName::new(&project, &id)?;
    let settings = parse::<TopicSettings>(&body, "name", &name)?.check()?;
    broker.change(|catalog, _| catalog.create_topic(settings.clone()))?;
    Ok(Json(settings))
}

async fn ask_topic(
    State(broker): State<Broker>,
    Path((project, segment)): Resource,
    body: Bytes,
) -> Result<Response, Error> {
    let (id, verb) = split_verb(&segment);
    let name = TopicName::new(&project, id)?;
    match verb {
        "publish" => answer(api::publish(&broker, parse(&body, "topic", &name)?)),
        _ => Err(Error::Unimplemented(format!("{verb} of a topic"))),
    }
}

async fn list_subscriptions(
    State(broker): State<Broker>,
    Path(project): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Error> {
    if let Some(field) = query.keys().find(|field| field.starts_with("page")) {
        return Err(Error::Unimplemented(format!("lists in pages ({field})")));
    }
    broker.read(|catalog, _| {
        let subscriptions: Vec<_> = catalog.subscriptions(&project).collect();
        Ok(Json(json!({"subscriptions": subscriptions})))
    })
}

async fn get_subscription(
    State(broker): State<Broker>,
    Path((project, id)): Resource,
) -> Result<Json<Settings>, Error> {
    let name = SubscriptionName::new(&project, &id)?;
    broker.read(|catalog, _| Ok(Json(catalog.subscription(&name)?.settings.clone())))
}

async fn create_subscription(
    State(broker): State<Broker>,
    Path((project, id)): Resource,
    body: Bytes,
) -> Result<Json<Settings>, Error> {
    let name = SubscriptionName::new(&project, &id)?;
    let settings = parse::<Settings>(&body, "name", &name)?.check()?;
    broker.change(|catalog, now| catalog.create_subscription(settings.clone(), now))?;
    Ok(Json(settings))
}

async fn delete_subscription(
    State(broker): State<Broker>,
    Path((project, id)): Resource,
) -> Result<Json<Value>, Error> {
    let name = SubscriptionName::new(&project, &id)?;
    // Its streams wake up to find that it is gone.
    broker.change(|catalog, _| catalog.delete_subscription(&name))?;
    Ok(Json(json!({})))
}

async fn ask_subscription(
    State(broker): State<Broker>,
    Path((project, segment)): Resource,
    body: Bytes,
) -> Result<Response, Error> {
    let (id, verb) = split_verb(&segment);
    let name = SubscriptionName::new(&project, id)?;
    let field = "subscription";
    match verb {
        "pull" => answer(api::pull(&broker, parse(&body, field, &name)?).await),
        "acknowledge" => answer(api::acknowledge(&broker, &parse(&body, field, &name)?)),
        "modifyAckDeadline" => {
            let request = parse(&body, field, &name)?;
            answer(api::modify_ack_deadline(&broker, &request))
        }
        "seek" => answer(api::seek(&broker, &parse(&body, field, &name)?)),
        _ => Err(Error::Unimplemented(format!("{verb} of a subscription"))),
    }
}

fn answer<T: Serialize>(result: Result<T, Error>) -> Result<Response, Error> {
    Ok(Json(result?).into_response())
}

/// A message whose `field` is in the path; some clients repeat it in the body.
///
/// Clients differ in the content type that they send, so it is not looked at.
/// An empty body is an empty message.
fn parse<T: DeserializeOwned>(body: &[u8], field: &str, name: &impl ToString) -> Result<T, Error> {
    let body = if body.is_empty() { b"{}" } else { body };
    let message = serde_json::from_slice(body).and_then(|mut message: Map<_, _>| {
        message.insert(field.to_owned(), name.to_string().into());
        serde_json::from_value(message.into())
    });
    message.map_err(|error| Error::invalid(format!("Invalid JSON payload received. {error}")))
}

/// Splits `{id}:{verb}`. Ids have no colon.
fn split_verb(segment: &str) -> (&str, &str) {
    segment.rsplit_once(':').unwrap_or((segment, ""))
}
