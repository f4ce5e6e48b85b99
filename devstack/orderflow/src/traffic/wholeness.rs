//! Whether each order's trace is whole: the trace contract, held against what the store has.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::stream::{self, StreamExt as _};
use journey::contract::{NotWhole, Scenario, wait_until_whole};
use journey::{JaegerClient, Story};
use tokio::time::Instant;

use crate::gateway::Order;

/// Spans arrive in batches; the last one may be some seconds away.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a trace gets that is looked at after that; by then its last span is long there.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// Traces looked at side by side.
const AT_ONCE: usize = 8;

/// How many traces kept the contract, and what was wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Wholeness {
    pub(crate) whole: usize,
    /// One line per broken trace: the order, and the first thing that is wrong.
    pub(crate) broken: Vec<String>,
}

/// Reads the trace of every order until it is whole. The patience is for all of them together: where many are broken,
/// the verdict comes no later.
pub(crate) async fn check_all(jaeger_url: &str, orders: &[Order]) -> Wholeness {
    let client = JaegerClient::new(jaeger_url);
    let deadline = Instant::now() + PATIENCE;
    let checks = stream::iter(orders).map(async |order| {
        let patience = deadline
            .saturating_duration_since(Instant::now())
            .max(LAST_LOOK);
        let story = check(&client, order, patience).await;
        story
            .map(drop)
            .map_err(|flaw| format!("{}: {}", order.id, headline(&flaw)))
    });
    let results: Vec<_> = checks.buffer_unordered(AT_ONCE).collect().await;
    let broken: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    Wholeness {
        whole: orders.len() - broken.len(),
        broken,
    }
}

/// The story of one order, if it is the one that its status promises, with exactly one root.
pub(crate) async fn check(
    client: &JaegerClient,
    order: &Order,
    patience: Duration,
) -> anyhow::Result<Story> {
    let trace_id = order.trace_id.as_deref().context("it was not traced")?;
    let trace_id = trace_id
        .parse()
        .with_context(|| format!("{trace_id} is no trace id"))?;
    let status = order.status.name();
    let scenario =
        Scenario::of_status(status).with_context(|| format!("no scenario ends {status}"))?;
    let story = wait_until_whole(client, trace_id, scenario, patience).await?;
    let roots = story.roots().count();
    ensure!(roots == 1, "its trace has {roots} roots");
    Ok(story)
}

/// The first broken edge, without the waterfall that the whole message ends with.
fn headline(flaw: &anyhow::Error) -> String {
    match flaw.downcast_ref() {
        Some(NotWhole::Broken(broken)) => broken.violations[0].to_string(),
        _ => format!("{flaw:#}"),
    }
}
