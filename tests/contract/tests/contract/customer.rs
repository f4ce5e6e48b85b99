//! What a customer does, and what a reader of traces and mail sees of it.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};
use story::{JaegerClient, TraceId};
use tokio::time::{Instant, sleep};

use crate::addresses::Addresses;

/// When to give up waiting for something that takes less than a second on an idle stack.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const POLL: Duration = Duration::from_millis(50);
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(3);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// An accepted order.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) order_id: String,
    /// The trace of the request, as the edge tells it.
    pub(crate) trace_id: TraceId,
    /// The trace that the order remembers; another one only if the context was lost on the way.
    pub(crate) remembered: String,
}

#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) jaeger: JaegerClient,
    http: reqwest::Client,
    addresses: Addresses,
}

impl Customer {
    pub(crate) fn new(addresses: Addresses) -> Self {
        // No trace context: the gateway begins the trace.
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            // Node.js closes a connection that was idle for 5 s, MailDev's too, perhaps just as a request is sent on it.
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build()
            .expect("the options are valid");
        Self {
            jaeger: JaegerClient::new(&addresses.jaeger),
            http,
            addresses,
        }
    }

    /// Orders `items`, each an item id and a quantity.
    pub(crate) async fn order(&self, items: &[(&str, u64)], note: &str) -> anyhow::Result<Placed> {
        let lines = items
            .iter()
            .map(|(id, quantity)| json!({"item_id": id, "quantity": quantity, "price": 2999}));
        let order = json!({"customer_id": "ada", "items": lines.collect::<Vec<_>>(), "note": note});
        let url = format!("{}/orders", self.addresses.gateway);
        let response = self.http.post(url).json(&order).send().await?;
        let trace_id = trace_id(&response)?;
        let status = response.status();
        let body: Value = response.json().await?;
        ensure!(
            status == StatusCode::CREATED,
            "the order was answered with {status}: {body}"
        );
        Ok(Placed {
            order_id: text(&body, "order_id")?,
            trace_id,
            remembered: text(&body, "trace_id")?,
        })
    }

    /// Waits until the order has ended, and says how.
    pub(crate) async fn ended(&self, order_id: &str) -> anyhow::Result<String> {
        let url = format!("{}/orders/{order_id}", self.addresses.gateway);
        let status = async || {
            let status = text(&self.get(&url).await?, "status")?;
            Ok((status != "pending").then_some(status))
        };
        wait_for("the order's end", status).await
    }

    /// Waits until the order has that status, and no longer than it takes to see that it has not.
    pub(crate) async fn reaches(&self, order_id: &str, status: &str) -> anyhow::Result<()> {
        let url = format!("{}/orders/{order_id}", self.addresses.gateway);
        let there = async || Ok((text(&self.get(&url).await?, "status")? == status).then_some(()));
        wait_for(&format!("the order to be {status}"), there).await
    }

    /// A person decides about an order in review; `None` where nobody may.
    pub(crate) async fn decide(
        &self,
        order_id: &str,
        status: &str,
    ) -> anyhow::Result<Option<StatusCode>> {
        let Some(orders) = &self.addresses.orders else {
            return Ok(None);
        };
        let url = format!("{orders}/orders/{order_id}/status");
        let decision = self.http.patch(url).json(&json!({"status": status}));
        Ok(Some(decision.send().await?.status()))
    }

    /// Waits until there are as many mails about the order, and says what they are about.
    pub(crate) async fn mails(
        &self,
        order_id: &str,
        expected: usize,
    ) -> anyhow::Result<Vec<String>> {
        let url = format!("{}/email", self.addresses.mail);
        let about = |mail: &&Value| mail["headers"]["x-order-id"] == *order_id;
        let subjects = async || {
            let mails = self.get(&url).await?;
            let mails = mails.as_array().into_iter().flatten().filter(about);
            let subjects = mails.map(|mail| text(mail, "subject"));
            let subjects = subjects.collect::<anyhow::Result<Vec<_>>>()?;
            Ok((subjects.len() >= expected).then_some(subjects))
        };
        wait_for(&format!("{expected} mails about the order"), subjects).await
    }

    /// How many pieces of an item can be held.
    pub(crate) async fn available(&self, item_id: &str) -> anyhow::Result<u64> {
        let stock = self
            .get(&format!("{}/inventory/{item_id}", self.addresses.gateway))
            .await?;
        stock["available"]
            .as_u64()
            .with_context(|| format!("how many are available: {stock}"))
    }

    /// The services whose log records carry the trace id; `None` where the store keeps no logs, as Jaeger does not.
    pub(crate) async fn services_that_logged(
        &self,
        trace_id: TraceId,
    ) -> anyhow::Result<Option<Vec<String>>> {
        match &self.addresses.logs {
            Some(store) => self.services_in(store, trace_id).await.map(Some),
            None => self.services_in_the_trace_store(trace_id).await,
        }
    }

    /// As `VictoriaLogs` tells it: a JSON object per line.
    async fn services_in(&self, store: &str, trace_id: TraceId) -> anyhow::Result<Vec<String>> {
        let query = format!("trace_id:={trace_id}%20%7C%20uniq%20by%20(service.name)");
        let url = format!("{store}/select/logsql/query?query={query}");
        let asked = self.http.get(url).send().await?;
        let lines = asked.error_for_status()?.text().await?;
        let services = lines.lines().map(|line| {
            let record: Value = serde_json::from_str(line)?;
            let name = record["service.name"].as_str();
            Ok(name.context("a service has a name")?.to_owned())
        });
        services.collect()
    }

    async fn services_in_the_trace_store(
        &self,
        trace_id: TraceId,
    ) -> anyhow::Result<Option<Vec<String>>> {
        let url = format!("{}/api/orderflow/logs/{trace_id}", self.addresses.jaeger);
        let response = self.http.get(url).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        // Jaeger answers unknown paths with its page.
        let Ok(body) = response.json::<Value>().await else {
            return Ok(None);
        };
        let records = body
            .as_array()
            .or_else(|| body["data"].as_array())
            .context("a list of log records")?;
        Ok(Some(
            records
                .iter()
                .filter_map(|record| record["service"].as_str())
                .map(str::to_owned)
                .collect(),
        ))
    }

    async fn get(&self, url: &str) -> anyhow::Result<Value> {
        let response = self.http.get(url).send().await?.error_for_status()?;
        Ok(response.json().await?)
    }
}

/// Looks again and again until there is something.
pub(crate) async fn wait_for<T>(
    what: &str,
    look: impl AsyncFn() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {PATIENCE:?} for {what} in vain");
        }
        sleep(POLL).await;
    }
}

/// <https://w3c.github.io/trace-context/#traceresponse-header>
fn trace_id(response: &reqwest::Response) -> anyhow::Result<TraceId> {
    let header = response
        .headers()
        .get("traceresponse")
        .context("every response has a traceresponse header")?;
    let id = header
        .to_str()?
        .split('-')
        .nth(1)
        .context("a traceresponse has four parts")?;
    Ok(id.parse()?)
}

fn text(body: &Value, field: &str) -> anyhow::Result<String> {
    let text = body[field]
        .as_str()
        .with_context(|| format!("`{field}` in {body}"))?;
    Ok(text.to_owned())
}
