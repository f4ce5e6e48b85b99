//! The table as the tutorial joins it up: what each chapter brings, and what is missing when it is said to be finished.

use std::collections::HashMap;
use std::fmt;

use story::{Kind, Span, SpanRef};

use crate::scenarios::HAPPY;
use crate::table::{Edge, Row, Transport};

/// The first chapter: spans that stand alone.
const START: u8 = 1;
const HTTP: u8 = 2;
const SQL: u8 = 3;
const KAFKA: u8 = 4;
const OUTBOX: u8 = 5;
const SQS: u8 = 6;
const PUBSUB: u8 = 7;
const LINKS: u8 = 8;
const FAILURES: u8 = 9;
const BUSINESS: u8 = 10;
const QUEUE_TIME: u8 = 11;

/// What spans that handle a message carry, and from which chapter on.
const OF_MESSAGES: [(u8, &str); 3] = [
    (FAILURES, "orderflow.messaging.attempt"),
    (BUSINESS, "orderflow.order.id"),
    (QUEUE_TIME, "orderflow.messaging.queue_time_ms"),
];

/// Something that a chapter promises and the spans do not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The chapter that promises it.
    pub chapter: u8,
    what: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Row {
    /// The chapter in which there are spans of this row, wherever they hang.
    fn begins_in(&self) -> u8 {
        let is_sql = self.has.iter().any(|has| has.name == "db.system.name");
        match (self.span, self.kind) {
            ("classify order" | "embeddings <model>" | "send mail", _) => BUSINESS,
            _ if is_sql => SQL,
            ("POST", Kind::Client) => HTTP,
            _ => START,
        }
    }

    /// The chapter in which they hang on the row above.
    fn is_joined_in(&self) -> u8 {
        let over = match self.over {
            Transport::InProcess => START,
            Transport::Http => HTTP,
            Transport::Outbox => OUTBOX,
            Transport::Kafka => KAFKA,
            Transport::Sqs => SQS,
            Transport::PubSub => PUBSUB,
        };
        over.max(self.begins_in())
    }
}

/// What `spans`, all that one confirmed order has left behind, do not show of what the chapters up to `finished` promise.
///
/// The edges first, from the top of the table.
pub fn missing(spans: &[Span], finished: u8) -> Vec<Missing> {
    let by_reference: HashMap<SpanRef, &Span> =
        spans.iter().map(|span| (span.reference(), span)).collect();
    let rows = || HAPPY.rows().filter(|row| row.count.least > 0);
    let mut missing: Vec<_> = rows()
        .filter(|row| row.begins_in() <= finished)
        .filter_map(|row| absent(row, spans).or_else(|| loose(row, spans, &by_reference, finished)))
        .collect();
    if missing.is_empty() {
        missing.extend(rows().filter_map(|row| unlinked(row, spans, finished)));
        missing.extend(
            OF_MESSAGES
                .iter()
                .filter_map(|of| bare(*of, spans, finished)),
        );
    }
    missing
}

fn absent(row: &Row, spans: &[Span]) -> Option<Missing> {
    let is_there = spans.iter().any(|span| row.describes(span));
    (!is_there).then(|| Missing {
        chapter: row.begins_in(),
        what: format!("there is no span {row}"),
    })
}

fn loose(
    row: &Row,
    spans: &[Span],
    by_reference: &HashMap<SpanRef, &Span>,
    finished: u8,
) -> Option<Missing> {
    let above = above(row, finished)?;
    if row.is_joined_in() > finished {
        return None;
    }
    let parent = |span: &Span| by_reference.get(&span.parent_reference()?).copied();
    let mut own = spans.iter().filter(|span| row.describes(span));
    let is_joined = |span: &Span| parent(span).is_some_and(|parent| above.describes(parent));
    if own.clone().any(is_joined) {
        return None;
    }
    let instead = match own.next().map(|span| (span.parent, parent(span))) {
        Some((_, Some(parent))) => format!("hangs under {parent}"),
        Some((Some(parent), None)) => format!("hangs under span {parent}, which is not there"),
        _ => "starts a trace of its own".to_owned(),
    };
    Some(Missing {
        chapter: row.is_joined_in(),
        what: format!(
            "{row} should be child of {above} {}, but {instead}",
            row.over
        ),
    })
}

