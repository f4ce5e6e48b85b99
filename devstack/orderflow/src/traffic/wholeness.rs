//! Whether each order's trace is whole: the trace contract, held against what the store has.

use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::stream::{self, StreamExt as _};
use journey::contract::{self, NotWhole, Scenario, wait_until_whole};
use journey::{JaegerClient, Story, TraceId};
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
    /// The orders among them whose traces are whole only when each message is told once.
    pub(crate) handled_again: Vec<String>,
    /// One line per broken trace: the order, and the first thing that is wrong.
    pub(crate) broken: Vec<String>,
}

/// In what way a trace is whole.
enum Whole {
    /// It keeps the contract.
    AsItWas,
    /// It does when each message is told once: one was in hand of a process that failed or died.
    ToldOnce,
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
        (order, judge(&client, order, patience).await)
    });
    let mut wholeness = Wholeness::default();
    let mut verdicts = pin!(checks.buffer_unordered(AT_ONCE));
    while let Some((order, verdict)) = verdicts.next().await {
        wholeness.count(order, verdict);
    }
    wholeness
}

impl Wholeness {
    fn count(&mut self, order: &Order, verdict: anyhow::Result<Whole>) {
        match verdict {
            Ok(Whole::AsItWas) => self.whole += 1,
            Ok(Whole::ToldOnce) => {
                self.whole += 1;
                self.handled_again.push(order.id.clone());
            }
            Err(flaw) => self
                .broken
                .push(format!("{}: {}", order.id, headline(&flaw))),
        }
    }
}

async fn judge(client: &JaegerClient, order: &Order, patience: Duration) -> anyhow::Result<Whole> {
    let Err(flaw) = check(client, order, patience).await else {
        return Ok(Whole::AsItWas);
    };
    let Some(NotWhole::Broken(_)) = flaw.downcast_ref() else {
        return Err(flaw);
    };
    // Only now, when nothing is merely late any more.
    look_again(client, order).await
}

/// The story of one order, if it is the one that its status promises, with exactly one root.
pub(crate) async fn check(
    client: &JaegerClient,
    order: &Order,
    patience: Duration,
) -> anyhow::Result<Story> {
    let (trace_id, scenario) = promised(order)?;
    let story = wait_until_whole(client, trace_id, scenario, patience).await?;
    has_one_root(&story)?;
    Ok(story)
}

/// As [`check`], but that the story may be the promised one only when each message is told once.
async fn look_again(client: &JaegerClient, order: &Order) -> anyhow::Result<Whole> {
    let (trace_id, scenario) = promised(order)?;
    let story = Story::gather(client, trace_id).await?;
    let story = story.ok_or(NotWhole::Unknown(trace_id))?;
    let whole = if contract::check(&story, scenario).is_ok() {
        Whole::AsItWas
    } else {
        contract::check_told_once(&story, scenario).map_err(NotWhole::Broken)?;
        Whole::ToldOnce
    };
    has_one_root(&story)?;
    Ok(whole)
}

fn promised(order: &Order) -> anyhow::Result<(TraceId, &'static Scenario)> {
    let trace_id = order.trace_id.as_deref().context("it was not traced")?;
    let trace_id = trace_id
        .parse()
        .with_context(|| format!("{trace_id} is no trace id"))?;
    let status = order.status.name();
    let scenario =
        Scenario::of_status(status).with_context(|| format!("no scenario ends {status}"))?;
    Ok((trace_id, scenario))
}

fn has_one_root(story: &Story) -> anyhow::Result<()> {
    let roots = story.roots().count();
    ensure!(roots == 1, "its trace has {roots} roots");
    Ok(())
}

/// The first broken edge, without the waterfall that the whole message ends with.
fn headline(flaw: &anyhow::Error) -> String {
    match flaw.downcast_ref() {
        Some(NotWhole::Broken(broken)) => broken.violations[0].to_string(),
        _ => format!("{flaw:#}"),
    }
}
