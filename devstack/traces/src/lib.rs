//! A trace store in memory: OTLP in, Jaeger's query API out.
//!
//! It stands in for the OpenTelemetry Collector and Jaeger where neither is at hand.
//! Everything is lost when it stops.

mod backlinks;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod kept;
mod limits;
mod otlp;
mod page;
mod query;
mod search;
mod source;
mod span;
mod store;
#[cfg(test)]
mod testing;
mod trace;

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use standin::Visitors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

pub use limits::Limits;
use store::Store;

/// The three ports, bound; what connects before [`serve`] runs waits in their backlog.
#[derive(Debug)]
pub struct Listeners {
    /// OTLP over gRPC, usually 4317.
    pub otlp_grpc: TcpListener,
    /// OTLP over HTTP, usually 4318.
    pub otlp_http: TcpListener,
    /// The query API and the page, usually 16686.
    pub query: TcpListener,
}

/// Serves until `shutdown` is cancelled, then finishes what is in hand, for at most two seconds.
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

    let programs = Visitors::Programs;
    tokio::try_join!(
        listen(listeners.otlp_grpc, grpc, programs, &shutdown),
        listen(listeners.otlp_http, http, programs, &shutdown),
        listen(listeners.query, query, Visitors::People, &shutdown),
    )
    .context("the trace store stopped serving")?;
    Ok(())
}

async fn listen(
    listener: TcpListener,
    router: Router,
    visitors: Visitors,
    shutdown: &CancellationToken,
) -> std::io::Result<()> {
    let router = router.layer(CatchPanicLayer::new());
    standin::serve(listener, router, visitors, shutdown.clone()).await
}