/// The nearest row above whose spans there are by then.
fn above(row: &Row, finished: u8) -> Option<&'static Row> {
    let mut above = HAPPY.row(row.edge.from()?);
    while above.begins_in() > finished {
        above = HAPPY.row(above.edge.from()?);
    }
    Some(above)
}

fn unlinked(row: &Row, spans: &[Span], finished: u8) -> Option<Missing> {
    if finished < LINKS || !matches!(row.edge, Edge::MessageOf(_)) {
        return None;
    }
    let mut own = spans.iter().filter(|span| row.describes(span));
    let span = own.find(|span| {
        span.parent_reference()
            .is_none_or(|parent| !span.links.contains(&parent))
    })?;
    Some(Missing {
        chapter: LINKS,
        what: format!("{span} should be linked to the span that sent its message"),
    })
}

fn bare((chapter, name): (u8, &str), spans: &[Span], finished: u8) -> Option<Missing> {
    let mut messages = spans.iter().filter(|span| span.kind == Kind::Consumer);
    let span = messages.find(|span| span.attribute(name).is_none())?;
    (chapter <= finished).then(|| Missing {
        chapter,
        what: format!("{span} should have `{name}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{happy, text};

    /// What a whole order leaves behind when the chapters up to `finished` are.
    fn spans(finished: u8) -> Vec<Span> {
        let mut spans = happy().spans;
        for span in spans.iter_mut().filter(|span| span.kind == Kind::Consumer) {
            let id = ("orderflow.order.id".to_owned(), text("01"));
            span.attributes.extend([id]);
        }
        let begins_later = |span: &Span| {
            let mut rows = HAPPY.rows().filter(|row| row.describes(span));
            rows.any(|row| row.begins_in() > finished)
        };
        while let Some(at) = spans.iter().position(begins_later) {
            let gone = spans.remove(at);
            let below = spans.iter_mut();
            let below = below.filter(|span| span.parent == Some(gone.span_id));
            below.for_each(|span| span.parent = gone.parent);
        }
        spans
    }

    #[test]
    fn a_whole_order_keeps_the_promises_of_each_chapter() {
        for finished in START..=QUEUE_TIME {
            assert_eq!(missing(&spans(finished), finished), [], "{finished}");
        }
    }

    #[test]
    fn a_hop_that_is_lost_is_the_promise_of_its_chapter() {
        let hops = [
            ("orders", "POST /orders", HTTP),
            ("orders", "send order.created", OUTBOX),
            ("classifier", "process order.created", KAFKA),
            ("classifier", "process classification-jobs", SQS),
            ("orders", "process order.classified", PUBSUB),
        ];
        for (service, name, chapter) in hops {
            let lost = |finished| {
                let mut spans = spans(finished);
                let mut of_hop = spans.iter_mut();
                let span = of_hop.find(|span| span.service == service && span.name == name);
                span.unwrap().parent = None;
                missing(&spans, finished)
            };
            let found = lost(QUEUE_TIME);
            assert_eq!(found[0].chapter, chapter, "{}", found[0]);
            assert_eq!(lost(chapter)[0].chapter, chapter);
            assert_eq!(lost(chapter - 1), []);
        }
    }

    #[test]
    fn a_chapter_is_missed_where_only_those_before_are_finished() {
        for finished in START..QUEUE_TIME {
            let mut spans = spans(finished);
            for span in spans.iter_mut().filter(|_| finished < LINKS) {
                span.links.clear();
            }
            for (_, name) in OF_MESSAGES.iter().filter(|(since, _)| *since > finished) {
                for span in &mut spans {
                    span.attributes.remove(*name);
                }
            }
            for row in HAPPY.rows().filter(|row| row.is_joined_in() > finished) {
                let mut of_row = spans.iter_mut();
                while let Some(span) = of_row.find(|span| row.describes(span)) {
                    span.parent = None;
                }
            }
            assert_eq!(missing(&spans, finished), []);
            let next = missing(&spans, finished + 1);
            assert_eq!(next[0].chapter, finished + 1, "{}", next[0]);
        }
    }
}
