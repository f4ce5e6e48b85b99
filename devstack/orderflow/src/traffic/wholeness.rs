//! Whether each order's trace is whole: the trace contract, held against what the store has.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::Utc;
use futures::stream::{self, StreamExt as _};
use story::contract::{self, Broken, Relation, Scenario};
use story::{ClientError, JaegerClient, Story, TraceId};
use tokio::time::{Instant, sleep_until};

use crate::explain::{Explainer, Untaken, untaken};
use crate::gateway::Order;
use crate::status::Services;

/// Spans arrive in batches; the last one may be some seconds away.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a trace gets that is looked at after that; by then its last span is long there.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// How long nothing may have come of the story of an order that has ended: then nothing more will.
const QUIET: Duration = Duration::from_secs(5);

/// The same where a fault is switched on, so that a broken trace is what is expected.
const QUIET_WITH_FAULT: Duration = Duration::from_secs(2);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Traces looked at side by side.
const AT_ONCE: usize = 8;

/// How many traces are explained when they are broken: it takes a search each.
const EXPLAINED: usize = 5;

/// How many traces kept the contract, and what was wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Wholeness {
    pub(crate) whole: usize,
    /// How many of them are several traces that are linked, since each message begins one (`MESSAGING_TRACE_RELATION=link`).
    pub(crate) linked: usize,
    /// The orders among them whose traces are whole only when each message is told once.
    pub(crate) handled_again: Vec<String>,
    /// Per broken trace the order, the first thing that is wrong, and what is known about it.
    pub(crate) broken: Vec<String>,
}

/// A trace that is whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) story: Story,
    relation: Relation,
    /// Only when each message is told once: one was in hand of a process that failed or died.
    told_once: bool,
}

/// A trace that is not, as far as it goes.
#[derive(Debug)]
pub(crate) struct Flawed {
    pub(crate) story: Option<Box<Story>>,
    /// The first thing that is wrong.
    pub(crate) flaw: anyhow::Error,
}

/// Looks at the traces of one stack.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    client: JaegerClient,
    services: Option<&'a Services>,
    /// The patience is for all together: where many are broken, the verdict comes no later.
    deadline: Instant,
    /// How long a story stands still that goes no further.
    quiet: Duration,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(jaeger_url: &str, services: Option<&'a Services>) -> Self {
        Self {
            client: JaegerClient::new(jaeger_url),
            services,
            deadline: Instant::now() + PATIENCE,
            quiet: if services.is_some_and(|services| !services.faults.is_empty()) {
                QUIET_WITH_FAULT
            } else {
                QUIET
            },
        }
    }

    /// Reads the trace of every order until it is whole, or no longer can be; `looked_at` is told how many were.
    pub(crate) async fn check_all(&self, orders: &[Order], looked_at: impl Fn(usize)) -> Wholeness {
        let checks = stream::iter(orders).map(async |order| (order, self.check(order).await));
        let mut wholeness = Wholeness::default();
        let mut verdicts = pin!(checks.buffer_unordered(AT_ONCE));
        let mut count = 0;
        while let Some((order, verdict)) = verdicts.next().await {
            count += 1;
            looked_at(count);
            match verdict {
                Ok(whole) => wholeness.count(order, &whole),
                Err(flawed) => {
                    let explain = wholeness.broken.len() < EXPLAINED;
                    let words = self.describe(order, &flawed, explain).await;
                    wholeness.broken.push(words);
                }
            }
        }
        wholeness
    }

    /// The order, the first broken edge, and what is known about it.
    pub(crate) async fn describe(&self, order: &Order, flawed: &Flawed, explain: bool) -> String {
        let mut words = format!("{}: {:#}", order.id, flawed.flaw);
        let story = flawed.story.as_deref().filter(|_| explain);
        let known = match story {
            Some(story) => self.explainer().explain(story, Some(&order.id)).await,
            None => return words,
        };
        for sentence in &known {
            let _ = write!(words, "\n    it {sentence}");
        }
        for fault in self.faults().iter().filter(|_| known.is_empty()) {
            let _ = write!(words, "\n    {fault} is switched on");
        }
        words
    }

    fn faults(&self) -> &[String] {
        self.services.map_or(&[], |services| &services.faults)
    }

    /// Where an order is that has not ended.
    pub(crate) async fn where_is(&self, order: &Order) -> Vec<String> {
        let Ok(id) = trace_of(order) else {
            return Vec::new();
        };
        match Story::gather(&self.client, id).await {
            Ok(Some(story)) => self.explainer().explain(&story, Some(&order.id)).await,
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    fn explainer(&self) -> Explainer<'_> {
        Explainer {
            client: &self.client,
            services: self.services,
        }
    }

    /// The story of one order, if it is the one that its status promises.
    pub(crate) async fn check(&self, order: &Order) -> Result<Whole, Flawed> {
        let id = trace_of(order).map_err(Flawed::without_story)?;
        let deadline = self.deadline.max(Instant::now() + LAST_LOOK);
        let mut seen = Seen::default();
        loop {
            let next = Instant::now() + LOOK_EVERY;
            let story = Story::gather(&self.client, id).await;
            let is_new = seen.look(story.as_ref().ok().and_then(Option::as_ref));
            let verdict = judge(order, id, story);
            match verdict {
                // A span that comes late may still break it.
                Ok(whole) if !is_new => return Ok(whole),
                Err(flawed) if next >= deadline || self.is_final(order, &flawed, &seen) => {
                    return look_again(order, flawed);
                }
                Ok(_) | Err(_) => {}
            }
            sleep_until(next).await;
        }
    }

    /// Whether nothing more is to be expected: the order has ended some time ago, its story stands still, and whoever is
    /// to hear of the end has heard of it or cannot.
    fn is_final(&self, order: &Order, flawed: &Flawed, seen: &Seen) -> bool {
        let ended = (Utc::now() - order.updated_at).to_std().unwrap_or_default();
        let still = ended >= self.quiet && seen.since.elapsed() >= self.quiet;
        let on_its_way = |story: &Story| {
            let messages = untaken(story).into_iter();
            let mut last = messages.filter(Untaken::follows_the_end);
            last.any(|message| !message.is_stuck(self.services))
        };
        still && !flawed.story.as_deref().is_some_and(on_its_way)
    }
}

