//! Whether the trace of each order is whole.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context;
use contract::scenarios::DECIDED;
use contract::{Broken, Relation, Rule, Scenario, Violation, check, check_told_once};
use story::waterfall::{Style, render};
use story::{JaegerClient, Story};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::books::{Books, Order};
use crate::load::Asked;
use crate::part::Cell;

/// Spans arrive in batches, and late when the trace store was away.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where some are missing for good, the others are there by then.
const PATIENCE_WITHOUT_HOPE: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(500);

/// What the traces of a cell are like.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    pub(crate) whole: usize,
    /// Whole when each message is told once: one was handled again.
    pub(crate) told_once: usize,
    /// The orders whose traces are not whole, each with what is wrong first.
    pub(crate) broken: Vec<(Uuid, String)>,
}

/// The spans of a request, as violations name them.
const REQUEST: [&str; 3] = [
    "`POST /orders` (gateway, SERVER)",
    "`POST` (gateway, CLIENT)",
    "`POST /orders` (orders, SERVER)",
];

enum Wholeness {
    Whole,
    ToldOnce,
}

/// Reads the traces until all are whole, or nothing more is to be expected.
pub(crate) async fn judge(jaeger: &JaegerClient, cell: Cell, books: &Books) -> Traces {
    let patience = if cell.may_lose_spans() {
        PATIENCE_WITHOUT_HOPE
    } else {
        PATIENCE
    };
    let deadline = Instant::now() + patience;
    let mut traces = Traces::default();
    let answered: HashSet<_> = books.asked.iter().flat_map(Asked::accepted).collect();
    let mut left: Vec<_> = books.orders.iter().collect();
    loop {
        let mut broken = Vec::new();
        for order in std::mem::take(&mut left) {
            match look(jaeger, order, answered.contains(&order.id)).await {
                Ok(Wholeness::Whole) => traces.whole += 1,
                Ok(Wholeness::ToldOnce) => traces.told_once += 1,
                Err(why) => {
                    broken.push((order.id, headline(&why)));
                    left.push(order);
                }
            }
        }
        if left.is_empty() || Instant::now() > deadline {
            traces.broken = broken;
            return traces;
        }
        sleep(POLL).await;
    }
}

async fn look(jaeger: &JaegerClient, order: &Order, answered: bool) -> anyhow::Result<Wholeness> {
    let story = gather(jaeger, order).await?;
    let scenario = scenario(order)?;
    let excused = |broken: &Broken| !answered && only_the_answer_is_missing(broken);
    match check(&story, scenario) {
        Ok(()) => return Ok(Wholeness::Whole),
        Err(broken) if excused(&broken) => return Ok(Wholeness::Whole),
        Err(_) => {}
    }
    match check_told_once(&story, scenario) {
        Err(broken) if !excused(&broken) => Err(broken.into()),
        _ => Ok(Wholeness::ToldOnce),
    }
}

/// The spans of a request have no status when its client hung up, and another when somebody else gave it up: all spans are
/// there, and say so.
fn only_the_answer_is_missing(broken: &Broken) -> bool {
    broken.violations.iter().all(|violation| match violation {
        Violation::Rule {
            rule: Rule::MissingAttribute | Rule::Status,
            problem,
        } => REQUEST.iter().any(|span| problem.contains(span)),
        _ => false,
    })
}

fn scenario(order: &Order) -> anyhow::Result<&'static Scenario> {
    // A second decision is a person's.
    if order.decision > 1 {
        return Ok(&DECIDED);
    }
    let scenario = Scenario::of_status(&order.status, Relation::Parent);
    scenario.with_context(|| format!("no scenario ends as {}", order.status))
}

async fn gather(jaeger: &JaegerClient, order: &Order) -> anyhow::Result<Story> {
    let trace = order.trace_id.as_deref().context("it has no trace")?;
    let story = Story::gather(jaeger, trace.parse()?).await?;
    story.with_context(|| format!("the store does not know trace {trace}"))
}

/// The trace of an order as a picture, or why there is none.
pub(crate) async fn draw(jaeger: &JaegerClient, order: &Order) -> String {
    match gather(jaeger, order).await {
        Ok(story) => render(&story, Style::PLAIN),
        Err(error) => format!("{error:#}\n"),
    }
}

/// What is wrong first, in one line.
fn headline(why: &anyhow::Error) -> String {
    match why.downcast_ref::<Box<Broken>>() {
        Some(broken) => match broken.violations.first() {
            Some(first) => first.to_string().replace('\n', " "),
            None => format!("it breaks `{}`", broken.scenario),
        },
        None => format!("{why:#}"),
    }
}
