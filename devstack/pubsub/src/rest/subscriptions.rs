//! `/v1/projects/{project}/subscriptions`.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::{not_found, parse_body, split_verb};
use crate::api::subscriber;
use crate::broker::Broker;
use crate::error::Error;
use crate::proto::{
    AcknowledgeRequest, DeleteSubscriptionRequest, Empty, GetSubscriptionRequest,
    ListSubscriptionsRequest, ListSubscriptionsResponse, ModifyAckDeadlineRequest,
    ModifyPushConfigRequest, PullRequest, SeekRequest, Subscription, UpdateSubscriptionRequest,
};

type Answer<T> = Result<Json<T>, Error>;

pub(super) fn router() -> Router<Broker> {
    Router::new().route("/", get(list)).route(
        "/{subscription}",
        get(get_subscription)
            .put(create)
            .patch(update)
            .delete(delete)
            .post(verb),
    )
}

/// The two wildcards of a path that names a subscription.
type SubscriptionPath = Path<(String, String)>;

fn name(project: &str, subscription: &str) -> String {
    format!("projects/{project}/subscriptions/{subscription}")
}

async fn list(
    State(broker): State<Broker>,
    Path(project): Path<String>,
    Query(mut request): Query<ListSubscriptionsRequest>,
) -> Answer<ListSubscriptionsResponse> {
    request.project = format!("projects/{project}");
    subscriber::list_subscriptions(&broker, request).map(Json)
}

async fn get_subscription(
    State(broker): State<Broker>,
    Path((project, subscription)): SubscriptionPath,
) -> Answer<Subscription> {
    let subscription = name(&project, &subscription);
    subscriber::get_subscription(&broker, GetSubscriptionRequest { subscription }).map(Json)
}

async fn create(
    State(broker): State<Broker>,
    Path((project, subscription)): SubscriptionPath,
    body: Bytes,
) -> Answer<Subscription> {
    let mut request: Subscription = parse_body(&body)?;
    request.name = name(&project, &subscription);
    subscriber::create_subscription(&broker, request).map(Json)
}

async fn update(
    State(broker): State<Broker>,
    Path((project, subscription)): SubscriptionPath,
    body: Bytes,
) -> Answer<Subscription> {
    let mut request: UpdateSubscriptionRequest = parse_body(&body)?;
    request.subscription.get_or_insert_default().name = name(&project, &subscription);
    subscriber::update_subscription(&broker, request).map(Json)
}

async fn delete(
    State(broker): State<Broker>,
    Path((project, subscription)): SubscriptionPath,
) -> Answer<Empty> {
    let subscription = name(&project, &subscription);
    subscriber::delete_subscription(&broker, DeleteSubscriptionRequest { subscription }).map(Json)
}

async fn verb(
    State(broker): State<Broker>,
    Path((project, segment)): SubscriptionPath,
    body: Bytes,
) -> Result<Response, Error> {
    let (subscription, verb) = split_verb(&segment);
    let name = name(&project, subscription);
    match verb {
        "pull" => {
            let mut request: PullRequest = parse_body(&body)?;
            request.subscription = name;
            let answer = subscriber::pull(&broker, request).await?;
            Ok(Json(answer).into_response())
        }
        "acknowledge" => {
            let mut request: AcknowledgeRequest = parse_body(&body)?;
            request.subscription = name;
            Ok(Json(subscriber::acknowledge(&broker, request)?).into_response())
        }
        "modifyAckDeadline" => {
            let mut request: ModifyAckDeadlineRequest = parse_body(&body)?;
            request.subscription = name;
            Ok(Json(subscriber::modify_ack_deadline(&broker, request)?).into_response())
        }
        "modifyPushConfig" => {
            let mut request: ModifyPushConfigRequest = parse_body(&body)?;
            request.subscription = name;
            Ok(Json(subscriber::modify_push_config(&broker, request)?).into_response())
        }
        "seek" => {
            let mut request: SeekRequest = parse_body(&body)?;
            request.subscription = name;
            Ok(Json(subscriber::seek(&broker, request)?).into_response())
        }
        _ => Err(not_found(&segment)),
    }
}
