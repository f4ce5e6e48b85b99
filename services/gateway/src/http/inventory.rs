//! Inventory over HTTP.

use axum::extract::State;
use domain::ItemId;
use web::{Path, Problem};

use crate::clients::{Answer, InventoryClient};

pub(super) async fn get(
    State(inventory): State<InventoryClient>,
    Path(item): Path<ItemId>,
) -> Result<Answer, Problem> {
    Ok(inventory.get(&item).await?)
}
