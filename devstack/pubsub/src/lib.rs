//! A Pub/Sub server for development and tests: Google's protocol, in memory, in one process.
//!
//! gRPC (over cleartext HTTP/2) and REST answer on one port, as clients expect that are pointed to
//! an emulator by `PUBSUB_EMULATOR_HOST`.
//!
//! ```text
//! grpc.rs ┐ streaming_pull.rs            ┌ topic.rs
//!         ├ api.rs ─ broker.rs ─ catalog.rs
//! rest.rs ┘    (lock, wake-ups, time)    └ subscription.rs ─ flow.rs
//!                                          (state machines without IO)
//! ```

mod api;
mod broker;
mod catalog;
mod error;
mod flow;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod message;
mod names;
mod proto;
mod resources;
mod rest;
mod settings;
mod streaming_pull;
mod subscription;
#[cfg(feature = "testing")]
pub mod testing;
mod topic;

pub use resources::{DeadLetterPolicy, Resources, Subscription};
pub use settings::RetryPolicy;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use standin::Visitors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::broker::Broker;
use crate::error::Error;

/// Serves until `shutdown` is cancelled, and then ends streams and pulls at once with `UNAVAILABLE`.
///
/// Fails before it serves if `resources` break the rules that client requests have to keep, for
/// example a subscription to a topic that is not listed, or an id shorter than three characters.
pub async fn serve(
    listener: TcpListener,
    resources: Resources,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let broker = Broker::new(shutdown);
    create(&broker, &resources)?;
    serve_broker(listener, broker).await
}

async fn serve_broker(listener: TcpListener, broker: Broker) -> anyhow::Result<()> {
    let shutdown = broker.shutdown.clone();
    let router = router().with_state(broker);
    let served = standin::serve(listener, router, Visitors::Programs, shutdown).await;
    served.context("serving Pub/Sub")
}

fn create(broker: &Broker, resources: &Resources) -> anyhow::Result<()> {
    for topic in resources.topics() {
        let about = format!("creating {}", topic.name);
        let created = broker.change(|catalog, _| catalog.create_topic(topic));
        created.context(about)?;
    }
    for settings in resources.subscriptions() {
        let about = format!("creating {}", settings.name);
        let created = broker.change(|catalog, now| catalog.create_subscription(settings, now));
        created.context(about)?;
    }
    Ok(())
}

fn router() -> Router<Broker> {
    Router::new()
        .merge(grpc::router())
        .merge(rest::router())
        .fallback(unimplemented)
        .method_not_allowed_fallback(unimplemented)
}

/// gRPC wants an answer in its own form, whatever it asked for.
async fn unimplemented(request: Request) -> Response {
    let path = request.uri().path();
    let error = Error::Unimplemented(format!("{} {path}", request.method()));
    let content_type = request.headers().get(CONTENT_TYPE);
    if content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        Status::from(error).into_http::<axum::body::Body>()
    } else {
        error.into_response()
    }
}
