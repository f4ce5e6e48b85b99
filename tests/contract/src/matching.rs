//! Finds the spans of each row, and says what is wrong with the rows that have none or too many.

use std::collections::{HashMap, HashSet};

use crate::once::Telling;
use crate::table::{Edge, Outcome, Row, Scenario};
use crate::violation::{Rule, Violation};
use story::{Span, SpanRef, Story};

/// Holds every row of `scenario` against `story`, from the top.
///
/// Rows below a row without spans are passed over: their absence is a consequence.
pub(crate) fn check_rows(
    story: &Story,
    scenario: &'static Scenario,
    telling: Telling<'_>,
) -> Vec<Violation> {
    let mut matching = Matching {
        story,
        scenario,
        telling,
        found: HashMap::new(),
        taken: HashSet::new(),
    };
    let mut violations: Vec<Violation> = scenario
        .rows()
        .filter(|row| telling.has(row))
        .flat_map(|row| matching.check(row))
        .collect();
    violations.extend(matching.missing_endings());
    // A span that hangs in the wrong place has been named already.
    if violations.is_empty() {
        violations.extend(matching.strangers());
    }
    violations
}

struct Matching<'a> {
    story: &'a Story,
    scenario: &'static Scenario,
    telling: Telling<'a>,
    /// The spans of each row so far, by the row's id.
    found: HashMap<&'static str, Vec<&'a Span>>,
    /// The spans that belong to a row; each belongs to one.
    taken: HashSet<SpanRef>,
}

impl<'a> Matching<'a> {
    fn check(&mut self, row: &'static Row) -> Vec<Violation> {
        let above = row.edge.from().map(|id| self.spans_of(id).to_vec());
        if above.as_ref().is_some_and(Vec::is_empty) {
            return Vec::new();
        }
        let spans = self.take(row, above.as_deref());
        let mut violations: Vec<Violation> = self
            .check_count(row, above.as_deref(), &spans)
            .into_iter()
            .collect();
        violations.extend(
            spans
                .iter()
                .flat_map(|span| check_span(row, span, self.telling)),
        );
        self.found.insert(row.id, spans);
        violations
    }

    fn spans_of(&self, id: &str) -> &[&'a Span] {
        self.found.get(id).map_or(&[], Vec::as_slice)
    }

    fn take(&mut self, row: &Row, above: Option<&[&Span]>) -> Vec<&'a Span> {
        let edge = self.scenario.edge_of(row);
        let free = self
            .story
            .spans()
            .iter()
            .filter(|span| !self.taken.contains(&span.reference()));
        let hangs_there = |span: &&Span| match above {
            None => span.parent.is_none(),
            Some(above) => above.iter().any(|from| joined(edge, from, span)),
        };
        let spans: Vec<&Span> = free
            .filter(|span| row.describes(span))
            .filter(hangs_there)
            .collect();
        self.taken.extend(spans.iter().map(|span| span.reference()));
        spans
    }

    fn check_count(
        &self,
        row: &'static Row,
        above: Option<&[&Span]>,
        spans: &[&Span],
    ) -> Option<Violation> {
        let counts: Vec<usize> = match above {
            None => vec![spans.len()],
            Some(above) => above
                .iter()
                .map(|from| count_under(self.scenario.edge_of(row), from, spans))
                .collect(),
        };
        let absent = counts.iter().filter(|count| **count == 0).count();
        let was_done = self.telling.was_done(row, absent);
        let is_right = |count: usize| row.count.allows(count) || count == 0 && was_done;
        let wrong = counts.into_iter().find(|count| !is_right(*count))?;
        if wrong < row.count.least {
            let from = row.edge.from().map(|id| self.scenario.row(id));
            return Some(Violation::BrokenEdge {
                row,
                edge: self.scenario.edge_of(row),
                from,
                instead: self.explain(row),
            });
        }
        let place = row.edge.from().map_or("in all".to_owned(), |id| {
            format!("at {}", self.scenario.row(id))
        });
        Some(Violation::of(
            Rule::Count,
            format!(
                "{row} should be there {} times {place}, not {wrong}",
                row.count
            ),
        ))
    }

    /// Where the span went that should be here: the nearest thing to it that no row has claimed.
    fn explain(&self, row: &Row) -> String {
        let free = self
            .story
            .spans()
            .iter()
            .filter(|span| !self.taken.contains(&span.reference()));
        let Some(stray) = free.into_iter().find(|span| row.describes(span)) else {
            return "is not in the story: it is missing, or starts a trace of its own".to_owned();
        };
        let edge = self.scenario.edge_of(row);
        match (stray.parent, self.story.parent(stray)) {
            (None, _) if edge.is_child() => "starts a trace of its own".to_owned(),
            (Some(parent), None) => format!("hangs under span {parent}, which is not in the story"),
            (_, Some(parent)) if edge.is_child() && !self.is_of(parent, edge) => {
                format!("hangs under {parent}")
            }
            _ if edge.is_link() => "carries no link to it".to_owned(),
            _ => "has a parent".to_owned(),
        }
    }

    fn is_of(&self, span: &Span, edge: Edge) -> bool {
        let above = edge.from().map_or(&[] as &[&Span], |id| self.spans_of(id));
        above
            .iter()
            .any(|from| from.reference() == span.reference())
    }

    fn missing_endings(&self) -> impl Iterator<Item = Violation> {
        let ends = self.scenario.rows().filter(|row| row.ends);
        let missing =
            ends.filter(|row| self.spans_of(row.id).is_empty() && !self.telling.was_done(row, 1));
        missing.map(|row| Violation::of(Rule::Ending, format!("{row} has not ended the story")))
    }

    fn strangers(&self) -> impl Iterator<Item = Violation> {
        let free = self
            .story
            .spans()
            .iter()
            .filter(|span| !self.taken.contains(&span.reference()))
            .filter(|span| self.scenario.is_about(span));
        free.map(|span| {
            let place = self
                .story
                .parent(span)
                .map_or("without a parent".to_owned(), |from| {
                    format!("under {from}")
                });
            Violation::of(
                Rule::Unexpected,
                format!("{span} {place} is in no row of the table"),
            )
        })
    }
}

fn joined(edge: Edge, from: &Span, to: &Span) -> bool {
    let child = to.parent_reference() == Some(from.reference());
    let linked = to.links.contains(&from.reference());
    (child || !edge.is_child()) && (linked || !edge.is_link())
}

fn count_under(edge: Edge, from: &Span, spans: &[&Span]) -> usize {
    spans.iter().filter(|span| joined(edge, from, span)).count()
}

fn check_span(row: &Row, span: &Span, telling: Telling<'_>) -> Vec<Violation> {
    if span.is_error() && telling.was_sent_again(span) {
        return Vec::new();
    }
    let missing = row
        .has
        .iter()
        .filter(|attribute| !attribute.is_met_by(span));
    let mut violations: Vec<Violation> = missing
        .map(|attribute| {
            let found = span
                .attribute(attribute.name)
                .map_or("none".to_owned(), |value| format!("`{value}`"));
            Violation::of(
                Rule::MissingAttribute,
                format!("{span} should have {attribute}, not {found}"),
            )
        })
        .collect();
    let as_it_should = match row.outcome {
        Outcome::Succeeds => !span.is_error(),
        Outcome::Fails => span.is_error() && span.attribute("error.type").is_some(),
    };
    if !as_it_should {
        let word = match row.outcome {
            Outcome::Succeeds => "succeed",
            Outcome::Fails => "fail, and say so in `error.type`",
        };
        violations.push(Violation::of(Rule::Status, format!("{span} should {word}")));
    }
    violations
}
