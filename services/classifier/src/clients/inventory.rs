//! The inventory service.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use domain::{Hold, HoldStatus, Holding, ItemId, StockItem, refusals};
use otel_messaging::ErrorType;
use reqwest::Response;
use serde::Deserialize;
use telemetry::http::Client;
use url::Url;
use web::below;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct InventoryClient {
    client: Client,
    base: Url,
}

/// What became of an attempt to hold what an order wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HoldAnswer {
    /// All of it is held.
    Held,
    /// Something is not to be had, in words for the customer, and nothing is held.
    Short(String),
    /// The order was confirmed or rejected.
    Ended,
}

/// What of an RFC 9457 problem document matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    r#type: String,
    detail: Option<String>,
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

    /// Holds all that an order wants, or nothing; asked twice it answers the same and holds once.
    pub(crate) async fn hold(&self, hold: &Hold) -> anyhow::Result<HoldAnswer> {
        let answer = self.request(hold).await.context("holding stock");
        answer.map_err(super::classed)
    }

    async fn request(&self, hold: &Hold) -> anyhow::Result<HoldAnswer> {
        let url = below(&self.base, ["holds"]);
        let response = self.client.post(url).json(hold).send().await?;
        match response.error_for_status_ref().err() {
            Some(error) => refused(response, error).await,
            None => granted(response).await,
        }
    }
}

async fn granted(response: Response) -> anyhow::Result<HoldAnswer> {
    let holding: Holding = response.json().await?;
    Ok(match holding.status {
        HoldStatus::Held => HoldAnswer::Held,
        HoldStatus::Kept | HoldStatus::Released => HoldAnswer::Ended,
    })
}

/// The status alone does not say why; a refusal without a known type says nothing about the stock.
async fn refused(response: Response, error: reqwest::Error) -> anyhow::Result<HoldAnswer> {
    let body = response.bytes().await?;
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    match problem.r#type.as_str() {
        refusals::OUT_OF_STOCK | refusals::UNKNOWN_ITEM => {
            let reason = problem.detail;
            Ok(HoldAnswer::Short(reason.unwrap_or_else(|| {
                "not everything that was ordered is to be had".to_owned()
            })))
        }
        refusals::ENDED => Ok(HoldAnswer::Ended),
        refusals::HOLDS_OTHERWISE => Err(anyhow::Error::new(error)
            .context(ErrorType("holds_otherwise"))
            .context("the order holds something else")),
        _ => Err(error.into()),
    }
}
