//! What `traffic` says: a line per order, and a summary that is its verdict.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::mailbox::Mails;
use super::run::Outcome;
use super::wholeness::Wholeness;
use crate::gateway::{Order, Status};
use crate::memory::Memory;

const GOOD: Style = AnsiColor::Green.on_default();
const NOTABLE: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// How many broken traces, orders without mail, or reasons for a refusal, are named one by one.
const NAMED: usize = 5;

/// `01932f… confirmed 142 ms http://…/trace/0af7…`
pub(crate) fn order_line(outcome: &Outcome, jaeger_url: &str) -> String {
    match outcome {
        Outcome::Refused(error) => format!("{BAD}not accepted{BAD:#}  {error:#}"),
        Outcome::NotEnded(order) => {
            let link = link(order, jaeger_url);
            format!("{}  {BAD}still pending{BAD:#}  {link}", order.id)
        }
        Outcome::Ended(order) => {
            let colour = if order.status == Status::Confirmed {
                GOOD
            } else {
                NOTABLE
            };
            let (status, took) = (order.status.as_str(), order.took().as_millis());
            let link = link(order, jaeger_url);
            format!(
                "{}  {colour}{status:<9}{colour:#} {took:>6} ms  {DIM}{link}{DIM:#}",
                order.id
            )
        }
    }
}

fn link(order: &Order, jaeger_url: &str) -> String {
    order.trace_id.as_ref().map_or_else(
        || "not traced".to_owned(),
        |id| format!("{jaeger_url}/trace/{id}"),
    )
}

/// Everything that is known about a finished run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) outcomes: Vec<Outcome>,
    /// From the first order sent to the last one ended.
    pub(crate) took: Duration,
    pub(crate) mails: anyhow::Result<Mails>,
    /// What may hold mails that are not there yet.
    pub(crate) mail_trouble: Option<String>,
    /// What is known of orders that have not ended: a line for each reason.
    pub(crate) open: Vec<String>,
    /// Absent when it was not asked for.
    pub(crate) traces: Option<Wholeness>,
    /// Absent when the stack is not on this machine.
    pub(crate) memory: Option<Memory>,
}

impl Report {
    fn ended(&self) -> Vec<&Order> {
        self.outcomes.iter().filter_map(Outcome::ended).collect()
    }

    /// Whether every order was accepted and ended, with one mail about it and, where it was looked at, a whole trace.
    pub(crate) fn is_good(&self) -> bool {
        let ended = self.ended();
        let complete =
            |mails: &Mails| mails.missing(&ended).is_empty() && mails.doubled(&ended).is_empty();
        let traces = self.traces.as_ref();
        ended.len() == self.outcomes.len()
            && self.mails.as_ref().is_ok_and(complete)
            && traces.is_none_or(|traces| traces.broken.is_empty())
    }

