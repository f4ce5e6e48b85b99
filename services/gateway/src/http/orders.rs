//! Orders over HTTP.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use domain::{NewOrder, OrderId};
use web::{Json, Path, Problem};

use crate::clients::{Answer, OrdersClient};

pub(super) async fn place(
    State(orders): State<OrdersClient>,
    headers: HeaderMap,
    Json(order): Json<NewOrder>,
) -> Result<Answer, Problem> {
    let keys = headers.get_all("idempotency-key");
    Ok(orders.place(&order, keys).await?)
}

pub(super) async fn get(
    State(orders): State<OrdersClient>,
    Path(id): Path<OrderId>,
) -> Result<Answer, Problem> {
    Ok(orders.get(id).await?)
}

pub(super) async fn list(
    State(orders): State<OrdersClient>,
    RawQuery(query): RawQuery,
) -> Result<Answer, Problem> {
    Ok(orders.list(query.as_deref()).await?)
}

pub(super) async fn list_one_by_one(
    State(orders): State<OrdersClient>,
    RawQuery(query): RawQuery,
) -> Result<Answer, Problem> {
    Ok(orders.list_one_by_one(query.as_deref()).await?)
}
