//! The routes, on one screen.

mod answer;
mod error;
mod inventory;
mod orders;

use axum::Router;
use axum::routing::get;
use telemetry::http::Trust;
use web::Readiness;

use crate::clients::{InventoryClient, OrdersClient};

pub(crate) fn router(
    orders: OrdersClient,
    inventory: InventoryClient,
    readiness: Readiness,
    trust: Trust,
) -> Router {
    let orders = Router::new()
        .route("/orders", get(orders::list).post(orders::place))
        .route("/orders/{id}", get(orders::get))
        .route("/orders-nplus1", get(orders::list_one_by_one))
        .with_state(orders);
    let inventory = Router::new()
        .route("/inventory/{item_id}", get(inventory::get))
        .with_state(inventory);
    let routes = web::api(orders.merge(inventory));
    telemetry::http::edge(routes, trust).merge(web::health(readiness))
}
