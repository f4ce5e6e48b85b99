//! One order on a stack of its own, and all spans that it leaves behind.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use contract::chapters::{Missing, missing};
use serde_json::{Value, json};
use stack::{Options, Stack};
use story::{JaegerClient, SERVICES, Span};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// How long no span may have come: then none will.
const QUIET: Duration = Duration::from_secs(3);

/// An order that has ended, on the stack that it was placed on.
#[derive(Debug)]
pub(crate) struct EndedOrder {
    jaeger: JaegerClient,
    /// When it was placed, in nanoseconds since the Unix epoch.
    placed: u64,
    // What it was placed on runs for as long as somebody looks at it.
    _stack: Stack,
}

impl EndedOrder {
    /// Starts a stack with this command and the services beside it, or with those of this build, and takes one order to its
    /// end.
    pub(crate) async fn place(program: Option<&Path>) -> anyhow::Result<Self> {
        let options = Options {
            program,
            services: true,
            ..Options::default()
        };
        let stack = Stack::start(options).await?;
        let gateway = stack.setting("GATEWAY_URL")?.to_owned();
        let jaeger = JaegerClient::new(stack.setting("JAEGER_URL")?);
        let placed = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
        let order = Self {
            jaeger,
            placed: u64::try_from(placed)?,
            _stack: stack,
        };
        follow(&format!("{gateway}/orders")).await?;
        Ok(order)
    }

    /// What the spans do not show of what the chapters up to `finished` promise, when all of them are there.
    pub(crate) async fn missing(&self, finished: u8) -> anyhow::Result<Vec<Missing>> {
        let (mut count, mut since) = (0, Instant::now());
        loop {
            let spans = self.spans().await?;
            let missing = missing(&spans, finished);
            if spans.len() != count {
                (count, since) = (spans.len(), Instant::now());
            }
            if missing.is_empty() || since.elapsed() >= QUIET {
                return Ok(missing);
            }
            sleep(POLL).await;
        }
    }

    /// The spans of all services since it was placed, in whatever trace.
    async fn spans(&self) -> anyhow::Result<Vec<Span>> {
        let mut spans = HashMap::new();
        for service in SERVICES {
            let found = self.jaeger.since(self.placed, service).await?;
            spans.extend(found.into_iter().map(|span| (span.reference(), span)));
        }
        Ok(spans.into_values().collect())
    }
}

/// Places an order that is confirmed, and waits until it is.
async fn follow(orders: &str) -> anyhow::Result<()> {
    // No context goes along: the gateway begins the trace.
    let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let order = json!({
        "customer_id": "ada",
        "items": [{"item_id": "ITEM-001", "quantity": 1, "price": 2999}],
        "note": "",
    });
    let placed = http.post(orders).json(&order).send().await?;
    let placed: Value = placed.error_for_status()?.json().await?;
    let id = placed["order_id"].as_str().context("an order has an id")?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let order = http.get(format!("{orders}/{id}")).send().await?;
        let order: Value = order.error_for_status()?.json().await?;
        match order["status"].as_str() {
            Some("pending") => {}
            Some("confirmed") => return Ok(()),
            other => bail!("the order ended as {other:?}, and should be confirmed"),
        }
        ensure!(
            Instant::now() < deadline,
            "the order is still pending after {PATIENCE:?}"
        );
        sleep(POLL).await;
    }
}
