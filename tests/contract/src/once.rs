//! Tells a story as if each of its messages had been handled once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use crate::table::{Repeat, Row, Scenario, Transport};
use story::{Delivered, Kind, Span, Story};

/// How a story is held against its scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Telling<'a> {
    AsItWas,
    /// As if each message had been handled once, without these spans of the other times.
    Once(&'a [Span]),
}

impl Telling<'_> {
    /// Whether the table has that row at all.
    pub(crate) fn has(self, row: &Row) -> bool {
        matches!(self, Self::Once(_)) || row.repeat != Repeat::AddsIt
    }

    /// Whether a repeat may lack so many spans of `row`, because an earlier time has done their work.
    pub(crate) fn was_done(self, row: &Row, absent: usize) -> bool {
        let Self::Once(left_out) = self else {
            return false;
        };
        let before = left_out.iter().filter(|span| row.describes(span)).count();
        row.repeat == Repeat::FindsItDone && absent <= before
    }

    /// Whether the same was sent again. Then a sending that arrived may have failed by its own account, and does not know
    /// what the broker would have told it.
    pub(crate) fn was_sent_again(self, span: &Span) -> bool {
        let Self::Once(left_out) = self else {
            return false;
        };
        let same = |other: &&Span| {
            other.name == span.name && other.service == span.service && other.parent == span.parent
        };
        span.kind == Kind::Producer && left_out.iter().any(|other| same(&other))
    }

    /// The number that the attempts of one delivery should begin with; these are theirs, sorted.
    pub(crate) fn first_attempt(self, numbers: &[i64]) -> i64 {
        match (self, numbers) {
            (Self::Once(_), [lowest, ..]) => *lowest.max(&1),
            _ => 1,
        }
    }
}

/// What remains of a story where a message was handled again.
#[derive(Debug)]
pub(crate) struct ToldOnce {
    pub(crate) story: Story,
    pub(crate) left_out: Vec<Span>,
}

impl ToldOnce {
    /// `None` when no message was handled again: then nothing excuses an orphan.
    pub(crate) fn of(story: &Story, scenario: &Scenario) -> Option<Self> {
        let deliveries = story.deliveries();
        let repeats = deliveries.into_iter().flat_map(|((.., sender), spans)| {
            // Messages without a sender need not be the same.
            sender.map_or_else(Vec::new, |_| all_but_the_furthest(story, scenario, spans))
        });
        let resent = sendings(story, scenario).into_values();
        let resent = resent.flat_map(|spans| all_but_the_furthest(story, scenario, spans));
        let tops = story.orphans().chain(repeats).chain(resent);
        let left_out: HashSet<_> = with_all_below(story, tops).map(Span::reference).collect();
        let spans = story.spans().iter().cloned();
        let (left_out, kept): (Vec<_>, Vec<_>) =
            spans.partition(|span| left_out.contains(&span.reference()));
        was_handled_again(&kept, &left_out).then(|| Self {
            story: Story::new(story.origin(), kept, Vec::new()),
            left_out,
        })
    }
}

/// Either the broker has counted it, or a message that came of an earlier time is among what was left out.
fn was_handled_again(kept: &[Span], left_out: &[Span]) -> bool {
    let is_message = |span: &Span| matches!(span.kind, Kind::Producer | Kind::Consumer);
    kept.iter().any(|span| span.attempt() > Some(1)) || left_out.iter().any(is_message)
}

/// The spans that sent the same event: those of a relay whose context was stored with the same change.
fn sendings<'a>(story: &'a Story, scenario: &Scenario) -> BTreeMap<Delivered<'a>, Vec<&'a Span>> {
    let mut sendings: BTreeMap<_, Vec<&Span>> = BTreeMap::new();
    let relayed: Vec<_> = scenario
        .rows()
        .filter(|row| row.over == Transport::Outbox)
        .collect();
    for span in story.spans() {
        if span.parent.is_some() && relayed.iter().any(|row| row.describes(span)) {
            let event = (
                span.service.as_str(),
                span.name.as_str(),
                span.parent_reference(),
            );
            sendings.entry(event).or_default().push(span);
        }
    }
    sendings
}

/// Of those that went equally far, the first stays. There is at least one.
fn all_but_the_furthest<'a>(
    story: &'a Story,
    scenario: &Scenario,
    mut deliveries: Vec<&'a Span>,
) -> Vec<&'a Span> {
    deliveries.sort_by_cached_key(|span| Reverse(reach(story, scenario, span)));
    deliveries.split_off(1)
}

/// How far a delivery or a sending went: whether a delivery succeeded, and how many rows of the table are in its branch.
///
/// A sending may fail by its own account and arrive all the same, when the answer was lost.
fn reach(story: &Story, scenario: &Scenario, delivery: &Span) -> (bool, usize) {
    let branch: Vec<&Span> = with_all_below(story, [delivery]).collect();
    let rows = scenario.rows().filter(|row| Telling::AsItWas.has(row));
    let told = rows.filter(|row| branch.iter().any(|span| row.describes(span)));
    let succeeded = delivery.kind == Kind::Producer || !delivery.is_error();
    (succeeded, told.count())
}

/// The spans and everything that came of them, over messages too.
fn with_all_below<'a>(
    story: &'a Story,
    tops: impl IntoIterator<Item = &'a Span>,
) -> impl Iterator<Item = &'a Span> {
    let mut seen = HashSet::new();
    let mut ahead: Vec<&Span> = tops.into_iter().collect();
    std::iter::from_fn(move || {
        loop {
            let span = ahead.pop()?;
            if seen.insert(span.reference()) {
                ahead.extend(story.children(span));
                let linked = story.backlinks(span);
                ahead.extend(linked.filter(|other| other.kind == Kind::Consumer));
                return Some(span);
            }
        }
    })
}

#[cfg(test)]
mod tests;
