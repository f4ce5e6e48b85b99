//! What `traffic` says: a line per order, and a summary that is its verdict.

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

/// How many broken traces, or orders without mail, are named one by one.
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

    /// Whether every order was accepted and ended, with one mail and, where it was looked at, a whole trace.
    pub(crate) fn is_good(&self) -> bool {
        let ids = self.ended_ids();
        let mails = self.mails.as_ref();
        ids.len() == self.outcomes.len()
            && mails
                .is_ok_and(|mails| mails.missing(&ids).is_empty() && mails.doubled(&ids).is_empty())
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
        if let Some(times) = self.times() {
            line("time", &times);
        }
        line("emails", &self.emails());
        if let Some(traces) = &self.traces {
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

    fn ended_ids(&self) -> Vec<&str> {
        self.ended().map(|(order, _)| order.id.as_str()).collect()
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
        let refused = self
            .outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Refused(_)))
            .count();
        let (sent, ended) = (self.outcomes.len(), self.ended().count());
        let accepted = sent - refused;
        let open = accepted - ended;
        let style = if ended == sent { GOOD } else { BAD };
        let counts = format!("{sent} sent, {accepted} accepted, {ended} ended, {open} not ended");
        format!("{style}{counts}{style:#} ({})", by_status.join(", "))
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
        let ids = self.ended_ids();
        let (missing, doubled) = (mails.missing(&ids), mails.doubled(&ids));
        let found = mails.found(&ids);
        if missing.is_empty() && doubled.is_empty() {
            return format!("{GOOD}{found}, one per order{GOOD:#}");
        }
        let (without, twice) = (named(&missing), named(&doubled));
        format!(
            "{BAD}{found} for {} orders{BAD:#}{}{}",
            ids.len(),
            part(" none: ", &without),
            part(" several: ", &twice)
        )
    }
}

fn render_traces(traces: &Wholeness) -> String {
    if traces.broken.is_empty() {
        return format!("{GOOD}{} whole, one root each{GOOD:#}", traces.whole);
    }
    let total = traces.whole + traces.broken.len();
    let reasons = traces
        .broken
        .iter()
        .take(NAMED)
        .map(|reason| format!("\n  {reason}"));
    format!(
        "{BAD}{} of {total} whole{BAD:#}{}",
        traces.whole,
        reasons.collect::<String>()
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
mod tests {
    use super::*;

    fn milliseconds(count: u64) -> Vec<Duration> {
        (1..=count).map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(
            percentile(&milliseconds(100), 50),
            Some(Duration::from_millis(50))
        );
        assert_eq!(
            percentile(&milliseconds(100), 95),
            Some(Duration::from_millis(95))
        );
        assert_eq!(
            percentile(&milliseconds(1), 95),
            Some(Duration::from_millis(1))
        );
        assert_eq!(
            percentile(&milliseconds(3), 50),
            Some(Duration::from_millis(2))
        );
        assert_eq!(percentile(&[], 50), None);
    }

    fn order(id: &str) -> Order {
        let body = format!(
            r#"{{"order_id":"{id}","status":"confirmed","trace_id":"0af7651916cd43dd8448eb211c80319c",
            "created_at":"2026-11-21T10:00:00Z","updated_at":"2026-11-21T10:00:00.142Z"}}"#
        );
        serde_json::from_str(&body).unwrap()
    }

    fn ended(id: &str) -> Outcome {
        Outcome::Ended {
            order: order(id),
            took: Duration::from_millis(142),
        }
    }

    fn report(outcomes: Vec<Outcome>, mails: Mails) -> Report {
        Report {
            outcomes,
            took: Duration::from_secs(1),
            mails: Ok(mails),
            traces: None,
            memory: None,
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn one_mail_per_ended_order_is_good() {
        let report = report(
            vec![ended("a"), ended("b")],
            Mails::from_iter([("a", 1), ("b", 1)]),
        );
        assert!(report.is_good());
        let text = plain(&report.render());
        assert!(
            text.contains("2 sent, 2 accepted, 2 ended, 0 not ended (2 confirmed)"),
            "{text}"
        );
        assert!(
            text.contains("p50 142 ms, p95 142 ms, longest 142 ms; 2.0 orders/s"),
            "{text}"
        );
        assert!(text.contains("2, one per order"), "{text}");
    }

    #[test]
    fn a_missing_or_second_mail_is_not_good_and_names_the_order() {
        let report = report(vec![ended("a"), ended("b")], Mails::from_iter([("b", 2)]));
        assert!(!report.is_good());
        let text = plain(&report.render());
        assert!(
            text.contains("2 for 2 orders; none: a; several: b"),
            "{text}"
        );
    }

    #[test]
    fn an_order_that_did_not_end_is_not_good() {
        let open = Outcome::NotEnded { order: order("b") };
        let report = report(vec![ended("a"), open], Mails::from_iter([("a", 1)]));
        assert!(!report.is_good());
        assert!(plain(&report.render()).contains("2 sent, 2 accepted, 1 ended, 1 not ended"));
    }

    #[test]
    fn a_broken_trace_is_not_good() {
        let broken = Wholeness {
            whole: 0,
            broken: vec!["a: no edge".into()],
        };
        let report = Report {
            traces: Some(broken),
            ..report(vec![ended("a")], Mails::from_iter([("a", 1)]))
        };
        assert!(!report.is_good());
        assert!(plain(&report.render()).contains("0 of 1 whole\n  a: no edge"));
    }

    #[test]
    fn an_order_line_has_its_id_status_time_and_trace() {
        assert_eq!(
            plain(&order_line(&ended("a"), "http://jaeger")),
            "a  confirmed    142 ms  http://jaeger/trace/0af7651916cd43dd8448eb211c80319c"
        );
    }
}
