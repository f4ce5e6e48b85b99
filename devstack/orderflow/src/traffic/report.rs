//! What `traffic` says: a line per order, and a summary that is its verdict.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::mailbox::Mails;
use super::run::Outcome;
use super::wholeness::Wholeness;
use crate::gateway::{Order, Status};
use crate::tree::Memory;

const GOOD: Style = AnsiColor::Green.on_default();
const NOTABLE: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// How many broken traces, orders without mail, or reasons for a refusal, are named one by one.
const NAMED: usize = 5;

/// `01932f… confirmed 142 ms http://…/trace/0af7…`
pub(crate) fn order_line(outcome: &Outcome, jaeger_url: &str) -> String {
    let order = match outcome {
        Outcome::Refused(error) => return format!("{BAD}not accepted{BAD:#}  {error:#}"),
        Outcome::NotEnded(order) | Outcome::Ended(order) => order,
    };
    let link = order.trace_id.as_ref().map_or_else(
        || "not traced".to_owned(),
        |id| format!("{jaeger_url}/trace/{id}"),
    );
    let (id, status) = (&order.id, order.status.as_str());
    let (took, colour) = match (outcome.ended(), order.status) {
        (None, _) => return format!("{id}  {BAD}still pending{BAD:#}  {link}"),
        (Some(order), Status::Confirmed) => (order.took(), GOOD),
        (Some(order), _) => (order.took(), NOTABLE),
    };
    let took = took.as_millis();
    format!("{id}  {colour}{status:<9}{colour:#} {took:>6} ms  {DIM}{link}{DIM:#}")
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
        let traces = self.traces.as_ref().filter(|_| !self.ended().is_empty());
        let memory = |Memory { bytes, processes }| {
            let megabytes = bytes / 1_000_000;
            format!("{megabytes} MB in {processes} processes of the stack")
        };
        let findings = [
            ("orders", Some(self.orders())),
            ("refused", self.refusals()),
            ("open", some(first(&self.open, "\n  "))),
            ("time", self.times()),
            ("emails", Some(self.emails())),
            ("traces", traces.map(render_traces)),
            ("memory", self.memory.map(memory)),
        ];
        let findings = findings.into_iter();
        findings
            .filter_map(|(name, value)| Some(format!("{DIM}{name:<7}{DIM:#} {}\n", value?)))
            .collect()
    }

    fn orders(&self) -> String {
        let (sent, refused) = (self.outcomes.len(), self.reasons().count());
        let (accepted, ended) = (sent - refused, self.ended().len());
        let open = accepted - ended;
        let style = if ended == sent { GOOD } else { BAD };
        let counts = format!("{sent} sent, {accepted} accepted, {ended} ended, {open} not ended");
        let by_status = tally(self.ended().into_iter().map(|order| order.status));
        let by_status = by_status.iter();
        let by_status = by_status.map(|(status, count)| format!("{count} {}", status.as_str()));
        let by_status = some(by_status.collect::<Vec<_>>().join(", "));
        let ends = by_status.map(|ends| format!(" ({ends})"));
        format!("{style}{counts}{style:#}{}", ends.unwrap_or_default())
    }

    /// Each reason with the number of orders that were not accepted for it, the most frequent first.
    fn refusals(&self) -> Option<String> {
        let mut by_reason: Vec<_> = tally(self.reasons()).into_iter().collect();
        let total: usize = by_reason.iter().map(|(_, count)| count).sum();
        by_reason.sort_by_key(|(_, count)| Reverse(*count));
        let reasons = by_reason.iter().take(NAMED);
        let reasons = reasons.map(|(reason, count)| format!("\n  {count} × {reason}"));
        let reasons = some(reasons.collect::<String>())?;
        Some(format!("{BAD}{total}{BAD:#}{reasons}"))
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
        let [p50, p95, max] = [50, 95, 100].map(|percent| percentile(&times, percent));
        let [p50, p95, max] = [p50?, p95?, max?].map(|time| time.as_millis());
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of orders is far below 2^52"
        )]
        let rate = times.len() as f64 / self.took.as_secs_f64();
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
        let (count, late) = (missing.len(), some(first(&missing, ", ")));
        let trouble = self.mail_trouble.as_ref().filter(|_| count > 0);
        let words = [
            some(first(&doubled, ", ")).map(|orders| format!("; several: {orders}")),
            late.map(|orders| format!("; {count} not yet there: {orders}")),
            trouble.map(|trouble| format!("; {trouble}")),
        ];
        let words: String = words.into_iter().flatten().collect();
        format!("{BAD}{found} for {} orders{BAD:#}{words}", ended.len())
    }
}

fn render_traces(traces: &Wholeness) -> String {
    let (whole, broken) = (traces.whole, traces.broken.len());
    let again = traces.handled_again.len();
    // A broker delivers at least once: it is no flaw, and worth a look.
    let again = some(first(&traces.handled_again, ", ")).map(|orders| {
        format!(
            ", {NOTABLE}{again} of them with a message that was handled again{NOTABLE:#}: {orders}"
        )
    });
    let again = again.unwrap_or_default();
    if broken > 0 {
        let named = &traces.broken[..broken.min(NAMED)];
        let (total, named) = (whole + broken, named.join("\n  "));
        return format!("{BAD}{whole} of {total} whole{BAD:#}{again}\n  {named}");
    }
    let form = match traces.linked {
        0 => "one root each".to_owned(),
        linked if linked == whole => "each several traces that are linked".to_owned(),
        linked => format!("{linked} of them several traces that are linked"),
    };
    format!("{GOOD}{whole} whole, {form}{GOOD:#}{again}")
}

/// How often each of them is there.
pub(super) fn tally<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// The first of them, and whether there are more.
fn first<S: Borrow<str>>(all: &[S], between: &str) -> String {
    let blank = between.trim_start_matches(',');
    let more = (all.len() > NAMED).then(|| format!("{blank}…"));
    all[..all.len().min(NAMED)].join(between) + &more.unwrap_or_default()
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The nearest-rank percentile of sorted values; `None` when there are none.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
pub(crate) mod tests;
