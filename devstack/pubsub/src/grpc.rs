//! The gRPC door: one route per method.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use futures::TryFutureExt;
use futures::future::ready;
use prost::Message;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::api;
use crate::broker::Broker;
use crate::error::Error;
use crate::message::MAX_PUBLISH_BYTES;
use crate::streaming_pull;

/// Leaves room for keys and framing, so that a request over the limit is told so by its content.
const MAX_REQUEST_BYTES: usize = MAX_PUBLISH_BYTES + 6_000_000;

pub(crate) fn router() -> Router<Broker> {
    let publish = unary(|broker, request| ready(api::publish(&broker, request)));
    let pull = unary(|broker, request| async move { api::pull(&broker, request).await });
    let acknowledge = unary(|broker, request| ready(api::acknowledge(&broker, request)));
    let modify = unary(|broker, request| ready(api::modify_ack_deadline(&broker, request)));
    let subscriber = Router::new()
        .route("/Pull", pull)
        .route("/Acknowledge", acknowledge)
        .route("/ModifyAckDeadline", modify)
        .route("/StreamingPull", post(streaming_pull));
    Router::new()
        .route("/google.pubsub.v1.Publisher/Publish", publish)
        .nest("/google.pubsub.v1.Subscriber", subscriber)
}

/// A method that takes one message and answers with one.
fn unary<Req, Res, F>(operation: fn(Broker, Req) -> F) -> MethodRouter<Broker>
where
    Req: Message + Default + 'static,
    Res: Message + Default + 'static,
    F: Future<Output = Result<Res, Error>> + Send + 'static,
{
    post(
        async move |State(broker): State<Broker>, request: Request| {
            let service = service_fn(|request: tonic::Request<Req>| {
                let answer = operation(broker.clone(), request.into_inner());
                answer.map_ok(tonic::Response::new).map_err(Status::from)
            });
            let answer = grpc::<Res, Req>().unary(service, request).await;
            answer.into_response()
        },
    )
}

async fn streaming_pull(State(broker): State<Broker>, request: Request) -> Response {
    let service = service_fn(|requests: tonic::Request<_>| {
        streaming_pull::open(broker.clone(), requests.into_inner()).map_ok(tonic::Response::new)
    });
    let answer = grpc().streaming(service, request).await;
    answer.into_response()
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
