//! Listening, serving, and stopping in an orderly way.

use std::any::Any;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::Problem;

/// Gives `routes` a problem document for an unknown path, a wrong method and a handler that panicked.
pub fn api(routes: Router) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND).detail(format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED)
        .detail(format!("{method} is not what {} is for", uri.path()))
}

/// The panic hook has printed the message and the place; this line adds in which trace it was.
fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    tracing::error!("a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

/// Listens on `address`; the error is one line that names the port and the setting that changes it.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (LISTEN_ADDR)"))
}

/// Serves until `shutdown` is cancelled; then requests in hand are finished, but no longer than `drain`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    drain: Duration,
) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "listening");
    let server =
        axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let deadline = async {
        shutdown.cancelled().await;
        sleep(drain).await;
    };
    select! {
        ended = server => ended.context("serving HTTP"),
        () = deadline => {
            tracing::warn!(?drain, "some requests were not finished in time");
            Ok(())
        }
    }
}

/// As [`serve`], for a service that does more than serve: when serving ends, for whatever reason, so does the rest.
pub async fn serve_then_stop(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    drain: Duration,
) -> anyhow::Result<()> {
    let served = serve(listener, router, shutdown.clone(), drain).await;
    shutdown.cancel();
    served
}

/// Waits for `work`, which ends itself on `shutdown`, but no longer than `deadline` after it.
///
/// What is cut off is not lost: messages that were not settled come again.
pub async fn finish(
    work: impl Future<Output = anyhow::Result<()>>,
    shutdown: CancellationToken,
    deadline: Duration,
) -> anyhow::Result<()> {
    let overdue = async {
        shutdown.cancelled().await;
        sleep(deadline).await;
    };
    select! {
        result = work => result,
        () = overdue => {
            tracing::warn!(?deadline, "some work was not finished in time");
            Ok(())
        }
    }
}

/// A token that SIGTERM or SIGINT cancels; a second signal ends the process at once.
pub fn shutdown_signal() -> anyhow::Result<CancellationToken> {
    let terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let shutdown = CancellationToken::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "it lives as long as the process, outside all spans"
    )]
    tokio::spawn(cancel_on_signal(shutdown.clone(), terminate, interrupt));
    Ok(shutdown)
}

async fn cancel_on_signal(
    shutdown: CancellationToken,
    mut terminate: Signal,
    mut interrupt: Signal,
) {
    any(&mut terminate, &mut interrupt).await;
    tracing::info!("stopping");
    shutdown.cancel();
    any(&mut terminate, &mut interrupt).await;
    tracing::warn!("ending at once");
    process::exit(1);
}

async fn any(terminate: &mut Signal, interrupt: &mut Signal) {
    select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