    /// The summary, a line per finding.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{DIM}{name:<7}{DIM:#} {value}");
        };
        line("orders", &self.orders());
        if let Some(refusals) = self.refusals() {
            line("refused", &refusals);
        }
        if !self.open.is_empty() {
            line("open", &self.still_open());
        }
        if let Some(times) = self.times() {
            line("time", &times);
        }
        line("emails", &self.emails());
        let traces = self.traces.as_ref();
        if let Some(traces) = traces.filter(|_| !self.ended().is_empty()) {
            line("traces", &render_traces(traces));
        }
        if let Some(Memory { bytes, processes }) = self.memory {
            let megabytes = bytes / 1_000_000;
            line(
                "memory",
                &format!("{megabytes} MB in {processes} processes of the stack"),
            );
        }
        text
    }

    fn orders(&self) -> String {
        let by_status = tally(self.ended().into_iter().map(|order| order.status));
        let by_status = by_status.iter();
        let by_status: Vec<_> = by_status
            .map(|(status, count)| format!("{count} {}", status.as_str()))
            .collect();
        let refused = self.reasons().count();
        let (sent, ended) = (self.outcomes.len(), self.ended().len());
        let accepted = sent - refused;
        let open = accepted - ended;
        let style = if ended == sent { GOOD } else { BAD };
        let counts = format!("{sent} sent, {accepted} accepted, {ended} ended, {open} not ended");
        let ends = if by_status.is_empty() {
            String::new()
        } else {
            format!(" ({})", by_status.join(", "))
        };
        format!("{style}{counts}{style:#}{ends}")
    }

    /// Each reason with the number of orders that were not accepted for it, the most frequent first.
    fn refusals(&self) -> Option<String> {
        let mut by_reason: Vec<_> = tally(self.reasons()).into_iter().collect();
        let total: usize = by_reason.iter().map(|(_, count)| count).sum();
        by_reason.sort_by_key(|(_, count)| Reverse(*count));
        let reasons = by_reason.iter().take(NAMED);
        let reasons = reasons.map(|(reason, count)| format!("\n  {count} × {reason}"));
        let reasons: String = reasons.collect();
        (total > 0).then(|| format!("{BAD}{total}{BAD:#}{reasons}"))
    }

    fn still_open(&self) -> String {
        let more = (self.open.len() > NAMED).then_some("\n  …");
        let lines = &self.open[..self.open.len().min(NAMED)];
        lines.join("\n  ") + more.unwrap_or_default()
    }

    fn reasons(&self) -> impl Iterator<Item = String> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Refused(error) => Some(format!("{error:#}")),
            Outcome::Ended(_) | Outcome::NotEnded(_) => None,
        })
    }

    fn times(&self) -> Option<String> {
        let mut times: Vec<_> = self.ended().into_iter().map(Order::took).collect();
        times.sort_unstable();
        let (p50, p95, max) = (
            percentile(&times, 50)?,
            percentile(&times, 95)?,
            times.last()?,
        );
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of orders is far below 2^52"
        )]
        let rate = times.len() as f64 / self.took.as_secs_f64();
        let [p50, p95, max] = [p50, p95, *max].map(|time| time.as_millis());
        Some(format!(
            "to the end: p50 {p50} ms, p95 {p95} ms, longest {max} ms; {rate:.1} orders/s"
        ))
    }

    fn emails(&self) -> String {
        let mails = match &self.mails {
            Ok(mails) => mails,
            Err(error) => return format!("{BAD}not counted{BAD:#}: {error:#}"),
        };
        let ended = self.ended();
        if ended.is_empty() {
            return "none, since no order has ended".to_owned();
        }
        let (missing, doubled) = (mails.missing(&ended), mails.doubled(&ended));
        let found = mails.found(&ended);
        if missing.is_empty() && doubled.is_empty() {
            return format!("{GOOD}{found}, one per order and status{GOOD:#}");
        }
        let (late, twice) = (named(&missing), named(&doubled));
        let trouble = self.mail_trouble.as_deref().filter(|_| !missing.is_empty());
        format!(
            "{BAD}{found} for {} orders{BAD:#}{}{}{}",
            ended.len(),
            part(" several: ", &twice),
            part(&format!(" {} not yet there: ", missing.len()), &late),
            part(" ", trouble.unwrap_or_default()),
        )
    }
}

fn render_traces(traces: &Wholeness) -> String {
    let again = handled_again(&traces.handled_again);
    if traces.broken.is_empty() {
        let form = match traces.linked {
            0 => "one root each".to_owned(),
            linked if linked == traces.whole => "each several traces that are linked".to_owned(),
            linked => format!("{linked} of them several traces that are linked"),
        };
        return format!("{GOOD}{} whole, {form}{GOOD:#}{again}", traces.whole);
    }
    let total = traces.whole + traces.broken.len();
    let reasons = traces.broken.iter().take(NAMED);
    let summary = format!("{BAD}{} of {total} whole{BAD:#}{again}", traces.whole);
    let lines: Vec<_> = std::iter::once(summary)
        .chain(reasons.map(ToString::to_string))
        .collect();
    lines.join("\n  ")
}

/// A broker delivers at least once: it is no flaw, and worth a look.
fn handled_again(orders: &[String]) -> String {
    if orders.is_empty() {
        return String::new();
    }
    let (count, orders) = (orders.len(), named(orders));
    format!(", {NOTABLE}{count} of them with a message that was handled again{NOTABLE:#}: {orders}")
}

/// How often each of them is there.
pub(super) fn tally<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

fn named<S: Borrow<str>>(orders: &[S]) -> String {
    let more = if orders.len() > NAMED { " …" } else { "" };
    orders[..orders.len().min(NAMED)].join(", ") + more
}

fn part(label: &str, value: &str) -> String {
    if value.is_empty() {
        String::new()
    } else {
        format!(";{label}{value}")
    }
}

/// The nearest-rank percentile of sorted values; `None` when there are none.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
pub(crate) mod tests;
