//! The server on its own: `cargo run -p pubsub --example serve -- 127.0.0.1:8085`.
//!
//! It starts without topics; a client creates what it needs. Ctrl-C stops it.

use anyhow::Context;
use pubsub::Resources;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8085".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("listening on {address}"))?;
    let shutdown = CancellationToken::new();
    let server = pubsub::serve(listener, Resources::default(), shutdown.clone());
    let stop = async {
        tokio::signal::ctrl_c().await?;
        shutdown.cancel();
        Ok(())
    };
    tokio::try_join!(server, stop)?;
    Ok(())
}
