//! Whether the story of an order is whole, by what is true of every order, however it ended.
//!
//! That each span is where it belongs, how often and with which attributes, is the trace contract's to say
//! (`tests/contract`); a customer's question is only whether something broke or is still to come.

use std::collections::HashSet;
use std::fmt;

use crate::span::{Kind, Span, SpanRef};
use crate::story::Story;
use Kind::{Client, Consumer, Producer, Server};

/// Every service that takes part in an order; `orderflow` is the command, which sends dead letters back.
pub const SERVICES: [&str; 6] = [
    "gateway",
    "orders",
    "classifier",
    "inventory",
    "email",
    "orderflow",
];

/// Who reads what is sent where.
const READERS: [(&str, &[&str]); 4] = [
    ("order.created", &["classifier"]),
    ("classification-jobs", &["classifier"]),
    ("order.classified", &["orders"]),
    (END, &["email", "inventory"]),
];

/// The event that says how an order has ended.
const END: &str = "order.ended";

/// The request that an order causes once it is classified; one that never was ends without it.
const HOLD: &str = "POST /holds";

/// What each order leaves behind, from its beginning to its two ends.
#[rustfmt::skip]
static STATIONS: &[(&str, &str, Kind)] = &[
    ("gateway",    "POST /orders",                Server),
    ("orders",     "POST /orders",                Server),
    ("orders",     "send order.created",          Producer),
    ("classifier", "process order.created",       Consumer),
    ("classifier", "process classification-jobs", Consumer),
    ("classifier", "send order.classified",       Producer),
    ("inventory",  HOLD,                          Server),
    ("orders",     "process order.classified",    Consumer),
    ("orders",     "send order.ended",            Producer),
    ("email",      "process order.ended",         Consumer),
    ("email",      "UPDATE emails",               Client),
    ("inventory",  "process order.ended",         Consumer),
    ("inventory",  "UPDATE reservations",         Client),
];

/// Why a story is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The first thing that should be there, and is not.
    Missing(String),
    /// Not one beginning; these are those that are there.
    Beginnings(Vec<String>),
    /// A span whose parent was never stored.
    Orphan(String),
    /// A span with a link to a span that was never stored.
    DanglingLink(String, SpanRef),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(span) => write!(
                f,
                "{span} is not in the story: it is missing, or starts a trace of its own"
            ),
            Self::Beginnings(spans) => write!(
                f,
                "wrong number of roots: there should be one, not {}: {}",
                spans.len(),
                spans.join(", ")
            ),
            Self::Orphan(span) => write!(f, "orphan: the parent of {span} is not in the story"),
            Self::DanglingLink(span, SpanRef { trace_id, span_id }) => write!(
                f,
                "dangling link: {span} links to span {span_id} of trace {trace_id}, which is not stored"
            ),
        }
    }
}

impl std::error::Error for Flaw {}

impl Flaw {
    /// Whether a process that died with a message in hand explains it: its own span was never exported, and the broker
    /// handed the message out again.
    pub fn is_of_a_death(&self) -> bool {
        matches!(self, Self::Orphan(_) | Self::DanglingLink(..))
    }
}

/// A message that was sent, and that one of its readers has not taken, as far as the story goes.
#[derive(Debug, Clone, Copy)]
pub struct Untaken<'a> {
    pub sent: &'a Span,
    pub reader: &'static str,
}

impl Untaken<'_> {
    /// The topic or queue that the message was sent to.
    pub fn destination(&self) -> &str {
        destination(self.sent)
    }

    /// Whether the order has ended all the same, when this message is on its way.
    pub fn follows_the_end(&self) -> bool {
        self.destination() == END
    }
}

/// Whether an order leaves any span behind at all; on the first step of the tutorial none does.
pub fn is_traced() -> bool {
    !STATIONS.is_empty()
}

impl Story {
    /// The first thing that keeps the story of an order from being whole.
    ///
    /// It looks at the order's own services: whoever else listens to their messages may add spans of their own.
    pub fn flaw(&self) -> Option<Flaw> {
        let ours = |span: &&Span| SERVICES.contains(&span.service.as_str());
        let was_classified = self.spans().iter().any(is_classification);
        let mut due = STATIONS
            .iter()
            .filter(|(_, name, _)| *name != HOLD || was_classified);
        if let Some((service, name, kind)) = due.find(|station| !self.has_been_at(station)) {
            return Some(Flaw::Missing(format!("`{name}` ({service}, {kind})")));
        }
        let beginnings = self.beginnings().filter(ours).map(ToString::to_string);
        let beginnings: Vec<_> = beginnings.collect();
        if beginnings.len() != 1 {
            return Some(Flaw::Beginnings(beginnings));
        }
        if let Some(orphan) = self.orphans().find(ours) {
            return Some(Flaw::Orphan(orphan.to_string()));
        }
        let mut dangling = self.dangling_links().filter(|(span, _)| ours(span));
        dangling
            .next()
            .map(|(span, link)| Flaw::DanglingLink(span.to_string(), link))
    }

    fn has_been_at(&self, (service, name, kind): &(&str, &str, Kind)) -> bool {
        let mut spans = self.spans().iter();
        spans.any(|span| span.service == *service && span.name == *name && span.kind == *kind)
    }

    /// Whether one of the order's own services had a message in hand more than once, or sent one twice: brokers deliver
    /// at least once, and so does an outbox.
    pub fn was_handled_again(&self) -> bool {
        let deliveries = self.deliveries().into_iter();
        let mut deliveries = deliveries.filter(|((service, ..), _)| SERVICES.contains(service));
        let mut sent = HashSet::new();
        let mut sendings = self.spans().iter().filter(|span| span.kind == Producer);
        deliveries.any(|(_, spans)| spans.len() > 1 || spans[0].attempt() > Some(1))
            || sendings.any(|span| {
                let parent = span.parent_reference();
                parent.is_some() && !sent.insert((&span.service, &span.name, parent))
            })
    }

    /// The messages of the story that somebody should still read, by the time they were sent.
    pub fn untaken(&self) -> Vec<Untaken<'_>> {
        let sent = self.spans().iter();
        let sent = sent.filter(|span| span.kind == Producer && !span.is_error());
        let due = sent.flat_map(|sent| {
            let row = READERS.iter().find(|(name, _)| *name == destination(sent));
            let readers = row.map_or(&[] as &[&str], |(_, readers)| readers);
            readers.iter().map(move |reader| Untaken { sent, reader })
        });
        due.filter(|due| !self.was_taken(due)).collect()
    }

    fn was_taken(&self, Untaken { sent, reader }: &Untaken<'_>) -> bool {
        let mut takers = self.children(sent).chain(self.backlinks(sent));
        takers.any(|span| span.kind == Consumer && span.service == *reader)
    }
}

fn destination(span: &Span) -> &str {
    span.text("messaging.destination.name")
}

/// Whether the classifier has come to a finding.
fn is_classification(span: &Span) -> bool {
    span.service == "classifier" && span.name == "classify order" && !span.is_error()
}

#[cfg(test)]
mod tests;
