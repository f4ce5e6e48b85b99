//! `/v1/projects/{project}/topics`.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};

use super::{not_found, parse_body, split_verb};
use crate::api::publisher;
use crate::broker::Broker;
use crate::error::Error;
use crate::proto::{
    DeleteTopicRequest, Empty, GetTopicRequest, ListTopicSubscriptionsRequest,
    ListTopicSubscriptionsResponse, ListTopicsRequest, ListTopicsResponse, PublishRequest,
    PublishResponse, Topic, UpdateTopicRequest,
};

type Answer<T> = Result<Json<T>, Error>;

pub(super) fn router() -> Router<Broker> {
    Router::new()
        .route("/", get(list))
        .route(
            "/{topic}",
            get(get_topic)
                .put(create)
                .patch(update)
                .delete(delete)
                .post(publish),
        )
        .route("/{topic}/subscriptions", get(list_subscriptions))
}

/// The two wildcards of a path that names a topic.
type TopicPath = Path<(String, String)>;

fn name(project: &str, topic: &str) -> String {
    format!("projects/{project}/topics/{topic}")
}

async fn list(
    State(broker): State<Broker>,
    Path(project): Path<String>,
    Query(mut request): Query<ListTopicsRequest>,
) -> Answer<ListTopicsResponse> {
    request.project = format!("projects/{project}");
    publisher::list_topics(&broker, request).map(Json)
}

async fn get_topic(
    State(broker): State<Broker>,
    Path((project, topic)): TopicPath,
) -> Answer<Topic> {
    let topic = name(&project, &topic);
    publisher::get_topic(&broker, GetTopicRequest { topic }).map(Json)
}

async fn create(
    State(broker): State<Broker>,
    Path((project, topic)): TopicPath,
    body: Bytes,
) -> Answer<Topic> {
    let mut request: Topic = parse_body(&body)?;
    request.name = name(&project, &topic);
    publisher::create_topic(&broker, request).map(Json)
}

async fn update(
    State(broker): State<Broker>,
    Path((project, topic)): TopicPath,
    body: Bytes,
) -> Answer<Topic> {
    let mut request: UpdateTopicRequest = parse_body(&body)?;
    request.topic.get_or_insert_default().name = name(&project, &topic);
    publisher::update_topic(&broker, request).map(Json)
}

async fn delete(State(broker): State<Broker>, Path((project, topic)): TopicPath) -> Answer<Empty> {
    let topic = name(&project, &topic);
    publisher::delete_topic(&broker, DeleteTopicRequest { topic }).map(Json)
}

async fn publish(
    State(broker): State<Broker>,
    Path((project, segment)): TopicPath,
    body: Bytes,
) -> Answer<PublishResponse> {
    let (topic, "publish") = split_verb(&segment) else {
        return Err(not_found(&segment));
    };
    let mut request: PublishRequest = parse_body(&body)?;
    request.topic = name(&project, topic);
    publisher::publish(&broker, request).map(Json)
}

async fn list_subscriptions(
    State(broker): State<Broker>,
    Path((project, topic)): TopicPath,
    Query(mut request): Query<ListTopicSubscriptionsRequest>,
) -> Answer<ListTopicSubscriptionsResponse> {
    request.topic = name(&project, &topic);
    publisher::list_topic_subscriptions(&broker, request).map(Json)
}
