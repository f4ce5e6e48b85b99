//! The public routes, on one screen.

mod answer;
mod inventory;
mod orders;

use axum::Router;
use axum::routing::get;
use telemetry::http::Trust;
use web::Readiness;

use crate::Services;

pub(crate) fn router(services: Services, trust: Trust, readiness: Readiness) -> Router {
    let routes = Router::new()
        .route("/orders", get(orders::list).post(orders::place))
        .route("/orders/{id}", get(orders::get))
        .route("/orders-nplus1", get(orders::list_one_by_one))
        .route("/inventory/{item_id}", get(inventory::get))
        .with_state(services);
    telemetry::http::edge(web::api(routes), trust).merge(web::health(readiness))
}
