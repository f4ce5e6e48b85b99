//! A client of the public HTTP API, as a customer's program would have it.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Utc};
use domain::NewOrder;
pub(crate) use domain::OrderStatus as Status;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

/// Longer than an order takes under any load that the stack is meant for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What helps when nobody listens there.
const HINT: &str = "; start a stack first, with `make demo`, `make up` (`orderflow up`) or `make all-up` (containers)";

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

impl Order {
    /// By the orders service's own clock, from the acceptance to the change of status, so that the pauses between our
    /// questions do not count.
    pub(crate) fn took(&self) -> Duration {
        let took = self.updated_at - self.created_at;
        took.to_std().unwrap_or_default()
    }
}

/// The API at one address. Its requests carry no trace context: the gateway begins the trace.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    client: Client,
    base_url: Url,
}

impl Gateway {
    pub(crate) fn new(base_url: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build()?;
        let base_url = base_url
            .parse()
            .with_context(|| format!("{base_url} is no address"))?;
        Ok(Self { client, base_url })
    }

    /// Whether anything answers there at all, whatever it says; otherwise what starts something that does.
    pub(crate) async fn is_there(&self) -> anyhow::Result<()> {
        let url = self.url(&["healthz"])?;
        self.send(self.client.get(url)).await.map(drop)
    }

    /// Places an order; it is pending when this returns.
    pub(crate) async fn place(&self, order: &NewOrder) -> anyhow::Result<Order> {
        let url = self.url(&["orders"])?;
        let response = self.send(self.client.post(url).json(order)).await?;
        match response.status() {
            StatusCode::CREATED => Ok(response.json().await.context("reading the placed order")?),
            _ => Err(refusal(response).await),
        }
    }

    /// The order as it is now; `None` when there is no such order.
    pub(crate) async fn order(&self, id: &str) -> anyhow::Result<Option<Order>> {
        let url = self.url(&["orders", id])?;
        let response = self.send(self.client.get(url)).await?;
        match response.status() {
            StatusCode::OK => Ok(Some(response.json().await.context("reading the order")?)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refusal(response).await),
        }
    }

    /// The path is put together by segments: an id from the command line may contain anything.
    fn url(&self, path: &[&str]) -> anyhow::Result<Url> {
        let mut url = self.base_url.clone();
        let segments = url.path_segments_mut();
        segments
            .map_err(|()| anyhow!("{} has no path", self.base_url))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        request.send().await.map_err(|error| {
            let hint = if error.is_connect() { HINT } else { "" };
            let cause = anyhow::Error::from(error);
            let (base_url, cause) = (&self.base_url, cause.root_cause());
            anyhow!("the gateway at {base_url} does not answer: {cause}{hint}")
        })
    }
}

/// A problem document (RFC 9457) in one line; a body that is none is not worth more than its beginning.
async fn refusal(response: Response) -> anyhow::Error {
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let words = [&problem["detail"], &problem["title"]];
    let words = words.into_iter().find_map(serde_json::Value::as_str);
    let beginning = || body.chars().take_while(|c| *c != '\n').take(120).collect();
    let words = words.map_or_else(beginning, ToOwned::to_owned);
    anyhow!("{status}: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        let gateway = Gateway::new("http://127.0.0.1:8080/").unwrap();
        let url = gateway.url(&["orders", "../a b"]).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:8080/orders/..%2Fa%20b");
    }
}
