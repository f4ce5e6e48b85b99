//! The three ports.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::limits::Limits;
use crate::otlp;
use crate::query;
use crate::store::Store;

/// The bound ports; what connects before [`serve`] runs waits in their backlog.
#[derive(Debug)]
pub struct Listeners {
    /// OTLP over gRPC, usually 4317.
    pub otlp_grpc: TcpListener,
    /// OTLP over HTTP, usually 4318.
    pub otlp_http: TcpListener,
    /// The query API and the page, usually 16686.
    pub query: TcpListener,
}

/// How long requests in hand may take after the shutdown began.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves until `shutdown` is cancelled, then finishes what is in hand, for at most three seconds.
///
/// Fails only if a port stops accepting connections.
///
/// ```no_run
/// use tokio::net::TcpListener;
/// use tokio_util::sync::CancellationToken;
/// use traces::{Limits, Listeners, serve};
///
/// # async fn run() -> anyhow::Result<()> {
/// let listeners = Listeners {
///     otlp_grpc: TcpListener::bind("127.0.0.1:4317").await?,
///     otlp_http: TcpListener::bind("127.0.0.1:4318").await?,
///     query: TcpListener::bind("127.0.0.1:16686").await?,
/// };
/// serve(listeners, Limits::default(), CancellationToken::new()).await
/// # }
/// ```
pub async fn serve(
    listeners: Listeners,
    limits: Limits,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let max_request_bytes = limits.max_request_bytes;
    let store = Arc::new(Store::new(limits));
    let grpc = otlp::grpc::router(Arc::clone(&store), max_request_bytes);
    let http = otlp::http::router(Arc::clone(&store), max_request_bytes);
    let query = query::router(store);

    let servers = async {
        tokio::try_join!(
            listen(listeners.otlp_grpc, grpc, &shutdown),
            listen(listeners.otlp_http, http, &shutdown),
            listen(listeners.query, query, &shutdown),
        )
    };
    let deadline = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = servers => ended.map(|_| ()).context("the trace store stopped serving"),
        () = deadline => {
            tracing::warn!("a client kept its connection to the trace store open beyond the drain time");
            Ok(())
        }
    }
}

async fn listen(
    listener: TcpListener,
    router: Router,
    shutdown: &CancellationToken,
) -> std::io::Result<()> {
    // Exports and queries are single small writes, which Nagle's algorithm would hold back.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    axum::serve(listener, router.layer(CatchPanicLayer::new()))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .await
}
