//! The duration bar: when a span ran within the whole story, and how long its message waited before.

use crate::chart::Row;

/// Stands at the right edge for a span that began after it.
pub(super) const BEYOND: char = '›';

/// A bar in its two inks: blanks and the dotted wait, then the solid line.
pub(super) struct Bar {
    pub(super) lead: String,
    pub(super) line: String,
}

/// The bar of `row` on an axis of `length` nanoseconds and `width` columns.
pub(super) fn bar(row: &Row<'_>, length: u64, width: usize) -> Bar {
    if row.is_beyond {
        let lead = " ".repeat(width.saturating_sub(1));
        let line = BEYOND.to_string();
        return Bar { lead, line };
    }
    // Half columns from the left edge; a line has glyphs for its left and its right half.
    let halves = |at: u64| {
        let halves = u128::from(at.min(length)) * (2 * width as u128) / u128::from(length);
        usize::try_from(halves).unwrap_or(2 * width)
    };
    let last = (2 * width).saturating_sub(1);
    let from = halves(row.offset).min(last);
    let to = halves(row.offset.saturating_add(row.length)).max(from + 1);
    let sent = row.offset.saturating_sub(row.queued.unwrap_or(0));
    let (blank, first) = (halves(sent).min(from).div_ceil(2).min(from / 2), from / 2);
    let line = (first..to.div_ceil(2)).map(|cell| glyph(cell, from, to));
    Bar {
        lead: " ".repeat(blank) + &"┄".repeat(first - blank),
        line: line.collect(),
    }
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
