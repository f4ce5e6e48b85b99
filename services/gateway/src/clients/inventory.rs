use domain::ItemId;
use telemetry::http::Client;
use url::Url;
use web::below;

use super::{Answer, CallError, call};

const SERVICE: &str = "inventory";

/// The inventory service.
#[derive(Debug, Clone)]
pub(crate) struct InventoryClient {
    client: Client,
    base: Url,
}

impl InventoryClient {
    pub(crate) fn new(client: Client, base: Url) -> Self {
        Self { client, base }
    }

    pub(crate) async fn get(&self, item: &ItemId) -> Result<Answer, CallError> {
        let url = below(&self.base, ["stock", item.as_str()]);
        call(SERVICE, self.client.get(url)).await
    }
}
