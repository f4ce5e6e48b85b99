//! The routes, on one screen.

mod error;
mod idempotency_key;
mod orders;

use axum::Router;
use axum::routing::{get, patch};
use web::Readiness;

use crate::orders::Orders;

pub(crate) fn router(state: Orders, readiness: Readiness) -> Router {
    let routes = Router::new()
        .route("/orders", get(orders::list).post(orders::place))
        .route("/orders/{id}", get(orders::get))
        .route("/orders/{id}/status", patch(orders::change_status))
        .route("/orders-nplus1", get(orders::list_one_by_one))
        .with_state(state);
    telemetry::http::server(web::api(routes)).merge(web::health(readiness))
}
