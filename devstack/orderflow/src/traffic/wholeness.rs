//! Whether each order's trace is whole, by what the store has of it.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use futures::stream::{self, StreamExt as _};
use indicatif::ProgressBar;
use story::{Flaw, JaegerClient, Story, TraceId};
use tokio::time::{Instant, sleep_until};

use crate::answers::Services;
use crate::explain::Explainer;
use crate::gateway::{Order, Status};

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

/// How many traces are whole, and what is wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Wholeness {
    pub(crate) whole: usize,
    /// How many of them are several traces that are linked, since each message begins one (`MESSAGING_TRACE_RELATION=link`).
    pub(crate) linked: usize,
    /// The orders among them with a message that was in hand of a process that failed or died.
    pub(crate) handled_again: Vec<String>,
    /// Per broken trace the order, the first thing that is wrong, and what is known about it.
    pub(crate) broken: Vec<String>,
}

/// What the store has of a trace, and the first thing that is wrong with it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) story: Option<Story>,
    pub(crate) flaw: Option<anyhow::Error>,
}

impl Verdict {
    pub(crate) fn is_whole(&self) -> bool {
        self.flaw.is_none()
    }

    fn spans(&self) -> usize {
        self.story.as_ref().map_or(0, |story| story.spans().len())
    }

    fn was_handled_again(&self) -> bool {
        self.story.as_ref().is_some_and(Story::was_handled_again)
    }

    /// Nothing is merely late any more: a process that died with a message in hand has left out what it did.
    fn for_good(mut self) -> Self {
        let again = self.was_handled_again();
        self.flaw = self.flaw.filter(|flaw| {
            let flaw = flaw.downcast_ref::<Flaw>();
            !(again && flaw.is_some_and(Flaw::is_of_a_death))
        });
        self
    }
}

/// Looks at the traces of one stack.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    explainer: Explainer<'a>,
    /// The patience is for all together: where many are broken, the verdict comes no later.
    deadline: Instant,
    /// How long a story stands still that goes no further.
    quiet: Duration,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(jaeger_url: &str, services: Option<&'a Services>) -> Self {
        let has_fault = services.is_some_and(|services| !services.faults.is_empty());
        Self {
            explainer: Explainer {
                client: JaegerClient::new(jaeger_url),
                services,
            },
            deadline: Instant::now() + PATIENCE,
            quiet: if has_fault { QUIET_WITH_FAULT } else { QUIET },
        }
    }

    /// Reads the trace of every order until it is whole, or no longer can be; the bar shows how many were looked at.
    pub(crate) async fn check_all(&self, orders: &[Order], bar: &ProgressBar) -> Wholeness {
        let checks = stream::iter(orders).map(async |order| (order, self.check(order).await));
        let mut verdicts = pin!(checks.buffer_unordered(AT_ONCE));
        let mut wholeness = Wholeness::default();
        while let Some((order, verdict)) = verdicts.next().await {
            bar.inc(1);
            if verdict.is_whole() {
                wholeness.count(order, &verdict);
            } else {
                let explain = wholeness.broken.len() < EXPLAINED;
                let words = self.describe(order, &verdict, explain).await;
                wholeness.broken.push(words);
            }
        }
        wholeness
    }

    /// The order, the first thing that is wrong, and what is known about it.
    pub(crate) async fn describe(&self, order: &Order, verdict: &Verdict, explain: bool) -> String {
        let mut words = order.id.clone();
        if let Some(flaw) = &verdict.flaw {
            let _ = write!(words, ": {flaw:#}");
        }
        let Some(story) = verdict.story.as_ref().filter(|_| explain) else {
            return words;
        };
        let known = self.explainer.explain(story, Some(&order.id)).await;
        for sentence in &known {
            let _ = write!(words, "\n    it {sentence}");
        }
        let services = self.explainer.services;
        let faults = services.map_or(&[] as &[_], |services| &services.faults);
        for fault in faults.iter().filter(|_| known.is_empty()) {
            let _ = write!(words, "\n    {fault} is switched on");
        }
        words
    }

    /// Where an order is that has not ended.
    pub(crate) async fn where_is(&self, order: &Order) -> Vec<String> {
        match self.look(order).await.story {
            Some(story) => self.explainer.explain(&story, Some(&order.id)).await,
            None => Vec::new(),
        }
    }

    /// Reads the trace of one order until it is whole, or no longer can be.
    pub(crate) async fn check(&self, order: &Order) -> Verdict {
        let deadline = self.deadline.max(Instant::now() + LAST_LOOK);
        let (mut spans, mut since) = (0, Instant::now());
        loop {
            let next = Instant::now() + LOOK_EVERY;
            let verdict = self.look(order).await;
            // A span that comes late may still break it.
            let is_new = verdict.spans() != spans;
            if is_new {
                (spans, since) = (verdict.spans(), Instant::now());
            }
            if verdict.is_whole() && !is_new {
                return verdict;
            }
            let is_late = next >= deadline || self.is_final(order, &verdict, since);
            if is_late && !verdict.is_whole() {
                return verdict.for_good();
            }
            sleep_until(next).await;
        }
    }

    /// What the store has now.
    async fn look(&self, order: &Order) -> Verdict {
        if order.trace_id.is_none() && !story::is_traced() {
            return Verdict {
                story: None,
                flaw: None,
            };
        }
        let (story, flaw) = match self.story(order).await {
            Ok(story) => {
                let flaw = story.flaw().map(Into::into);
                (Some(story), flaw)
            }
            Err(error) => (None, Some(error)),
        };
        Verdict { story, flaw }
    }

    async fn story(&self, order: &Order) -> anyhow::Result<Story> {
        let id = order.trace_id.as_deref().context("it was not traced")?;
        let id: TraceId = id.parse().with_context(|| format!("{id} is no trace id"))?;
        let story = Story::gather(&self.explainer.client, id).await?;
        story.with_context(|| format!("the trace store does not know trace {id}"))
    }

    /// Whether nothing more is to be expected: the order has ended some time ago, its story stands still `since` then, and
    /// whoever is to hear of the end has heard of it or cannot.
    fn is_final(&self, order: &Order, verdict: &Verdict, since: Instant) -> bool {
        let ended = (Utc::now() - order.updated_at).to_std().unwrap_or_default();
        let still = ended >= self.quiet && since.elapsed() >= self.quiet;
        let untaken = verdict.story.iter().flat_map(Story::untaken);
        let mut last = untaken.filter(story::Untaken::follows_the_end);
        still && last.all(|message| self.explainer.is_stuck(&message))
    }
}

impl Wholeness {
    fn count(&mut self, order: &Order, verdict: &Verdict) {
        self.whole += 1;
        let traces = verdict.story.as_ref().map(Story::traces);
        self.linked += usize::from(traces.is_some_and(|traces| traces.len() > 1));
        // An order fails because a message was handled again and again: there it is no news.
        if verdict.was_handled_again() && order.status != Status::Failed {
            self.handled_again.push(order.id.clone());
        }
    }
}

#[cfg(test)]
mod tests;
