//! One HTTP port, from its first connection to its last.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::guard::{self, Visitors};

/// How long requests in progress may still take after the shutdown.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves `router` to `visitors` until `shutdown` is cancelled, then finishes what is in hand, for at most two seconds.
///
/// HTTP/1.1 and cleartext HTTP/2 answer on the same port.
///
/// # Errors
///
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    visitors: Visitors,
    shutdown: CancellationToken,
) -> io::Result<()> {
    // Without this an answer in two segments waits for the client's delayed acknowledgement.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    let server = axum::serve(listener, guard::around(router, visitors))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let drained = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = drained => {
            tracing::warn!("connections were cut at shutdown");
            Ok(())
        }
    }
}
