use axum::extract::State;
use domain::ItemId;
use web::Path;

use crate::Services;
use crate::clients::{Answer, UpstreamError};

pub(super) async fn get(
    State(services): State<Services>,
    Path(item): Path<ItemId>,
) -> Result<Answer, UpstreamError> {
    services.inventory.get(&item).await
}
