//! Whether each order's trace is whole: the trace contract, held against what the store has.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use journey::contract::{Scenario, wait_until_whole};
use journey::{JaegerClient, Story};

use crate::gateway::Order;

/// Spans arrive in batches; the last one may be some seconds away, and many traces share the store.
const PATIENCE: Duration = Duration::from_secs(30);

/// Traces looked at side by side.
const AT_ONCE: usize = 8;

/// How many traces kept the contract, and what was wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Wholeness {
    pub(crate) whole: usize,
    /// One line per broken trace: the order, and the first thing that is wrong.
    pub(crate) broken: Vec<String>,
}

/// Reads the trace of every order until it is whole, or until it is clear that it will not be.
pub(crate) async fn check_all(jaeger_url: &str, orders: &[Order]) -> Wholeness {
    let client = JaegerClient::new(jaeger_url);
    let checks = stream::iter(orders).map(|order| {
        let client = &client;
        async move {
            check(client, order)
                .await
                .map_err(|reason| format!("{}: {reason}", order.id))
        }
    });
    let mut result = Wholeness::default();
    let mut checks = checks.buffer_unordered(AT_ONCE);
    while let Some(check) = checks.next().await {
        match check {
            Ok(_) => result.whole += 1,
            Err(reason) => result.broken.push(reason),
        }
    }
    result
}

/// The story of one order, if it is the one that its status promises, with exactly one root.
pub(crate) async fn check(client: &JaegerClient, order: &Order) -> Result<Story, String> {
    let trace_id = order.trace_id.as_deref().ok_or("it remembers no trace")?;
    let trace_id = trace_id
        .parse()
        .map_err(|_| format!("{trace_id} is no trace id"))?;
    let status = order.status.name();
    let scenario =
        Scenario::of_status(status).ok_or_else(|| format!("no scenario ends as {status}"))?;
    let story = wait_until_whole(client, trace_id, scenario, PATIENCE)
        .await
        .map_err(|reason| reason.to_string())?;
    match story.roots().count() {
        1 => Ok(story),
        roots => Err(format!("its trace has {roots} roots")),
    }
}
