use std::time::Duration;

use domain::ItemId;

use super::upstream::{Answer, Upstream, UpstreamError};
use crate::config::Config;

/// The inventory service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct InventoryClient(Upstream);

impl InventoryClient {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let timeout = Duration::from_secs(config.upstream_timeout_seconds);
        Upstream::new("inventory", &config.inventory_url, timeout, &config.faults).map(Self)
    }

    pub(crate) async fn get(&self, item: &ItemId) -> Result<Answer, UpstreamError> {
        self.0.get(&format!("stock/{item}")).await
    }

    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        self.0.check().await
    }
}
