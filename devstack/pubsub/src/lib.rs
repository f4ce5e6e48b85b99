//! A Pub/Sub server for development and tests: Google's protocol, in memory, in one process.
//!
//! gRPC (over cleartext HTTP/2) and REST answer on one port, as clients expect that are pointed to
//! an emulator by `PUBSUB_EMULATOR_HOST`.
//!
//! ```text
//! grpc/ ┐          ┌ catalog.rs ─ topic.rs
//!       ├ api/ ─ broker.rs      └ subscription/ ─ filter.rs, settings.rs
//! rest/ ┘    (lock, wake-ups, time)   (state machines without IO)
//! ```

mod api;
mod broker;
mod catalog;
mod error;
mod filter;
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
mod subscription;
#[cfg(feature = "testing")]
pub mod testing;
mod topic;

pub use resources::{DeadLetterPolicy, Resources, RetryPolicy, Subscription};

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;

/// How long the server waits at its end for requests that are half sent or half answered.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until `shutdown` is cancelled, and then ends streams and pulls at once with `UNAVAILABLE`.
///
/// Fails before it serves if `resources` break the rules that client requests have to keep, for
/// example a subscription to a topic that is not listed, or an id shorter than three characters.
pub async fn serve(
    listener: TcpListener,
    resources: Resources,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let broker = Broker::new(shutdown.clone());
    create(&broker, &resources)?;
    let router = router().with_state(broker.clone());
    // Small answers leave at once instead of waiting to fill a packet.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
    });
    let server =
        axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        result = server => result.context("serving Pub/Sub"),
        () = grace_is_over(&shutdown) => Ok(()),
        never = broker.keep_time() => match never {},
    }
}

fn create(broker: &Broker, resources: &Resources) -> anyhow::Result<()> {
    for topic in resources.topics() {
        let name = topic.name.clone();
        api::publisher::create_topic(broker, topic).with_context(|| format!("creating {name}"))?;
    }
    for subscription in resources.subscriptions() {
        let name = subscription.name.clone();
        api::subscriber::create_subscription(broker, subscription)
            .with_context(|| format!("creating {name}"))?;
    }
    Ok(())
}

fn router() -> Router<Broker> {
    Router::new()
        .merge(grpc::router())
        .merge(rest::router())
        .fallback(unknown)
}

async fn unknown(request: Request) -> Response {
    let path = request.uri().path();
    let content_type = request.headers().get(CONTENT_TYPE);
    if content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        grpc::unimplemented(path)
    } else {
        rest::not_found(path).into_response()
    }
}

async fn grace_is_over(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
