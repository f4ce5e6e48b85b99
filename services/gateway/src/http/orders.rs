use axum::extract::{RawQuery, State};
use domain::{NewOrder, OrderId};
use web::{Json, Path};

use crate::Services;
use crate::clients::{Answer, UpstreamError};

/// What is not an order ends here, with a problem that names the field.
pub(super) async fn place(
    State(services): State<Services>,
    Json(order): Json<NewOrder>,
) -> Result<Answer, UpstreamError> {
    services.orders.place(&order).await
}

pub(super) async fn get(
    State(services): State<Services>,
    Path(id): Path<OrderId>,
) -> Result<Answer, UpstreamError> {
    services.orders.get(id).await
}

pub(super) async fn list(
    State(services): State<Services>,
    RawQuery(query): RawQuery,
) -> Result<Answer, UpstreamError> {
    services.orders.list(&query.unwrap_or_default()).await
}

pub(super) async fn list_one_by_one(
    State(services): State<Services>,
    RawQuery(query): RawQuery,
) -> Result<Answer, UpstreamError> {
    services
        .orders
        .list_one_by_one(&query.unwrap_or_default())
        .await
}
