//! Stock over HTTP.

use axum::extract::State;
use domain::{ItemId, Release, Reservation, Reserve, StockItem};
use web::{Json, Path, Problem};

use crate::stock::Stock;

pub(super) async fn list(State(stock): State<Stock>) -> Result<Json<Vec<StockItem>>, Problem> {
    Ok(Json(stock.find_all().await.map_err(Problem::database)?))
}

pub(super) async fn get(
    State(stock): State<Stock>,
    Path(item): Path<ItemId>,
) -> Result<Json<StockItem>, Problem> {
    Ok(Json(stock.get(item).await?))
}

pub(super) async fn reserve(
    State(stock): State<Stock>,
    Path(item): Path<ItemId>,
    Json(wish): Json<Reserve>,
) -> Result<Json<Reservation>, Problem> {
    Ok(Json(
        stock.reserve(item, wish.order_id, wish.quantity).await?,
    ))
}

pub(super) async fn release(
    State(stock): State<Stock>,
    Path(item): Path<ItemId>,
    Json(wish): Json<Release>,
) -> Result<Json<Reservation>, Problem> {
    Ok(Json(stock.release(item, wish.order_id).await?))
}
