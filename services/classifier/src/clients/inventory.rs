//! The inventory service.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use domain::{ItemId, OrderId, Quantity, Release, Reserve, StockItem};
use reqwest::StatusCode;
use telemetry::http::Client;
use url::Url;
use web::below;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct InventoryClient {
    client: Client,
    base: Url,
}

/// What became of an attempt to reserve an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reservation {
    Made,
    NoStock,
    UnknownItem,
}

impl InventoryClient {
    pub(crate) fn new(base: &Url, faults: &telemetry::Faults) -> anyhow::Result<Self> {
        Ok(Self {
            client: telemetry::http::client(TIMEOUT, faults)?,
            base: base.clone(),
        })
    }

    /// The names of all items.
    pub(crate) async fn names(&self) -> anyhow::Result<HashMap<ItemId, String>> {
        let response = self.client.get(below(&self.base, ["stock"])).send().await?;
        let items: Vec<StockItem> = response.error_for_status()?.json().await?;
        Ok(items
            .into_iter()
            .map(|item| (item.item_id, item.name))
            .collect())
    }

    /// Reserves for an order; asked twice it answers the same and reserves once.
    pub(crate) async fn reserve(
        &self,
        item: &ItemId,
        order_id: OrderId,
        quantity: Quantity,
    ) -> anyhow::Result<Reservation> {
        let url = below(&self.base, ["stock", item.as_str(), "reserve"]);
        let body = Reserve { order_id, quantity };
        let response = self.client.post(url).json(&body).send().await?;
        match response.status() {
            StatusCode::CONFLICT => Ok(Reservation::NoStock),
            StatusCode::NOT_FOUND => Ok(Reservation::UnknownItem),
            _ => {
                response
                    .error_for_status()
                    .with_context(|| format!("reserving {item}"))?;
                Ok(Reservation::Made)
            }
        }
    }

    /// Gives back what an order has reserved, and keeps it from reserving later; an item that is unknown is fine.
    pub(crate) async fn release(&self, item: &ItemId, order_id: OrderId) -> anyhow::Result<()> {
        let url = below(&self.base, ["stock", item.as_str(), "release"]);
        let response = self
            .client
            .post(url)
            .json(&Release { order_id })
            .send()
            .await?;
        if response.status() != StatusCode::NOT_FOUND {
            response
                .error_for_status()
                .with_context(|| format!("releasing {item}"))?;
        }
        Ok(())
    }
}
