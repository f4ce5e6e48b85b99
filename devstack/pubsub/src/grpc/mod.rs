//! The gRPC door: one route per method, each a line of the table.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use futures::future::ready;
use prost::Message;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::api::{publisher, streaming_pull, subscriber};
use crate::broker::Broker;
use crate::error::Error;
use crate::message::MAX_PUBLISH_BYTES;
use crate::proto::{PullRequest, PullResponse, StreamingPullRequest, StreamingPullResponse};

/// Leaves room for keys and framing, so that a request over the limit is told so by its content.
const MAX_REQUEST_BYTES: usize = MAX_PUBLISH_BYTES + 6_000_000;

pub(crate) fn router() -> Router<Broker> {
    Router::new()
        .nest("/google.pubsub.v1.Publisher", publisher_routes())
        .nest("/google.pubsub.v1.Subscriber", subscriber_routes())
}

fn publisher_routes() -> Router<Broker> {
    Router::new()
        .route("/CreateTopic", unary(publisher::create_topic))
        .route("/GetTopic", unary(publisher::get_topic))
        .route("/UpdateTopic", unary(publisher::update_topic))
        .route("/ListTopics", unary(publisher::list_topics))
        .route(
            "/ListTopicSubscriptions",
            unary(publisher::list_topic_subscriptions),
        )
        .route("/DeleteTopic", unary(publisher::delete_topic))
        .route("/Publish", unary(publisher::publish))
}

fn subscriber_routes() -> Router<Broker> {
    Router::new()
        .route(
            "/CreateSubscription",
            unary(subscriber::create_subscription),
        )
        .route("/GetSubscription", unary(subscriber::get_subscription))
        .route(
            "/UpdateSubscription",
            unary(subscriber::update_subscription),
        )
        .route("/ListSubscriptions", unary(subscriber::list_subscriptions))
        .route(
            "/DeleteSubscription",
            unary(subscriber::delete_subscription),
        )
        .route("/ModifyPushConfig", unary(subscriber::modify_push_config))
        .route("/Acknowledge", unary(subscriber::acknowledge))
        .route("/ModifyAckDeadline", unary(subscriber::modify_ack_deadline))
        .route("/Seek", unary(subscriber::seek))
        .route("/Pull", post(pull))
        .route("/StreamingPull", post(streaming_pull))
}

/// The answer to a method that this server does not have: gRPC wants it in its own form.
pub(crate) fn unimplemented(path: &str) -> Response {
    let status = Status::unimplemented(format!("This emulator has no {path}."));
    status.into_http::<axum::body::Body>()
}

/// A method that answers without waiting.
fn unary<Req, Res>(operation: fn(&Broker, Req) -> Result<Res, Error>) -> MethodRouter<Broker>
where
    Req: Message + Default + 'static,
    Res: Message + Default + 'static,
{
    post(
        async move |State(broker): State<Broker>, request: Request| {
            let service = service_fn(|request: tonic::Request<Req>| {
                ready(answer(operation(&broker, request.into_inner())))
            });
            grpc::<Res, Req>()
                .unary(service, request)
                .await
                .into_response()
        },
    )
}

async fn pull(State(broker): State<Broker>, request: Request) -> Response {
    let service = service_fn(|request: tonic::Request<PullRequest>| {
        let broker = broker.clone();
        async move { answer(subscriber::pull(&broker, request.into_inner()).await) }
    });
    grpc::<PullResponse, PullRequest>()
        .unary(service, request)
        .await
        .into_response()
}

async fn streaming_pull(State(broker): State<Broker>, request: Request) -> Response {
    let service = service_fn(
        |requests: tonic::Request<tonic::Streaming<StreamingPullRequest>>| {
            let responses = streaming_pull::streaming_pull(broker.clone(), requests.into_inner());
            ready(Ok(tonic::Response::new(responses)))
        },
    );
    grpc::<StreamingPullResponse, StreamingPullRequest>()
        .streaming(service, request)
        .await
        .into_response()
}

fn grpc<Res, Req>() -> Grpc<ProstCodec<Res, Req>>
where
    Req: Message + Default + 'static,
    Res: Message + Default + 'static,
{
    Grpc::new(ProstCodec::default())
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_REQUEST_BYTES)
}

fn answer<Res>(result: Result<Res, Error>) -> Result<tonic::Response<Res>, Status> {
    result.map(tonic::Response::new).map_err(Status::from)
}
