use std::time::Duration;

use domain::{NewOrder, OrderId};

use super::upstream::{Answer, Upstream, UpstreamError};
use crate::config::Config;

/// The orders service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct OrdersClient(Upstream);

impl OrdersClient {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let timeout = Duration::from_secs(config.upstream_timeout_seconds);
        Upstream::new("orders", &config.orders_url, timeout, &config.faults).map(Self)
    }

    pub(crate) async fn place(&self, order: &NewOrder) -> Result<Answer, UpstreamError> {
        self.0.post("orders", order).await
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Answer, UpstreamError> {
        self.0.get(&format!("orders/{id}")).await
    }

    /// `query` is the caller's, as it came.
    pub(crate) async fn list(&self, query: &str) -> Result<Answer, UpstreamError> {
        self.0.get(&format!("orders?{query}")).await
    }

    pub(crate) async fn list_one_by_one(&self, query: &str) -> Result<Answer, UpstreamError> {
        self.0.get(&format!("orders-nplus1?{query}")).await
    }

    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        self.0.check().await
    }
}
