//! An embeddings server that needs no model file and no network.
//!
//! It answers OpenAI's `POST /v1/embeddings`, so the classifier talks to it exactly as it would to a hosted service or to a local model server.
//! What is behind the endpoint is not a language model: [`model`] hashes words and pieces of words into a vector.
//! That is enough to tell "birthday present, please wrap it" from "keep refrigerated", it is deterministic, and it says so in its name, [`model::NAME`].
//!
//! Any API key is accepted, since there is nothing to protect or to bill.

mod api;
pub mod config;
mod error;
mod faults;
pub mod model;

use anyhow::Context as _;
use standin::Visitors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use faults::Fault;

/// Serves the API on `listener` until `shutdown`, then finishes the requests in hand.
///
/// # Errors
///
/// When the listener breaks; a bad request is answered, it never ends the server.
pub async fn serve(listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    serve_with_faults(listener, Vec::new(), shutdown).await
}

/// As [`serve`], with faults on purpose, until `DELETE /faults` mends them.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_with_faults(
    listener: TcpListener,
    faults: Vec<Fault>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener
        .local_addr()
        .context("reading the listen address")?;
    tracing::info!(%address, model = model::NAME, "embeddings server is listening");
    standin::serve(listener, api::router(faults), Visitors::Programs, shutdown)
        .await
        .context("serving embeddings")
}
