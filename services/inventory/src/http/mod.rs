//! The routes, on one screen.

mod error;
mod stock;

use axum::Router;
use axum::routing::{get, post};
use web::Readiness;

use crate::stock::Stock;

pub(crate) fn router(state: Stock, readiness: Readiness) -> Router {
    let routes = Router::new()
        .route("/stock", get(stock::list))
        .route("/stock/{item_id}", get(stock::get))
        .route("/holds", post(stock::hold))
        .with_state(state);
    telemetry::http::server(web::api(routes)).merge(web::health(readiness))
}
