//! Stock over HTTP.

use axum::extract::State;
use domain::{Hold, Holding, ItemId, StockItem};
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

pub(super) async fn hold(
    State(stock): State<Stock>,
    Json(hold): Json<Hold>,
) -> Result<Json<Holding>, Problem> {
    Ok(Json(stock.hold(&hold).await?))
}
