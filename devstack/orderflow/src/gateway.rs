//! A client of the public HTTP API, as a customer's program would have it.

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};

/// Longer than an order takes under any load that the stack is meant for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The body of `POST /orders`. Prices are integer minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewOrder {
    pub(crate) customer_id: String,
    pub(crate) items: Vec<NewItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewItem {
    pub(crate) item_id: String,
    pub(crate) quantity: u32,
    pub(crate) price: u32,
}

/// What the API tells about an order.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Order {
    #[serde(rename = "order_id")]
    pub(crate) id: String,
    pub(crate) status: Status,
    /// Absent when the order was not traced.
    pub(crate) trace_id: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Pending,
    Confirmed,
    Rejected,
    InReview,
    Failed,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::InReview => "in_review",
            Self::Failed => "failed",
        }
    }
}

/// An RFC 9457 problem document, as far as a person reads it.
#[derive(Debug, Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// The API at one address. Its requests carry no trace context: the gateway begins the trace.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    client: Client,
    base_url: String,
}

impl Gateway {
    pub(crate) fn new(base_url: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self {
            client,
            base_url: base_url.trim_end_matches('/').to_owned(),
        })
    }

    /// Places an order; it is pending when this returns.
    pub(crate) async fn place(&self, order: &NewOrder) -> anyhow::Result<Order> {
        let request = self
            .client
            .post(format!("{}/orders", self.base_url))
            .json(order);
        let response = request.send().await.with_context(|| self.unreachable())?;
        match response.status() {
            StatusCode::CREATED => Ok(response.json().await.context("reading the placed order")?),
            _ => Err(refusal(response).await),
        }
    }

    /// The order as it is now; `None` when there is no such order.
    pub(crate) async fn order(&self, id: &str) -> anyhow::Result<Option<Order>> {
        let mut url =
            reqwest::Url::parse(&self.base_url).context("GATEWAY_URL is not an address")?;
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("GATEWAY_URL is not an address"))?
            .extend(["orders", id]);
        let response = self
            .client
            .get(url)
            .send()
            .await
            .with_context(|| self.unreachable())?;
        match response.status() {
            StatusCode::OK => Ok(Some(response.json().await.context("reading the order")?)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refusal(response).await),
        }
    }

    fn unreachable(&self) -> String {
        format!(
            "the gateway at {} does not answer; is `orderflow up` running?",
            self.base_url
        )
    }
}

async fn refusal(response: Response) -> anyhow::Error {
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    let problem = serde_json::from_str::<Problem>(&body).ok();
    let words = problem
        .and_then(|problem| problem.detail.or(problem.title))
        .unwrap_or(body);
    anyhow::anyhow!("{status}: {words}")
}
