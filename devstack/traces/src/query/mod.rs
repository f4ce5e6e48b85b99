//! The exits: Jaeger's query API, version 3, and what Jaeger does not answer.

mod orderflow;
mod otlp_json;
mod v3;

use std::sync::Arc;

use axum::Router;

use crate::page;
use crate::store::Store;

/// Everything that is read, on one port as Jaeger has it.
pub(crate) fn router(store: Arc<Store>) -> Router {
    Router::new()
        .merge(v3::router())
        .merge(orderflow::router())
        .merge(page::router())
        .with_state(store)
}
