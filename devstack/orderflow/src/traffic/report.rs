//! What `traffic` says: a line per order, and a summary that is its verdict.

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
        Outcome::NotEnded { order } => {
            format!(
                "{}  {BAD}still pending{BAD:#}  {}",
                order.id,
                link(order, jaeger_url)
            )
        }
        Outcome::Ended { order, took } => {
            let colour = if order.status == Status::Confirmed {
                GOOD
            } else {
                NOTABLE
            };
            let (status, took) = (order.status.name(), took.as_millis());
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
    /// The orders that ended.
    pub(crate) fn ended(&self) -> impl Iterator<Item = (&Order, Duration)> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Ended { order, took } => Some((order, *took)),
            _ => None,
        })
    }

    /// Whether every order was accepted and ended, with one mail about it and, where it was looked at, a whole trace.
    pub(crate) fn is_good(&self) -> bool {
        let ended = self.ended_orders();
        let mails = self.mails.as_ref();
        let complete =
            |mails: &Mails| mails.missing(&ended).is_empty() && mails.doubled(&ended).is_empty();
        ended.len() == self.outcomes.len()
            && mails.is_ok_and(complete)
            && self
                .traces
                .as_ref()
                .is_none_or(|traces| traces.broken.is_empty())
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
        if let Some(traces) = self
            .traces
            .as_ref()
            .filter(|_| self.ended().next().is_some())
        {
            line("traces", &render_traces(traces));
        }
        if let Some(Memory { bytes, processes }) = self.memory {
            line(
                "memory",
                &format!(
                    "{} MB in {processes} processes of the stack",
                    bytes / 1_000_000
                ),
            );
        }
        text
    }

    fn ended_orders(&self) -> Vec<&Order> {
        self.ended().map(|(order, _)| order).collect()
    }

    fn orders(&self) -> String {
        let mut by_status = BTreeMap::new();
        for (order, _) in self.ended() {
            *by_status.entry(order.status).or_insert(0) += 1;
        }
        let by_status: Vec<_> = by_status
            .iter()
            .map(|(status, count)| format!("{count} {}", status.name()))
            .collect();
        let refused = self.reasons().count();
        let (sent, ended) = (self.outcomes.len(), self.ended().count());
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
        let mut by_reason = BTreeMap::new();
        for reason in self.reasons() {
            *by_reason.entry(reason).or_insert(0) += 1;
        }
        let total: usize = by_reason.values().sum();
        let mut by_reason: Vec<_> = by_reason.into_iter().collect();
        by_reason.sort_by_key(|(_, count)| Reverse(*count));
        let reasons = by_reason.iter().take(NAMED);
        let reasons = reasons.map(|(reason, count)| format!("\n  {count} × {reason}"));
        let reasons: Vec<_> = reasons.collect();
        (total > 0).then(|| format!("{BAD}{total}{BAD:#}{}", reasons.concat()))
    }

    fn still_open(&self) -> String {
        let more = if self.open.len() > NAMED {
            "\n  …"
        } else {
            ""
        };
        let lines: Vec<&str> = self.open.iter().take(NAMED).map(String::as_str).collect();
        format!("{}{more}", lines.join("\n  "))
    }

    fn reasons(&self) -> impl Iterator<Item = String> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Refused(error) => Some(format!("{error:#}")),
            Outcome::Ended { .. } | Outcome::NotEnded { .. } => None,
        })
    }

    fn times(&self) -> Option<String> {
        let mut times: Vec<_> = self.ended().map(|(_, took)| took).collect();
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
        let ended = self.ended_orders();
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
    if traces.broken.is_empty() {
        let again = handled_again(&traces.handled_again);
        let form = match traces.linked {
            0 => "one root each".to_owned(),
            linked if linked == traces.whole => "each several traces that are linked".to_owned(),
            linked => format!("{linked} of them several traces that are linked"),
        };
        return format!("{GOOD}{} whole, {form}{GOOD:#}{again}", traces.whole);
    }
    let total = traces.whole + traces.broken.len();
    let reasons = traces
        .broken
        .iter()
        .take(NAMED)
        .map(|reason| format!("\n  {reason}"));
    format!(
        "{BAD}{} of {total} whole{BAD:#}{}{}",
        traces.whole,
        handled_again(&traces.handled_again),
        reasons.collect::<String>()
    )
}

/// A broker delivers at least once: it is no flaw, and worth a look.
fn handled_again(orders: &[String]) -> String {
    if orders.is_empty() {
        return String::new();
    }
    let count = orders.len();
    let orders: Vec<_> = orders.iter().map(String::as_str).collect();
    format!(
        ", {NOTABLE}{count} of them with a message that was handled again{NOTABLE:#}: {}",
        named(&orders)
    )
}

fn named(orders: &[&str]) -> String {
    let more = if orders.len() > NAMED { " …" } else { "" };
    format!("{}{more}", orders[..orders.len().min(NAMED)].join(", "))
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
