//! The duration bar: when a span ran within the whole story, and how long its message waited before.

use std::time::Duration;

use crate::contract::Scenario;
use crate::contract::scenarios::{DECIDED, REDRIVEN};
use crate::span::Span;
use crate::story::Story;

/// Maps times of the story to columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    start: u64,
    nanos: u64,
    width: usize,
}

/// Together they name every service that takes part in an order.
const KNOWN: [&Scenario; 2] = [&DECIDED, &REDRIVEN];

/// A bar in its two inks: blanks and the dotted wait, then the solid line.
pub(super) struct Bar {
    pub(super) lead: String,
    pub(super) line: String,
}

/// Stands at the right edge for a span that began after it.
pub(super) const BEYOND: char = '›';

impl Scale {
    pub(super) fn new(story: &Story, width: usize) -> Self {
        let nanos = end(story).saturating_sub(story.start());
        Self {
            start: story.start(),
            nanos: nanos.max(1),
            width,
        }
    }

    /// From the left edge to the right one.
    pub(super) fn length(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// Whether `span` began after the right edge.
    pub(super) fn is_beyond(&self, span: &Span) -> bool {
        span.start > self.start + self.nanos
    }

    /// How long after the beginning of the story `span` began.
    pub(super) fn offset(&self, span: &Span) -> Duration {
        Duration::from_nanos(span.start.saturating_sub(self.start))
    }

    pub(super) fn bar(&self, span: &Span) -> Bar {
        if self.is_beyond(span) {
            let lead = " ".repeat(self.width.saturating_sub(1));
            let line = BEYOND.to_string();
            return Bar { lead, line };
        }
        let last = (2 * self.width).saturating_sub(1);
        let from = self.halves(span.start).min(last);
        let to = self.halves(span.end).max(from + 1);
        let waited = span
            .queue_time_ms()
            .map_or(from, |ms| self.halves(sent_at(span, ms)).min(from));
        let (blank, first) = (waited.div_ceil(2).min(from / 2), from / 2);
        let lead = " ".repeat(blank) + &"┄".repeat(first - blank);
        let line = (first..to.div_ceil(2))
            .map(|cell| glyph(cell, from, to))
            .collect();
        Bar { lead, line }
    }

    /// Half columns from the left edge; a line has glyphs for its left and its right half.
    fn halves(&self, at: u64) -> usize {
        let offset = u128::from(at.saturating_sub(self.start).min(self.nanos));
        let halves = offset * (2 * self.width as u128) / u128::from(self.nanos);
        usize::try_from(halves).unwrap_or(2 * self.width)
    }
}

/// When the last span ended of the services that the trace contract knows.
///
/// Whoever else listens may hear of an order much later, for example by reading a topic from its beginning, and would
/// shrink everything else to nothing.
fn end(story: &Story) -> u64 {
    let is_known = |span: &&Span| {
        KNOWN
            .iter()
            .any(|scenario| scenario.rows().any(|row| row.service == span.service))
    };
    let known = story.spans().iter().filter(is_known);
    let known = known.map(|span| span.end).max();
    let all = story.spans().iter().map(|span| span.end);
    known.or(all.max()).unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a wait is positive"
)]
fn sent_at(span: &Span, queued_ms: f64) -> u64 {
    span.start.saturating_sub((queued_ms * 1e6) as u64)
}

fn glyph(cell: usize, from: usize, to: usize) -> char {
    let left = from <= 2 * cell;
    let right = to >= 2 * cell + 2;
    match (left, right) {
        (true, true) => '━',
        (false, _) => '╺',
        (true, false) => '╸',
    }
}