/// How much there was of a story, and since when.
struct Seen {
    spans: usize,
    since: Instant,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            spans: 0,
            since: Instant::now(),
        }
    }
}

impl Seen {
    /// Whether there is more of the story than before, or less.
    fn look(&mut self, story: Option<&Story>) -> bool {
        let spans = story.map_or(0, |story| story.spans().len());
        if spans == self.spans {
            return false;
        }
        *self = Self {
            spans,
            since: Instant::now(),
        };
        true
    }
}

impl Flawed {
    fn without_story(flaw: anyhow::Error) -> Self {
        Self { story: None, flaw }
    }
}

impl Wholeness {
    fn count(&mut self, order: &Order, whole: &Whole) {
        self.whole += 1;
        if whole.relation == Relation::Link {
            self.linked += 1;
        }
        if whole.told_once {
            self.handled_again.push(order.id.clone());
        }
    }
}

/// Holds what the store answered against what the order's status promises.
fn judge(
    order: &Order,
    id: TraceId,
    story: Result<Option<Story>, ClientError>,
) -> Result<Whole, Flawed> {
    let story = story.map_err(|error| Flawed::without_story(error.into()))?;
    let story = story.ok_or_else(|| {
        Flawed::without_story(anyhow!("the trace store does not know trace {id}"))
    })?;
    hold(order, story, contract::check, false)
}

/// As [`judge`], but that the story may be the promised one only when each message is told once.
///
/// Only now, when nothing is merely late any more.
fn look_again(order: &Order, flawed: Flawed) -> Result<Whole, Flawed> {
    match flawed.story {
        Some(story) => hold(order, *story, contract::check_told_once, true),
        None => Err(flawed),
    }
}

fn hold(
    order: &Order,
    story: Story,
    check: fn(&Story, &'static Scenario) -> Result<(), Box<Broken>>,
    told_once: bool,
) -> Result<Whole, Flawed> {
    let relation = Relation::of(&story);
    let status = order.status.name();
    let scenario = Scenario::of_status(status, relation);
    let checked = scenario
        .with_context(|| format!("no scenario ends {status}"))
        // The first broken edge, without the waterfall that the whole message ends with.
        .and_then(|scenario| {
            check(&story, scenario).map_err(|broken| anyhow!("{}", broken.violations[0]))
        });
    match checked {
        Ok(()) => Ok(Whole {
            story,
            relation,
            told_once,
        }),
        Err(flaw) => Err(Flawed {
            story: Some(Box::new(story)),
            flaw,
        }),
    }
}

fn trace_of(order: &Order) -> anyhow::Result<TraceId> {
    let trace_id = order.trace_id.as_deref().context("it was not traced")?;
    trace_id
        .parse()
        .with_context(|| format!("{trace_id} is no trace id"))
}

#[cfg(test)]
mod tests;
