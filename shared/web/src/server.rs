//! Listening, serving, and stopping in an orderly way.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, TryFutureExt};
use http::{Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::connections;
use crate::limits::Limits;
use crate::problem::Problem;

/// How long requests in hand may take after a service was told to stop: as long as the gateway waits for an answer.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long a service may take at its end beyond what messages in hand may: as long as a consumer takes to have its last
/// acknowledgements taken and to leave its group, and a little more.
const GRACE: Duration = Duration::from_secs(6);

/// The most bytes of a path with its query: many times what the longest of ours has.
const MAX_TARGET_BYTES: usize = 8 * 1024;
/// The most bytes of all headers, names and values: more than the context of a trace needs with all its baggage.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Gives `routes` a problem document for an unknown path, a wrong method, a head beyond the limits and a handler that
/// panicked.
pub fn api(routes: Router) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(refuse_large_heads))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn refuse_large_heads(request: Request, next: Next) -> Response {
    match too_large(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn too_large(request: &Request) -> Option<Problem> {
    let target = request.uri().path_and_query();
    if target.is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        let detail = format!("the path and its query must be at most {MAX_TARGET_BYTES} bytes");
        return Some(Problem::new(StatusCode::URI_TOO_LONG).detail(detail));
    }
    let headers = request.headers().iter();
    let bytes: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > MAX_HEADER_BYTES {
        let detail = format!("all headers together must be at most {MAX_HEADER_BYTES} bytes");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Some(Problem::new(status).detail(detail));
    }
    None
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

/// Serves within the usual [`Limits`] until `shutdown` is cancelled; then requests in hand are finished, but no longer
/// than `drain`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    drain: Duration,
) -> anyhow::Result<()> {
    serve_within(listener, router, shutdown, drain, Limits::default()).await
}

/// As [`serve`], within limits of your own.
pub async fn serve_within(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    drain: Duration,
    limits: Limits,
) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "listening");
    let server = connections::serve(listener, router, shutdown.clone(), limits);
    let deadline = async {
        shutdown.cancelled().await;
        sleep(drain).await;
    };
    select! {
        () = server => {}
        () = deadline => tracing::warn!(?drain, "some requests were not finished in time"),
    }
    Ok(())
}

/// What a service does side by side, as serving HTTP and receiving messages: each part ends itself on `shutdown`.
pub struct Parts {
    shutdown: CancellationToken,
    running: FuturesUnordered<BoxFuture<'static, anyhow::Result<()>>>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Parts")
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

impl Parts {
    /// No part yet.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self {
            shutdown,
            running: FuturesUnordered::new(),
        }
    }

    /// One more part.
    pub fn with<E: Into<anyhow::Error> + 'static>(
        self,
        part: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        self.running.push(part.map_err(Into::into).boxed());
        self
    }

    /// Runs all parts; when one ends, for whatever reason, the others are told to. The first error is the answer.
    ///
    /// `messages` is how long those in hand may take. What is cut off a little later is not lost: messages that were
    /// not settled come again.
    pub async fn run(self, messages: Duration) -> anyhow::Result<()> {
        let Self {
            shutdown,
            mut running,
        } = self;
        let deadline = messages + GRACE;
        let mut result = Ok(());
        let work = async {
            while let Some(ended) = running.next().await {
                shutdown.cancel();
                if result.is_ok() {
                    result = ended;
                }
            }
        };
        let overdue = async {
            shutdown.cancelled().await;
            sleep(deadline).await;
        };
        select! {
            () = work => {}
            () = overdue => tracing::warn!(?deadline, "some work was not finished in time"),
        }
        result
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

#[cfg(test)]
mod stopping;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use super::*;

    async fn until(shutdown: CancellationToken) -> Result<(), Infallible> {
        shutdown.cancelled().await;
        Ok(())
    }

    #[tokio::test]
    async fn the_end_of_one_part_ends_the_others() {
        let shutdown = CancellationToken::new();
        let parts = Parts::new(shutdown.clone())
            .with(until(shutdown.clone()))
            .with(async { Ok::<_, Infallible>(()) });
        assert!(parts.run(Duration::ZERO).await.is_ok());
        assert!(shutdown.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_one_part_is_told_though_another_does_not_end() {
        let parts = Parts::new(CancellationToken::new())
            .with(pending::<Result<(), Infallible>>())
            .with(async { Err(anyhow::anyhow!("the topic is gone")) });
        let error = parts.run(Duration::from_mins(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "the topic is gone");
    }
}
